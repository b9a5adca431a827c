"""What `complete()` adds to a bare SDK call: time, queries and write transactions. The ledger is written."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Barrier
from typing import Any

from bench.environment import forget_everything
from bench.figures import Section, median_ms, p99_ms
from bench.upstream import ok, slow_first_token, upstream_process
from bench.workload import AMPLE, CALL, MAX_TOKENS, PROMPT, TEXT, free_and_paid, remember

ABOUT = (
    "complete() against the bare SDK call to the same upstream, which is a process of its own. Alone: the upstream "
    "answers at once, pairs of one call of each kind, of which either goes first in turn; overhead is the median of "
    "the pairs' differences, CPU time that of all threads of the process. 16 threads: bursts of one kind in turn, "
    "because both kinds hold the same GIL; 'realistic' gives the upstream 0.5 to 1.5 s, as a report of some hundred "
    "tokens takes at the fastest of today's providers; 'brisk' 0.1 to 0.3 s, and 'instant', which saturates the GIL, "
    "so that a call takes 16 times its CPU time, inform only. What the upstream waited is told in its answer and "
    "taken off each call, bare or not, or the spread of the waits would hide what is looked for. Every call is "
    "checked against quotas and a budget, with 20,000 older attempts in the ledger, and some hundred of today."
)
PAIRS = 400
THREADS, ROUNDS, A_ROUND = 16, 5, 10
REALISTIC_S, BRISK_S = (0.5, 1.5), (0.1, 0.3)
START_APART_S = 0.015  # real callers do not start at the same moment
HISTORY, BUSY_DAY = 20_000, 10_000
WAITED = " waited "  # and how many seconds, at the end of an answer
Call = Callable[[], str]


@dataclass
class Times:
    """Seconds of each call beyond what the upstream waited: bare, and through the chain."""

    bare: list[float] = field(default_factory=list)
    chain: list[float] = field(default_factory=list)
    in_pairs: bool = False  # each with the one beside it, so that what slows the machine slows both

    def add_to(
        self, section: Section, name: str, *, median: float | None = None, p99: float | None = None
    ) -> None:
        """Adds both distributions and the overhead; `median` and `p99` are its targets in ms."""
        for kind, times in (("bare call", self.bare), ("complete()", self.chain)):
            section.add(f"{name}: {kind}, median", median_ms(times), "ms")
            section.add(f"{name}: {kind}, p99", p99_ms(times), "ms")
        section.add(f"{name}: overhead, median", self.more_ms, "ms", at_most=median)
        section.add(f"{name}: overhead, p99", p99_ms(self.chain) - p99_ms(self.bare), "ms", at_most=p99)

    @property
    def more_ms(self) -> float:
        """What the chain adds in the median, in milliseconds."""
        if self.in_pairs:
            return median_ms([chain - bare for bare, chain in zip(self.bare, self.chain, strict=True)])
        return median_ms(self.chain) - median_ms(self.bare)


def run() -> Section:
    section = Section(ABOUT)
    with upstream_process() as sim:
        for name, calls in (("groq", groq_calls), ("openai", openai_calls)):
            begin(sim)
            bare, chain = calls(sim.url)
            alone(bare, chain, pairs=20)  # warm: imports, connections, caches
            alone(bare, chain, pairs=PAIRS).add_to(section, f"{name} SDK, alone", median=1)
            cpu = alone(bare, chain, pairs=PAIRS // 4, clock=time.process_time)
            section.add(f"{name} SDK, alone: overhead, CPU time, median", cpu.more_ms, "ms")
        bare, chain = groq_calls(sim.url)
        begin(sim)
        times = crowded(bare, chain, before=partial(vary_latency, sim, REALISTIC_S))
        times.add_to(section, "groq SDK, 16 threads, realistic", median=3, p99=15)
        begin(sim)
        times = crowded(bare, chain, before=partial(vary_latency, sim, BRISK_S))
        times.add_to(section, "groq SDK, 16 threads, brisk")
        begin(sim)
        crowded(bare, chain).add_to(section, "groq SDK, 16 threads, instant")
        begin(sim)
        queries, transactions = statements(chain)
        section.add("queries of a call", queries, at_most=10)
        section.add("write transactions of a call", transactions, at_most=2)
        remember(BUSY_DAY, days=0)
        busy = alone(bare, chain, pairs=100)
        section.add("overhead on a day with 10,000 calls to one account, median", busy.more_ms, "ms")
    return section


def begin(sim: Any) -> None:
    """The ledger, the providers and the upstream as each measurement finds them."""
    sim.reset()
    sim.default(ok(TEXT))
    forget_everything()
    free_and_paid(sim, keys=3, quotas=AMPLE, timeout_s=20)
    remember(HISTORY, days=7)


# -- the two kinds of call -------------------------------------------------------------------------------


def groq_calls(url: str) -> tuple[Call, Call]:
    """The same request, bare through the groq SDK and down the chain, which begins with Groq."""
    import groq

    from llm.chain import complete
    from tests.chain_setup import OSS

    client = groq.Groq(base_url=f"{url}/groq", api_key="key-of-groq1", max_retries=0)
    messages = [{"role": "user", "content": PROMPT}]
    return (
        lambda: text_of(client.chat.completions.create(model=OSS, messages=messages, max_tokens=MAX_TOKENS)),
        lambda: complete(**CALL).text,
    )


def openai_calls(url: str) -> tuple[Call, Call]:
    """The same for the openai SDK and the paid provider."""
    import openai

    from llm.chain import complete

    client = openai.OpenAI(base_url=f"{url}/deepseek/v1", api_key="key-of-deepseek", max_retries=0)
    messages = [{"role": "user", "content": PROMPT}]
    return (
        lambda: text_of(
            client.chat.completions.create(model="deepseek-flash", messages=messages, max_tokens=MAX_TOKENS)
        ),
        lambda: complete(providers=["deepseek"], **CALL).text,
    )


def text_of(completion: Any) -> str:
    return completion.choices[0].message.content


# -- measuring -------------------------------------------------------------------------------------------


def timed(call: Call, clock: Callable[[], float] = time.perf_counter) -> float:
    began = clock()
    text = call()
    took = clock() - began
    return took - float(text.partition(WAITED)[2] or 0)


def alone(bare: Call, chain: Call, *, pairs: int, clock: Callable[[], float] = time.perf_counter) -> Times:
    """Pairs of one call of each kind, from this thread; every other pair begins with the chain."""
    times = Times(in_pairs=True)
    turns = [(bare, times.bare), (chain, times.chain)]
    for _ in range(pairs):
        for call, kept in turns:
            kept.append(timed(call, clock))
        turns.reverse()
    return times


def crowded(bare: Call, chain: Call, before: Callable[[], object] = lambda: None) -> Times:
    """Bursts from 16 threads, bare and chain in turn; the first of each warms connections and is dropped.

    `before` each burst the upstream can be set up anew, so that both kinds meet the same.
    """
    from django.db import connection

    barrier, times = Barrier(THREADS), Times()

    def burst(call: Call, number: int) -> list[float]:
        barrier.wait()
        time.sleep(number * START_APART_S)
        return [timed(call) for _ in range(A_ROUND)]

    def leave() -> None:
        barrier.wait()
        connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(ROUNDS + 1):
            for call, kept in ((bare, times.bare), (chain, times.chain)):
                before()
                bursts = [pool.submit(burst, call, thread) for thread in range(THREADS)]
                measured = [seconds for future in bursts for seconds in future.result()]
                kept.extend(measured if number else ())
        for future in [pool.submit(leave) for _ in range(THREADS)]:
            future.result()
    return times


def vary_latency(sim: Any, between_s: tuple[float, float]) -> None:
    """A random wait before each answer of a burst, the same ones for every burst."""
    dice = random.Random(1)
    delays = [dice.uniform(*between_s) for _ in range(THREADS * A_ROUND + 1)]
    sim.script("key-of-groq1", *[slow_first_token(delay, f"{TEXT}{WAITED}{delay}") for delay in delays])


def statements(chain: Call) -> tuple[int, int]:
    """Queries and write transactions of one warm call, the larger of several; BEGIN and COMMIT are no queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    alone(chain, chain, pairs=2)  # warm
    counts = []
    for _ in range(5):
        with CaptureQueriesContext(connection) as captured:
            chain()
        words = [query["sql"].split()[0].upper() for query in captured.captured_queries]
        frame = {"BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"}
        within, outside = False, 0
        for word in words:
            within = word == "BEGIN" or (within and word != "COMMIT")
            outside += word in {"INSERT", "UPDATE", "DELETE"} and not within
        counts.append((sum(word not in frame for word in words), words.count("BEGIN") + outside))
    return max(queries for queries, _ in counts), max(transactions for _, transactions in counts)
