"""Limits of simulated accounts beyond requests and tokens of one model: pools, other windows, other units.

The rules, so that an oracle can be computed without this module:

- scope "model": each model of each account has its own; "account": an account's models share it; "provider": all
  accounts of the provider do. `models` are patterns of ids; empty is all;
- a second, a minute and an hour roll; a day, a week (from Monday) and a month begin at midnight UTC;
- a call counts from its arrival, with its prompt tokens and max_tokens until it ends, then with what it used;
- units are prompt tokens x units_in + written tokens x units_out, for a million each; `concurrent` counts open calls;
- a refused call counts nothing.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

ROLLING = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
_TINY = 1e-6


@dataclass(slots=True)
class Entry:
    """One call that was taken in."""

    at: float
    tokens_in: int
    tokens_out: int
    open: bool = True


@dataclass(slots=True, kw_only=True)
class SharedLimit:
    """See above. unit: requests, tokens, tokens_in, tokens_out, units or concurrent (whose `per` is empty)."""

    provider: str
    unit: str
    amount: int
    per: str = ""
    scope: str = "account"
    models: Sequence[str] = ()
    units_in: float = 0.0
    units_out: float = 0.0
    prices: dict[str, tuple[float, float]] = field(default_factory=dict)  # of models with their own units
    pools: dict[tuple[str, ...], deque[tuple[Entry, str]]] = field(default_factory=dict)

    def covers(self, provider: str, model: str) -> bool:
        return self.provider == provider and (
            not self.models or any(fnmatchcase(model, pattern) for pattern in self.models)
        )

    def pool(self, account: str, model: str) -> deque[tuple[Entry, str]]:
        key = {"model": (account, model), "account": (account,), "provider": ()}[self.scope]
        return self.pools.setdefault(key, deque())

    def used(self, account: str, model: str, now: float) -> float:
        """Of the window that is open now."""
        pool = self.pool(account, model)
        while self.per and pool and not self._counts(pool[0][0].at, now):
            pool.popleft()
        if not self.per:
            return sum(entry.open for entry, _ in pool)
        return sum(self._measure(entry, name) for entry, name in pool)

    def need(self, model: str, tokens_in: int, tokens_out: int) -> float:
        return self._measure(Entry(0, tokens_in, tokens_out), model)

    def wait_s(self, account: str, model: str, excess: float, now: float) -> float:
        """Seconds until so much is free again."""
        if not self.per:
            return 1.0
        if self.per not in ROLLING:
            return self._end(now) - now
        for entry, name in self.pool(account, model):
            excess -= self._measure(entry, name)
            if excess <= 0:
                return max(0.0, entry.at + ROLLING[self.per] - now)
        return ROLLING[self.per]

    def _measure(self, entry: Entry, model: str) -> float:
        if self.unit == "tokens":
            return entry.tokens_in + entry.tokens_out
        if self.unit == "tokens_in":
            return entry.tokens_in
        if self.unit == "tokens_out":
            return entry.tokens_out
        if self.unit == "units":
            price_in, price_out = self.prices.get(model, (self.units_in, self.units_out))
            return (entry.tokens_in * price_in + entry.tokens_out * price_out) / 1_000_000
        return 1

    def _counts(self, at: float, now: float) -> bool:
        if self.per in ROLLING:
            return at + ROLLING[self.per] > now + _TINY
        return at >= self._begin(now)

    def _begin(self, now: float) -> float:
        day = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self.per == "week":
            day -= timedelta(days=day.weekday())
        elif self.per == "month":
            day = day.replace(day=1)
        return day.timestamp()

    def _end(self, now: float) -> float:
        longest = {"day": 1, "week": 7, "month": 31}[self.per]
        return self._begin(self._begin(now) + longest * 86_400 + 3600)
