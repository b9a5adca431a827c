"""The figures that the sections show; each is read once, when a section asks for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils import timezone

from audit.scans import stats
from llm.ledger import spending
from llm.status import usage
from llm.storage import rollup
from llm.storage.rollup import Line, Sums


@dataclass(frozen=True, slots=True)
class Written:
    """Reports of one tier: how many, their cost in USD, and how many of unknown cost."""

    number: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0


class Figures:
    """The last 30 days, today among them, for one user. `now` is the moment of all of it."""

    def __init__(self, user: AbstractBaseUser | AnonymousUser, now: datetime | None = None) -> None:
        self.user: Any = user
        self.now = now or timezone.now()
        self.today = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        self.first_day = self.today - timedelta(days=rollup.DAYS - 1)

    def may(self, *permissions: str) -> bool:
        return bool(self.user.has_perms(permissions))

    @cached_property
    def usage(self) -> usage.Usage:
        return usage.Usage(self.now)

    @property
    def attempts(self) -> Sums:
        return self.usage.attempts

    @property
    def calls(self) -> Sums:
        return self.usage.calls

    @cached_property
    def scans(self) -> Sums:
        return rollup.read(stats.SCANS, self.now)

    @cached_property
    def reports(self) -> Sums:
        return rollup.read(stats.REPORTS, self.now)

    @property
    def spans(self) -> tuple[datetime, datetime]:
        """The beginnings of today and of the 30 days."""
        return self.today, self.first_day

    def scanned(self, lines: list[Line]) -> tuple[int, float | None]:
        """How many scans, and their mean score."""
        number, scores = sum(line[0] for line in lines), sum(line[1] for line in lines)
        return number, scores / number if number else None

    def written(self, lines: list[Line]) -> dict[str, Written]:
        """Reports by tier, in the order of the tiers; those of an unknown tier are under an empty name."""
        found: dict[str, Written] = {}
        for tier, number, micros, unpriced in lines:
            so_far = found.get(tier, Written())
            found[tier] = Written(
                so_far.number + number, so_far.cost + spending.usd(micros), so_far.unpriced + unpriced
            )
        return dict(sorted(found.items(), key=lambda item: Decimal(item[0] or 99)))
