"""Sentry gets where and what, and nothing of whom. A real client with a transport that only keeps."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = """
import json, logging, sys
import django
from django.conf import settings
settings.SENTRY_DSN = ""
django.setup()
assert "sentry_sdk" not in sys.modules, "imported without a DSN"

from sentry_sdk.transport import Transport
from guardlabs.operations import sentry
from tests import sentry_words as words

kept = []
class Keep(Transport):
    def capture_envelope(self, envelope):
        kept.append([item.payload.json for item in envelope.items])

sentry.start("http://key@127.0.0.1/1", transport=Keep)
from audit.pages import scan as views
from guardlabs.wsgi import application
from werkzeug.test import Client

def crash(request, *arguments, **more):
    answers = words.ANSWERS
    raise RuntimeError(f"Key (email)=({words.EMAIL}) of {words.TOKEN} with {words.KEY}")
crash.csrf_exempt = True
import audit.urls
for pattern in audit.urls.urlpatterns:
    if pattern.name in ("scan", "report"):
        pattern.callback = crash
browser = Client(application)  # a test client of Django's would leave out what Sentry reads of a request
answer = browser.post("/en/scan/?q=" + words.QUERY, data={"seed": words.ANSWER, "message": words.PHRASE},
                      headers={"Authorization": "Bearer " + words.BEARER, "User-Agent": words.AGENT,
                               "Cookie": "session=" + words.COOKIE}, environ_base={"REMOTE_ADDR": words.ADDRESS})
assert answer.status_code == 500, answer.status_code
browser.post(f"/en/r/{words.TOKEN}/report", data={"message": words.PHRASE})
logging.getLogger("x").error("mail to %s failed", words.EMAIL)
print(json.dumps({"events": kept, "request_id": answer.headers["X-Request-ID"]}))
"""


@pytest.fixture(scope="module")
def sent():
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "SENTRY_DSN": ""}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-1500:]
    return json.loads(done.stdout.splitlines()[-1])


def test_errors_of_views_and_of_the_log_arrive_with_what_is_needed_to_find_them(sent):
    first, second, third = (event for (event,) in sent["events"])
    assert first["exception"]["values"][-1]["type"] == "RuntimeError"
    assert first["exception"]["values"][-1]["stacktrace"]["frames"]
    assert first["request"] == {"method": "POST"}
    assert first["tags"]["request_id"] == sent["request_id"]
    assert second["transaction"].startswith("/")
    assert third["message"] == "mail to *** failed"


def test_nothing_of_whom_leaves_the_site(sent):
    from tests import sentry_words

    text = json.dumps(sent["events"])
    assert "RuntimeError" in text
    for name, word in vars(sentry_words).items():
        if name.isupper() and isinstance(word, str):
            assert word not in text, name
    for event in (event for (event,) in sent["events"]):
        assert {"user", "extra", "breadcrumbs", "contexts", "server_name"}.isdisjoint(event)
