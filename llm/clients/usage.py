"""What a client has used, read from the ledger for its page in the admin."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

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
