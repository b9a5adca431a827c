"""How much of the free limits the chain gets in a day of more demand than they allow, and how many 429s."""

import random
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

import time_machine

from bench.environment import forget_everything
from bench.figures import Section
from bench.oracle import MINUTES_A_DAY, Ask, Limits, most_completions
from bench.upstream import Simulator, slow_first_token
from bench.virtual import VirtualClock

ABOUT = (
    "A day on a virtual clock: 3 accounts x 3 models of Groq under its free limits for each (30 requests and 8,000 "
    "tokens a minute, 1,000 requests and 200,000 tokens a day), which the simulator enforces by the moment of "
    "arrival, 0.02 to 0.2 s after sending. 8 callers wait from midnight on, free providers only; who is answered "
    "asks for the next in the queue a second later, who is not asks for the same again after 4 s, and after 10 "
    "minutes without an answer every 10 minutes. Completions against the most that any schedule could have had "
    "(bench/oracle.py)."
)
LIMITS = Limits(rpm=30, rpd=1000, tpm=8000, tpd=200_000)
ACCOUNTS, MODELS = ("a", "b", "c"), ("openai/gpt-oss-120b", "openai/gpt-oss-20b", "qwen/qwen3-32b")
DEPLOYMENTS = len(ACCOUNTS) * len(MODELS)
MIDNIGHT = datetime(2027, 3, 1, tzinfo=UTC)
CALLERS = 8
NEXT_S, AGAIN_S, RARELY_S = 1.0, 4.0, 600.0
UPSTREAM_S = 0.01  # real seconds, so that calls of the same moment are in flight together
ON_THE_WAY_S = (0.02, 0.2)  # virtual seconds
TEXT = "word" * 700  # 700 tokens, as far as max_tokens allows
# Prompt, max_tokens and written tokens, and how often: a report, a summary, a short answer.
MIX = ((Ask(900, 1400, 700), 3), (Ask(300, 500, 500), 4), (Ask(100, 100, 100), 3))


@dataclass
class Day:
    """The demand that is left, and what has been answered of it: when (seconds after midnight) and what."""

    queue: deque[Ask]
    answered: list[tuple[float, Ask]] = field(default_factory=list)
    asked: int = 0


def run() -> Section:
    section = Section(ABOUT)
    forget_everything()
    demand = make_demand(12_000)
    day = Day(deque(demand))
    with time_machine.travel(MIDNIGHT, tick=True) as traveller:
        clock = VirtualClock(traveller, CALLERS)
        with Simulator(clock=lambda: clock.advance(random.uniform(*ON_THE_WAY_S))) as sim:
            configure(sim)
            live(clock, day)
            denied, sent = sum(record.status == 429 for record in sim.requests), sim.count()
    most = most_completions(demand, LIMITS, DEPLOYMENTS, MINUTES_A_DAY, held_back=CALLERS)
    section.add("the most that the day allows", most, "calls")
    section.add("answered in the day", len(day.answered), "calls")
    section.add("free capacity used", len(day.answered) / most * 100, "%", at_least=98)
    section.add("429s received per 1,000 answers", denied / len(day.answered) * 1000, "", at_most=5)
    # As long as every account has tokens left for the day, the limits of the minute are what holds.
    second, half = day.answered[len(day.answered) // 2][0], len(day.answered) // 2 + 1
    by_then = most_completions(demand, LIMITS, DEPLOYMENTS, second / 60, held_back=CALLERS)
    section.add("half of it answered after", second / 60, "min")
    section.add("limits of the minute used until then", half / by_then * 100, "%")
    section.add("requests sent", sent, "requests")
    section.add("calls, with those that found no room", day.asked, "calls")
    return section


def make_demand(calls: int) -> list[Ask]:
    kinds, weights = zip(*MIX, strict=True)
    return random.Random(1).choices(kinds, weights, k=calls)


def configure(sim: Simulator) -> None:
    """The same limits for the chain and for the simulator, which enforces them."""
    from tests.chain_setup import make_provider

    quotas = {"rpm": LIMITS.rpm, "rpd": LIMITS.rpd, "tpm": LIMITS.tpm, "tpd": LIMITS.tpd}
    make_provider(
        sim, "groq", kind="groq", free=True, tier=1, timeout_s=20, first_byte_s=10,
        models=[{"name": name, **quotas} for name in MODELS],
        keys={f"groq-{account}": account for account in ACCOUNTS},
    )  # fmt: skip
    for account in ACCOUNTS:
        sim.account(f"key-of-groq-{account}", account)
        for model in MODELS:
            sim.limit(account, model, **quotas)
    sim.default(slow_first_token(UPSTREAM_S, TEXT))


def live(clock: VirtualClock, day: Day) -> None:
    """Lets the callers ask from midnight to midnight. The chain's own waits take virtual time, too."""
    from llm import clock as chain

    chain.sleep, real_sleep = clock.sleep, chain.sleep
    try:
        with ThreadPoolExecutor(CALLERS) as pool:
            for caller in [pool.submit(call_all_day, clock, day) for _ in range(CALLERS)]:
                caller.result()
    finally:
        chain.sleep = real_sleep


def call_all_day(clock: VirtualClock, day: Day) -> None:
    """One caller: takes the next request, and asks until it is answered or the day is over."""
    from django.db import connection

    try:
        ask, since = day.queue.popleft(), second_of_day()
        while (now := second_of_day()) < MINUTES_A_DAY * 60:
            day.asked += 1
            if is_answered(ask):
                day.answered.append((now, ask))
                ask, since = day.queue.popleft(), now
                clock.sleep(NEXT_S)
            else:
                clock.sleep(AGAIN_S if now - since < RARELY_S else RARELY_S)
    finally:
        clock.leave()
        connection.close()


def second_of_day() -> float:
    return time.time() - MIDNIGHT.timestamp()


def is_answered(ask: Ask) -> bool:
    from llm.chain import ChainExhausted, complete

    try:
        complete(user="word" * ask.prompt, max_tokens=ask.max_tokens, max_usd=0, purpose="bench", lang="en")
    except ChainExhausted:
        return False
    return True
