"""What the audit says of the last 30 days, from kept sums: scans, their scores, and who wrote the reports."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from django.db.models import Case, Count, F, Sum, When

from audit.models import Report, Scan
from llm.stats import Line, Source, tier_word


def _scans(since: datetime, until: datetime) -> Iterator[Line]:
    """[number of scans, sum of their scores]"""
    sums = Scan.objects.filter(created_at__gte=since, created_at__lt=until).aggregate(
        count=Count("id"), scores=Sum("score")
    )
    yield [sums["count"], sums["scores"] or 0]


def _reports(since: datetime, until: datetime) -> Iterator[Line]:
    """[tier, number of reports, their cost in millionths of a USD, how many of unknown cost], with failed attempts"""
    for tier, count, cost, known in (
        Report.objects.filter(finished_at__gte=since, finished_at__lt=until)
        .order_by()
        .annotate(
            cost=Case(When(call=None, then=F("cost_usd")), default=F("call__cost_usd")),
        )
        .values_list("tier")
        .annotate(number=Count("id"), sum=Sum("cost"), known=Count("cost"))
    ):
        yield [tier_word(tier), count, int((cost or Decimal(0)) * 1_000_000), count - known]


SCANS, REPORTS = Source("scans", _scans), Source("reports", _reports)
