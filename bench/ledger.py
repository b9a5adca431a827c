"""Is every request, token and cent in the ledger when two processes of 64 threads write it at once?"""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from bench import environment, postgres
from bench.figures import Section, median_ms, p99_ms
from bench.upstream import http, slow_first_token, upstream_process
from bench.workload import TEXT, free_and_paid

PROCESSES, THREADS = 2, 64
KEYS, REQUESTS_A_DAY = 3, 100
PRICE_IN, PRICE_OUT = (
    Decimal("0.30"),
    Decimal("1.20"),
)  # USD per million tokens of tests.chain_setup's DeepSeek
ABOUT = (
    f"{PROCESSES} processes of {THREADS} threads, connected beforehand, and an upstream process; {KEYS} Groq accounts "
    f"of {REQUESTS_A_DAY} requests a day, then a paid provider; one request fails with 500 and is repeated. Steady: "
    "the upstream takes 1 to 2 s, as 400 tokens do where they come fast. Flooded: 0.15 to 0.3 s, which asks for more "
    "calls than two processors can make, so that all wait for those; it informs only, but must be exact, too. The "
    "ledger's sums against the upstream's own count, and how long a call spends on the ledger, from waiting for its "
    "turn to COMMIT, planning included, all its transactions together."
)


@dataclass(frozen=True)
class Load:
    """How hard it is: seconds that the upstream takes, calls of each thread, and the target for a call's writing."""

    name: str
    latency_s: tuple[float, float]
    calls: int
    most_ms: float | None = None


STEADY, FLOODED = Load("steady", (1.0, 2.0), 6, most_ms=100), Load("flooded", (0.15, 0.3), 10)
Sums = dict[str, Any]


def run() -> Section:
    section = Section(ABOUT)
    with upstream_process() as sim, tempfile.TemporaryDirectory() as directory:
        for load in (STEADY, FLOODED):
            url = f"sqlite:///{Path(directory) / load.name}.sqlite3"
            measure(section, sim, f"SQLite, {load.name}", url, load)
        try:
            with postgres.server() as url:
                measure(section, sim, "PostgreSQL, steady", url, STEADY)
        except OSError as error:
            section.add("PostgreSQL", None, note=f"skipped: {error}")
    return section


def measure(section: Section, sim: Any, name: str, url: str, load: Load) -> None:
    """One storm on one fresh database."""
    with another_database(url):
        environment.migrate()
        free_and_paid(sim, keys=KEYS, quotas={"rpd": REQUESTS_A_DAY}, timeout_s=20)
        script(sim, load)
        workers = storm(url, load)
        in_ledger, received = sums_of_ledger(), sums_of(sim.brief())
        over = max(0, *(sim.count(f"key-of-groq{n + 1}") - REQUESTS_A_DAY for n in range(KEYS)))
    waits = [wait for worker in workers for wait in worker["waits"]]
    times = [seconds for worker in workers for seconds in worker["times"]]
    for what, count in received.items():
        difference = float(in_ledger[what] - count)
        section.add(f"{name}: {what} received upstream", float(count))
        section.add(f"{name}: {what}, ledger's difference", difference, at_most=0, at_least=0)
    section.add(
        f"{name}: whole calls missing", len(times) + PROCESSES - in_ledger["calls"], at_most=0, at_least=0
    )
    section.add(f"{name}: requests beyond a quota", over, at_most=0)
    section.add(
        f"{name}: writing the ledger, longest of a call", max(waits) * 1000, "ms", at_most=load.most_ms,
        why="all threads begin at the same moment, and the last waits until the others have planned: one by one",
    )  # fmt: skip
    section.add(f"{name}: writing the ledger, p99", p99_ms(waits), "ms")
    section.add(f"{name}: writing the ledger, median", median_ms(waits), "ms")
    section.add(f"{name}: calls per second", len(times) / max(w["took"] for w in workers), "1/s")


def script(sim: Any, load: Load) -> None:
    """Delays that repeat from run to run, and one failure."""
    dice = random.Random(1)
    sim.reset()
    for key in ("deepseek", *(f"groq{n + 1}" for n in range(KEYS))):
        requests = PROCESSES * THREADS * load.calls
        answers = [slow_first_token(dice.uniform(*load.latency_s), TEXT) for _ in range(requests)]
        if key == "groq1":
            answers[20] = http(500)
        sim.script(f"key-of-{key}", *answers)


def storm(url: str, load: Load) -> list[dict[str, Any]]:
    """Runs the worker processes side by side; returns what each measured, in seconds."""
    command = [
        sys.executable,
        "-m",
        "bench.ledger_worker",
        str(THREADS),
        str(load.calls),
        str(load.latency_s[1]),
    ]
    workers = [
        subprocess.Popen(
            command, env={**os.environ, "DATABASE_URL": url}, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(PROCESSES)
    ]  # fmt: skip
    for worker in workers:
        if worker.stdout.readline() != "ready\n":
            raise RuntimeError("a worker did not start")
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    return [json.loads(worker.communicate()[0]) for worker in workers]


def sums_of(requests: Iterable[tuple[str, str, int | None, int, int]]) -> Sums:
    """What the upstream counted; money by its prices, each request rounded half up to a millionth."""
    rows = list(requests)
    exact = [
        (PRICE_IN * tokens_in + PRICE_OUT * tokens_out) / 1_000_000
        for provider, _, _, tokens_in, tokens_out in rows
        if provider == "deepseek"
    ]
    return {
        "requests": len(rows),
        "ok answers": sum(status == 200 for _, _, status, _, _ in rows),
        "input tokens": sum(tokens for _, _, _, tokens, _ in rows),
        "output tokens": sum(tokens for _, _, _, _, tokens in rows),
        "cost in USD": sum((cost.quantize(Decimal("0.000001"), ROUND_HALF_UP) for cost in exact), Decimal(0)),
    }


def sums_of_ledger() -> Sums:
    """The same from the attempts; `calls` are those whose own sums say the same as their attempts do."""
    from django.db.models import Count, F, Sum

    from llm.models import Attempt, Call

    sums = Attempt.objects.aggregate(Count("id"), Sum("tokens_in"), Sum("tokens_out"), Sum("cost_usd"))
    whole = Call.objects.annotate(
        n=Count("attempts"), cost=Sum("attempts__cost_usd"),
        tokens=Sum(F("attempts__tokens_in") + F("attempts__tokens_out")),
    ).filter(
        outcome="ok", attempt_count=F("n"), cost_usd=F("cost"), tokens=F("tokens_in") + F("tokens_out"),
    )  # fmt: skip
    return {
        "requests": sums["id__count"],
        "ok answers": Attempt.objects.filter(outcome="ok").count(),
        "input tokens": sums["tokens_in__sum"],
        "output tokens": sums["tokens_out__sum"],
        "cost in USD": sums["cost_usd__sum"],
        "calls": whole.count(),
    }


@contextmanager
def another_database(url: str) -> Iterator[None]:
    """Within the block, this process uses another database."""
    from django.db import connections

    from guardlabs import env

    connections["default"].close()
    before = connections.settings["default"]
    connections.settings = connections.configure_settings({"default": env.database(url)})
    del connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = before
        del connections["default"]
