"""Load from a compiled client (wrk), so that the client does not slow what is measured; and what servers spend.

Where wrk is missing (on Debian, `apt-get install wrk`), a client of ours in Python stands in for it.
"""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.figures import median_ms, p99_ms

SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
%s
wrk.body = %s
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('RESULT {"count": %%d, "seconds": %%f, "median_ms": %%f, "p99_ms": %%f, "errors": %%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


WITHOUT_WRK = (
    " wrk is not on this machine: the client is ours, in Python, takes its share of the cores and is slower."
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where to ask, and the same request for all."""

    url: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it: requests that were answered, in how many seconds, and how long one took."""

    count: int
    seconds: float
    median_ms: float
    p99_ms: float
    errors: int

    @property
    def rate(self) -> float:
        return self.count / self.seconds


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def hammer(target: Target, connections: int, seconds: int) -> Load:
    """All connections ask again as soon as they are answered."""
    if has_wrk():
        return _by_wrk(target, connections, seconds)
    told = subprocess.run(
        [sys.executable, "-m", "bench.load", str(connections), str(seconds)], input=json.dumps(asdict(target)),
        check=True, capture_output=True, text=True, cwd=Path(__file__).parent.parent,
    ).stdout  # fmt: skip
    return Load(**json.loads(told))


def middle(loads: Sequence[Load]) -> Load:
    """Several rounds as one: all that was counted, and the medians of how long one took."""
    return Load(
        count=sum(load.count for load in loads),
        seconds=sum(load.seconds for load in loads),
        median_ms=statistics.median(load.median_ms for load in loads),
        p99_ms=statistics.median(load.p99_ms for load in loads),
        errors=sum(load.errors for load in loads),
    )


def _by_wrk(target: Target, connections: int, seconds: int) -> Load:
    headers = "\n".join(
        f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in target.headers.items()
    )
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory, "ask.lua")
        script.write_text(SCRIPT % (headers, json.dumps(json.dumps(target.body))))
        told = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=30s", "-s", script, target.url],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    return Load(**json.loads(told.partition("RESULT ")[2]))


async def by_ours(target: Target, connections: int, seconds: float) -> Load:
    """The same without wrk: as many keep-alive connections, each with one request at a time."""
    address, body = urlsplit(target.url), json.dumps(target.body).encode()
    headers = {"Host": address.netloc, "Content-Type": "application/json", **target.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    ask = f"POST {address.path} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body
    began, took, errors = time.monotonic(), [], 0

    async def connection() -> None:
        nonlocal errors
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            while (asked := time.monotonic()) - began < seconds:
                writer.write(ask)
                status = await _answer(reader)
                took.append(time.monotonic() - asked)
                errors += status != 200
        except (OSError, asyncio.IncompleteReadError):
            errors += 1
        finally:
            writer.close()

    await asyncio.gather(*[connection() for _ in range(connections)])
    return Load(len(took), time.monotonic() - began, median_ms(took or [0.0]), p99_ms(took or [0.0]), errors)


async def _answer(reader: asyncio.StreamReader) -> int:
    """Reads one answer, and returns its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    if "content-length: " in head:
        await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
    else:  # in chunks
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    return int(head.split()[1])


def workers_of(pid: int) -> list[int]:
    """The process ids of a server's workers; none where /proc does not tell."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def tree_of(pid: int) -> list[int]:
    """A server and its workers; no process that has ended."""
    return [each for each in (pid, *workers_of(pid)) if Path(f"/proc/{each}").exists()]


def memory_mb(pid: int) -> list[float]:
    """Memory of each worker, in MB: what it shares with others counts as its part (PSS)."""
    return [_pss_mb(worker) for worker in workers_of(pid)]


def _pss_mb(pid: int) -> float:
    told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(told.partition("Pss:")[2].split()[0]) / 1024


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a server and its workers have had."""
    ticks = 0
    for each in tree_of(pid):
        spent = Path(f"/proc/{each}/stat").read_text().rpartition(") ")[2].split()
        ticks += int(spent[11]) + int(spent[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":  # python -m bench.load CONNECTIONS SECONDS, with the target on standard input
    load = by_ours(Target(**json.load(sys.stdin)), int(sys.argv[1]), float(sys.argv[2]))
    print(json.dumps(asdict(asyncio.run(load))))
