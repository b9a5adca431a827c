"""What is used of limits, by who shares them and by window. Pure."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from llm.configuration.limits import Limit, Pool, is_above
from llm.ledger.tally import Sums


class Taken(NamedTuple):
    """What is used of the limits of one pool, by window. `told`: in their unit, of those that the sums do not tell."""

    pool: Pool
    sums: Mapping[str, Sums]
    told: Mapping[Limit, float]

    def is_full(self, requests: int, tokens_in: int, tokens_out: int) -> bool:
        """Whether any of its limits has no room for so much."""
        for per, _, _, bounds in self.pool.windows:
            used = self.sums[per]
            if is_above(bounds, used[0] + requests, used[1] + tokens_in, used[2] + tokens_out):
                return True
        for limit, taken in self.told.items():
            if taken + limit.measure(requests, tokens_in, tokens_out) > limit.amount:
                return True
        return False

    def by_limit(self) -> Iterator[tuple[Limit, float]]:
        for window in self.pool.windows:
            for limit in window.limits:
                told = self.told.get(limit)
                yield limit, limit.measure(*self.sums[window.per]) if told is None else told

    def most_out(self, tokens_in: int) -> Iterator[float]:
        """Tokens of output that still fit beside this input: by each limit that bounds them."""
        for window in self.pool.windows:
            requests, used_in, used_out = self.sums[window.per]
            for request, token_in, token_out, amount in window.bounds:
                if token_out:
                    used = requests * request + used_in * token_in + used_out * token_out
                    yield (amount - used - tokens_in * token_in) / token_out
        for limit, taken in self.told.items():
            if (most := limit.most_out(tokens_in, limit.amount - taken)) is not None:
                yield most


class Used(NamedTuple):
    """What an account has used of a model: requests and tokens of the minute and of the day.

    `taken`: what is used of the limits in force by all who share them.
    """

    minute_requests: int
    minute_tokens: int
    day_requests: int
    day_tokens: int
    taken: tuple[Taken, ...] = ()

    @property
    def limits(self) -> Iterator[tuple[Limit, float]]:
        """Each limit in force, and what is used of it, in its unit."""
        return (each for taken in self.taken for each in taken.by_limit())
