"""The windows that quotas are counted in: how long they are, and where the calendar's begin and end. Pure.

A second, a minute and an hour roll: what was used in the last so many seconds counts. A day, a week and a month begin
by the calendar of the provider, "utc" or "pacific", or roll as well ("rolling"). All moments are in UTC.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")
ROLLING = "rolling"
LENGTH = {
    "second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1),
    "day": timedelta(days=1), "week": timedelta(weeks=1), "month": timedelta(days=31),
}  # fmt: skip
# A rolling window is counted in pieces of this length: 1 to 2 % of it, which is how much longer something may count.
GRAIN = {
    "second": timedelta(milliseconds=20), "minute": timedelta(seconds=1), "hour": timedelta(seconds=40),
    "day": timedelta(minutes=15), "week": timedelta(hours=2), "month": timedelta(hours=8),
}  # fmt: skip
BY_CALENDAR = ("day", "week", "month")


def rolls(per: str, day_reset: str) -> bool:
    """Whether a window has no beginning of its own."""
    return per not in BY_CALENDAR or day_reset == ROLLING


def start(per: str, day_reset: str, now: datetime) -> datetime:
    """Since when what was used counts: a week begins on Monday, a month on its first day."""
    if rolls(per, day_reset):
        return now - LENGTH[per]
    return _begin(per, day_reset, now)


def end(per: str, day_reset: str, now: datetime) -> datetime:
    """When a window of the calendar begins anew; of one that rolls, when all of it has passed."""
    if rolls(per, day_reset):
        return now + LENGTH[per]
    # Beyond the end of any month, and within the next one; a day may have 25 hours.
    beyond = _begin(per, day_reset, now) + LENGTH[per] + timedelta(hours=2)
    return _begin(per, day_reset, beyond)


def _begin(per: str, day_reset: str, moment: datetime) -> datetime:
    """By the wall clock there."""
    zone = PACIFIC if day_reset == "pacific" else UTC
    day = moment.astimezone(zone).date()
    if per == "week":
        day -= timedelta(days=day.weekday())
    elif per == "month":
        day = day.replace(day=1)
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
