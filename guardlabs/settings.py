"""Settings, all from the environment (README lists the variables). Safe by default: DEBUG is off."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from guardlabs import env, keys

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
DEBUG = env.boolean("DEBUG")

# -- keys ----------------------------------------------------------------------------------------
SECRET_KEY = env.text("SECRET_KEY") or keys.read(keys.SECRET_KEY_FILE)
if not SECRET_KEY and DEBUG:
    SECRET_KEY = "debug-only-key-" + "x" * 50
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. `make run` makes one in var/; any other start needs it in the environment."
    )
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
# Fernet keys, newest first; apart from SECRET_KEY, so that one can change without the other.
ENCRYPTION_KEYS = (
    env.text("ENCRYPTION_KEYS", lines=True).replace(",", " ").split()
    or keys.read(keys.ENCRYPTION_KEYS_FILE).split()
)

# -- where the site is -----------------------------------------------------------------------------
PORT = env.integer("PORT", 8000, least=1, most=65_535)
_site = env.site("SITE_URL", f"http://127.0.0.1:{PORT}")
SITE_URL = f"{_site.scheme}://{_site.netloc}"
HTTPS = _site.scheme == "https"
# The machine's own names, too: for what watches a node from beside it.
ALLOWED_HOSTS = [*(env.words("ALLOWED_HOSTS") or [str(_site.hostname)]), "localhost", "127.0.0.1", "[::1]"]
# Addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
TRUSTED_PROXIES = env.words("TRUSTED_PROXIES")

ROOT_URLCONF = "guardlabs.urls"
ASGI_APPLICATION = "guardlabs.asgi.application"
WSGI_APPLICATION = "guardlabs.wsgi.application"
LLM_GATEWAY_PREFIX = "/v1/"
LLM_GATEWAY_DEADLINE_S, LLM_GATEWAY_MAX_TOKENS = 60, None
INSTALLED_APPS = [
    "guardlabs",
    "audit",
    "llm",
    "guardlabs.staff",
    "guardlabs.desk.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
]
# What is answered on the event loop passes these alone; they run there and in threads alike (serving/site.py).
DOORS_MIDDLEWARE = [
    "guardlabs.web.correlation.RequestId",
    "guardlabs.web.proxy.TrustedProxy",
    "guardlabs.web.headers.Headers",
]
MIDDLEWARE = [
    *DOORS_MIDDLEWARE,
    "llm.gateway.middleware.GatewayFastPath",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "guardlabs.staff.middleware.SlidingSession",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "guardlabs.web.doors.Doors",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "audit.pages.context.site",
            ]
        },
    }
]

# -- data ------------------------------------------------------------------------------------------
DATABASES = {
    "default": env.database(
        env.text("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'guardlabs.sqlite3'}",
        timeout_s=env.integer("DATABASE_TIMEOUT_S", 30, most=3_600),
        pool=env.integer("DATABASE_POOL", 0, most=1_000),
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.text("REDIS_URL")


def _shared_cache(table: str, most: int) -> dict[str, Any]:
    """One of the caches that all processes share. A table is emptied by a third when it holds more than `most` rows."""
    if REDIS_URL:
        return {
            "BACKEND": "guardlabs.web.shared_cache.FallingBack",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "" if table == "cache" else table,
        }
    backend = "guardlabs.web.database_cache.AtomicDatabaseCache"
    return {"BACKEND": backend, "LOCATION": table, "OPTIONS": {"MAX_ENTRIES": most}}


CACHES = {
    # Limits of visitors, one or two rows an address; of staff's logins; and when which chore was done. Each has a
    # table of its own, so that a flood of addresses pushes out neither what guards the admin nor the day's chores.
    "default": _shared_cache("cache", 200_000),
    "logins": _shared_cache("cache_logins", 50_000),
    "chores": _shared_cache("cache_chores", 1_000),
}
RETENTION_DAYS = env.integer("RETENTION_DAYS", 365, least=1, most=36_500)

# -- languages -------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ru", _("Russian")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# -- static files ----------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static_root"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# -- security --------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 2 * 3600  # without a click (guardlabs.staff.middleware); only staff have sessions
STAFF_2FA = env.boolean("STAFF_2FA")
OTP_TOTP_ISSUER = "GuardLabs"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "audit.pages.errors.forbidden"
HSTS = env.choice("HSTS", "host", among=("host", "subdomains", "preload", "off"))
if HTTPS:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    # Of this host for two years; of all names below it, or for the browsers' built-in lists, only when asked for.
    SECURE_HSTS_SECONDS = 0 if HSTS == "off" else 63_072_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = HSTS in {"subdomains", "preload"}
    SECURE_HSTS_PRELOAD = HSTS == "preload"
    # A name that browsers take only from this very host, over https.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # kept only from TRUSTED_PROXIES
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
FILE_UPLOAD_HANDLERS = ["guardlabs.web.uploads.Refuse"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000  # admin list actions post one field a row
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
# django-ratelimit dislikes a cache without atomic increments. Without Redis we count in the database
# cache: under a burst a client may get a few scans more than SCAN_RATE, which we accept.
# security.W005, W021 urge HSTS for subdomains and in browsers' lists, which is for the operator to ask for.
SILENCED_SYSTEM_CHECKS = [
    "django_ratelimit.E003", "django_ratelimit.W001", "security.W005", "security.W021",
]  # fmt: skip

# -- mail and people -------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"guardlabs@{_site.hostname}")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_SUBJECT_PREFIX = "[GuardLabs] "  # of what is mailed to ADMINS
ADMINS = [("GuardLabs staff", address) for address in env.words("ADMINS")]
_email = env.email(env.text("EMAIL_URL", "console:"))
EMAIL_BACKEND = _email.pop("EMAIL_BACKEND")
globals().update(_email)

# -- the product -----------------------------------------------------------------------------------
SCAN_RATE = env.text("SCAN_RATE", "20/h")
AUDIT_PRICE_USD = env.integer("AUDIT_PRICE_USD", 49)
# Who stands behind the site, as /about/ says it.
SELLER_NAME = env.text("SELLER_NAME")
SELLER_ADDRESS = env.text("SELLER_ADDRESS", lines=True)
SELLER_TAX_ID = env.text("SELLER_TAX_ID")
SELLER_TAX_NOTE = env.text("SELLER_TAX_NOTE", lines=True)  # e.g. why no VAT is charged; on each receipt
SOURCE_URL = env.text("SOURCE_URL")
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY")  # none: orders are paid by invoice
STRIPE_WEBHOOK_SECRET = env.text("STRIPE_WEBHOOK_SECRET")
STRIPE_API_BASE = env.text("STRIPE_API_BASE", "https://api.stripe.com").rstrip("/")
# Stripe's names of payment methods; `auto`: whatever its dashboard switches on, slow ones too.
_methods = env.words("STRIPE_PAYMENT_METHODS", "card")
STRIPE_PAYMENT_METHODS = [] if _methods == ["auto"] else _methods
STRIPE_AUTOMATIC_TAX = env.boolean("STRIPE_AUTOMATIC_TAX")
REPORT_SECOND_READER = env.choice("REPORT_SECOND_READER", "auto", among=("auto", "on", "off"))
REPORT_DEADLINE_S = env.integer("REPORT_DEADLINE_S", 45, least=1, most=100)
HOST = env.host("HOST", "127.0.0.1")  # where gunicorn listens
WEB_CONCURRENCY = env.integer("WEB_CONCURRENCY", 2, least=1, most=256)
WEB_THREADS = env.integer("WEB_THREADS", 16, least=1, most=1_000)
CHORES = env.boolean("CHORES", default=True)
LLM_BOOKS = ""  # see llm.ledger.books; a setting that is missing takes Django long to look for
LLM_MAINTAIN_AFTER_CALLS = False  # the background worker does it
LLM_DAILY_BUDGET_USD = env.amount("LLM_DAILY_BUDGET_USD")
LLM_CORS_ORIGINS = env.origins("LLM_CORS_ORIGINS")
LLM_CACHE = env.choice("LLM_CACHE", "auto", among=("auto", "on", "off"))
LLM_CACHE_TTL_S = env.integer("LLM_CACHE_TTL_S", 86_400, least=1, most=315_360_000)
# Providers at private addresses (a local Ollama): names of hosts, addresses, networks, or `on`.
LLM_ALLOW_PRIVATE_HOSTS = env.words("LLM_ALLOW_PRIVATE_HOSTS")
# Where this is set, keys are read from files below it only.
LLM_SECRETS_DIR = env.text("LLM_SECRETS_DIR")
# Troubles that only the site knows of, for the status line.
LLM_STATUS_SOURCES = ["guardlabs.operations.troubles.troubles"]
LLM_USER_AGENT = f"GuardLabs/0.1 (+{SITE_URL})"

# -- watching --------------------------------------------------------------------------------------
METRICS_TOKEN = env.text("METRICS_TOKEN")
SENTRY_DSN = env.text("SENTRY_DSN")
SENTRY_ENVIRONMENT = env.text("SENTRY_ENVIRONMENT", "production")
# Where spans of calls go. OpenTelemetry reads its other variables itself.
OTEL_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or env.text("OTEL_EXPORTER_OTLP_ENDPOINT")
OTEL_CONTENT = env.boolean("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT")

# -- logs: one line or one JSON object an event on stderr; no answers, no tokens, no keys -----------
LOG_FORMAT = env.choice("LOG_FORMAT", "line", among=("line", "json"))
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", among=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"chosen": {"()": "guardlabs.operations.logs.formatter", "name": LOG_FORMAT}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "chosen"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "httpx": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
        "stripe": {"level": "WARNING"},
        # Scanners send any Host; a traceback for each (and Sentry's quota) tells nobody anything.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "huey": {"level": "WARNING"},  # a task is no news; what it does says so itself
    },
}
