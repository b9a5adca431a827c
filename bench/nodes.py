"""One, two and four nodes on one PostgreSQL: does waiting for each other grow with their number?

    DATABASE_URL=postgresql://… python -m bench.nodes      (an empty database; REDIS_URL if there is one)

Each node is a gunicorn with one worker. The same number of callers asks `/v1/chat/completions` over all of them; the
provider is simulated and answers at once. On one machine the nodes share its processors, so requests a second say
little; how many sessions wait for the chain's advisory lock, and how long a call takes, say how it would go on.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import aiohttp
import psycopg

from llm.simulator import Simulator

ROOT = Path(__file__).resolve().parent.parent
NODES, CALLERS, SECONDS, FIRST_PORT = (1, 2, 4), 16, 6.0, 18_410
PROVIDERS = """
[[provider]]
slug = "own"
kind = "openai"
name = "Own"
base_url = "{url}/own/v1"
free = true
[[provider.model]]
id = "m"
[[provider.key]]
label = "own"
secret = "key-1"
"""
WAITING = """
SELECT count(*) FILTER (WHERE state = 'active'), count(*) FILTER (WHERE wait_event = 'advisory')
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def call_until(end: float, session: aiohttp.ClientSession, url: str, took: list[float]) -> None:
    body = {"messages": [{"role": "user", "content": "hi"}], "model": "auto", "max_tokens": 16}
    while time.monotonic() < end:
        began = time.monotonic()
        async with session.post(f"{url}/v1/chat/completions", json=body) as answer:
            assert answer.status == 200, await answer.text()
            await answer.read()
        took.append(time.monotonic() - began)


async def sample_until(end: float, database: str, seen: list[tuple[int, int]]) -> None:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        while time.monotonic() < end:
            seen.append(await (await connection.execute(WAITING)).fetchone())
            await asyncio.sleep(0.02)


async def load(urls: list[str], key: str, database: str) -> dict[str, float]:
    took: list[float] = []
    seen: list[tuple[int, int]] = []
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
        for url in urls:  # warm
            await call_until(time.monotonic() + 0.5, session, url, [])
        end = time.monotonic() + SECONDS
        calls = [call_until(end, session, urls[number % len(urls)], took) for number in range(CALLERS)]
        await asyncio.gather(*calls, sample_until(end, database, seen))
    took.sort()
    return {
        "calls_s": round(len(took) / SECONDS, 1), "median_ms": round(statistics.median(took) * 1000, 1),
        "p95_ms": round(took[int(len(took) * 0.95)] * 1000, 1),
        "writing": round(statistics.mean(active for active, _ in seen), 2),
        "waiting_for_the_lock": round(statistics.mean(waiting for _, waiting in seen), 2),
    }  # fmt: skip


async def ready(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(1200):
            with suppress(aiohttp.ClientError):
                async with session.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.1)
    raise RuntimeError(f"{url} did not come up")


def run(simulator: Simulator) -> None:
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "guardlabs.settings", "SECRET_KEY": "b" * 50, "WEB_CONCURRENCY": "1",
        "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "LLM_CACHE": "off", "LOG_LEVEL": "WARNING",
    }  # fmt: skip

    def manage(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    manage("prepare")
    file = Path(f"/tmp/bench-nodes-{os.getpid()}.toml")
    file.write_text(PROVIDERS.format(url=simulator.url))
    manage("providers", "load", str(file))
    key = manage("clients", "add", "bench").strip().splitlines()[-1].strip()
    command = [sys.executable, "-m", "gunicorn", "-c", "python:guardlabs.gunicorn", "guardlabs.asgi"]
    servers: list[subprocess.Popen[bytes]] = []
    urls: list[str] = []
    try:
        for number in NODES:
            while len(servers) < number:
                port = FIRST_PORT + len(servers)
                quiet = {"stdout": subprocess.DEVNULL}
                servers.append(
                    subprocess.Popen(command, cwd=ROOT, env={**environment, "PORT": str(port)}, **quiet)
                )
                urls.append(f"http://127.0.0.1:{port}")
            for url in urls:
                asyncio.run(ready(url))
            print(number, asyncio.run(load(urls, key, environment["DATABASE_URL"])), flush=True)
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(90)
        file.unlink()


def main() -> None:
    with Simulator() as simulator:
        run(simulator)


if __name__ == "__main__":
    main()
