"""Replies that were given before, kept by what was asked. Of identical calls one asks, the others wait for it.

A row of CachedReply is the kept reply, and before there is one it is the claim of the call that fetches it:
its leader. A claim holds for a lease, which the leader renews; one that died is taken over when it ends. All
of it is in the database, so threads, processes and machines share it. Only what a gate let pass is kept.

`LLM_CACHE` is on, off, or auto: on above 10,000 calls a day.
"""

import json
import logging
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from llm import current, state
from llm.events import Completed, Delta, Event, Reply
from llm.models import CachedReply, Call
from llm.plan import Want
from llm.writing import write_transaction

log = logging.getLogger(__name__)

MODES = ("auto", "on", "off")
BUSY_CALLS, CALM_CALLS = 10_000, 8_000  # a day: `auto` switches on above the one, off below the other
LEASE = timedelta(seconds=30)  # longer than most attempts, since a leader that waits cannot renew it
RENEW_AFTER_S = 5.0
PATIENCE = 0.75  # of its time a call waits for another's answer; with the rest it asks for itself
FIRST_WAIT_S, LONGEST_WAIT_S = 0.02, 0.25
sleep = time.sleep  # tests put their own clock here
_busy = False


def is_on() -> bool:
    """Whether calls are looked up now. Costs no query: `tend` measures aside."""
    mode = getattr(settings, "LLM_CACHE", "auto")
    return mode == "on" or (mode == "auto" and _busy)


def key_of(
    messages: Sequence[Mapping[str, Any]],
    *,
    lang: str,
    want: Want,
    temperature: float | None,
    params: Mapping[str, Any] | None,
) -> str:
    """The same for two calls exactly when the answer to one will do for the other.

    Time, purpose and money are no part of it, for a kept reply costs nothing; but who asks for free models
    alone does not get a paid one's. Keyed, since the hash of a few answers could be found by trying.
    """
    asked = {
        "messages": messages,
        "lang": lang,
        "max_tokens": want.max_tokens,
        "temperature": temperature,
        "params": params or {},
        "providers": None if want.providers is None else sorted(want.providers),
        "tiers": None if want.tiers is None else sorted(str(tier.normalize()) for tier in want.tiers),
        "models": None if want.models is None else sorted(want.models),
        "free": want.max_usd == 0,
    }
    return salted_hmac("llm.cache", json.dumps(asked, sort_keys=True), algorithm="sha256").hexdigest()


def through(
    events: Generator[Event, None, None],
    *,
    call: Call,
    key: str,
    accept: Callable[[str], str | None] | None,
    end: float,
    admit: Callable[[], datetime] | None = None,
) -> Iterator[Event]:
    """The events of a call that is looked up first: a hit is Delta and Completed, a miss runs `events`.

    call: not yet saved; end: of the call's time, a `time.monotonic()`; admit: raises when a hit may not be
    served either, within the transaction that writes it. Raises what `events` raises.
    """
    began = time.monotonic()
    row, claim = _find(call, key, accept, end)
    if row is not None:
        reply = _serve(row, call, began, admit)
        yield Delta(reply.text)
        yield Completed(reply)
        return
    if claim is None:
        yield from events
        return
    call.cached_reply = claim.pk
    try:
        with closing(events):
            for event in events:
                if (
                    isinstance(event, Completed) and not event.reply.tool_calls
                ):  # those are to be acted on, once
                    claim.fill(event.reply, call.tier)
                else:
                    claim.renew()
                yield event
    finally:
        claim.release()


def _find(
    call: Call, key: str, accept: Callable[[str], str | None] | None, end: float
) -> tuple[CachedReply | None, "_Claim | None"]:
    """A kept reply that the caller accepts, or the claim to fetch one; neither when it took others too long."""
    started = time.monotonic()
    patience, wait_s = started + (end - started) * PATIENCE, FIRST_WAIT_S
    refused: datetime | None = None
    while True:
        now = timezone.now()
        row = CachedReply.objects.filter(key=key).first()
        if row is not None and row.filled_at is not None and row.expires_at > now:
            if row.filled_at != refused and _accepted(row.text, accept):
                return row, None
            refused = row.filled_at
        if claim := _claim(row, now, key=key, purpose=call.purpose, lang=call.lang):
            return None, claim
        if time.monotonic() + wait_s > patience:
            return None, None
        sleep(wait_s)
        wait_s = min(wait_s * 1.5, LONGEST_WAIT_S)


def _accepted(text: str, accept: Callable[[str], str | None] | None) -> bool:
    """The caller's gate judges a kept reply as it would a new one."""
    try:
        return accept is None or not accept(text)
    except Exception:
        log.exception("accept() raised; the kept reply counts as rejected")
        return False


def _serve(row: CachedReply, call: Call, began: float, admit: Callable[[], datetime] | None) -> Reply:
    """Writes the hit into the ledger: a call without attempts that cost nothing. The reply keeps its counts."""
    paid = [m.price for p in state.providers() if not p.free for m in p.models if m.price.known]
    instead = [price.cost(row.tokens_in, row.tokens_out) for price in paid]
    call.cached, call.cached_reply = True, row.pk
    call.outcome, call.finished_at = Call.Outcome.OK, timezone.now()
    call.text, call.provider, call.model, call.tier = row.text, row.provider, row.model, row.tier
    call.cost_usd = Decimal(0)
    call.saved_usd = min((cost for cost in instead if cost is not None), default=None)
    call.latency_ms = round((time.monotonic() - began) * 1000)
    with write_transaction():
        if admit is not None:
            call.started_at = admit()
        call.save(force_insert=True)
        CachedReply.objects.filter(pk=row.pk).update(hits=F("hits") + 1)
    current.call_id.set(call.pk)
    return Reply(
        text=row.text, provider=row.provider, model=row.model, finish_reason=row.finish_reason,
        cost_usd=call.cost_usd, tokens_in=row.tokens_in, tokens_out=row.tokens_out, latency_ms=call.latency_ms,
        attempts=[], skipped=[], call_id=call.pk, cached=True,
    )  # fmt: skip


# -- the claim -------------------------------------------------------------------------------------


@dataclass
class _Claim:
    """The right to fetch the reply of one row, as long as nobody took it over or deleted the row."""

    pk: int
    leader: str
    renewed: float = field(default_factory=time.monotonic)
    filled: bool = False

    def _mine(self) -> Any:
        return CachedReply.objects.filter(pk=self.pk, leader=self.leader)

    def renew(self) -> None:
        if time.monotonic() - self.renewed > RENEW_AFTER_S:
            self.renewed = time.monotonic()
            with write_transaction():
                self._mine().update(lease_until=timezone.now() + LEASE)

    def fill(self, reply: Reply, tier: Decimal | None) -> None:
        """Keeps the reply for those who wait and those who come. An answer is not worth losing over it."""
        now = timezone.now()
        try:
            with write_transaction():
                self._mine().update(
                    text=reply.text, provider=reply.provider, model=reply.model, tier=tier,
                    finish_reason=reply.finish_reason, tokens_in=reply.tokens_in, tokens_out=reply.tokens_out,
                    filled_at=now, expires_at=now + ttl(), hits=0, leader="", lease_until=None,
                )  # fmt: skip
            self.filled = True
        except DatabaseError:
            log.exception("a reply was not kept")

    def release(self) -> None:
        """Lets the next one fetch it, if nothing came of it here."""
        if self.filled:
            return
        with write_transaction():
            if not self._mine().filter(filled_at=None).delete()[0]:
                self._mine().update(leader="", lease_until=None)


def _claim(row: CachedReply | None, now: datetime, **names: str) -> _Claim | None:
    """Takes what is free: no row yet, one without a leader, or one whose leader let its lease end."""
    leader, until = uuid.uuid4().hex, now + LEASE
    if row is None:
        try:
            with write_transaction():
                row = CachedReply.objects.create(leader=leader, lease_until=until, expires_at=until, **names)
        except IntegrityError:  # another call was quicker
            return None
        return _Claim(row.pk, leader)
    if row.lease_until is not None and row.lease_until > now:
        return None
    as_seen = CachedReply.objects.filter(
        pk=row.pk, leader=row.leader, lease_until=row.lease_until, filled_at=row.filled_at
    )
    with write_transaction():
        taken = as_seen.update(leader=leader, lease_until=until)
    return _Claim(row.pk, leader) if taken else None


# -- what is done aside ----------------------------------------------------------------------------


def ttl() -> timedelta:
    """How long a reply is kept: LLM_CACHE_TTL_S seconds, a day if that is not set."""
    return timedelta(seconds=float(getattr(settings, "LLM_CACHE_TTL_S", 86_400)))


def tend() -> None:
    """Measures whether `auto` is on, and deletes what is too old. Part of the chain's housekeeping."""
    measure()
    sweep()


def measure() -> bool:
    """Whether there are enough calls for `auto`. On above 10,000 in 24 hours, then off only below 8,000.

    Two look-ups in indexes instead of a count: the ids of the first call of the day and of the last.
    """
    global _busy
    day = Call.objects.filter(started_at__gte=timezone.now() - timedelta(days=1))
    first = day.order_by("started_at").values_list("id", flat=True).first()
    last = Call.objects.order_by("-id").values_list("id", flat=True).first()
    calls = 0 if first is None or last is None else last - first + 1
    _busy = calls > (CALM_CALLS if _busy else BUSY_CALLS)
    return _busy


def sweep() -> int:
    """Deletes replies whose time is over, and claims that nobody holds any more; returns how many."""
    now = timezone.now()
    old = CachedReply.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), expires_at__lt=now)
    if not old.exists():  # most of the time, and then nobody's writes have to wait
        return 0
    with write_transaction():
        return old.delete()[0]


def purge(**which: Any) -> int:
    """Deletes kept replies (all, or those of a filter) and returns how many. Calls under way go on."""
    with write_transaction():
        return CachedReply.objects.filter(**which).delete()[0]


def forget_calls(**which: Any) -> None:
    """Removes the wording of some calls: prompt, answer, and the kept copy that they made or were given.

    which: a filter of llm.Call. The ledger keeps their numbers.
    """
    calls = Call.objects.filter(**which)
    copies = list(calls.exclude(cached_reply=None).values_list("cached_reply", flat=True))
    with write_transaction():
        if copies:
            purge(pk__in=copies)
        calls.update(messages=[], text="", cached_reply=None)


def forget() -> None:
    """Drops what was measured, for tests."""
    global _busy
    _busy = False
