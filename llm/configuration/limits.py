"""One limit of a provider, whoever stated it. Pure.

The plan, the meter, the forecast and the pages read every limit in this form; `rpm`, `rpd`, `tpm` and `tpd` of a model
are short for four of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any

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
# Why a call is told that there is no room: it will be back.
REASONS = (*(f"quota of the {per}" for per in windows.LENGTH), AT_A_TIME)


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of a unit whoever shares it may use in a window.

    scope: who shares it: each model of each account, each account, or all accounts of the provider
    models: patterns of the model ids that it is about; empty is all
    per: second, minute, hour, day, week or month; empty for calls at a time
    units_in, units_out: what a million tokens cost in the provider's own units
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
    source: str = ""
    seen: date | None = None
    method: str = ""
    stated_at: datetime | None = None

    @property
    def name(self) -> str:
        """Short, and the same for all limits of a unit and a window."""
        return _SHORT_OF.get((self.unit, self.per)) or (f"{self.unit}/{self.per}" if self.per else self.unit)

    @property
    def why(self) -> str:
        """What a call is told that finds it used up."""
        return f"quota of the {self.per}" if self.per else AT_A_TIME

    def covers(self, model: str) -> bool:
        return not self.models or any(fnmatchcase(model, pattern) for pattern in self.models)

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

    def of_model(self, units_in: float | None, units_out: float | None) -> "Limit":
        """As it holds for a model that has prices of its own in the provider's units."""
        if self.unit != "units" or (units_in is None and units_out is None):
            return self
        return replace(
            self,
            units_in=self.units_in if units_in is None else units_in,
            units_out=self.units_out if units_out is None else units_out,
        )


class InForce(dict[str, int]):
    """The limits of one deployment by their names, the lowest where there are several; `every` one of them.

    sized: those that one large request may be above; pools: by who shares them and which window they count
    """

    __slots__ = ("every", "per", "pools", "scopes", "sized")

    def __init__(self, every: tuple[Limit, ...]) -> None:
        super().__init__()
        self.every = every
        self.sized = tuple(limit for limit in every if limit.is_of_size)
        self.scopes = frozenset(limit.scope for limit in every)
        self.per = frozenset(limit.per for limit in every if limit.per)
        pools: dict[tuple[Any, ...], list[Limit]] = {}
        for limit in every:
            pools.setdefault((limit.scope, limit.models, limit.per), []).append(limit)
        self.pools = tuple(tuple(limits) for limits in pools.values())
        for limit in every:
            self[limit.name] = min(limit.amount, self.get(limit.name, limit.amount))


def shorthands(amounts: Mapping[str, int | None], **known: Any) -> tuple[Limit, ...]:
    """What `rpm`, `rpd` and the like of one model are short for."""
    return tuple(
        Limit(MODEL, per, unit, amount, **known)
        for name, (unit, per) in SHORT.items()
        if (amount := amounts.get(name)) is not None
    )
