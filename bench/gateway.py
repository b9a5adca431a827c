"""The gateway as it is served, against the same upstream alone, and against Portkey's gateway with BENCH_PEERS=on."""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any

from bench.environment import ROOT
from bench.figures import Section
from bench.load import WITHOUT_WRK, Load, Target, cpu_s, hammer, has_wrk, memory_mb, middle, workers_of
from bench.peers import portkey
from bench.upstream import ok, slow_first_token, upstream_process
from bench.workload import AMPLE, MAX_TOKENS, PROMPT, TEXT, free_and_paid, remember

ABOUT = (
    "POST /v1/chat/completions on gunicorn (2 ASGI workers, SQLite) against the simulated upstream alone, which "
    "answers at once from a process of its own: keep-alive connections that each ask again as soon as they are "
    "answered, by wrk, in rounds of which each asks all targets in turn, so that whatever else this machine does "
    "hits them alike. The chain asks the first of 3 free keys; quotas, a client's limits and a paid provider's "
    "budget are checked, with 20,000 older attempts in the ledger, and each call is two commits. Portkey's gateway "
    "runs as its own command starts it, in one process, and keeps no ledger; ratios are the median of the rounds'. "
    "Then 500 calls of 5 s at the same moment, with the site asked meanwhile, and 2,000 streams in one worker. "
    "Memory is PSS. Upstream, servers and client share this machine's cores, so that figures inform only about this "
    "machine, and ratios are what counts."
)
CONNECTIONS = (1, 16, 64, 256)
ROUNDS, SECONDS = 4, 2
SLOW, SLOW_S = 500, 5.0
WORKERS = 2
OPEN = 2_000
AT_LEAST = {64: 1.5}  # times Portkey's requests a second; 1 elsewhere
ALONE = (
    "a request that comes alone shares no commit: it waits for two of its own and for four changes of threads, while "
    "Portkey writes nothing"
)


def run() -> Section:
    from guardlabs.serving.worker import more_files
    from llm.clients import access as clients

    more_files()
    section = Section(ABOUT if has_wrk() else ABOUT + WITHOUT_WRK)
    with ExitStack() as stack:
        sim = stack.enter_context(upstream_process())
        sim.default(ok(TEXT))
        free_and_paid(sim, keys=3, quotas=AMPLE, first_byte_s=30, timeout_s=60)
        remember(20_000, days=7)
        _, key = clients.add(
            name="bench", rpm=10**7, concurrency=10_000, daily_calls=10**7, daily_budget_usd="1000"
        )
        direct = f"{sim.url}/groq/openai/v1"
        with served(WORKERS) as (url, pid):
            targets = {
                "upstream alone": target(f"{direct}/chat/completions", "key-of-groq1"),
                "gateway": target(f"{url}/v1/chat/completions", key),
            }
            pids = {"gateway": pid}
            if peer := portkey(stack):
                address, pids["Portkey"] = peer
                targets["Portkey"] = target(
                    f"{address}/v1/chat/completions", "key-of-groq1",
                    {"x-portkey-provider": "openai", "x-portkey-custom-host": direct},
                )  # fmt: skip
            section.add("two workers at rest, memory together", sum(memory_mb(pid)), "MB", at_most=200)
            for each in targets.values():
                hammer(each, 16, SECONDS)  # which warms it up
            for connections in CONNECTIONS:
                compare(section, targets, connections, pids)
            slow(section, sim, url, key)
        with served(1) as (url, pid):
            streams(section, sim, url, key, pid)
    return section


def target(url: str, key: str, headers: dict[str, str] | None = None) -> Target:
    model = "auto" if "/openai/" not in url and not headers else "openai/gpt-oss-120b"
    messages = [{"role": "user", "content": PROMPT}]
    body = {"model": model, "messages": messages, "max_tokens": MAX_TOKENS}
    return Target(url, {"Authorization": f"Bearer {key}", **(headers or {})}, body)


def compare(section: Section, targets: dict[str, Target], connections: int, pids: dict[str, int]) -> None:
    """All targets in turn, some rounds long; each round begins with another one."""
    rounds: dict[str, list[Load]] = {name: [] for name in targets}
    cpu = dict.fromkeys(pids, 0.0)
    names = list(targets)
    for number in range(ROUNDS):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            spent = cpu_s(pids[name]) if name in pids else 0.0
            rounds[name].append(hammer(targets[name], connections, SECONDS))
            if name in pids:
                cpu[name] += cpu_s(pids[name]) - spent
    loads = {name: middle(each) for name, each in rounds.items()}
    for name, load in loads.items():
        label = f"{connections} connections: {name}"
        section.add(f"{label}, requests a second", load.rate, "1/s")
        section.add(f"{label}, median", load.median_ms, "ms")
        section.add(f"{label}, p99", load.p99_ms, "ms")
        section.add(
            f"{label}, errors", load.errors, "requests", **({"at_most": 0} if name == "gateway" else {})
        )
        if name in pids:
            section.add(f"{label}, CPU a request", cpu[name] / max(load.count, 1) * 1000, "ms")
    if connections == 1:
        added = loads["gateway"].median_ms - loads["upstream alone"].median_ms
        section.add("gateway, added to one request, median", added, "ms", at_most=3.0)
    if "Portkey" in loads:
        pairs = zip(rounds["gateway"], rounds["Portkey"], strict=True)
        ratio = statistics.median(ours.rate / max(theirs.rate, 0.1) for ours, theirs in pairs)
        label = f"{connections} connections: gateway / Portkey, requests a second"
        section.add(
            label, ratio, "x", at_least=AT_LEAST.get(connections, 1.0), why=ALONE if connections == 1 else ""
        )


def slow(section: Section, sim: Any, url: str, key: str) -> None:
    """Many calls that wait, plain and streamed, and what a visitor of the site meets meanwhile."""
    sim.default(slow_first_token(SLOW_S))
    for streamed in (False, True):
        found = asyncio.run(at_once(f"{url}/v1/chat/completions", url, key, streamed=streamed))
        label = f"{SLOW} {'streamed' if streamed else 'plain'} calls of {SLOW_S:g} s at once"
        section.add(f"{label}: answered", found["ok"], "calls", at_least=SLOW)
        section.add(f"{label}: the last after", found["took"], "s", at_most=11.0)
        section.add(f"{label}: /healthz meanwhile, slowest", found["healthz"], "s", at_most=1.0)
        section.add(f"{label}: a page meanwhile, slowest", found["page"], "s", at_most=2.0)
    sim.default(ok(TEXT))


async def at_once(url: str, site: str, key: str, *, streamed: bool, count: int = SLOW) -> dict[str, float]:
    import aiohttp

    body = {"model": "auto", "stream": streamed, "messages": [{"role": "user", "content": "Wait."}]}
    done = asyncio.Event()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(60)
    ) as session:

        async def call() -> int:
            async with session.post(url, json=body, headers={"Authorization": f"Bearer {key}"}) as answer:
                return int(answer.status == 200 and len(await answer.read()) > 100)

        async def visit(path: str) -> float:
            slowest = 0.0
            while not done.is_set():
                began = time.monotonic()
                async with session.get(f"{site}{path}") as answer:
                    await answer.read()
                slowest = max(slowest, time.monotonic() - began)
                await asyncio.sleep(0.1)
            return slowest

        visits = [asyncio.create_task(visit(path)) for path in ("/healthz", "/en/")]
        began = time.monotonic()
        answered = await asyncio.gather(*[call() for _ in range(count)], return_exceptions=True)
        took = time.monotonic() - began
        done.set()
        healthz, page = await asyncio.gather(*visits)
    return {
        "ok": sum(one for one in answered if isinstance(one, int)),
        "took": took,
        "healthz": healthz,
        "page": page,
    }


def streams(section: Section, sim: Any, url: str, key: str, pid: int) -> None:
    """Many streams that stay open in one worker, and what it weighs."""
    sim.default(ok("word " * 500, pace=2.0))
    count, weight, others = asyncio.run(open_streams(f"{url}/v1/chat/completions", key, pid))
    section.add(f"{OPEN} streams in one worker: open at once", count, "streams", at_least=OPEN, note=others)
    section.add(f"{OPEN} streams in one worker: its memory", weight, "MB", at_most=300)
    sim.default(ok(TEXT))


async def open_streams(url: str, key: str, pid: int) -> tuple[int, float, str]:
    """How many of OPEN streams are open at once, what the worker weighs then, in MB, and what became of the others."""
    import aiohttp

    # Without a limit each stream reserves the model's own, 2,000 of which are more than a minute's quota.
    body = {
        "model": "auto", "stream": True, "max_tokens": 1_000, "messages": [{"role": "user", "content": "Go on."}],
    }  # fmt: skip
    timeout = aiohttp.ClientTimeout(120)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:

        async def begin() -> aiohttp.ClientResponse:
            return await session.post(url, json=body, headers={"Authorization": f"Bearer {key}"})

        answers: list[Any] = []
        for _ in range(0, OPEN, 100):
            answers += await asyncio.gather(*[begin() for _ in range(100)], return_exceptions=True)
        begun = [answer for answer in answers if isinstance(answer, aiohttp.ClientResponse)]
        ends = Counter(_end(answer) for answer in answers)
        count = ends.pop("open", 0)
        weight = sum(memory_mb(pid))
        for answer in begun:
            answer.close()
    return count, weight, ", ".join(f"{many} {end}" for end, many in ends.items())


def _end(answer: Any) -> str:
    if isinstance(answer, BaseException):
        return type(answer).__name__
    if answer.status != 200:
        return str(answer.status)
    return "ended" if answer.content.is_eof() else "open"


@contextmanager
def served(workers: int) -> Iterator[tuple[str, int]]:
    """The site on a free port: its address, and the process id of its server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:guardlabs.gunicorn", "guardlabs.asgi"],
        # On a day as busy as a bench the cache would answer the same request.
        cwd=ROOT, env={**os.environ, "PORT": str(port), "WEB_CONCURRENCY": str(workers), "LLM_CACHE": "off"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(600):
            if len(workers_of(server.pid)) == workers and answers(port):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", server.pid
    finally:
        server.terminate()
        server.wait(90)


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return b" 200 " in connection.recv(100)
    except OSError:
        return False


if __name__ == "__main__":  # one measurement alone: python -m bench.gateway URL KEY CONNECTIONS SECONDS
    found = hammer(target(sys.argv[1], sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    print(json.dumps(asdict(found)))
