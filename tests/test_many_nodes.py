"""Two nodes, each with a folder and processes of its own, on one PostgreSQL and one Redis behind one proxy."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import count
from urllib.parse import urlencode

import pytest

from llm.simulator import behaviours as b
from tests.ports import free_port
from tests.test_postgres import INITDB, PG_CTL, postgres_url  # noqa: F401  # a fixture
from tests.test_two_servers import FILE, ROOT, _children

needs = [(INITDB and PG_CTL, "PostgreSQL"), (shutil.which("redis-server"), "Redis")]
missing = [name for there, name in needs if not there]
pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.skipif(bool(missing), reason=f"not on this machine: {missing}"),
]
RATE = 6


class Proxy:
    """Gives each connection to the next node that takes it, and tells it the client's address."""

    def __init__(self):
        self.nodes, self.open = [], {}
        self._turn, self._lock = count(), threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def put_in(self, port):
        self.open.setdefault(port, 0)
        with self._lock:
            self.nodes.append(port)

    def take_out(self, port):
        """No new connection for this node; returns when its last one has ended."""
        with self._lock:
            self.nodes.remove(port)
        wait_for(lambda: self.open[port] == 0)

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        turn = next(self._turn)
        for step in range(2):
            with self._lock:
                port = self.nodes[(turn + step) % len(self.nodes)]
                self.open[port] += 1
            try:
                with (
                    contextlib.suppress(ConnectionRefusedError),
                    socket.create_connection(("127.0.0.1", port)) as far,
                ):
                    self._relay(near, far)
                    return
            finally:
                with self._lock:
                    self.open[port] -= 1
        near.close()

    def _relay(self, near, far):
        back = threading.Thread(target=self._copy, args=(far, near), daemon=True)
        back.start()
        self._copy(near, far)
        back.join()
        near.close()

    @staticmethod
    def _copy(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def wait_for(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def ask(port, method, path, body=None, address="192.0.2.1"):
    """Status, JSON or text, and Location."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"X-Forwarded-For": address, "Connection": "close"}
    if isinstance(body, dict):
        headers["Content-Type"], body = "application/json", json.dumps(body)
    elif body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    data = json.loads(text) if answer.headers.get("Content-Type", "").startswith("application/json") else text
    connection.close()
    return answer.status, data, answer.headers.get("Location", "")


class Cluster:
    def __init__(self, environment, folder):
        self.environment, self.folder = environment, folder
        self.proxy, self.servers = Proxy(), {}
        self._addresses = count(1)

    def start(self, name):
        port, folder = free_port(), self.folder / name
        folder.mkdir(exist_ok=True)
        with (folder / "log").open("ab") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "python:guardlabs.gunicorn", "--chdir", str(folder),
                 "guardlabs.asgi"],
                cwd=folder, env={**self.environment, "PORT": str(port), "PYTHONPATH": str(ROOT)},
                stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        self.servers[port] = server

        def ready():
            with contextlib.suppress(OSError):
                return ask(port, "GET", "/readyz")[0] == 200

        wait_for(ready)
        self.proxy.put_in(port)
        return port

    def kill(self, port):
        server = self.servers.pop(port)
        for process in (server.pid, *_children(server.pid)):
            os.kill(process, signal.SIGKILL)
        server.wait(60)
        self.proxy.nodes.remove(port)

    def restart(self, port, name):
        """As docs/production.md says: out of the proxy, stop, start, into the proxy."""
        self.proxy.take_out(port)
        server = self.servers.pop(port)
        server.terminate()
        assert server.wait(70) == 0
        return self.start(name)

    def body(self):
        if not hasattr(self, "_body"):
            questions = ask(self.proxy.port, "GET", "/api/v1/questionnaire?lang=en")[1]["questions"]
            answers = {question["id"]: question["options"][-1]["value"] for question in questions}
            self._body = {"lang": "en", "answers": answers, "ai": True}
        return self._body

    def scan(self, port=None, address=None):
        address = address or f"198.51.100.{next(self._addresses)}"
        return ask(port or self.proxy.port, "POST", "/api/v1/scans", self.body(), address)[:2]

    def log(self):
        return "".join(path.read_text() for path in self.folder.glob("*/log"))

    def close(self):
        self.proxy.close()
        for server in self.servers.values():
            server.terminate()
        for server in self.servers.values():
            server.wait(70)


@pytest.fixture
def redis(tmp_path):
    port = free_port()
    command = [
        "redis-server",
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(tmp_path),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    server.url = f"redis://127.0.0.1:{port}/0"
    yield server
    server.terminate()
    server.wait(60)


@pytest.fixture
def cluster(tmp_path, sim, postgres_url, redis):  # noqa: F811
    name = f"site_{time.time_ns()}"
    psql = shutil.which("psql") or INITDB.replace("initdb", "psql")
    subprocess.run([psql, postgres_url, "-qc", f"CREATE DATABASE {name}"], check=True)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "guardlabs.settings",
        "DATABASE_URL": postgres_url.rpartition("/")[0] + f"/{name}",
        "DATABASE_POOL": "20",
        "REDIS_URL": redis.url,
        "SITE_URL": "http://127.0.0.1",
        "ALLOWED_HOSTS": "127.0.0.1",
        "TRUSTED_PROXIES": "127.0.0.1",
        "SCAN_RATE": f"{RATE}/h",
        "WEB_CONCURRENCY": "1",
    }
    (tmp_path / "providers.toml").write_text(FILE.format(url=sim.url))
    for arguments in (["prepare"], ["providers", "load", str(tmp_path / "providers.toml")]):
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    cluster = Cluster(environment, tmp_path)
    try:
        cluster.start("one")
        cluster.start("two")
        yield cluster
    finally:
        cluster.close()


def test_two_nodes_are_one_site(cluster, sim, redis):
    one, two = cluster.servers

    # Limits are shared: whichever node is asked, an address has RATE scans, no more.
    statuses = [cluster.scan(address="203.0.113.9")[0] for _ in range(RATE + 4)]
    assert statuses == [201] * RATE + [429] * 4

    # A cooldown that one learned is honoured by the other.
    sim.block_edge("groq")
    assert cluster.scan(one)[1]["provider"] == "deepseek"
    knocked = sim.count(provider="groq")
    assert cluster.scan(two)[1]["provider"] == "deepseek"
    assert sim.count(provider="groq") == knocked

    # Redis goes: scans go on, each node counts for itself, and both say so.
    redis.terminate()
    redis.wait(60)
    statuses = [cluster.scan(address="203.0.113.10")[0] for _ in range(2 * RATE + 4)]
    assert statuses.count(201) == 2 * RATE
    assert set(statuses) == {201, 429}
    for node in (one, two):
        status, seen, _ = ask(node, "GET", "/readyz")
        assert (status, seen["cache"][:11]) == (200, "unreachable")
    assert cluster.log().count("each process counts limits by itself") == 2
    assert "Traceback" not in cluster.log()


def test_a_report_begun_on_a_killed_node_is_finished_by_the_other(cluster, sim):
    one, two = cluster.servers
    sim.script("key-1", b.slow_first_token(2.5))
    fields = urlencode({**cluster.body()["answers"], "ai": "on"})
    status, _, result = ask(one, "POST", "/en/scan/", fields)
    assert status == 302
    ask(one, "POST", f"{result}report", "")
    wait_for(lambda: sim.count(provider="groq") == 1)
    cluster.kill(one)

    sim.script("key-1", b.ok())
    token = result.rstrip("/").rpartition("/")[2]

    def ready():
        ask(two, "POST", f"{result}report", "")
        return ask(two, "GET", f"/api/v1/scans/{token}")[1]["report_status"] == "ready"

    assert ask(cluster.proxy.port, "GET", result)[0] == 200
    wait_for(ready)
    assert ask(two, "GET", f"/api/v1/scans/{token}")[1]["provider"] == "groq1"


def test_a_rolling_restart_under_load_drops_no_scan(cluster, sim):
    sim.default(b.slow_first_token(0.2))
    stop, answered = threading.Event(), []

    def visit():
        while not stop.is_set():
            answered.append(cluster.scan())

    with ThreadPoolExecutor(4) as pool:
        visitors = [pool.submit(visit) for _ in range(4)]
        try:
            for name, port in zip(("one", "two"), list(cluster.servers), strict=True):
                before = len(answered)
                cluster.restart(port, name)
                wait_for(lambda before=before: len(answered) > before + 8)
        finally:
            stop.set()
        for visitor in visitors:
            visitor.result()
    assert {status for status, _ in answered} == {201}
    assert {made["report_status"] for _, made in answered} == {"ready"}
