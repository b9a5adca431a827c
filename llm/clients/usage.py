"""What a client has used, read from the ledger for its page in the admin."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from llm.ledger.spending import MONEY
from llm.ledger.tally import IN_FLIGHT_AT_MOST
from llm.limits.calendar import day_start
from llm.limits.quota import LedgerMeter
from llm.models import Attempt, Call, Client

DAYS = 30


@dataclass(frozen=True, slots=True)
class Usage:
    """Of the last 30 days; `today_usd` as the daily budget counts it, attempts in flight at their worst."""

    days: Sequence[Mapping[str, Any]]
    models: Sequence[Mapping[str, Any]]
    calls: int
    cost_usd: Decimal
    unpriced: int
    today_calls: int
    today_usd: Decimal
    running: int


def used_up(now: datetime) -> list[tuple[Client, str]]:
    """Clients that have used up a limit of their day, each with `calls` or `budget`, in three queries."""
    since = day_start("utc", now)
    limited = Client.objects.filter(revoked_at=None, last_used_at__gte=since)
    clients = list(limited.exclude(daily_budget_usd=None, daily_calls=None))
    if not clients:
        return []
    names = [client.name for client in clients]
    calls = dict(
        Call.objects.filter(client__in=names, started_at__gte=since)
        .order_by()
        .values_list("client")
        .annotate(Count("pk"))
    )
    spent = dict(
        Attempt.objects.filter(
            call__client__in=names, call__started_at__gte=since - IN_FLIGHT_AT_MOST, started_at__gte=since
        )
        .order_by()
        .values_list("call__client")
        .annotate(usd=Sum(MONEY))
    )
    found = []
    for client in clients:
        if client.daily_calls is not None and calls.get(client.name, 0) >= client.daily_calls:
            found.append((client, "calls"))
        elif client.daily_budget_usd is not None and (spent.get(client.name) or 0) >= client.daily_budget_usd:
            found.append((client, "budget"))
    return found


def usage_of(client: Client) -> Usage:
    """Three queries, whatever the ledger holds."""
    now = timezone.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    calls = Call.objects.filter(
        client=client.name, started_at__gte=midnight - timedelta(days=DAYS - 1)
    ).order_by()
    days = list(
        calls.annotate(day=TruncDate("started_at"))
        .values("day")
        .annotate(
            calls=Count("pk"),
            answered=Count("pk", filter=Q(outcome=Call.Outcome.OK)),
            running=Count("pk", filter=Q(outcome=Call.Outcome.RUNNING)),
            unpriced=Count("pk", filter=Q(cost_usd=None, attempt_count__gt=0)),
            tokens_in=Sum("tokens_in"),
            tokens_out=Sum("tokens_out"),
            cost_usd=Sum("cost_usd"),
            saved_usd=Sum("saved_usd"),
        )
        .order_by("-day")
    )
    today = next((day for day in days if day["day"] == midnight.date()), {"calls": 0, "running": 0})
    return Usage(
        days=days,
        models=list(_models(calls)),
        calls=sum(day["calls"] for day in days),
        cost_usd=sum((day["cost_usd"] or Decimal(0) for day in days), Decimal(0)),
        unpriced=sum(day["unpriced"] for day in days),
        today_calls=today["calls"],
        today_usd=LedgerMeter(now, {}).spent_by(client.name),
        running=today["running"],
    )


def _models(calls: QuerySet[Call]) -> Iterable[Mapping[str, Any]]:
    return (
        Attempt.objects.filter(call__in=calls)
        .order_by()
        .values("provider", "model")
        .annotate(
            attempts=Count("pk"),
            answered=Count("pk", filter=Q(outcome="ok")),
            tokens_in=Sum("tokens_in"),
            tokens_out=Sum("tokens_out"),
            cost_usd=Sum("cost_usd"),
        )
        .order_by("-attempts")
    )
