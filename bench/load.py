"""Load from a compiled client (wrk), so that the client does not slow what is measured; and what servers spend."""

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


class Missing(Exception):
    """wrk is not on this machine: on Debian, `apt-get install wrk`."""


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


def hammer(target: Target, connections: int, seconds: int) -> Load:
    """All connections ask again as soon as they are answered. Raises Missing."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise Missing(Missing.__doc__)
    headers = "\n".join(
        f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in target.headers.items()
    )
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory, "ask.lua")
        script.write_text(SCRIPT % (headers, json.dumps(json.dumps(target.body))))
        told = subprocess.run(
            [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=30s", "-s", script, target.url],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    return Load(**json.loads(told.partition("RESULT ")[2]))


def workers_of(pid: int) -> list[int]:
    """The process ids of a server's workers; none where /proc does not tell."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def memory_mb(pid: int) -> list[float]:
    """Memory of each worker, in MB: what it shares with others counts as its part (PSS)."""
    found = []
    for worker in workers_of(pid):
        told = Path(f"/proc/{worker}/smaps_rollup").read_text()
        found.append(int(told.partition("Pss:")[2].split()[0]) / 1024)
    return found


def cpu_s(pid: int) -> float:
    """Seconds of processor time that the workers have had."""
    ticks = 0
    for worker in workers_of(pid):
        spent = Path(f"/proc/{worker}/stat").read_text().rpartition(") ")[2].split()
        ticks += int(spent[11]) + int(spent[12])
    return ticks / os.sysconf("SC_CLK_TCK")
