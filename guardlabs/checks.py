"""Settings that are wrong say so at start, with a hint."""

import re
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from guardlabs.operations import logs
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
def public_site(**options: Any) -> list[CheckMessage]:
    """guardlabs.W002-W005, E007: a public (https) site whose settings cannot all be meant."""
    if not settings.HTTPS:
        return []
    found: list[CheckMessage] = []
    if settings.DEBUG:
        hint = "DEBUG shows settings and code to every visitor who meets an error: DEBUG=off."
        found.append(Error("DEBUG is on, and SITE_URL is a public one.", hint=hint, id="guardlabs.E007"))
    if not settings.ADMINS:
        hint = "ADMINS=you@example.org: keys that stop working and money that runs out are told by e-mail."
        found.append(Warning("A public site without ADMINS.", hint=hint, id="guardlabs.W002"))
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        hint = "EMAIL_URL=smtp+tls://user:password@mail.example.org:587; until then e-mail ends in the log."
        found.append(Warning("A public site that sends no e-mail.", hint=hint, id="guardlabs.W003"))
    if not settings.TRUSTED_PROXIES:
        hint = (
            "gunicorn speaks no TLS, so there is a proxy: TRUSTED_PROXIES=127.0.0.1 (its address). Without it every "
            "request is redirected to https for ever, and all visitors share one limit."
        )
        found.append(Warning("https without TRUSTED_PROXIES.", hint=hint, id="guardlabs.W004"))
    if settings.LLM_DAILY_BUDGET_USD is None:
        hint = "LLM_DAILY_BUDGET_USD=2.00 is the most that strangers can make the paid providers cost a day."
        found.append(Warning("No limit to what a day may cost.", hint=hint, id="guardlabs.W005"))
    return found


@register()
def several_machines(**options: Any) -> list[CheckMessage]:
    """guardlabs.W006: Redis, which is for several machines, beside a database that is one machine's."""
    if settings.REDIS_URL and settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        hint = (
            "SQLite is one machine's: for several, DATABASE_URL=postgresql://…; for one, Redis is not needed."
        )
        return [Warning("REDIS_URL is set, but the database is SQLite.", hint=hint, id="guardlabs.W006")]
    return []


@register()
def pool_size(**options: Any) -> list[CheckMessage]:
    """guardlabs.W007: threads wait for each other's connections."""
    pool = settings.DATABASES["default"].get("OPTIONS", {}).get("pool")
    # A thread that answers and one that writes a report, for each of WEB_THREADS; LIVE_STREAMS is half of them.
    needed = 4 * settings.LIVE_STREAMS
    if not pool or pool["max_size"] >= needed:
        return []
    hint = f"DATABASE_POOL={needed} (twice WEB_THREADS) or more, or fewer threads."
    return [
        Warning(
            f"DATABASE_POOL={pool['max_size']} is less than threads may need.", hint=hint, id="guardlabs.W007"
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


@register()
def threads(**options: Any) -> list[CheckMessage]:
    """guardlabs.W008: nobody can watch a report live."""
    if settings.LIVE_STREAMS >= 1:
        return []
    hint = "Half of WEB_THREADS may show reports live: WEB_THREADS=16."
    return [Warning("WEB_THREADS leaves no thread for live reports.", hint=hint, id="guardlabs.W008")]


@register()
def times(**options: Any) -> list[CheckMessage]:
    """guardlabs.E008: days and seconds that are no time, or longer than a worker lives."""
    found: list[CheckMessage] = []
    for name, least, most in (
        ("RETENTION_DAYS", 1, 36_500),
        ("REPORT_DEADLINE_S", 1, 100),
        ("LLM_CACHE_TTL_S", 1, None),
    ):
        value = getattr(settings, name)
        if value < least or (most is not None and value > most):
            hint = f"From {least} to {most}." if most else f"{least} or more."
            found.append(Error(f"{name}={value} makes no sense.", hint=hint, id="guardlabs.E008"))
    return found
