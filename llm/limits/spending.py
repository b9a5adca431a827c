"""Money: what was spent of budgets and credits. The ledger is the meter."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Sum

from llm.calls.deployment import Deployment
from llm.ledger.rows import MONEY
from llm.ledger.tally import IN_FLIGHT_AT_MOST
from llm.limits.calendar import day_start
from llm.models import Attempt, PastSpending

HOPE_AGAIN_AFTER = timedelta(minutes=1)

# When there was last no room at a provider, as this process has seen it; "" is the site's budget.
_tight: dict[str, datetime] = {}


def remember_tight(deployment: Deployment, now: datetime) -> None:
    """Notes that a reservation was refused, so that plans of the next minute look before they hope."""
    _tight[deployment.provider.slug] = now
    if not deployment.provider.free:
        _tight[""] = now


def forget() -> None:
    """Drops what was noted, for tests."""
    _tight.clear()


class SpendingMeter:
    """What was spent at `now`. `optimistic`: where there was room a minute ago there is taken to be some, unread."""

    now: datetime
    optimistic: bool

    def _is_optimistic(self, slug: str) -> bool:
        return self.optimistic and not (slug in _tight and self.now - _tight[slug] < HOPE_AGAIN_AFTER)

    def spent_today(self, provider: str) -> Decimal:
        """USD spent since midnight UTC (by all, for an empty slug); attempts in flight at their worst."""
        if self._is_optimistic(provider):
            return Decimal(0)
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
