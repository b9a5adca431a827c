"""What dead keys cost: five Groq keys, dead in one way, before a paid provider that works. Against a naive loop."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from bench import naive
from bench.environment import forget_everything
from bench.figures import Section, median_ms
from bench.upstream import (
    Behaviour,
    empty,
    hang,
    http,
    ok,
    payload,
    reset,
    truncate,
    upstream_process,
)  # fmt: skip
from bench.workload import CALL, TEXT, free_and_paid

ABOUT = (
    "5 Groq keys of 5 accounts, dead in one way, and a paid provider that works; 50 calls each, timeout 1 s. Wasted "
    "is a request to a dead key. The naive loop tries every key with the groq SDK as it comes (max_retries=2), then "
    "the paid provider, and returns the first text; 2 calls each (1 for silence), since every call costs it the same."
)
KEYS, CALLS = 5, 50
TIMEOUT_S = 1.0
LEAST_CHARACTERS = 200


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to be dead. `most`: requests wasted per call after the first; None where a gate is what says no."""

    name: str
    behaviour: Behaviour
    most: float | None = 0.02
    note: str = ""
    naive_calls: int = 2


FAULTS = (
    Fault(name="429", behaviour=payload("groq-429-tpd-1")),
    Fault(name="cloudflare-1010", behaviour=payload("cf-1010-plain")),
    Fault(name="500", behaviour=http(500)),
    Fault(name="reset", behaviour=reset()),
    Fault(name="hang", behaviour=hang(), naive_calls=1),
    Fault(
        name="empty", behaviour=empty(), most=2 / (CALLS - 1), note="an empty answer counts from the third on"
    ),
    Fault(name="short", behaviour=ok("Be careful."), most=None, note="a gate never pauses a provider"),
    Fault(name="truncated", behaviour=truncate()),
)


@dataclass
class Cost:
    """What each call cost: requests to dead keys, seconds, and whether its text was of use."""

    wasted: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    useful: list[bool] = field(default_factory=list)

    def note(self, wasted: int, began: float, text: str) -> None:
        self.wasted.append(wasted)
        self.seconds.append(time.perf_counter() - began)
        self.useful.append(len(text) >= LEAST_CHARACTERS)


def run() -> Section:
    section = Section(ABOUT)
    with upstream_process() as sim:
        with ThreadPoolExecutor(len(FAULTS)) as pool:  # it mostly waits
            loops = list(pool.map(lambda fault: loop(sim, fault), FAULTS))
        for fault, looped in zip(FAULTS, loops, strict=True):
            cost = chain(sim, fault)
            tell(section, fault, cost, looped)
    return section


def tell(section: Section, fault: Fault, cost: Cost, looped: Cost) -> None:
    name = f"{fault.name}:"
    section.add(f"{name} wasted by the first call", cost.wasted[0], "requests")
    section.add(f"{name} wasted per call after the first", statistics.mean(cost.wasted[1:]), "requests",
                at_most=fault.most, note=fault.note)  # fmt: skip
    section.add(f"{name} first call", cost.seconds[0] * 1000, "ms")
    section.add(f"{name} later calls, median", median_ms(cost.seconds[1:]), "ms")
    section.add(f"{name} useful answers", statistics.mean(cost.useful) * 100, "%", at_least=100)
    section.add(f"{name} naive loop, wasted per call", statistics.mean(looped.wasted), "requests")
    section.add(f"{name} naive loop, time per call", median_ms(looped.seconds), "ms")
    section.add(f"{name} naive loop, useful answers", statistics.mean(looped.useful) * 100, "%")


def chain(sim: Any, fault: Fault) -> Cost:
    """50 calls down the chain, on an empty ledger without pauses."""
    from llm.chain import complete

    forget_everything()
    sim.reset()
    free_and_paid(sim, keys=KEYS, timeout_s=TIMEOUT_S)
    sim.default(ok(TEXT))
    for number in range(KEYS):
        sim.script(f"key-of-groq{number + 1}", fault.behaviour)
    accept = None
    if fault.most is None:
        accept = lambda text: "too short" if len(text) < LEAST_CHARACTERS else None  # noqa: E731
    cost = Cost()
    for _ in range(CALLS):
        before, began = sim.count(None, "groq"), time.perf_counter()
        text = complete(accept=accept, **CALL).text
        cost.note(sim.count(None, "groq") - before, began, text)
    return cost


def loop(sim: Any, fault: Fault) -> Cost:
    """The same by the naive loop, with keys of its own, so that all faults can be looped at the same time."""
    keys = [f"naive-{fault.name}-{number}" for number in range(KEYS)]
    for key in keys:
        sim.script(key, fault.behaviour)
    sim.script("naive-paid", ok(TEXT))
    cost = Cost()
    for _ in range(fault.naive_calls):
        before, began = sum(map(sim.count, keys)), time.perf_counter()
        text = naive.ask(sim.url, keys, timeout_s=TIMEOUT_S)
        cost.note(sum(map(sim.count, keys)) - before, began, text)
    return cost
