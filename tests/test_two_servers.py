"""Two web servers on one database: what one of them learns, the other knows. Real gunicorn, real HTTP."""

import json
import os
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from llm.simulator import behaviours as b
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
FILE = """
[[provider]]
slug = "groq"
kind = "groq"
name = "Groq"
base_url = "{url}/groq"
tier = 1
free = true
first_byte_s = 10
timeout_s = 20
[[provider.model]]
id = "m"
[[provider.key]]
label = "groq1"
secret = "key-1"

[[provider]]
slug = "deepseek"
kind = "openai"
name = "DeepSeek"
base_url = "{url}/deepseek/v1"
tier = 2
[[provider.model]]
id = "deepseek-flash"
price_in = "0.30"
price_out = "1.20"
[[provider.key]]
label = "deepseek"
secret = "key-2"
"""


@pytest.fixture
def environment(tmp_path, sim):
    """A prepared site of its own, whose providers are simulated."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "guardlabs.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}",
        "SITE_URL": "http://127.0.0.1",
        "ALLOWED_HOSTS": "127.0.0.1",
        "WEB_CONCURRENCY": "1",
    }
    (tmp_path / "providers.toml").write_text(FILE.format(url=sim.url))
    for arguments in (["prepare"], ["providers", "load", str(tmp_path / "providers.toml")]):
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
        )
    return environment


def serve(environment):
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:guardlabs.gunicorn", "guardlabs.asgi"],
        cwd=ROOT, env={**environment, "PORT": str(port)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(1200):
        try:
            if ask(port, "GET", "/readyz")[0] == 200:
                return server, port
        except OSError:
            pass
        time.sleep(0.1)
    server.kill()
    raise AssertionError("the server did not come up")


def ask(port, method, path, body=None):
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/json"} if body else {}
    connection.request(method, path, json.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def request_body(port):
    _, questionnaire = ask(port, "GET", "/api/v1/questionnaire?lang=en")
    answers = {q["id"]: q["options"][-1]["value"] for q in questionnaire["questions"]}
    return {"lang": "en", "answers": answers, "ai": True}


def scan(port):
    status, made = ask(port, "POST", "/api/v1/scans", request_body(port))
    assert status == 201
    return made


@pytest.mark.exhaustive
def test_what_one_server_learns_the_other_knows_and_a_killed_one_leaves_its_scan(environment, sim):
    servers = []
    try:
        for _ in range(2):
            servers.append(serve(environment))
        (first, one), (_, two) = servers
        assert scan(one)["provider"] == "groq1"

        sim.block_edge("groq")
        assert scan(one)["provider"] == "deepseek"
        before = sim.count(provider="groq")
        assert scan(two)["provider"] == "deepseek"
        assert sim.count(provider="groq") == before  # the second server did not knock

        sim.script("key-2", b.hang())
        body, waiting = json.dumps(request_body(one)), sim.count(provider="deepseek")
        connection = HTTPConnection("127.0.0.1", one, timeout=60)
        connection.request("POST", "/api/v1/scans", body, {"Content-Type": "application/json"})
        for _ in range(1200):
            if sim.count(provider="deepseek") > waiting:
                break
            time.sleep(0.05)
        first.kill()
        for child in _children(first.pid):
            os.kill(child, 9)
        ledger = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v0", "-c",
             "from llm.models import *; from audit.models import Scan;"
             "print(Attempt.objects.filter(outcome='running').count(), Scan.objects.count())"],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert ledger.stdout.split() == ["1", "4"]  # the row says so, and the answers are kept
    finally:
        for server, _ in servers:
            server.terminate()
            server.wait(60)


def _children(pid):
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]
