"""What has been used of each quota and budget, read from the ledger."""

from datetime import datetime
from decimal import Decimal
from functools import cache

from llm import ledger
from llm.pauses import day_start
from llm.plan import Deployment, Skipped, Want


class LedgerMeter:
    """The meter as it stands now; each figure is read when the plan first asks for it."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.spent_today = cache(self._spent_today)
        self.spent_ever = cache(ledger.spent)

    def room(self, deployment: Deployment, want: Want) -> Skipped | None:
        return None

    def _spent_today(self, provider: str) -> Decimal:
        return ledger.spent(provider, day_start("utc", self._now))
