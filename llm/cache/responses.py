"""Replies that were given before, kept by what was asked. See `llm.cache.single_flight` for how calls use them.

A row of CachedReply is the kept reply, and before there is one it is the claim of the call that fetches it:
its leader. A claim holds for a lease, which the leader renews; one that died is taken over when it ends. All
of it is in the database, so threads, processes and machines share it. Only what a gate let pass is kept.

`LLM_CACHE` is on, off, or auto: on above 10,000 calls a day.
"""

import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from llm import clock
from llm.adapters import Answer
from llm.calls.spec import CallSpec
from llm.conf import conf
from llm.models import Attempt, CachedReply, Call, Notice, Pause, StoredResponse
from llm.storage import rows
from llm.storage.transactions import write_transaction

log = logging.getLogger(__name__)

MODES = ("auto", "on", "off")
BUSY_CALLS, CALM_CALLS = 10_000, 8_000  # a day: `auto` switches on above the one, off below the other
LEASE = timedelta(seconds=30)  # longer than most attempts, since a leader that waits cannot renew it
RENEW_AFTER_S = 5.0
DETAILS_AT_A_TIME = 200
_busy: bool | None = None  # not measured yet


def is_on() -> bool:
    """Whether calls are looked up now, in every process alike.

    Costs a query only in the first call of a process; later `tend` measures aside.
    """
    mode = conf.LLM_CACHE
    if mode != "auto":
        return bool(mode == "on")
    return measure() if _busy is None else _busy


def key_of(
    messages: Sequence[Mapping[str, Any]],
    *,
    lang: str,
    want: CallSpec,
    temperature: float | None,
    params: Mapping[str, Any] | None,
    shared: bool = False,
) -> str:
    """The same for two calls exactly when the answer to one will do for the other.

    Time, purpose and money are no part of it, for a kept reply costs nothing; but who asks for free models
    alone does not get a paid one's. A client sees what it asked itself, unless `shared` with those who say the same:
    that an answer is there already tells that somebody has asked. Keyed, since the hash of a few answers could be
    found by trying.
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
        "client": None if shared else want.client,
    }
    return salted_hmac("llm.cache", json.dumps(asked, sort_keys=True), algorithm="sha256").hexdigest()


# -- the claim -------------------------------------------------------------------------------------


class AlreadyClaimed(Exception):
    """Another call was quicker to ask the same."""


KEPT_FIELDS = (
    "text", "provider", "model", "tier", "finish_reason", "tokens_in", "tokens_out", "filled_at", "expires_at", "hits",
    "leader", "lease_until",
)  # fmt: skip


class Claim:
    """The right to fetch the reply of one row, as long as nobody took it over or deleted the row."""

    def __init__(self, key: str, seen: CachedReply | None) -> None:
        """seen: the row as it was; none yet, one without a leader, or one whose leader let its lease end."""
        self.key, self.seen, self.leader = key, seen, uuid.uuid4().hex
        self.row: CachedReply | None = None  # once it is ours
        self.renewed = clock.monotonic()
        self.filled = False

    def take(self, call: Call) -> None:
        """Within the transaction that reserves the call's first attempt. Raises AlreadyClaimed."""
        if self.row is not None:
            return
        until = timezone.now() + LEASE
        if self.seen is None:
            row = CachedReply(
                key=self.key, purpose=call.purpose, lang=call.lang, leader=self.leader, lease_until=until,
                expires_at=until,
            )  # fmt: skip
            try:
                rows.insert(row)
            except IntegrityError as error:
                raise AlreadyClaimed from error
        else:
            row = self.seen
            as_seen = CachedReply.objects.filter(
                pk=row.pk, leader=row.leader, lease_until=row.lease_until, filled_at=row.filled_at
            )
            if not as_seen.update(leader=self.leader, lease_until=until):
                raise AlreadyClaimed
        self.row, call.cached_reply = row, row.pk

    def fill(self, answer: Answer, call: Call) -> None:
        """Keeps the answer for those who wait and those who come. Within the transaction that closes the call."""
        if self.row is None or answer.tool_calls or answer.doubt:  # calls are to be acted on, once
            return
        now, row = timezone.now(), self.row
        row.text, row.provider, row.model, row.tier = answer.text, call.provider, call.model, call.tier
        row.finish_reason, row.tokens_in, row.tokens_out = (
            answer.finish_reason[:30],
            call.tokens_in,
            call.tokens_out,
        )
        row.filled_at, row.expires_at, row.hits, row.leader, row.lease_until = now, now + ttl(), 0, "", None
        rows.update(row, KEPT_FIELDS, leader=self.leader)
        self.filled = True

    def is_ageing(self) -> bool:
        """Whether it is time to renew its lease."""
        return self.row is not None and clock.monotonic() - self.renewed > RENEW_AFTER_S

    def renew(self) -> None:
        """A job, like `release`."""
        if self.row is not None:
            self.renewed = clock.monotonic()
            self._mine(self.row).update(lease_until=timezone.now() + LEASE)

    def release(self) -> None:
        """Lets the next one fetch it, if nothing came of it here."""
        if self.row is None or self.filled:
            return
        if not self._mine(self.row).filter(filled_at=None).delete()[0]:
            self._mine(self.row).update(leader="", lease_until=None)

    def _mine(self, row: CachedReply) -> QuerySet[CachedReply]:
        return CachedReply.objects.filter(pk=row.pk, leader=self.leader)


# -- what is done aside ----------------------------------------------------------------------------


def ttl() -> timedelta:
    """How long a reply is kept: LLM_CACHE_TTL_S seconds, a day if that is not set."""
    return timedelta(seconds=float(getattr(settings, "LLM_CACHE_TTL_S", 86_400)))


def tend() -> None:
    """Measures whether `auto` is on, and deletes what is too old. Part of the chain's housekeeping."""
    measure()
    sweep()


def is_unmeasured() -> bool:
    """Whether `is_on` would ask the database now."""
    return _busy is None and conf.LLM_CACHE == "auto"


def measure() -> bool:
    """Whether there are enough calls for `auto`. On above 10,000 in 24 hours, then off only below 8,000.

    Two look-ups in indexes instead of a count: the ids of the first call of the day and of the last. That it was on
    other processes see by the replies that are kept.
    """
    global _busy
    day = Call.objects.filter(started_at__gte=timezone.now() - timedelta(days=1))
    first = day.order_by("started_at").values_list("id", flat=True).first()
    last = Call.objects.order_by("-id").values_list("id", flat=True).first()
    calls = 0 if first is None or last is None else last - first + 1
    if CALM_CALLS < calls <= BUSY_CALLS:
        _busy = bool(_busy) or CachedReply.objects.filter(filled_at__isnull=False).exists()
    else:
        _busy = calls > BUSY_CALLS
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
    """Removes the wording of some calls: prompt, answer, the kept copy that they made or were given, and what
    providers said of them, wherever that was noted.

    which: a filter of llm.Call. The ledger keeps their numbers.
    """
    calls = Call.objects.filter(**which)
    copies = list(calls.exclude(cached_reply=None).values_list("cached_reply", flat=True))
    with write_transaction():
        if copies:
            purge(pk__in=copies)
        _forget_details(calls)
        StoredResponse.objects.filter(call__in=calls).delete()
        calls.update(messages=[], text="", cached_reply=None)


def _forget_details(calls: QuerySet[Call]) -> None:
    """A refusal may quote what it was asked. What a provider says of everybody's calls alike stays with pauses."""
    tried = Attempt.objects.filter(call__in=calls).exclude(detail="")
    details = sorted(set(tried.values_list("detail", flat=True)))
    others = Attempt.objects.exclude(call__in=calls)
    for start in range(0, len(details), DETAILS_AT_A_TIME):
        some = details[start : start + DETAILS_AT_A_TIME]
        own = set(some) - set(others.filter(detail__in=some).values_list("detail", flat=True).distinct())
        for model in (Pause, Notice):
            model.objects.filter(detail__in=own).update(detail="")
    tried.update(detail="")


def forget() -> None:
    """Drops what was measured, for tests."""
    global _busy
    _busy = None
