"""What the cache costs a call: off, on auto below its limit, on when it misses, and what a hit saves."""

import itertools
import time
from statistics import quantiles
from typing import Any

from bench.figures import Section, median_ms
from bench.overhead import begin
from bench.upstream import upstream_process
from bench.workload import CALL

ABOUT = (
    "complete() with LLM_CACHE off, auto (below 10,000 calls a day) and on, one call of each kind in turn, against "
    "an upstream that answers at once. A miss claims its question and keeps the answer in the two write transactions "
    "that a call has anyway; off and auto do nothing more than look at the setting. CPU time is of all threads of the "
    "process; noise is how far the middle half of the calls without a cache lie apart."
)
CALLS = 200
KINDS = ("off", "auto", "on: a miss", "on: a hit")


def run() -> Section:
    section = Section(ABOUT)
    wall: dict[str, list[float]] = {kind: [] for kind in KINDS}
    cpu: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with upstream_process() as sim:
        begin(sim)
        number = itertools.count()
        for round_ in range(CALLS + 20):
            for kind in KINDS:
                user = CALL["user"] if kind == "on: a hit" else f"{next(number)} {CALL['user']}"
                times = timed(kind.split(":")[0], {**CALL, "user": user})
                if round_ >= 20:  # warm
                    wall[kind].append(times[0])
                    cpu[kind].append(times[1])
    for kind in KINDS:
        section.add(f"{kind}: median", median_ms(wall[kind]), "ms")
        section.add(f"{kind}: CPU time, median", median_ms(cpu[kind]), "ms")
    first, _, third = quantiles(cpu["off"], n=4)
    noise = (third - first) * 1000
    section.add("noise: interquartile range of CPU time when off", noise, "ms")
    for kind in ("auto", "on: a miss"):
        more = median_ms(cpu[kind]) - median_ms(cpu["off"])
        section.add(f"{kind}, more CPU time than off", more, "ms", at_most=max(noise, 0.1))
    return section


def timed(mode: str, call: dict[str, Any]) -> tuple[float, float]:
    """Seconds by the clock and of this process's CPU for one call with that LLM_CACHE."""
    from django.conf import settings

    from llm.chain import complete

    settings.LLM_CACHE = mode
    began, used = time.perf_counter(), time.process_time()
    complete(**call)
    return time.perf_counter() - began, time.process_time() - used
