"""The most that free limits allow, from their numbers alone: nothing here knows the chain or the simulator."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

MINUTES_A_DAY = 1440


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of the day's demand, in tokens: its prompt, the most it may write, and what it writes."""

    prompt: int
    max_tokens: int
    written: int

    @property
    def used(self) -> int:
        return self.prompt + self.written


@dataclass(frozen=True, slots=True)
class Limits:
    """Of each account for each model; a window of 60 s that slides, and a day from midnight UTC."""

    rpm: int
    rpd: int
    tpm: int
    tpd: int


def most_completions(
    demand: Sequence[Ask], limits: Limits, deployments: int, minutes: float, *, held_back: int
) -> int:
    """An upper bound on how many requests of a queue can be answered in so many minutes of a day.

    Any schedule, however clever and however much it knows in advance, keeps to this:

    - requests: an account answers a model's requests at most rpd times, and at most rpm times in any 60 s,
      which is rpm x (minutes + 1) in all: a full window at the start, and its like for each minute after;
    - tokens: what is answered was used, at most tpd, and at most tpm in any 60 s. What is merely reserved
      (the prompt and all of max_tokens, until the call ends) is not counted against the schedule here,
      although a provider does, so the bound is a little higher than what can really be had;
    - the demand is a queue: first come, first served, but for the `held_back` requests that its callers may
      be waiting with at the end. At best for the schedule these are the largest ones.

    So the answer is the most requests, taken from the queue in order less the largest few, whose number and
    whose tokens fit into all accounts' allowances put together, as if one call could be split over two.
    """
    requests = deployments * min(limits.rpd, int(limits.rpm * (minutes + 1)))
    tokens = deployments * min(limits.tpd, limits.tpm * (minutes + 1))
    answered, used = 0, 0.0
    held: list[int] = []  # a heap: the largest requests so far, in tokens
    for ask in demand:
        smallest = heapq.heappushpop(held, ask.used) if len(held) == held_back else None
        if smallest is None:
            heapq.heappush(held, ask.used)
            continue
        used += smallest
        if used > tokens or answered == requests:
            break
        answered += 1
    return answered
