"""Wrong settings are refused at start, each with a hint."""

import pytest
from django.core.checks import run_checks

from guardlabs import checks

SQLITE = {"default": {"ENGINE": "django.db.backends.sqlite3"}}


def ids(**options):
    return {message.id: message for message in run_checks(**options)}


@pytest.mark.parametrize(
    ("name", "value", "id"),
    [
        ("ENCRYPTION_KEYS", ["too-short"], "guardlabs.E001"),
        ("ENCRYPTION_KEYS", [], "guardlabs.W001"),
        (
            "ENCRYPTION_KEYS",
            [f"{'a' * 43}={'b' * 43}="],
            "guardlabs.E001",
        ),  # two, of which Fernet takes the first
        ("ENCRYPTION_KEYS", [f'"{"a" * 43}="'], "guardlabs.E001"),
        ("TRUSTED_PROXIES", ["0.0.0.0/0"], "guardlabs.E002"),
        ("TRUSTED_PROXIES", ["10.0.0.1", "::/0"], "guardlabs.E002"),
        ("TRUSTED_PROXIES", ["0.0.0.0/1", "128.0.0.0/1"], "guardlabs.E002"),
        ("LLM_DAILY_BUDGET_USD", "\u0662.\u0665", "guardlabs.E003"),
        ("SENTRY_DSN", "https://key@[::1/1", "guardlabs.E006"),
        ("SENTRY_DSN", "https://key@host:port/1", "guardlabs.E006"),
        ("SENTRY_DSN", "https://key@host/project", "guardlabs.E006"),
        ("DEFAULT_FROM_EMAIL", "a@b.example, c@d.example", "guardlabs.E009"),
        ("DEFAULT_FROM_EMAIL", "a@b.example;c@d.example", "guardlabs.E009"),
        ("REDIS_URL", "redis://h:port/0", "guardlabs.E011"),
        ("REDIS_URL", "redis://h/zero", "guardlabs.E011"),
        ("REDIS_URL", "redis://h/0?foo=bar", "guardlabs.E011"),
        ("REDIS_URL", "redis://h/0?socket_timeout=soon", "guardlabs.E011"),
        ("REDIS_URL", "redis://[::1", "guardlabs.E011"),
        ("REDIS_URL", "unix://", "guardlabs.E011"),
        ("METRICS_TOKEN", "sixteen letters and spaces", "guardlabs.E012"),
        ("METRICS_TOKEN", "\u0441\u0435\u043a\u0440\u0435\u0442" * 3, "guardlabs.E012"),
        ("LLM_SECRETS_DIR", "/" + "a" * 400, "guardlabs.E013"),
        ("SOURCE_URL", "http://[::1", "guardlabs.E014"),
        ("SOURCE_URL", "https://x:port", "guardlabs.E014"),
        ("SOURCE_URL", "https://x y", "guardlabs.E014"),
        ("OTEL_ENDPOINT", "http://collector:99999", "guardlabs.E014"),
        ("SCAN_RATE", "many", "audit.E001"),
        ("TRUSTED_PROXIES", ["proxy.local"], "guardlabs.E002"),
        ("LLM_DAILY_BUDGET_USD", "a lot", "guardlabs.E003"),
        ("ADMINS", [("GuardLabs staff", "notmail")], "guardlabs.E009"),
        ("DEFAULT_FROM_EMAIL", "audit.example.org", "guardlabs.E009"),
        ("ALLOWED_HOSTS", ["https://audit.example.org/"], "guardlabs.E010"),
        ("REDIS_URL", "localhost:6379", "guardlabs.E011"),
        ("METRICS_TOKEN", "1234", "guardlabs.E012"),
        ("LLM_SECRETS_DIR", "/no/such/folder", "guardlabs.E013"),
        ("SCAN_RATE", "20/0h", "audit.E001"),
        ("SCAN_RATE", "0/h", "audit.E001"),
        ("SCAN_RATE", "-5/m", "audit.E001"),
        ("AUDIT_PRICE_USD", 0, "audit.E002"),
        ("AUDIT_PRICE_USD", -49, "audit.E002"),
        ("AUDIT_PRICE_USD", 4_900_000, "audit.E002"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_1", "audit.E003"),
        ("STRIPE_SECRET_KEY", "pk_test_1", "audit.E004"),
        ("STRIPE_SECRET_KEY", "sk_test_1", "audit.E005"),
    ],
)
def test_a_wrong_setting_is_named_with_a_hint(settings, name, value, id):
    setattr(settings, name, value)
    assert ids()[id].hint


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, []),
        ({"STRIPE_API_BASE": "http://stripe.example.org"}, ["audit.E006"]),
        ({"STRIPE_API_BASE": "http://127.0.0.1:9999"}, []),
        ({"HTTPS": True}, ["audit.W001"]),
        ({"HTTPS": True, "STRIPE_SECRET_KEY": "rk_live_1"}, []),
        ({"STRIPE_SECRET_KEY": "sk_live_1", "EMAIL_BACKEND": "x.console.EmailBackend"}, ["audit.W002"]),
        ({"STRIPE_WEBHOOK_SECRET": "secret"}, ["audit.E005"]),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_"}, ["audit.E005"]),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_1 2"}, ["audit.E005"]),
        ({"STRIPE_SECRET_KEY": "sk_test_1\nsk_test_2"}, ["audit.E004"]),
        ({"STRIPE_SECRET_KEY": "sk_"}, ["audit.E004"]),
        *(
            ({"STRIPE_API_BASE": base}, ["audit.E006"])
            for base in (
                "",
                "https:",
                "ftp://127.0.0.1",
                "http://[::1",
                "http://localhost.evil.example",
                "https://a b",
                "https://u:p@api.stripe.com",
                "https://api.stripe.com/v1",
                "https://api.stripe.com:port",
                "localhost:1",
            )
        ),
    ],
)
def test_stripes_settings_must_fit_together(settings, changed, found):
    right = {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}
    for name, value in (right | changed).items():
        setattr(settings, name, value)
    messages = ids()
    assert [id for id in messages if id.startswith("audit.")] == found
    assert not [text for text in map(str, messages.values()) if "sk_" in text.replace("sk_ or", "")]


def test_the_shipped_settings_are_right():
    assert not [id for id in ids() if id.startswith("guardlabs.")]


def test_how_far_hsts_goes_is_nothing_to_warn_of(settings):
    settings.SECURE_HSTS_SECONDS, settings.SECURE_SSL_REDIRECT = 63_072_000, False
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = False
    said = run_checks(tags=["security"], include_deployment_checks=True)
    told = {message.id for message in said if not message.is_silenced()}
    assert "security.W008" in told  # that there is no redirect to https is told
    assert told.isdisjoint({"security.W005", "security.W021"})


PUBLIC = {
    "HTTPS": True, "ADMINS": [("Anna", "anna@example.org")], "TRUSTED_PROXIES": ["127.0.0.1"],
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "LLM_DAILY_BUDGET_USD": "1.00",
}  # fmt: skip
POSTGRESQL = {"default": {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"pool": {"max_size": 16}}}}


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, []),
        (PUBLIC, []),
        (PUBLIC | {"DEBUG": True}, ["guardlabs.E007"]),
        (PUBLIC | {"ADMINS": []}, ["guardlabs.W002"]),
        (PUBLIC | {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, ["guardlabs.W003"]),
        (PUBLIC | {"TRUSTED_PROXIES": []}, ["guardlabs.W004"]),
        (PUBLIC | {"LLM_DAILY_BUDGET_USD": None}, ["guardlabs.W005"]),
        ({"REDIS_URL": "redis://localhost/0", "DATABASES": SQLITE}, ["guardlabs.W006"]),
        ({"WEB_THREADS": 16, "DATABASES": POSTGRESQL}, ["guardlabs.W007"]),
        ({"WEB_THREADS": 4, "DATABASES": POSTGRESQL}, []),
    ],
)
def test_settings_that_cannot_all_be_meant_are_named_with_a_hint(monkeypatch, changed, found):
    from django.conf import settings

    for name, value in changed.items():  # past pytest-django's own, which would reconnect the database
        monkeypatch.setattr(settings, name, value)
    said = [
        message
        for check in (
            checks.public_site,
            checks.several_machines,
            checks.pool_size,
        )
        for message in check()
    ]
    assert [message.id for message in said] == found
    assert all(message.hint for message in said)
