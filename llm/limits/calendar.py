"""When the days of quotas and budgets begin and end. All moments are in UTC, whatever the zone of the day."""

from datetime import UTC, date, datetime, timedelta

from llm import windows


def today(day_reset: str, now: datetime) -> date:
    """The date where a provider's day resets; UTC's for a rolling day."""
    return now.astimezone(windows.PACIFIC if day_reset == "pacific" else UTC).date()


def day_start(day_reset: str, now: datetime) -> datetime:
    """The beginning of the day that a daily quota counts: midnight UTC or Pacific, or 24 hours ago."""
    return windows.start("day", day_reset, now)


def next_day(day_reset: str, now: datetime) -> datetime:
    """When a daily quota that resets at midnight comes back; a rolling one is looked at again in an hour."""
    if day_reset == windows.ROLLING:
        return now + timedelta(hours=1)
    return windows.end("day", day_reset, now)
