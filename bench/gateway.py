"""The gateway as it is served, against the same fast upstream alone: requests a second, and how long one takes."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.environment import ROOT
from bench.figures import Section, median_ms, p99_ms
from bench.upstream import ok, upstream_process
from bench.workload import AMPLE, MAX_TOKENS, PROMPT, TEXT, free_and_paid, remember

ABOUT = (
    "POST /v1/chat/completions on gunicorn (2 workers of 32 threads, SQLite) against the simulated upstream alone, "
    "which answers at once from a process of its own: keep-alive connections that each ask again as soon as they "
    "are answered, from client processes of their own. The chain asks the first of 3 free keys; quotas, a client's "
    "limits and a paid provider's budget are checked, with 20,000 older attempts in the ledger. Upstream, server "
    "and clients share this machine's cores, so that requests a second inform only about this machine."
)
CONNECTIONS = (1, 16, 64)
SECONDS, WARM_S = 5.0, 1.0
STREAMS = 50
WORKERS, THREADS = 2, 32
TEXT_EVENT = re.compile(rb'"content": ?"[^"]')


def run() -> Section:
    from llm.clients import access as clients

    section = Section(ABOUT)
    with upstream_process() as sim:
        sim.default(ok(TEXT))
        free_and_paid(sim, keys=3, quotas=AMPLE, timeout_s=20)
        remember(20_000, days=7)
        _, key = clients.add(
            name="bench", rpm=10**6, concurrency=1000, daily_calls=10**7, daily_budget_usd="1000"
        )
        with served() as (url, pid):
            targets = {
                "upstream alone": Target(f"{sim.url}/groq/openai/v1/chat/completions", "key-of-groq1"),
                "gateway": Target(f"{url}/v1/chat/completions", key),
            }
            for connections in CONNECTIONS:
                medians = {}
                for name, target in targets.items():
                    times, took = hammer(target, connections)
                    medians[name] = median_ms(times)
                    label = f"{connections} connections: {name}"
                    section.add(f"{label}, requests a second", len(times) / took, "1/s")
                    section.add(f"{label}, median", medians[name], "ms")
                    section.add(f"{label}, p99", p99_ms(times), "ms")
                if connections == 1:
                    section.add(
                        "gateway, added to one request, median",
                        medians["gateway"] - medians["upstream alone"],
                        "ms",
                    )
            first = {
                name: median_ms([first_byte_s(target) for _ in range(STREAMS)])
                for name, target in targets.items()
            }
            for name, median in first.items():
                section.add(f"first streamed text: {name}, median", median, "ms")
            for number, memory in enumerate(memory_mb(pid), 1):
                section.add(f"memory of worker {number} after that", memory, "MB")
    return section


class Target:
    """Where to ask, and the same request for all."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self.host, self.path = parts.netloc, parts.path
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        model = "auto" if parts.path.startswith("/v1/") else "openai/gpt-oss-120b"
        messages = [{"role": "user", "content": PROMPT}]
        self.body: dict[str, Any] = {"model": model, "messages": messages, "max_tokens": MAX_TOKENS}

    def as_json(self) -> str:
        return json.dumps({"host": self.host, "path": self.path, "headers": self.headers, "body": self.body})


def hammer(target: Target, connections: int) -> tuple[list[float], float]:
    """Seconds of each request while all connections are busy, and how long that was, from two processes."""
    processes = min(connections, 2)
    shares = [connections // processes] * processes
    clients = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.gateway", str(share)], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for share in shares
    ]  # fmt: skip
    for client in clients:
        assert client.stdin
        client.stdin.write(target.as_json() + "\n")
        client.stdin.close()
    times: list[float] = []
    for client in clients:
        assert client.stdout
        times += json.loads(client.stdout.read())
        if client.wait():
            raise RuntimeError("a client of the benchmark failed")
    return times, SECONDS


def client(connections: int, target: dict[str, Any]) -> list[float]:
    """One client process: each connection asks again as soon as it is answered; the first second warms up."""
    body, began = json.dumps(target["body"]), time.monotonic()

    def ask_on() -> list[float]:
        connection, times = HTTPConnection(target["host"], timeout=60), []
        while (started := time.monotonic()) < began + WARM_S + SECONDS:
            connection.request("POST", target["path"], body, target["headers"])
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"status {answer.status}")
            if started > began + WARM_S:
                times.append(time.monotonic() - started)
        connection.close()
        return times

    with ThreadPoolExecutor(connections) as pool:
        return [s for future in [pool.submit(ask_on) for _ in range(connections)] for s in future.result()]


def first_byte_s(target: Target) -> float:
    """Seconds until the first text of a stream is there."""
    connection = HTTPConnection(target.host, timeout=60)
    connection.connect()
    began = time.monotonic()
    connection.request("POST", target.path, json.dumps({**target.body, "stream": True}), target.headers)
    answer = connection.getresponse()
    while not TEXT_EVENT.search(line := answer.readline()):
        if not line:
            raise RuntimeError("a stream without text")
    took = time.monotonic() - began
    connection.close()
    return took


def memory_mb(pid: int) -> list[float]:
    """Resident memory of each worker, in MB; nothing where /proc does not tell."""
    try:
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        pages = [int(Path(f"/proc/{worker}/statm").read_text().split()[1]) for worker in workers]
    except OSError:
        return []
    return [count * os.sysconf("SC_PAGE_SIZE") / 2**20 for count in pages]


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    """The site on a free port: its address, and the process id of its server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ, "PORT": str(port), "WEB_CONCURRENCY": str(WORKERS), "WEB_THREADS": str(THREADS),
    }  # fmt: skip
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:guardlabs.gunicorn", "guardlabs.asgi"],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(300):
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", server.pid
    finally:
        server.terminate()
        server.wait(30)


if __name__ == "__main__":
    print(json.dumps(client(int(sys.argv[1]), json.loads(sys.stdin.readline()))))
