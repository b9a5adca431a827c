"""When the days of quotas and budgets begin and end. All moments are in UTC, whatever the zone of the day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")


def today(day_reset: str, now: datetime) -> date:
    """The date where a provider's day resets; UTC's for a rolling day."""
    return now.astimezone(PACIFIC if day_reset == "pacific" else UTC).date()


def day_start(day_reset: str, now: datetime) -> datetime:
    """The beginning of the day that a daily quota counts: midnight UTC or Pacific, or 24 hours ago."""
    if day_reset == "rolling":
        return now - timedelta(days=1)
    return _midnight(day_reset, today(day_reset, now))


def next_day(day_reset: str, now: datetime) -> datetime:
    """When a daily quota that resets at midnight comes back; a rolling one is looked at again in an hour."""
    if day_reset == "rolling":
        return now + timedelta(hours=1)
    return _midnight(day_reset, today(day_reset, now) + timedelta(days=1))


def _midnight(day_reset: str, day: date) -> datetime:
    """By the wall clock there: a day may have 23 or 25 hours."""
    zone = PACIFIC if day_reset == "pacific" else UTC
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
