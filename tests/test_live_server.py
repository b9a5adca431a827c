"""The live report on a real gunicorn: seen growing, by more viewers than threads, workers killed in the middle."""

import os
import re
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode

import pytest

from audit.bank.questions import QUESTIONS
from llm.simulator import Simulator
from llm.simulator import behaviours as b
from tests.ports import free_port
from tests.test_two_servers import FILE, ROOT, _children

THREADS = 4
ANSWERS = {question.id: question.options[-1].value for question in QUESTIONS} | {"ai": "on"}
# A dead worker's report is free after seconds instead of a quarter of a minute; all else is the product's.
IN_A_HURRY = """
from guardlabs.gunicorn import *

def post_worker_init(worker):
    from audit.report import claims, tasks
    tasks.EVERY_S, claims.STALE_S = 0.3, 1.5
"""


class Site:
    """A prepared site in a directory of its own, on one gunicorn process with THREADS threads."""

    def __init__(self, directory, sim):
        self.port = free_port()
        self.sim = sim
        self.directory = directory
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "guardlabs.settings",
            "DATABASE_URL": f"sqlite:///{directory / 'site.sqlite3'}",
            "SITE_URL": "http://127.0.0.1",
            "ALLOWED_HOSTS": "127.0.0.1",
            "WEB_CONCURRENCY": "1",
            "WEB_THREADS": str(THREADS),
            "PORT": str(self.port),
        }
        file = FILE.format(url=sim.url).replace("timeout_s = 20", "timeout_s = 40")
        (directory / "providers.toml").write_text(file)
        (directory / "hurry.py").write_text(IN_A_HURRY)
        for arguments in (["prepare"], ["providers", "load", str(directory / "providers.toml")]):
            command = [sys.executable, "manage.py", *arguments]
            subprocess.run(command, cwd=ROOT, env=self.environment, check=True, capture_output=True)

    def start(self, *, hurry):
        config = str(self.directory / "hurry.py") if hurry else "python:guardlabs.gunicorn"
        self.server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", config, "guardlabs.asgi"],
            cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.until(lambda: self.ask("GET", "/readyz")[0] == 200)

    def stop(self):
        self.server.terminate()
        self.server.wait(120)

    def until(self, done, patience=120.0):
        """Waits for something outside this process; failing connections are not there yet."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            try:
                if value := done():
                    return value
            except (OSError, HTTPException):
                pass
            time.sleep(0.05)
        raise AssertionError("it did not come about")

    def ask(self, method, path, form=None):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        connection.request(method, path, urlencode(form) if form else None, headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, answer.headers.get("Location") or body

    def scan(self):
        status, address = self.ask("POST", "/en/scan/", ANSWERS)
        assert status == 302
        return address

    def state(self, address, method="GET"):
        status, page = self.ask(method, f"{address}report?fragment=1")
        assert status == 200
        return re.search('data-state="(.*?)"', page)[1], page

    def listen(self, address, last_id=""):
        """An open connection to the events, and its answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", f"{address}events", headers={"Last-Event-ID": last_id} if last_id else {})
        return connection, connection.getresponse()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Simulator() as sim:
        site = Site(tmp_path_factory.mktemp("site"), sim)
        site.start(hurry=True)
        yield site
        site.stop()


@pytest.fixture
def site(running):
    running.sim.reset()
    return running


def events(answer):
    """(event, data) as they arrive."""
    name, data = "", []
    for line in answer:
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif not field and name:
            yield name, "\n".join(data)
            name, data = "", []


def test_the_text_is_seen_growing_and_many_viewers_leave_the_site_its_threads(site, pen):
    site.sim.script("key-1", b.payload("groq-429-tpd-1"))
    site.sim.script("key-2", b.ok(pace=0.02))
    address = site.scan()
    site.state(address, "POST")
    viewers = [site.listen(address) for _ in range(40)]
    try:
        statuses = [answer.status for _, answer in viewers]
        assert statuses == [200] * 40
        for path in ("/en/", "/en/scan/", "/healthz", address):
            assert site.ask("GET", path)[0] == 200
        live = viewers[-1][1]
        assert live.headers["Content-Type"].startswith("text/event-stream")
        assert live.headers["Transfer-Encoding"] == "chunked"
        told = []
        for name, data in events(live):  # to its end
            told.append((name, data))
            if "<h3>" in data:
                pen.up.set()
    finally:
        for connection, _ in viewers:
            connection.close()
    pictures = [data for name, data in told if name == "report"]
    texts = [picture.split('data-part="text"')[-1] for picture in pictures]
    lengths = [len(text) for text in texts]
    assert len(set(texts)) > 1
    assert lengths == sorted(lengths)
    assert "Groq (m) is out of tokens for today" in pictures[-2]
    assert "→ DeepSeek (" in pictures[-2]
    assert 'data-state="ready"' in texts[-1]
    assert "DeepSeek (" in texts[-1]
    seconds = [float(data) for name, data in told if name == "time"]
    assert seconds[:-1] == sorted(seconds[:-1])
    assert site.sim.count(provider="deepseek") == 1  # one call, whoever looks on


def _kill_in_the_middle(site, count):
    """Makes `count` scans, kills the worker in the middle of each one's report; the scans' addresses."""
    made = []
    for number in range(count):
        made.append(site.until(site.scan))
        calls = site.sim.count()
        site.until(lambda: site.state(made[-1], "POST")[0] == "writing")
        if number % 3 == 0:
            site.until(lambda: "<h3>" in site.state(made[-1])[1])
        elif number % 3 == 1:
            site.until(lambda calls=calls: site.sim.count() > calls)
        # else at once, maybe before a provider was asked
        (worker,) = site.until(lambda: _children(site.server.pid))
        os.kill(worker, 9)
    return made


def _see_through(site, addresses, patience):
    """Does for each scan what its page does, until all have a report."""

    def visit():
        for address in addresses:
            if site.state(address)[0] == "waiting":
                site.state(address, "POST")
        return all(site.state(address)[0] == "ready" for address in addresses)

    site.until(visit, patience)


def _storm(site, kills, patience):
    site.sim.script("key-1", b.ok(pace=0.03))
    addresses = _kill_in_the_middle(site, kills)
    _see_through(site, addresses, patience)
    for address in addresses:
        state, page = site.state(address)
        assert state == "ready"
        assert len(re.sub("<.*?>", "", page)) > 600


def test_workers_killed_in_the_middle_of_reports_leave_no_scan_without_one(site):
    _storm(site, kills=3, patience=60)


@pytest.mark.exhaustive
def test_twenty_workers_killed_in_the_middle_leave_no_scan_without_a_report(site):
    """With the product's own times: a report is free for others a quarter of a minute after its worker died."""
    site.stop()
    site.start(hurry=False)
    _storm(site, kills=20, patience=240)
