"""Readers of service URLs: DATABASE_URL and EMAIL_URL in one line each, as hosting platforms give them."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# WAL lets readers go on while one writes; IMMEDIATE takes the write lock at BEGIN, so that a
# transaction never fails half-way when it turns from reading to writing.
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 10,  # for somebody else's lock; then 503 and Retry-After
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-2000;",
}


# A host that is gone without a word is noticed within 20 seconds; see also guardlabs.postgresql.
GONE: dict[str, Any] = {
    "connect_timeout": "3", "keepalives_idle": "10", "keepalives_interval": "3", "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}  # fmt: skip


def database(url: str, *, timeout_s: int = 30, pool: int = 0) -> dict[str, Any]:
    """DATABASES["default"] for `sqlite:///path` or `postgresql://user:password@host:port/name?options`.

    PostgreSQL only: `timeout_s`, the longest that a statement may take (a third of it for a lock; 0 sends no
    timeouts, for pgbouncer, which refuses them); `pool`, connections that a process's threads share at most
    (0: each thread keeps its own).
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": Path(unquote(parts.path.removeprefix("/")) or "var/guardlabs.sqlite3"),
            # Closing the last connection writes the whole log into the file, which takes longer than a request.
            "CONN_MAX_AGE": 600,
            "OPTIONS": SQLITE_OPTIONS,
        }
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "guardlabs.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 0 if pool else 60,
            "CONN_HEALTH_CHECKS": True,
            "DISABLE_SERVER_SIDE_CURSORS": True,  # a pooler that shares connections by transaction has none
            "OPTIONS": _postgresql_options(dict(parse_qsl(parts.query)), timeout_s, pool),
        }
    raise ImproperlyConfigured("DATABASE_URL must begin with sqlite:/// or postgresql://")


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


def email(url: str) -> dict[str, Any]:
    """Django's EMAIL_* settings for `smtp://`, `smtp+tls://` (STARTTLS), `smtps://` or `console:`."""
    parts = urlsplit(url)
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme not in {"smtp", "smtp+tls", "smtps"}:
        raise ImproperlyConfigured("EMAIL_URL must begin with smtp://, smtp+tls://, smtps:// or be console:")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or {"smtp": 25, "smtp+tls": 587, "smtps": 465}[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 10,
    }
