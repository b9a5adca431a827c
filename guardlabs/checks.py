"""System checks of the settings, each with a hint; errors stop the start."""

import re
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from guardlabs import env

FERNET_KEY = re.compile(r"[A-Za-z0-9_+/-]{43}=")


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
            is_whole = FERNET_KEY.fullmatch(key)  # Fernet leaves out what is no base64
        except ValueError:
            is_whole = None
        if not is_whole:
            hint = "Each must be 32 bytes in URL-safe base64, newest first, separated by commas."
            return [
                Error(f"ENCRYPTION_KEYS: key {place} is not a Fernet key.", hint=hint, id="guardlabs.E001")
            ]
    return []


@register(Tags.security)
def trusted_proxies(**options: Any) -> list[CheckMessage]:
    """guardlabs.E002: TRUSTED_PROXIES holds something that is no address, or everybody's."""
    wrong = [proxy for proxy in settings.TRUSTED_PROXIES if not _is_network(proxy)]
    hint = "Addresses or networks, separated by commas: 127.0.0.1,10.0.0.0/8"
    if wrong:
        return [Error(f"TRUSTED_PROXIES: {', '.join(wrong)} is no address.", hint=hint, id="guardlabs.E002")]
    wide = [proxy for proxy in settings.TRUSTED_PROXIES if ip_network(proxy, strict=False).prefixlen < WIDEST]
    if wide:
        said = (
            f"TRUSTED_PROXIES: with {', '.join(wide)} visitors choose their own address, and no limit holds."
        )
        return [Error(said, hint=hint, id="guardlabs.E002")]
    return []


WIDEST = 7  # fc00::/7, all of IPv6's private addresses; 10.0.0.0/8 is IPv4's widest


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
    if budget is None or re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", str(budget)):
        return []
    return [Error(f"LLM_DAILY_BUDGET_USD={budget!r} is no amount.", hint="Write 1.50", id="guardlabs.E003")]


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
    # Threads of the pages and of the JSON API, and a few for calls, reports and the ledger.
    needed = 2 * settings.WEB_THREADS + 8
    if not pool or pool["max_size"] >= needed:
        return []
    hint = f"DATABASE_POOL={needed} (twice WEB_THREADS and 8) or more, or fewer threads."
    return [
        Warning(
            f"DATABASE_POOL={pool['max_size']} is less than threads may need.", hint=hint, id="guardlabs.W007"
        )
    ]


@register()
def sentry_dsn(**options: Any) -> list[CheckMessage]:
    """guardlabs.E006: SENTRY_DSN is no address of a Sentry project."""
    parts = env.url_parts(settings.SENTRY_DSN)
    if not settings.SENTRY_DSN or (
        parts
        and parts.scheme in {"http", "https"}
        and parts.username
        and parts.path.rpartition("/")[2].isdecimal()
    ):
        return []
    hint = "Copy it from the project's settings: https://KEY@HOST/PROJECT"
    return [Error("SENTRY_DSN is not the address of a project.", hint=hint, id="guardlabs.E006")]


@register()
def addresses(**options: Any) -> list[CheckMessage]:
    """guardlabs.E009: ADMINS or DEFAULT_FROM_EMAIL is no e-mail address."""
    given = [("ADMINS", address) for _, address in settings.ADMINS]
    sender = settings.DEFAULT_FROM_EMAIL
    found = parseaddr(sender)[1]  # which reads the first of several
    given.append(("DEFAULT_FROM_EMAIL", found if sender.endswith((f"<{found}>", f" {found}")) else sender))
    hint = "you@example.org; ADMINS takes several, separated by commas."
    return [
        Error(f"{name}: {address!r} is no e-mail address.", hint=hint, id="guardlabs.E009")
        for name, address in given
        if not _is_address(address)
    ]


def _is_address(text: str) -> bool:
    """Also of a machine without a domain: `guardlabs@127.0.0.1` is the sender until there is one."""
    try:
        EmailValidator(allowlist=["localhost", "127.0.0.1", "[::1]", "testserver"])(text)
    except ValidationError:
        return False
    return True


@register()
def hosts(**options: Any) -> list[CheckMessage]:
    """guardlabs.E010: ALLOWED_HOSTS holds something that is no host's name."""
    wrong = [host for host in settings.ALLOWED_HOSTS if not HOST.fullmatch(host)]
    if not wrong:
        return []
    hint = "Names without scheme, port or path, separated by commas: audit.example.org,www.example.org"
    return [Error(f"ALLOWED_HOSTS: {', '.join(wrong)} is no name.", hint=hint, id="guardlabs.E010")]


HOST = re.compile(r"\.?[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]")


@register()
def redis_url(**options: Any) -> list[CheckMessage]:
    """guardlabs.E011: REDIS_URL is no address of a Redis."""
    if not settings.REDIS_URL or _is_redis(settings.REDIS_URL):
        return []
    hint = "redis://127.0.0.1:6379/0, rediss:// with TLS, or unix:///path/to/socket"
    return [Error("REDIS_URL is not the address of a Redis.", hint=hint, id="guardlabs.E011")]


def _is_redis(url: str) -> bool:
    from redis import ConnectionPool

    try:
        ConnectionPool.from_url(url).make_connection()  # which reads all of it, and connects to nothing
    except (ValueError, TypeError, AttributeError):
        return False
    if url.startswith("unix://"):
        return len(url) > len("unix://")
    parts = env.url_parts(url)
    return parts is not None and re.fullmatch(r"(/[0-9]{0,5})?", parts.path) is not None


SHORT_KEY, SHORT_TOKEN = 32, 16


@register(Tags.security)
def secrets(**options: Any) -> list[CheckMessage]:
    """guardlabs.E012: SECRET_KEY or METRICS_TOKEN can be guessed. Says no part of either."""
    found: list[CheckMessage] = []
    if settings.HTTPS and len(settings.SECRET_KEY) < SHORT_KEY:
        hint = 'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
        found.append(Error("SECRET_KEY is too short for a public site.", hint=hint, id="guardlabs.E012"))
    if settings.METRICS_TOKEN and not re.fullmatch(rf"[!-~]{{{SHORT_TOKEN},}}", settings.METRICS_TOKEN):
        hint = (
            f"{SHORT_TOKEN} characters or more, at random, letters and digits; without one only this machine may "
            "read /metrics."
        )
        found.append(
            Error("METRICS_TOKEN is too short, or no header can hold it.", hint=hint, id="guardlabs.E012")
        )
    return found


@register()
def secrets_folder(**options: Any) -> list[CheckMessage]:
    """guardlabs.E013: LLM_SECRETS_DIR is no folder."""
    try:
        if not settings.LLM_SECRETS_DIR or Path(settings.LLM_SECRETS_DIR).is_dir():
            return []
    except OSError:  # a name that is too long
        pass
    hint = "The folder that holds the files which a providers file names as `file:/…`."
    return [Error("LLM_SECRETS_DIR is no folder.", hint=hint, id="guardlabs.E013")]


@register()
def web_addresses(**options: Any) -> list[CheckMessage]:
    """guardlabs.E014: SOURCE_URL or OpenTelemetry's endpoint is no http address."""
    given = {
        "SOURCE_URL": settings.SOURCE_URL,
        "OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": settings.OTEL_ENDPOINT,
    }
    hint = "A whole address, such as https://example.org/path"
    return [
        Error(f"{name} is no http address.", hint=hint, id="guardlabs.E014")
        for name, value in given.items()
        if value and not ((parts := env.url_parts(value)) and parts.scheme in {"http", "https"})
    ]


@register()
def private_hosts(**options: Any) -> list[CheckMessage]:
    """guardlabs.E015: LLM_ALLOW_PRIVATE_HOSTS holds something that is no host, address or network."""
    words = settings.LLM_ALLOW_PRIVATE_HOSTS
    wrong = [word for word in words if not (HOST.fullmatch(word) or _is_network(word.strip("[]")))]
    if not wrong:
        return []
    hint = "Hosts without scheme, port or path, addresses, networks, or on: ollama,10.0.0.0/8"
    return [Error(f"LLM_ALLOW_PRIVATE_HOSTS: {', '.join(wrong)} is no host.", hint=hint, id="guardlabs.E015")]
