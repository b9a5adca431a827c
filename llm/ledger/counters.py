"""Counters of what is used of each quota: written with every attempt, so that nobody sums up the ledger for a call.

One row for each (provider, account, model), kept for the providers of which limits are known. A row without account and
model says which windows are counted and by which calendar; where it is missing, or lacks a window, the provider's
counters are made anew from the ledger.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from llm import windows
from llm.failures.kinds import Kind
from llm.ledger import meters
from llm.ledger.meters import Names
from llm.ledger.tally import NOTHING, Tally, arrival
from llm.models import Attempt
from llm.storage.transactions import chain_transaction

ABANDONED = "abandoned"
# Answers that a provider gives before it counts a request.
UNCOUNTED = (
    Kind.RATE_LIMITED_KEY, Kind.RATE_LIMITED_PROVIDER, Kind.BLOCKED_PROVIDER, Kind.KEY_INVALID,
    Kind.CREDITS_DEPLETED, Kind.MODEL_GONE, Kind.REQUEST_TOO_LARGE, Kind.REQUEST_REJECTED, ABANDONED,
)  # fmt: skip
ALWAYS = frozenset({"minute", "day"})  # what pages tell of every quota


def tallies(
    provider: str,
    *,
    day_reset: str,
    per: Iterable[str],
    now: datetime,
    account: str | None = None,
    model: str | None = None,
    cached: bool = True,
) -> Mapping[Names, Tally]:
    """What was used of a provider, by account and model (of these alone, if named). Not to be changed.

    per: the windows that somebody wants to know of; they are counted from now on
    cached: whether the provider counts what its prompt cache held
    """
    found, wanted = meters.select(provider, account, model, _load), ALWAYS.union(per)
    marker = found.get(_MARKER)
    if marker is None or not marker.is_for(day_reset, cached, wanted):
        per = wanted | (marker.per if marker else frozenset())
        rebuild(provider, day_reset=day_reset, per=per, now=now, cached=cached)
        found = meters.select(provider, account, model, _load)
    return _tallies(found)


def depart(attempt: Attempt) -> None:
    """Counts an attempt that is about to be sent, with all that it may use. In the transaction that writes it."""
    names = attempt.account, attempt.model
    found = meters.select(attempt.provider, *names, _load)
    if (marker := found.get(_MARKER)) is None:
        return
    tally = found[names].copy() if names in found else Tally(marker.day_reset, marker.per)
    tally.tidy(attempt.started_at)
    tally.depart(attempt.id, attempt.started_at, *_reserved(attempt))
    meters.write(attempt.provider, names, tally)


def land(attempt: Attempt) -> None:
    """Counts what an attempt that is over has used, instead of what was reserved. In the transaction that writes it.

    Saying it twice counts once. Its account may be another one by now: the one that the provider named.
    """
    names = attempt.account, attempt.model
    found = meters.select(attempt.provider, *names, _load)
    if (marker := found.get(_MARKER)) is None or attempt.finished_at is None:
        return
    if names not in found or attempt.id not in found[names].flights:
        others = _tallies(meters.select(attempt.provider, None, attempt.model, _load))
        for other, tally in others.items():
            if attempt.id in tally.flights:
                changed = tally.copy()
                changed.land(attempt.id)
                meters.write(attempt.provider, other, changed)
                break
        else:
            return
    tally = found[names].copy() if names in found else Tally(marker.day_reset, marker.per)
    tally.land(attempt.id)
    if attempt.outcome not in UNCOUNTED:
        tally.add(
            arrival(attempt.started_at, attempt.finished_at), timezone.now(), _used(attempt, marker.cached)
        )
    meters.write(attempt.provider, names, tally)


def lose(attempts: Iterable[Attempt]) -> None:
    """Of attempts whose worker died; one that ends after all is counted then. In the transaction that says so."""
    for attempt in attempts:
        names = attempt.account, attempt.model
        found = _tallies(meters.select(attempt.provider, *names, _load))
        if names in found:
            tally = found[names].copy()
            tally.lose(attempt.id)
            meters.write(attempt.provider, names, tally)


def rebuild(provider: str, *, day_reset: str, per: Iterable[str], now: datetime, cached: bool = True) -> None:
    """Makes a provider's counters anew from the ledger."""
    with chain_transaction():
        meters.forget(provider)
        found = from_ledger(provider, day_reset=day_reset, per=per, now=now, cached=cached)
        for names, tally in found.items():
            meters.write(provider, names, tally)
        meters.write(provider, _MARKER, _Marker(day_reset, cached, frozenset(per)))


def from_ledger(
    provider: str, *, day_reset: str, per: Iterable[str], now: datetime, cached: bool = True
) -> dict[Names, Tally]:
    """What the ledger says was used of a provider, by account and model. cached: as in `tallies`."""
    per = frozenset(per)
    since = min(windows.start(each, day_reset, now) for each in per)
    fields = (
        "id", "account", "model", "started_at", "finished_at", "outcome", "tokens_in", "tokens_out", "tokens_cached",
        "reserved_in", "reserved_tokens",
    )  # fmt: skip
    rows = Attempt.objects.filter(provider=provider, started_at__gt=since - windows.LENGTH["day"])
    found: dict[Names, Tally] = {}
    for attempt in rows.order_by("started_at").only(*fields).iterator():
        names = attempt.account, attempt.model
        tally = found.setdefault(names, Tally(day_reset, per))
        if attempt.finished_at is None or attempt.outcome == ABANDONED:
            tally.depart(attempt.id, attempt.started_at, *_reserved(attempt))
            if attempt.finished_at is not None:
                tally.lose(attempt.id)
        elif attempt.outcome not in UNCOUNTED:
            tally.add(arrival(attempt.started_at, attempt.finished_at), now, _used(attempt, cached))
    for tally in found.values():
        tally.tidy(now)
    return found


def forget(provider: str | None = None) -> None:
    """Drops the counters of a provider, of all; they are made anew when they are next asked for."""
    meters.forget(provider)


def _reserved(attempt: Attempt) -> tuple[int, int]:
    """Tokens in and out."""
    return attempt.reserved_in, max(attempt.reserved_tokens - attempt.reserved_in, 0)


def _used(attempt: Attempt, cached: bool) -> tuple[int, int, int]:
    return 1, attempt.tokens_in - (0 if cached else attempt.tokens_cached), attempt.tokens_out


# -- rows ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Marker:
    """The row without account and model: by which calendar and for which windows the others were made.

    cached: whether tokens that came from the provider's prompt cache count
    """

    day_reset: str
    cached: bool
    per: frozenset[str]

    def is_for(self, day_reset: str, cached: bool, per: frozenset[str]) -> bool:
        """Whether they are counted in this way, and for all of these windows."""
        return self.day_reset == day_reset and self.cached == cached and per <= self.per

    def dump(self) -> str:
        return json.dumps({"day_reset": self.day_reset, "per": sorted(self.per), "cached": self.cached})


_MARKER = "", ""


def _load(text: str, found: meters.Found) -> _Marker | Tally:
    """The marker is the first row of its provider; without one all are made anew."""
    if text.startswith("{"):
        about = json.loads(text)
        return _Marker(about["day_reset"], about.get("cached", True), frozenset(about["per"]))
    marker = found.get(_MARKER)
    return Tally.load(text, marker.day_reset if marker else "utc")


def _tallies(found: meters.Found) -> dict[Names, Tally]:
    """A provider's counters as they stand; none without the row that says how they were made."""
    return {names: tally for names, tally in found.items() if names != _MARKER} if _MARKER in found else {}


__all__ = [
    "ALWAYS", "NOTHING", "UNCOUNTED", "depart", "forget", "from_ledger", "land", "rebuild", "tallies",
]  # fmt: skip
