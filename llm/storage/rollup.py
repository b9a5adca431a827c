"""Sums of rows by hour and by day, kept: the admin home reads as little of a million rows as of a thousand.

A period is summed once, when it has been over for LATE, by whoever looks first; what is not yet over is summed
each time, over two hours at most. Throwing rows of `Rollup` away is safe: they are made again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from llm.models import Rollup
from llm.storage.transactions import write_transaction

DAYS = 30  # today and the 29 days before it
LATE = timedelta(minutes=10)  # rows of a period may still change for that long after its end
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LENGTH = {Rollup.Grain.HOUR: HOUR, Rollup.Grain.DAY: DAY}

Line = list[Any]  # JSON: what the rows have in common, then their number and other sums


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that can be summed. `name` changes with the shape of the lines; `lines(since, until)` groups them."""

    name: str
    lines: Callable[[datetime, datetime], Iterable[Line]]


@dataclass(frozen=True, slots=True)
class Sums:
    """Lines of the last DAYS days (UTC), today's last and up to now, and of each hour of the last 24."""

    days: dict[date, list[Line]]
    hours: dict[datetime, list[Line]]

    @property
    def today(self) -> list[Line]:
        return self.days[max(self.days)]

    @property
    def all(self) -> list[Line]:
        return [line for lines in self.days.values() for line in lines]

    def since(self, moment: datetime) -> list[Line]:
        """Lines of the hours from the one that holds `moment`, which is at most 24 hours ago."""
        return [line for start, lines in self.hours.items() if start > moment - HOUR for line in lines]


def read(source: Source, now: datetime) -> Sums:
    """The source's sums at `now`: two or three queries, and for each period that has just ended one more, once."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    this_hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    days = [today - DAY * back for back in reversed(range(DAYS))]
    hours = [this_hour - HOUR * back for back in reversed(range(25))]
    kept: dict[tuple[str, datetime], list[Line]] = {
        (grain, start): lines
        for grain, start, lines in Rollup.objects.filter(
            source=source.name, start__gte=days[0], start__lte=now
        ).values_list("grain", "start", "lines")
    }
    ended = [(Rollup.Grain.DAY, day) for day in days if day + DAY + LATE <= now]
    ended += [(Rollup.Grain.HOUR, hour) for hour in hours if hour + HOUR + LATE <= now]
    if missing := [period for period in ended if period not in kept]:
        kept |= _keep(source, missing, oldest_hour=hours[0])
    by_hour = {
        hour: kept[key]
        if (key := (Rollup.Grain.HOUR, hour)) in kept
        else list(source.lines(hour, hour + HOUR))
        for hour in hours
    }
    by_day = {
        day.date(): kept[key]
        if (key := (Rollup.Grain.DAY, day)) in kept
        else [line for hour, lines in by_hour.items() if hour.date() == day.date() for line in lines]
        for day in days
    }
    return Sums(by_day, by_hour)


def total(source: Source, now: datetime) -> list[Line]:
    """The source's lines since ever: of days kept, whether or not their rows still are, and of the last DAYS days.

    A day that nobody asked about within DAYS days is missing.
    """
    recent = read(source, now)
    older = Rollup.objects.filter(
        source=source.name, grain=Rollup.Grain.DAY, start__date__lt=min(recent.days)
    )
    return [line for lines in older.values_list("lines", flat=True) for line in lines] + recent.all


def forget_from(moment: datetime) -> None:
    """Has all sums of hours and days summed again that end after a moment: rows have moved."""
    Rollup.objects.filter(start__gt=moment - DAY).delete()


def forget_hours(source: str) -> None:
    """Has a source's last hours summed again: their rows were changed after the fact."""
    Rollup.objects.filter(source=source, grain=Rollup.Grain.HOUR).delete()


def _keep(
    source: Source, periods: list[tuple[Rollup.Grain, datetime]], *, oldest_hour: datetime
) -> dict[tuple[str, datetime], list[Line]]:
    """Sums periods that are over, and keeps the sums. Two workers may do the same: one row stays, both are right."""
    made = {
        (str(grain), start): [list(line) for line in source.lines(start, start + LENGTH[grain])]
        for grain, start in periods
    }
    rows = [
        Rollup(source=source.name, grain=grain, start=start, lines=lines)
        for (grain, start), lines in made.items()
    ]
    with write_transaction():
        Rollup.objects.bulk_create(rows, ignore_conflicts=True)
        Rollup.objects.filter(source=source.name, grain=Rollup.Grain.HOUR, start__lt=oldest_hour).delete()
    return made
