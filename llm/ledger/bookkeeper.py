"""The ledger: every call and attempt is written before it happens and finished after. Money is exact."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from llm.calls import current
from llm.calls.deployment import Deployment, Skipped
from llm.calls.fitting import worst_cost
from llm.calls.spec import CallSpec
from llm.configuration.prices import Price
from llm.failures.kinds import Failure
from llm.ledger import callers, counters, spending
from llm.ledger.billing import NOTHING, Bill
from llm.ledger.tally import CLOCKS_DIFFER
from llm.models import Attempt, Call
from llm.storage import rollup, rows
from llm.storage.transactions import chain_transaction

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ABANDONED_AFTER_S = 60  # beyond its deadline, a call that is still running has lost its worker


class NoRoom(Exception):
    """A deployment that somebody has chosen has no room for the call."""

    def __init__(self, reason: Skipped) -> None:
        super().__init__(reason.why)
        self.reason = reason


def open_call(**fields: Any) -> Call:
    """An unsaved Call; `begin` writes it together with its first attempt."""
    return rows.new(Call, started_at=timezone.now(), **fields)


def attempt_for(deployment: Deployment, want: CallSpec, *, reserved_tokens: int) -> Attempt:
    """An unsaved Attempt with copies of every name and price, so that history stays as it was."""
    price = deployment.model.price
    return rows.new(
        Attempt,
        provider=deployment.provider.slug,
        credential=deployment.key.label,
        account=deployment.key.account,
        model=deployment.model.name,
        location=deployment.location,
        tier=deployment.provider.tier,
        free=deployment.provider.free,
        started_at=timezone.now(),
        estimated_in=want.estimated_in,
        reserved_in=want.tokens_in,
        reserved_tokens=reserved_tokens,
        reserved_usd=worst_cost(deployment, want),
        price_in=price.per_million_in,
        price_out=price.per_million_out,
        price_cached=price.per_million_cached,
        price_source=price.source,
    )


def enter(call: Call) -> None:
    """Writes a new call. In a transaction."""
    rows.insert(call, late=True)
    current.call_id.set(call.id)
    callers.enter(call)


def begin(call: Call, attempt: Attempt) -> None:
    """Writes the attempt (and the call, if this is its first) before anything is sent. In a transaction."""
    if call._state.adding:
        enter(call)
    attempt.call_id = call.id
    rows.insert(attempt, late=True)
    counters.depart(attempt)
    spending.depart(attempt, call.client)


def finish(
    attempt: Attempt,
    *,
    outcome: str,
    failure: Failure | None = None,
    bill: Bill = NOTHING,
    latency_s: float,
    first_token_s: float | None = None,
) -> None:
    """Fills in how an attempt ended, in memory; `save_attempt` or `close_call` writes it.

    Where more may be billed than anybody saw, it keeps what was reserved for it as its cost.
    """
    attempt.outcome = outcome
    attempt.finished_at = timezone.now()
    attempt.latency_ms = round(latency_s * 1000)
    attempt.first_token_ms = None if first_token_s is None else round(first_token_s * 1000)
    attempt.tokens_in, attempt.tokens_out = bill.tokens_in, bill.tokens_out
    attempt.tokens_cached = bill.tokens_cached
    price = Price(attempt.price_in, attempt.price_out, attempt.price_source, attempt.price_cached)
    cost = price.cost(bill.tokens_in, bill.tokens_out, bill.tokens_cached)
    attempt.cost_usd = attempt.reserved_usd if bill.open_ended else cost
    if failure is not None:
        attempt.status = failure.status
        attempt.retry_after_s = failure.retry_after_s
        attempt.detail = failure.detail
        if failure.account:
            attempt.account = failure.account
    else:
        attempt.status = 200


FINISHED_FIELDS = (
    "outcome", "finished_at", "latency_ms", "first_token_ms", "tokens_in", "tokens_out", "tokens_cached",
    "cost_usd", "status",
    "retry_after_s", "detail", "account", "judged",
)  # fmt: skip
CLOSED_FIELDS = (
    "finished_at", "outcome", "text", "provider", "model", "tier", "cached", "attempt_count", "tokens_in",
    "tokens_out", "tokens_cached", "cost_usd", "saved_usd", "latency_ms",
)  # fmt: skip


def prolong(call: Call, seconds: float) -> None:
    """A call without a deadline is alive: whoever looks for calls that lost their worker waits so long from now."""
    call.deadline_s = (timezone.now() - call.started_at).total_seconds() + seconds
    rows.update(call, ("deadline_s",))


def save_attempt(call: Call, attempt: Attempt) -> None:
    """Writes the end of a finished attempt. In a transaction; doing it twice does it once."""
    rows.update(attempt, FINISHED_FIELDS)
    counters.land(attempt)
    spending.land(attempt, call.client)


def conclude(
    call: Call,
    outcome: str,
    *,
    attempts: list[Attempt],
    latency_s: float,
    paid_prices: Iterable[Price],
) -> None:
    """Fills in how a call ended, in memory; `close_call` writes it. Its cost is that of all attempts.

    What an answered call saved is the difference to the cheapest of `paid_prices` for the tokens of the attempt that
    answered.
    """
    call.outcome = outcome
    call.finished_at = timezone.now()
    call.latency_ms = round(latency_s * 1000)
    call.attempt_count = len(attempts)
    call.tokens_in = call.tokens_out = call.tokens_cached = 0
    cost: Decimal | None = Decimal(0)
    for attempt in attempts:
        call.tokens_in += attempt.tokens_in
        call.tokens_out += attempt.tokens_out
        call.tokens_cached += attempt.tokens_cached
        cost = None if cost is None or attempt.cost_usd is None else cost + attempt.cost_usd
    call.cost_usd = cost
    if attempts and outcome == Call.Outcome.OK and call.cost_usd is not None:
        answered = attempts[-1]
        instead = [price.cost(answered.tokens_in, answered.tokens_out) for price in paid_prices]
        known = [cost for cost in instead if cost is not None]
        call.saved_usd = max(min(known) - call.cost_usd, Decimal(0)) if known else None


def close_call(call: Call, attempts: list[Attempt]) -> None:
    """Writes the end of a concluded call, with its last attempt. In a transaction; doing it twice does it once."""
    if attempts:
        save_attempt(call, attempts[-1])
    if call._state.adding:
        enter(call)
    else:
        rows.update(call, CLOSED_FIELDS)
        callers.leave(call)


def redate(now: datetime | None = None) -> int:
    """Puts calls and attempts back into the past that a clock which was wrong has dated into the future.

    They would count for the minute, and for a client's calls at a time, until that moment came, and for the wrong day.
    Clocks are mostly wrong by whole hours, so that is how far they are moved, and never beyond `now`. Does nothing
    where it is our own clock that differs from the database's. Returns how many calls there were.
    """
    now = now or timezone.now()
    late = now + CLOCKS_DIFFER
    if (
        not Call.objects.filter(started_at__gt=late).exists()
        and not Attempt.objects.filter(started_at__gt=late).exists()
    ):
        return 0
    if not _clock_is_right(now):
        return 0
    with chain_transaction():
        _move_back(Attempt.objects.filter(started_at__gt=late), now)
        moved = _move_back(Call.objects.filter(started_at__gt=late), now)
        rollup.forget_from(now - DAY)
        counters.forget()
    return moved


def _move_back(rows_ahead: QuerySet[Any], now: datetime) -> int:
    ahead = list(rows_ahead.order_by("-started_at"))
    if ahead:
        back = timedelta(hours=max(round((ahead[0].started_at - now) / HOUR), 1))
        for row in ahead:
            row.started_at = min(row.started_at - back, now)
            if row.finished_at is not None:
                row.finished_at = min(row.finished_at - back, now)
        rows_ahead.model._default_manager.bulk_update(ahead, ["started_at", "finished_at"], batch_size=200)
    return len(ahead)


def _clock_is_right(now: datetime) -> bool:
    """Whether the database's clock agrees with ours; SQLite's is ours."""
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        return bool(abs(cursor.fetchone()[0] - now) < CLOCKS_DIFFER)


def mark_abandoned(now: datetime | None = None) -> int:
    """Marks calls and attempts whose worker died, and returns how many calls there were.

    What an attempt cost nobody knows any more, so what was reserved for it stays its cost.
    """
    now = now or timezone.now()
    limit = now - timedelta(seconds=ABANDONED_AFTER_S)
    running = Call.objects.filter(outcome=Call.Outcome.RUNNING, started_at__lt=limit)
    late = [
        call
        for call in running.only("client", "started_at", "deadline_s")
        if call.started_at + timedelta(seconds=call.deadline_s) < limit
    ]
    lost = [call.pk for call in late]
    with chain_transaction():
        for call in late:
            callers.leave(call)
        open_attempts = Attempt.objects.filter(call__in=lost, finished_at=None)
        counters.lose(open_attempts.order_by("id"))
        open_attempts.update(outcome=counters.ABANDONED, finished_at=now, cost_usd=F("reserved_usd"))
        of_the_call = Attempt.objects.filter(call=OuterRef("pk")).order_by().values("call")
        return Call.objects.filter(pk__in=lost, outcome=Call.Outcome.RUNNING).update(
            outcome=Call.Outcome.ABANDONED,
            finished_at=now,
            attempt_count=Coalesce(Subquery(of_the_call.values(number=Count("pk"))), 0),
            cost_usd=Subquery(of_the_call.values(total=Sum("cost_usd"))),
        )
