"""The last release serves, its database is brought to this one meanwhile, this one takes over: nothing is lost.

The order is that of docs/production.md: a copy, `prepare`, restart. The old server is the code of the last release
itself, out of git, on the libraries of today.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from http.client import HTTPConnection, HTTPException
from itertools import count
from urllib.parse import urlencode

import pytest

from tests.ports import free_port
from tests.test_many_nodes import wait_for
from tests.test_postgres import INITDB, PG_CTL, postgres_url  # noqa: F401  # a fixture
from tests.test_two_servers import FILE, ROOT

pytestmark = pytest.mark.exhaustive
RELEASE = "7e867a5"  # 0.1.0


@pytest.fixture(scope="module")
def old_code(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    packed = subprocess.run(["git", "archive", RELEASE], cwd=ROOT, capture_output=True)
    if packed.returncode:
        pytest.skip("no history here: a shallow clone, or no clone at all")
    subprocess.run(["tar", "x"], cwd=folder, input=packed.stdout, check=True)
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'site.sqlite3'}"
    if not (INITDB and PG_CTL):
        pytest.skip("PostgreSQL is not on this machine")
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def site(database, tmp_path, sim):
    (tmp_path / "providers.toml").write_text(FILE.format(url=sim.url))
    return {
        **os.environ, "DJANGO_SETTINGS_MODULE": "guardlabs.settings", "DATABASE_URL": database, "REDIS_URL": "",
        "SECRET_KEY": "k" * 50, "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "SITE_URL": "http://127.0.0.1", "ALLOWED_HOSTS": "127.0.0.1", "TRUSTED_PROXIES": "127.0.0.1",
        "PORT": str(free_port()), "WEB_CONCURRENCY": "1", "CHORES": "off", "PYTHONPATH": "",
    }  # fmt: skip


def manage(site, code, *arguments):
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=code,
        env=site,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def served(site, code, application, log):
    command = [sys.executable, "-m", "gunicorn", "-c", "python:guardlabs.gunicorn", application]
    server = subprocess.Popen(command, cwd=code, env=site, stdout=subprocess.DEVNULL, stderr=log.open("ab"))
    wait_for(lambda: Visitors(site).ask("GET", "/readyz")[0] == 200)
    return server


class Visitors:
    """Scans, results and orders, one after the other; whoever finds nobody at the door comes again."""

    def __init__(self, site):
        self.port = int(site["PORT"])
        self.scans, self.orders, self.odd = {}, [], []
        self._addresses, self._stop = count(1), threading.Event()

    def ask(self, method, path, body=None, kind="application/json"):
        number = next(self._addresses)
        headers = {"X-Forwarded-For": f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}"}
        if body is not None:
            headers["Content-Type"] = kind
        connection = HTTPConnection("127.0.0.1", self.port, timeout=90)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers.get("Location", "")
        except (OSError, HTTPException):
            return 0, "", ""  # nobody there: the proxy in front says 502
        finally:
            connection.close()

    def _expect(self, wanted, method, path, *rest):
        status, text, location = self.ask(method, path, *rest)
        if status not in (wanted, 0):
            self.odd.append((method, path, status))
        return (text, location) if status == wanted else None

    def visit(self):
        if (shown := self._expect(200, "GET", "/api/v1/questionnaire?lang=en")) is None:
            return
        answers = {each["id"]: each["options"][-1]["value"] for each in json.loads(shown[0])["questions"]}
        body = json.dumps({"lang": "en", "answers": answers, "ai": True})
        if (made := self._expect(201, "POST", "/api/v1/scans", body)) is not None:
            scan = json.loads(made[0])
            token = scan["url"].rstrip("/").rpartition("/")[2]
            self.scans[token] = (scan["score"], scan["report_status"])
            self._expect(200, "GET", f"/en/r/{token}/")
        form = urlencode(
            {"email": f"{len(self.orders)}@example.org", "time_zone": "UTC", "message": "", "scan_link": ""}
        )
        if (
            made := self._expect(303, "POST", "/en/order/", form, "application/x-www-form-urlencoded")
        ) is not None:
            self.orders.append(made[1])
            self._expect(200, "GET", made[1])

    def __enter__(self):
        def visit():
            while not self._stop.is_set():
                self.visit()

        self._threads = [threading.Thread(target=visit) for _ in range(2)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *args):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def some_more(self, number=4):
        before = len(self.scans)
        wait_for(lambda: len(self.scans) >= before + number or self.odd)


def test_visitors_go_on_while_a_release_takes_over(site, old_code, tmp_path):
    manage(site, old_code, "prepare")
    manage(site, old_code, "providers", "load", str(tmp_path / "providers.toml"))
    log = tmp_path / "log"
    server = served(site, old_code, "guardlabs.wsgi", log)
    try:
        with Visitors(site) as visitors:
            visitors.some_more()
            manage(site, old_code, "backup", str(tmp_path / "copies"))
            manage(site, ROOT, "prepare")
            visitors.some_more()  # the release before runs beside the new database
            server.send_signal(signal.SIGTERM)
            assert server.wait(70) == 0
            server = served(site, ROOT, "guardlabs.asgi", log)
            visitors.some_more()
        assert visitors.odd == []
        assert [token for token in visitors.scans if visitors.ask("GET", f"/en/r/{token}/")[0] != 200] == []
        kept = {
            token: json.loads(visitors.ask("GET", f"/api/v1/scans/{token}")[1]) for token in visitors.scans
        }
        assert {
            token: (scan["score"], scan["report_status"]) for token, scan in kept.items()
        } == visitors.scans
        assert [path for path in visitors.orders if visitors.ask("GET", path)[0] != 200] == []
        assert "Traceback" not in log.read_text()
    finally:
        server.terminate()
        server.wait(70)
