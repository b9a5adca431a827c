"""Environment variables, and service URLs as django-environ reads them. What cannot be read stops the start, by name.

A NAME_FILE may name a file that holds the value of NAME (container secrets). A value is taken as it stands: a `$` or a
quote in it means nothing. One that is blank counts as not set.
"""

import os
import re
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
# Of a host in an address: a name as browsers send it, or an address without its brackets.
HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}"
FALSE = {"0", "false", "no", "off"}
NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
_env = environ.Env()

# WAL lets readers go on while one writes; IMMEDIATE takes the write lock at BEGIN, so that a
# transaction never fails half-way when it turns from reading to writing. The ledger writes the same pages again and
# again: with 16 MB of log instead of 4 between two copies into the file, fewer of them are copied.
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 10,  # for somebody else's lock; then 503 and Retry-After
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-2000; PRAGMA wal_autocheckpoint=4000;"
    ),
}


# A host that is gone without a word is noticed within 20 seconds; see also guardlabs.postgresql.
GONE: dict[str, Any] = {
    "connect_timeout": "3", "keepalives_idle": "10", "keepalives_interval": "3", "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}  # fmt: skip


SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def text(name: str, default: str = "", *, lines: bool = False) -> str:
    """The variable, or what the file named by NAME_FILE holds, or the default; without white space around it.

    One line of text, or several where `lines` says so.
    """
    value = os.environ.get(name, default)
    if path := os.environ.get(f"{name}_FILE"):
        try:
            value = Path(path).read_text()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {reason}") from None
        if not value.strip():  # else an empty secret would be an empty database, or no key
            raise ImproperlyConfigured(f"{name}_FILE: {path} is empty.")
    value = value.strip()
    if NO_TEXT.search(value):
        raise ImproperlyConfigured(
            f"{name} is no text: it holds bytes that are not UTF-8, or control characters."
        )
    if not lines and len(value.splitlines()) > 1:
        raise ImproperlyConfigured(f"{name} must be one line.")
    return value


def boolean(name: str, default: bool = False) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither on nor off.")


def integer(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    """A whole number from `least` to `most`."""
    value = text(name) or str(default)
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.")
    number = int(value)
    if number < least or (most is not None and number > most):
        reach = f"from {least} to {most}" if most is not None else f"{least} or more"
        raise ImproperlyConfigured(f"{name}={value} makes no sense: {reach}.")
    return number


def amount(name: str) -> str | None:
    """USD, such as 1.50; None when it is not set. A blank one is refused: that would be no limit at all."""
    value = text(name)
    if not value and name not in os.environ and f"{name}_FILE" not in os.environ:
        return None
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        raise ImproperlyConfigured(
            f"{name}={value!r} is no amount. Write 1.50; without the variable there is no limit."
        )
    return value


def host(name: str, default: str) -> str:
    """An address or a name to listen at; an IPv6 address gets the brackets that belong around it before a port."""
    value = text(name) or default
    try:
        if ":" in value:
            return f"[{IPv6Address(value.removeprefix('[').removesuffix(']'))}]"
        if re.fullmatch(r"[0-9.]+", value):
            return str(IPv4Address(value))
    except ValueError:
        value = ""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", value):
        raise ImproperlyConfigured(f"{name} is no address: 127.0.0.1, 0.0.0.0, :: or a name, without a port.")
    return value


def url_parts(url: str) -> SplitResult | None:
    """The parts of `scheme://host…`, or None if it is no such address: no host, an impossible port, white space."""
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0  # which raises ValueError when it is no port
    except ValueError:
        return None
    return parts if whole and not re.search(r"[\s\"'<>\\]", url) else None


def site(name: str, default: str) -> SplitResult:
    """The site's own address: scheme, host and perhaps a port, in small letters, and nothing else."""
    found = url_parts(text(name, default).rstrip("/").lower())
    if (
        found is None or found.scheme not in {"http", "https"} or found.netloc.endswith(":")
        or found.username is not None or found.path or found.query or found.fragment
        or not re.fullmatch(HOST, found.hostname or "")
    ):  # fmt: skip
        raise ImproperlyConfigured(
            f"{name} must be an http or https address without a path, such as https://audit.example.org "
            "(a name in other letters as xn--…)."
        )
    return found


def choice(name: str, default: str, among: tuple[str, ...]) -> str:
    """One of some words, in any case; as it stands in `among`."""
    value = text(name) or default
    for word in among:
        if value.lower() == word.lower():
            return word
    raise ImproperlyConfigured(f"{name}={value!r} is unknown: {', '.join(among[:-1])} or {among[-1]}.")


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list without empty items; the default's when there are none."""
    found = [word.strip() for word in text(name).split(",") if word.strip()]
    return found or [word for word in default.split(",") if word]


def origins(name: str) -> list[str]:
    """A comma-separated list of origins (`https://app.example`), or `*`."""
    found = [word.rstrip("/").lower() for word in words(name)]  # as browsers write them
    for origin in found:
        parts = url_parts(origin)
        if origin != "*" and (
            parts is None or parts.scheme not in {"http", "https"} or f"{parts.scheme}://{parts.netloc}" != origin
            or not re.fullmatch(HOST, parts.hostname or "") or "@" in origin
        ):  # fmt: skip
            raise ImproperlyConfigured(f"{name}: {origin!r} is no origin, such as https://app.example.")
    return found


def database(url: str, *, timeout_s: int = 30, pool: int = 0) -> dict[str, Any]:
    """DATABASES["default"] for `sqlite:///path` or `postgresql://user:password@host:port/name?options`.

    PostgreSQL only: `timeout_s`, the longest that a statement may take (a third of it for a lock; 0 sends no
    timeouts, for pgbouncer, which refuses them); `pool`, connections that a process's threads share at most
    (0: each thread keeps its own).
    """
    scheme = url.partition(":")[0]
    if not re.match(r"sqlite:///|postgres(ql)?://", url):
        raise ImproperlyConfigured("DATABASE_URL must begin with sqlite:/// or postgresql://")
    if scheme == "sqlite":
        path = unquote(url.partition("://")[2].partition("/")[2].partition("?")[0])
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": Path(path or "var/guardlabs.sqlite3"),
            # Closing the last connection writes the whole log into the file, which takes longer than a request.
            "CONN_MAX_AGE": 600,
            "OPTIONS": SQLITE_OPTIONS,
        }
    try:
        read: dict[str, Any] = _env.db_url_config(url.partition("?")[0])
        given = dict(parse_qsl(urlsplit(url).query))
    except ValueError:  # whose words quote a part of the password
        read, given = {}, {}
    if not read.get("NAME"):
        raise ImproperlyConfigured(
            "DATABASE_URL cannot be read: postgresql://user:password@host:port/name, where other signs than letters "
            "and digits of a password are written as %23 and the like."
        )
    if not _are_options(given):
        raise ImproperlyConfigured(
            "DATABASE_URL: PostgreSQL knows no such option as one of those behind the question mark."
        )
    return {
        **read,
        "ENGINE": "guardlabs.postgresql",
        "PORT": str(read["PORT"]),
        "CONN_MAX_AGE": 0 if pool else 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,  # a pooler that shares connections by transaction has none
        "OPTIONS": _postgresql_options(given, timeout_s, pool),
    }


def _are_options(given: dict[str, str]) -> bool:
    """Whether they would be taken as a connection's; one that is not would break each page, and no start."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    try:
        make_conninfo("", **given)
    except ProgrammingError:
        return False
    return given.get("sslmode", "prefer") in SSL_MODES


def _postgresql_options(given: dict[str, Any], timeout_s: int, pool: int) -> dict[str, Any]:
    options: dict[str, Any] = GONE | given
    if timeout_s:
        limits = {
            "statement_timeout": timeout_s,
            "lock_timeout": max(1, timeout_s // 3),
            "idle_in_transaction_session_timeout": 2 * timeout_s,
        }
        ours = " ".join(f"-c {name}={seconds}s" for name, seconds in limits.items())
        options["options"] = f"{ours} {given.get('options', '')}".strip()
    if pool:
        options["pool"] = {"min_size": 1, "max_size": pool, "timeout": 10.0}
    return options


EMAIL_SCHEMES = {"smtp": ("smtp", 25), "smtp+tls": ("smtp+tls", 587), "smtps": ("smtp+ssl", 465)}


def email(url: str) -> dict[str, Any]:
    """Django's EMAIL_* settings for `smtp://`, `smtp+tls://` (STARTTLS), `smtps://` (TLS at once) or `console:`."""
    scheme, _, rest = url.partition(":")
    if scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if scheme not in EMAIL_SCHEMES or not rest.startswith("//"):
        raise ImproperlyConfigured("EMAIL_URL must begin with smtp://, smtp+tls://, smtps:// or be console:")
    theirs, port = EMAIL_SCHEMES[scheme]
    try:
        read: dict[str, Any] = _env.email_url_config(f"{theirs}:{rest}")
    except ValueError:  # whose words quote a part of the password
        read = {"EMAIL_HOST": " "}
    if re.search(r"[\s/@#?]", read.get("EMAIL_HOST") or "") or "#" in url:
        raise ImproperlyConfigured(
            "EMAIL_URL cannot be read: smtp+tls://user:password@host:port, where other signs than letters and digits "
            "of a password are written as %23 and the like."
        )
    read.pop("EMAIL_FILE_PATH", None)
    return {
        **{name: value or "" for name, value in read.items()},
        "EMAIL_HOST": read.get("EMAIL_HOST") or "localhost",
        "EMAIL_PORT": read.get("EMAIL_PORT") or port,
        "EMAIL_USE_TLS": scheme == "smtp+tls",
        "EMAIL_USE_SSL": scheme == "smtps",
        "EMAIL_TIMEOUT": 10,
    }
