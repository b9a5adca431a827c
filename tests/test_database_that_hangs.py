"""A database that says nothing, a disk that takes nothing: refused in seconds, back in seconds, nothing is lost."""

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.test_postgres import INITDB, PG_CTL, postgres_url  # noqa: F401  # a fixture
from tests.test_two_servers import ROOT, ask, request_body

pytestmark = pytest.mark.exhaustive
VISITORS = 40
LONGEST_S = 20.0  # for anybody's answer: four seconds until silence is noticed, and a machine that is busy
BACK_S = 20.0  # after it answers again


@contextmanager
def server(environment):
    """gunicorn on a port of its own; it need not be ready."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:guardlabs.gunicorn", "guardlabs.asgi"],
        cwd=ROOT, env={**environment, "PORT": str(port)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield port
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        process.wait()


def prepared(url):
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "guardlabs.settings", "DATABASE_URL": url, "WEB_CONCURRENCY": "2",
        "SITE_URL": "http://127.0.0.1", "ALLOWED_HOSTS": "127.0.0.1", "SCAN_RATE": "off", "REDIS_URL": "",
    }  # fmt: skip
    subprocess.run(
        [sys.executable, "manage.py", "prepare"], cwd=ROOT, env=environment, check=True, capture_output=True
    )
    return environment


def status(port, method, path, body=None):
    """Its status and the seconds that it took; None for a connection that is not accepted."""
    began = time.monotonic()
    try:
        if body is not None:
            return ask(port, method, path, body)[0], time.monotonic() - began
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request(method, path)
        return connection.getresponse().status, time.monotonic() - began
    except (OSError, HTTPException):
        return None, time.monotonic() - began


def comes_up(port, within_s=90.0):
    end = time.monotonic() + within_s
    while status(port, "GET", "/readyz")[0] != 200:
        assert time.monotonic() < end, "it did not come back"
        time.sleep(0.1)


def backends(folder):
    """The server's own process and its children."""
    leader = int((folder / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
    return [leader, *map(int, children)]


@contextmanager
def frozen(folder):
    stopped = backends(folder)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@pytest.mark.skipif(not (INITDB and PG_CTL), reason="PostgreSQL is not on this machine")
def test_a_postgresql_that_neither_answers_nor_closes_keeps_forty_visitors_for_seconds(postgres_url):  # noqa: F811
    import psycopg

    environment = prepared(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        folder = Path(connection.execute("show data_directory").fetchone()[0])
    pages = [
        "/en/",
        "/ru/incidents/",
        "/es/method/",
        "/en/scan/",
        "/healthz",
        "/readyz",
        "/api/v1/questionnaire?lang=en",
    ]
    with server(environment) as port, ThreadPoolExecutor(VISITORS) as pool:
        comes_up(port)
        body = {**request_body(port), "ai": False}

        def visit(number):
            if number % 3 == 0:
                return "scan", *status(port, "POST", "/api/v1/scans", body)
            path = pages[number % len(pages)]
            return path, *status(port, "GET", path)

        before = list(pool.map(visit, range(VISITORS)))
        assert {each[1] for each in before} <= {200, 201}
        with frozen(folder):
            during = list(pool.map(visit, range(2 * VISITORS)))
            with server(environment) as second:
                time.sleep(4)  # it starts while nobody answers it
                second_began = status(second, "GET", "/readyz")[0]
                assert second_began in {None, 503}
                for pid in backends(folder):
                    os.kill(pid, signal.SIGCONT)
                comes_up(second, BACK_S + 30)
        assert {each[1] for each in during} <= {200, 201, 503}, during
        assert max(each[2] for each in during) < LONGEST_S, during
        assert all(each[1] == 200 for each in during if each[0] == "/healthz")
        comes_up(port, BACK_S)
        after = list(pool.map(visit, range(VISITORS)))
        assert {each[1] for each in after} <= {200, 201}
        told = sum(each[:2] == ("scan", 201) for each in [*before, *during, *after])
    with psycopg.connect(postgres_url) as connection:
        kept = connection.execute("select count(*) from audit_scan").fetchone()[0]
    assert kept >= told  # what was stored but not told is not lost, either


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, which only root can make."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = os.geteuid() == 0 and shutil.which("mount")
    if not made or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", folder]).returncode:
        pytest.skip("no file system of its own to be had")
    yield folder
    subprocess.run(["umount", "-l", folder], check=False)


def remount(folder, how):
    subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)


def test_a_disk_that_is_full_or_read_only_for_a_while_is_met_with_503_and_forgotten(small_disk):
    environment = prepared(f"sqlite:///{small_disk / 'site.sqlite3'}")
    remount(small_disk, "ro")
    with server(environment) as port:
        end = time.monotonic() + 60
        while (first := status(port, "GET", "/healthz")[0]) is None:
            assert time.monotonic() < end, "no worker started on a disk that is read-only"
            time.sleep(0.1)
        assert first == 200
        assert status(port, "GET", "/readyz")[0] == 503
        remount(small_disk, "rw")
        comes_up(port, BACK_S)
        body = {**request_body(port), "ai": False}
        assert status(port, "POST", "/api/v1/scans", body)[0] == 201

        filler = small_disk / "filler"
        with suppress(OSError), filler.open("wb") as file:
            while True:
                file.write(b"x" * 65536)
        with ThreadPoolExecutor(VISITORS) as pool:
            during = list(pool.map(lambda n: status(port, "POST", "/api/v1/scans", body), range(VISITORS)))
        assert {each[0] for each in during} <= {201, 503}
        assert 503 in {each[0] for each in during}
        assert max(each[1] for each in during) < LONGEST_S
        assert status(port, "GET", "/readyz")[0] == 503
        filler.unlink()
        comes_up(port, BACK_S)
        assert status(port, "POST", "/api/v1/scans", body)[0] == 201
