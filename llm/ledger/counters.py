"""Counters of what is used of each quota: written with every attempt, so that nobody sums up the ledger for a call.

One row for each (provider, account, model), kept for the providers of which limits are known. A row without account and
model says which windows are counted and by which calendar; where it is missing, or lacks a window, the provider's
counters are made anew from the ledger.
"""

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

from llm import windows
from llm.failures.kinds import Kind
from llm.ledger.tally import NOTHING, Tally, arrival
from llm.models import Attempt, Meter
from llm.storage.transactions import chain_transaction

ABANDONED = "abandoned"
# Answers that a provider gives before it counts a request.
UNCOUNTED = (
    Kind.RATE_LIMITED_KEY, Kind.RATE_LIMITED_PROVIDER, Kind.BLOCKED_PROVIDER, Kind.KEY_INVALID,
    Kind.CREDITS_DEPLETED, Kind.MODEL_GONE, Kind.REQUEST_TOO_LARGE, Kind.REQUEST_REJECTED, ABANDONED,
)  # fmt: skip
ALWAYS = frozenset({"minute", "day"})  # what pages tell of every quota

_TABLE = Meter._meta.db_table
_SELECT = f"SELECT account, model, version, state FROM {_TABLE} WHERE provider = %s"  # noqa: S608  # our own name
_INSERT = f"INSERT INTO {_TABLE} (provider, account, model, version, state) VALUES (%s, %s, %s, %s, %s)"  # noqa: S608
_UPDATE = f"UPDATE {_TABLE} SET version = %s, state = %s WHERE provider = %s AND account = %s AND model = %s"  # noqa: S608

Names = tuple[str, str]  # account, model
_read: dict[tuple[str, str, str], tuple[int, Tally]] = {}  # rows as this process last read or wrote them


@dataclass(frozen=True, slots=True)
class Counters:
    """A provider's counters: by which calendar and for which windows they were made, and the tallies.

    cached: whether tokens that came from the provider's prompt cache count
    """

    day_reset: str
    cached: bool
    per: frozenset[str]
    tallies: dict[Names, Tally]


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
    found = _select(provider, account, model)
    wanted = ALWAYS.union(per)
    if found is None or (found.day_reset, found.cached) != (day_reset, cached) or not wanted <= found.per:
        per = wanted | (found.per if found else frozenset())
        rebuild(provider, day_reset=day_reset, per=per, now=now, cached=cached)
        found = _select(provider, account, model)
    return found.tallies if found else {}


def depart(attempt: Attempt) -> None:
    """Counts an attempt that is about to be sent, with all that it may use. In the transaction that writes it."""
    found = _select(attempt.provider, attempt.account, attempt.model, lock=True)
    if found is None:
        return
    names = attempt.account, attempt.model
    tally = found.tallies[names].copy() if names in found.tallies else Tally(found.day_reset, found.per)
    tally.tidy(attempt.started_at)
    tally.depart(attempt.pk, attempt.started_at, *_reserved(attempt))
    _write(attempt.provider, names, tally, is_new=names not in found.tallies)


def land(attempt: Attempt) -> None:
    """Counts what an attempt that is over has used, instead of what was reserved. In the transaction that writes it.

    Saying it twice counts once. Its account may be another one by now: the one that the provider named.
    """
    found = _select(attempt.provider, attempt.account, attempt.model, lock=True)
    if found is None or attempt.finished_at is None:
        return
    names = attempt.account, attempt.model
    if names not in found.tallies or attempt.pk not in found.tallies[names].flights:
        others = _select(attempt.provider, None, attempt.model, lock=True)
        for other, tally in others.tallies.items() if others else ():
            if attempt.pk in tally.flights:
                changed = tally.copy()
                changed.land(attempt.pk)
                _write(attempt.provider, other, changed)
                break
        else:
            return
    tally = found.tallies[names].copy() if names in found.tallies else Tally(found.day_reset, found.per)
    tally.land(attempt.pk)
    if attempt.outcome not in UNCOUNTED:
        tally.add(
            arrival(attempt.started_at, attempt.finished_at), timezone.now(), _used(attempt, found.cached)
        )
    _write(attempt.provider, names, tally, is_new=names not in found.tallies)


def lose(attempts: Iterable[Attempt]) -> None:
    """Of attempts whose worker died; one that ends after all is counted then. In the transaction that says so."""
    for attempt in attempts:
        found = _select(attempt.provider, attempt.account, attempt.model, lock=True)
        names = attempt.account, attempt.model
        if found and names in found.tallies:
            tally = found.tallies[names].copy()
            tally.lose(attempt.pk)
            _write(attempt.provider, names, tally)


def rebuild(provider: str, *, day_reset: str, per: Iterable[str], now: datetime, cached: bool = True) -> None:
    """Makes a provider's counters anew from the ledger."""
    with chain_transaction():
        forget(provider)
        found = from_ledger(provider, day_reset=day_reset, per=per, now=now, cached=cached)
        for names, tally in found.items():
            _write(provider, names, tally, is_new=True)
        marker = json.dumps({"day_reset": day_reset, "per": sorted(per), "cached": cached})
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [provider, "", "", _version(), marker])


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
            tally.depart(attempt.pk, attempt.started_at, *_reserved(attempt))
            if attempt.finished_at is not None:
                tally.lose(attempt.pk)
        elif attempt.outcome not in UNCOUNTED:
            tally.add(arrival(attempt.started_at, attempt.finished_at), now, _used(attempt, cached))
    for tally in found.values():
        tally.tidy(now)
    return found


def forget(provider: str | None = None) -> None:
    """Drops the counters of a provider, of all; they are made anew when they are next asked for."""
    rows = Meter.objects.all() if provider is None else Meter.objects.filter(provider=provider)
    rows.delete()


def _reserved(attempt: Attempt) -> tuple[int, int]:
    """Tokens in and out."""
    return attempt.reserved_in, max(attempt.reserved_tokens - attempt.reserved_in, 0)


def _used(attempt: Attempt, cached: bool) -> tuple[int, int, int]:
    return 1, attempt.tokens_in - (0 if cached else attempt.tokens_cached), attempt.tokens_out


# -- rows ------------------------------------------------------------------------------------------------


def _select(provider: str, account: str | None, model: str | None, *, lock: bool = False) -> Counters | None:
    """A provider's counters as they are stored; None when there are none."""
    sql, values = _SELECT, [provider]
    if account is not None:
        sql, values = f"{sql} AND account IN ('', %s)", [*values, account]
    if model is not None:
        sql, values = f"{sql} AND model IN ('', %s)", [*values, model]
    if lock and connection.vendor != "sqlite":
        sql += " ORDER BY id FOR UPDATE"
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    marker = next((state for account, model, _, state in rows if not account and not model), None)
    if marker is None:
        return None
    about = json.loads(marker)
    found = {
        (account, model): _tally(provider, account, model, version, state, about["day_reset"])
        for account, model, version, state in rows
        if account or model
    }
    return Counters(about["day_reset"], about.get("cached", True), frozenset(about["per"]), found)


def _tally(provider: str, account: str, model: str, version: int, state: str, day_reset: str) -> Tally:
    key = provider, account, model
    kept = _read.get(key)
    if kept is None or kept[0] != version:
        kept = _read[key] = (version, Tally.load(state, day_reset))
    return kept[1]


def _write(provider: str, names: Names, tally: Tally, *, is_new: bool = False) -> None:
    version, state = _version(), tally.dump()
    with connection.cursor() as cursor:
        if is_new:
            cursor.execute(_INSERT, [provider, *names, version, state])
        else:
            cursor.execute(_UPDATE, [version, state, provider, *names])
    _read[provider, *names] = version, tally


def _version() -> int:
    """Of a row's state, and of no other: a transaction that is rolled back leaves none behind."""
    return random.getrandbits(62)


__all__ = [
    "ALWAYS", "NOTHING", "UNCOUNTED", "Counters", "depart", "forget", "from_ledger", "land", "rebuild", "tallies",
]  # fmt: skip
