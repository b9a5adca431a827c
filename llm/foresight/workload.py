"""What the ledger says about the size, the hours and the repeats of calls, for the forecast."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.db.models.functions import ExtractHour
from django.utils import timezone

from llm.calls import tokens
from llm.chain.selector import free_wait_s, site_budget_usd
from llm.configuration import snapshot
from llm.foresight.forecast import Chain
from llm.foresight.load import Ask
from llm.foresight.meter import InMemoryMeter
from llm.limits.quota import LedgerMeter, learned_limits
from llm.models import Attempt, Call, Model

LATEST, LEAST = 500, 20
REMEMBERED = timedelta(days=30)
OWN_PURPOSES = ("provider-check", "rehearsal", "staff-test")  # our own calls, which no visitor made
ASSUMED = (Ask(tokens_in=900, max_tokens=1400, tokens_out=700),)  # about a report


@dataclass(frozen=True, slots=True)
class Measured:
    """`samples` 0: too few calls, so the sizes are assumed. `repeated`: share that asked what was asked before."""

    asks: tuple[Ask, ...]
    samples: int
    by_hour: tuple[float, ...]
    repeated: float


def measure(purpose: str | None = None, now: datetime | None = None) -> Measured:
    """The latest answered calls of a purpose (of all): their sizes, hours (UTC) and repeats."""
    since = (now or timezone.now()) - REMEMBERED
    calls = Call.objects.filter(outcome=Call.Outcome.OK, started_at__gt=since).exclude(
        purpose__in=OWN_PURPOSES
    )
    attempts = (
        Attempt.objects.filter(outcome="ok", started_at__gt=since)
        .exclude(call__purpose__in=OWN_PURPOSES)
        .exclude(tokens_in=0, tokens_out=0)
        .select_related("call")
    )
    if purpose is not None:
        calls, attempts = calls.filter(purpose=purpose), attempts.filter(call__purpose=purpose)
    asks = _asks(attempts.order_by("-id")[:LATEST])
    if len(asks) < LEAST:
        return Measured(ASSUMED, 0, (1.0,) * 24, 0.0)
    return Measured(asks, len(asks), _by_hour(calls), _repeated(calls))


def _asks(attempts: QuerySet[Attempt]) -> tuple[Ask, ...]:
    """A reservation is the input, max_tokens and the model's reserve, so what is left of it is max_tokens."""
    reserves = {
        (slug, name): reserve
        for slug, name, reserve in Model.objects.values_list("provider__slug", "name", "reasoning_reserve")
    }
    return tuple(
        Ask(
            tokens_in=row.tokens_in,
            tokens_out=row.tokens_out,
            max_tokens=max(
                row.reserved_tokens
                - round(row.estimated_in * tokens.correction(row.call.lang))
                - reserves.get((row.provider, row.model), 0),
                1,
            ),
            seconds=row.latency_ms / 1000,
        )
        for row in attempts
    )


def _by_hour(calls: QuerySet[Call]) -> tuple[float, ...]:
    rows = calls.order_by("-id").annotate(hour=ExtractHour("started_at"))
    counted = Counter(rows.values_list("hour", flat=True)[: 10 * LATEST])
    # Every hour gets a share: what has not happened in a short time may all the same.
    return tuple(counted[hour] + 1.0 for hour in range(24))


def _repeated(calls: QuerySet[Call]) -> float:
    """Of the latest calls whose wording is still there, how many an unlimited cache would have answered."""
    seen: set[bytes] = set()
    total = repeats = 0
    rows = calls.exclude(messages=[]).order_by("-id").values_list("messages", "lang")
    for asked in rows[: 2 * LATEST]:
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
        total += 1
        repeats += digest in seen
        seen.add(digest)
    return repeats / total if total else 0.0


def chain(*, pauses_now: bool = False) -> Chain:
    """The configured chain. Without `pauses_now`, only what waits for staff is left out of it."""
    current = snapshot.read()
    pauses = {
        slug: kept
        for slug, found in current.pauses.items()
        if (kept := [pause for pause in found if pauses_now or pause.until is None])
    }
    return Chain(current.providers, learned_limits(), pauses, site_budget_usd(), free_wait_s())


def books(of: Chain, now: datetime) -> InMemoryMeter:
    """What is used already: of the day's quotas, budgets and credits."""
    meter, found = LedgerMeter(now, of.learned_limits), InMemoryMeter(now, of.learned_limits)
    for provider in of.providers:
        found.begin(provider, meter.tallies(provider))
    found.spent_today("")
    found.spent[""] = meter.spent_today("")
    for provider in of.providers:
        if not provider.free:
            found.spent[provider.slug] = meter.spent_today(provider.slug)
            found.ever[provider.slug] = meter.spent_ever(provider.slug)
    return found
