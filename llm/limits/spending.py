"""What was spent of budgets and credits, in USD, as the ledger has it."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from llm.ledger.bookkeeper import MONEY
from llm.ledger.tally import IN_FLIGHT_AT_MOST
from llm.limits.calendar import day_start
from llm.models import Attempt, PastSpending


class SpendingMeter:
    """What was spent at `now`."""

    now: datetime

    def spent_today(self, provider: str) -> Decimal:
        """USD spent since midnight UTC (by all, for an empty slug); attempts in flight at their worst."""
        return self._spent(provider, day_start("utc", self.now))

    def spent_ever(self, provider: str) -> Decimal:
        """USD spent of all time, in attempts that are no longer kept, too."""
        past = PastSpending.objects.filter(provider=provider).values_list("usd", flat=True).first()
        return self._spent(provider, None) + (past or Decimal(0))

    def spent_by(self, client: str) -> Decimal:
        """USD that a client has spent since midnight UTC; attempts in flight at their worst."""
        since = day_start("utc", self.now)
        rows = Attempt.objects.filter(
            call__client=client, call__started_at__gte=since - IN_FLIGHT_AT_MOST, started_at__gte=since
        )
        return rows.aggregate(total=Sum(MONEY))["total"] or Decimal(0)

    def _spent(self, provider: str, since: datetime | None) -> Decimal:
        rows = Attempt.objects.filter(free=False)
        if provider:
            rows = rows.filter(provider=provider)
        if since is not None:
            rows = rows.filter(started_at__gte=since)
        return rows.aggregate(total=Sum(MONEY))["total"] or Decimal(0)
