"""Settings that are wrong say so at start, with a hint."""

import re
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from guardlabs import logs
from llm import cache


@register(Tags.security)
def encryption_keys(**options: Any) -> list[CheckMessage]:
    """guardlabs.E001: a key is no Fernet key. guardlabs.W001: there is none."""
    if not settings.ENCRYPTION_KEYS:
        hint = "`make run` makes one; elsewhere: `python -m guardlabs.keys`, then read var/encryption_keys."
        return [
            Warning(
                "ENCRYPTION_KEYS is empty: provider keys cannot be stored.", hint=hint, id="guardlabs.W001"
            )
        ]
    for place, key in enumerate(settings.ENCRYPTION_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            hint = "Each must be 32 bytes in URL-safe base64, newest first, separated by commas."
            return [
                Error(f"ENCRYPTION_KEYS: key {place} is not a Fernet key.", hint=hint, id="guardlabs.E001")
            ]
    return []


@register(Tags.security)
def trusted_proxies(**options: Any) -> list[CheckMessage]:
    """guardlabs.E002: TRUSTED_PROXIES holds something that is no address."""
    wrong = [proxy for proxy in settings.TRUSTED_PROXIES if not _is_network(proxy)]
    if not wrong:
        return []
    hint = "Addresses or networks, separated by commas: 127.0.0.1,10.0.0.0/8"
    return [Error(f"TRUSTED_PROXIES: {', '.join(wrong)} is no address.", hint=hint, id="guardlabs.E002")]


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


@register()
def daily_budget(**options: Any) -> list[CheckMessage]:
    """guardlabs.E003: LLM_DAILY_BUDGET_USD is no amount."""
    budget = settings.LLM_DAILY_BUDGET_USD
    if budget is None or re.fullmatch(r"\d+(\.\d+)?", str(budget)):
        return []
    return [Error(f"LLM_DAILY_BUDGET_USD={budget!r} is no amount.", hint="Write 1.50", id="guardlabs.E003")]


@register()
def cache_mode(**options: Any) -> list[CheckMessage]:
    """guardlabs.E004: LLM_CACHE is none of its words."""
    mode = settings.LLM_CACHE
    if mode in cache.MODES:
        return []
    return [Error(f"LLM_CACHE={mode!r} is unknown.", hint="Write auto, on or off.", id="guardlabs.E004")]


@register()
def log_format(**options: Any) -> list[CheckMessage]:
    """guardlabs.E005: LOG_FORMAT is none of its words."""
    if settings.LOG_FORMAT in logs.FORMATS:
        return []
    return [
        Error(
            f"LOG_FORMAT={settings.LOG_FORMAT!r} is unknown.", hint="Write line or json.", id="guardlabs.E005"
        )
    ]


@register()
def sentry_dsn(**options: Any) -> list[CheckMessage]:
    """guardlabs.E006: SENTRY_DSN is no address of a Sentry project."""
    parts = urlsplit(settings.SENTRY_DSN)
    if not settings.SENTRY_DSN or (
        parts.scheme in {"http", "https"} and parts.username and parts.path.strip("/")
    ):
        return []
    hint = "Copy it from the project's settings: https://KEY@HOST/PROJECT"
    return [Error("SENTRY_DSN is not the address of a project.", hint=hint, id="guardlabs.E006")]
