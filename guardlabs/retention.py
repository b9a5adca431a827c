"""How long anything is kept: RETENTION_DAYS, as the privacy page promises. Orders are books: they stay."""

from datetime import timedelta

from django.utils import timezone

from audit import scans
from llm import pruning


def prune(days: int) -> dict[str, int]:
    """Deletes scans, call logs and kept replies that are older than so many days; returns how many of each."""
    before = timezone.now() - timedelta(days=days)
    return {"scans": scans.delete_older_than(before), **pruning.prune(before)}
