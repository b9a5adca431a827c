"""A site with a wrong setting does not start: it says which one, and how it is written."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RIGHT = {
    "DJANGO_SETTINGS_MODULE": "guardlabs.settings",
    "SECRET_KEY": "k" * 50, "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "DATABASE_URL": "sqlite:////tmp/never-opened.sqlite3",
}  # fmt: skip
WRONG = {
    "SITE_URL": "audit.example.org",
    "PORT": "0",
    "DEBUG": "maybe",
    "ALLOWED_HOSTS": "https://audit.example.org",
    "DATABASE_URL": "mysql://me@db/site",
    "DATABASE_TIMEOUT_S": "-1",
    "DATABASE_POOL": "many",
    "REDIS_URL": "localhost:6379",
    "EMAIL_URL": "pigeon://roof",
    "DEFAULT_FROM_EMAIL": "nobody",
    "ADMINS": "notmail",
    "TRUSTED_PROXIES": "proxy.local",
    "WEB_CONCURRENCY": "0",
    "WEB_THREADS": "none",
    "SCAN_RATE": "20/0h",
    "RETENTION_DAYS": "0",
    "REPORT_DEADLINE_S": "300",
    "CHORES": "sometimes",
    "LLM_CORS_ORIGINS": "app.example",
    "LLM_CACHE": "maybe",
    "LLM_CACHE_TTL_S": "-5",
    "LLM_DAILY_BUDGET_USD": "a lot",
    "LLM_SECRETS_DIR": "/no/such/folder",
    "LOG_LEVEL": "loud",
    "LOG_FORMAT": "xml",
    "SENTRY_DSN": "sentry",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "sometimes",
    "METRICS_TOKEN": "1234",
    "STAFF_2FA": "perhaps",
    "HSTS": "forever",
    "AUDIT_PRICE_USD": "-49",
    "STRIPE_WEBHOOK_SECRET": "whsec_alone",
    "ENCRYPTION_KEYS": "short",
    "SECRET_KEY": ("short", {"SITE_URL": "https://audit.example.org"}),
    "HOST": "http://0.0.0.0",
    "REPORT_SECOND_READER": "twice",
    "LLM_ALLOW_PRIVATE_HOSTS": "http://ollama:11434",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "collector",
    "SOURCE_URL": "github",
    "STRIPE_SECRET_KEY": ("pk_test_1", {"STRIPE_WEBHOOK_SECRET": "whsec_1"}),
    "STRIPE_PAYMENT_METHODS": "Card; SEPA",
    "STRIPE_AUTOMATIC_TAX": "19%",
    "STRIPE_API_BASE": (
        "http://stripe.example.org", {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"},
    ),
}  # fmt: skip
# Any words will do; an old key may be of any form.
FREE = {"SELLER_NAME", "SELLER_ADDRESS", "SELLER_TAX_ID", "SELLER_TAX_NOTE", "SENTRY_ENVIRONMENT",
        "SECRET_KEY_FALLBACKS"}  # fmt: skip


def test_every_documented_setting_has_a_wrong_value_here():
    table = (ROOT / "README.md").read_text().partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([A-Z_0-9]+)`", row)}
    assert len(documented) > 40
    assert documented - FREE == set(WRONG)


def start(*command, **changed):
    environment = {name: value for name, value in os.environ.items() if name not in WRONG}
    return subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=environment | RIGHT | changed, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ended(process):
    out, err = process.communicate(timeout=600)
    return process.returncode, out + err


# Importing the site takes a second, so one process does it, and starts from there once for each mistake.
EACH = """
import json, os, sys, tempfile, traceback
import django
from django.conf import settings
from django.utils.functional import empty
from guardlabs import start
django.setup()
ran = {}
for name, changed in json.loads(sys.argv[1]).items():
    with tempfile.TemporaryFile("w+") as words:
        child = os.fork()
        if not child:
            os.dup2(words.fileno(), 1), os.dup2(words.fileno(), 2)
            os.environ.update(changed)
            sys.modules.pop("guardlabs.settings")
            settings._wrapped, status = empty, 2
            try:
                status = start.main()
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        words.seek(0)
        ran[name] = status, words.read()
print(json.dumps(ran))
"""


def test_every_wrong_setting_stops_the_start_with_a_hint():
    each = {
        name: {name: wrong} if isinstance(wrong, str) else {name: wrong[0], **wrong[1]}
        for name, wrong in WRONG.items()
    }
    status, said = ended(start("-c", EACH, json.dumps(each)))
    assert status == 0, said
    ran = json.loads(said)
    assert set(ran) == set(WRONG)
    passed = [name for name, (status, _) in ran.items() if status == 0]
    unnamed = [name for name, (_, words) in ran.items() if name not in words]
    broken = {name: words for name, (_, words) in ran.items() if "Traceback" in words}
    assert (passed, unnamed, broken) == ([], [], {})


def test_the_shipped_settings_start():
    status, words = ended(start("-m", "guardlabs.start"))
    assert (status, words) == (0, "")


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "gunicorn", "-c", "python:guardlabs.gunicorn", "guardlabs.asgi"),
        ("manage.py", "prepare", "--database"),
        ("manage.py", "chores"),
        ("manage.py", "worker"),
    ],
    ids=["server", "prepare", "chores", "worker"],
)
def test_whatever_starts_the_site_asks_first(command):
    status, words = ended(start(*command, SCAN_RATE="lots", PORT="18999"))
    assert status != 0
    assert "SCAN_RATE" in words
    assert "20/h" in words


def test_no_secret_is_in_what_is_said():
    status, words = ended(
        start("-m", "guardlabs.start", ENCRYPTION_KEYS="s3cret-but-wrong", METRICS_TOKEN="t0ken")
    )
    assert status == 1
    assert "s3cret" not in words
    assert "t0ken" not in words
