"""One limit of a provider, whoever stated it. Pure.

The plan, the meter, the forecast and the pages read every limit in this form; `rpm`, `rpd`, `tpm` and `tpd` of a model
are short for four of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, NamedTuple

from llm import windows

MODEL, ACCOUNT, PROVIDER = "model", "account", "provider"
UNITS = ("requests", "tokens", "tokens_in", "tokens_out", "units", "concurrent")
SHORT = {
    "rpm": ("requests", "minute"), "rph": ("requests", "hour"), "rpd": ("requests", "day"),
    "tpm": ("tokens", "minute"), "tpd": ("tokens", "day"),
    "itpm": ("tokens_in", "minute"), "otpm": ("tokens_out", "minute"),
}  # fmt: skip
_SHORT_OF = {pair: name for name, pair in SHORT.items()}
MILLION = 1_000_000
AT_A_TIME = "calls at a time"
Bound = tuple[
    float, float, float, float
]  # what a request, a token in and a token out count, and how much may be
# Why a call is told that there is no room: it will be back.
REASONS = (*(f"quota of the {per}" for per in windows.LENGTH), AT_A_TIME)


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of a unit whoever shares it may use in a window.

    scope: who shares it: each model of each account, each account, or all accounts of the provider
    models: patterns of the model ids that it is about; empty is all
    per: second, minute, hour, day, week or month; empty for calls at a time
    units_in, units_out: what a million tokens cost in the provider's own units; `prices`: of models that differ in it
    method: how it is known; see `llm.models.columns.Method`, and "staff"
    stated_at: when a provider stated it, if one did
    """

    scope: str
    per: str
    unit: str
    amount: int
    models: tuple[str, ...] = ()
    units_in: float = 0.0
    units_out: float = 0.0
    prices: tuple[tuple[str, float, float], ...] = ()
    source: str = ""
    seen: date | None = None
    method: str = ""
    stated_at: datetime | None = None

    @property
    def name(self) -> str:
        """Short, and the same for all limits of a unit and a window."""
        return _SHORT_OF.get((self.unit, self.per)) or (f"{self.unit}/{self.per}" if self.per else self.unit)

    @property
    def is_own(self) -> bool:
        """Whether it is one that a field of a model is short for."""
        return self.scope == MODEL and not self.models and (self.unit, self.per) in _SHORT_OF

    @property
    def why(self) -> str:
        """What a call is told that finds it used up."""
        return f"quota of the {self.per}" if self.per else AT_A_TIME

    def covers(self, model: str) -> bool:
        return not self.models or matches(self.models, model)

    def measure(self, requests: int, tokens_in: int, tokens_out: int) -> float:
        """So much use, in the limit's unit."""
        if self.unit == "tokens":
            return tokens_in + tokens_out
        if self.unit == "tokens_in":
            return tokens_in
        if self.unit == "tokens_out":
            return tokens_out
        if self.unit == "units":
            return (tokens_in * self.units_in + tokens_out * self.units_out) / MILLION
        return requests

    @property
    def bound(self) -> Bound:
        """The same in numbers: use that costs more than the last of them is above it."""
        if self.unit == "units":
            return 0, self.units_in, self.units_out, self.amount * MILLION
        tokens_in, tokens_out = self.unit in ("tokens", "tokens_in"), self.unit in ("tokens", "tokens_out")
        return not (tokens_in or tokens_out), tokens_in, tokens_out, self.amount

    @property
    def is_of_size(self) -> bool:
        """Whether one large request may be above it."""
        return self.unit not in ("requests", "concurrent")

    def most_out(self, tokens_in: int, left: float | None = None) -> float | None:
        """Tokens of output that fit beside this input, within what is left of it; None if it does not bound them."""
        left = self.amount if left is None else left
        if self.unit == "tokens":
            return left - tokens_in
        if self.unit == "tokens_out":
            return left
        if self.unit == "units" and self.units_out:
            return (left * MILLION - tokens_in * self.units_in) / self.units_out
        return None

    def for_model(self, model: str) -> "Limit":
        """As it holds for a model that may have prices of its own in the provider's units."""
        for name, units_in, units_out in self.prices:
            if name == model:
                return replace(self, units_in=units_in, units_out=units_out)
        return self


@lru_cache(maxsize=4096)
def matches(patterns: tuple[str, ...], model: str) -> bool:
    """Whether any of the patterns is of this model."""
    return any(fnmatchcase(model, pattern) for pattern in patterns)


class Window(NamedTuple):
    """Limits of one window by the same accounts and models.

    priced: those of which each model's use counts differently; bounds: the others, the lowest of each
    """

    per: str
    limits: tuple[Limit, ...]
    priced: tuple[Limit, ...]
    bounds: tuple[Bound, ...]

    @classmethod
    def of(cls, per: str, limits: list[Limit]) -> "Window":
        priced = tuple(limit for limit in limits if limit.prices and limit.scope != MODEL)
        return cls(per, tuple(limits), priced, _lowest(limit for limit in limits if limit not in priced))


class Pool(NamedTuple):
    """Limits that the same accounts and models share, by their windows."""

    scope: str
    models: tuple[str, ...]
    windows: tuple[Window, ...]


class InForce(dict[str, int]):
    """The limits of one deployment by their names, the lowest where there are several; `every` one of them.

    Put together once for each model of a snapshot, so that a call only adds and compares.

    sized: those that one large request may be above, and `sizes` the lowest of them
    pools: by who shares them, and which window they count
    """

    __slots__ = ("every", "per", "pools", "scopes", "sized", "sizes")

    def __init__(self, every: tuple[Limit, ...]) -> None:
        super().__init__()
        self.every = every
        self.sized = tuple(limit for limit in every if limit.is_of_size)
        self.sizes = _lowest(self.sized)
        self.scopes = frozenset(limit.scope for limit in every)
        self.per = frozenset(limit.per for limit in every if limit.per)
        pools: dict[tuple[str, tuple[str, ...]], dict[str, list[Limit]]] = {}
        for limit in every:
            pools.setdefault((limit.scope, limit.models), {}).setdefault(limit.per, []).append(limit)
        self.pools = tuple(
            Pool(scope, patterns, tuple(Window.of(*window) for window in found.items()))
            for (scope, patterns), found in pools.items()
        )
        for limit in every:
            self[limit.name] = min(limit.amount, self.get(limit.name, limit.amount))

    def is_above(self, requests: int, tokens_in: int, tokens_out: int) -> bool:
        """Whether one request of this size is above a limit, however little is used of it."""
        return is_above(self.sizes, requests, tokens_in, tokens_out)

    def most_out(self, tokens_in: int) -> float | None:
        """Tokens of output that fit beside this input while nothing is used; None if nothing bounds them."""
        most = None
        for _, each, out, amount in self.sizes:
            if out and (most is None or (amount - tokens_in * each) / out < most):
                most = (amount - tokens_in * each) / out
        return most


def is_above(bounds: Iterable[Bound], requests: int, tokens_in: int, tokens_out: int) -> bool:
    """Whether so much use is above any of them."""
    for request, token_in, token_out, amount in bounds:
        if requests * request + tokens_in * token_in + tokens_out * token_out > amount:
            return True
    return False


def _lowest(limits: Iterable[Limit]) -> tuple[Bound, ...]:
    """The bounds that hold all of them: of those that count alike, the lowest."""
    found: dict[tuple[float, ...], float] = {}
    for limit in limits:
        *costs, amount = limit.bound
        found[tuple(costs)] = min(amount, found.get(tuple(costs), amount))
    return tuple((*costs, amount) for costs, amount in found.items())  # type: ignore[misc]


def shorthands(amounts: Mapping[str, int | None], **known: Any) -> tuple[Limit, ...]:
    """What `rpm`, `rpd` and the like of one model are short for."""
    return tuple(
        Limit(MODEL, per, unit, amount, **known)
        for name, (unit, per) in SHORT.items()
        if (amount := amounts.get(name)) is not None
    )
