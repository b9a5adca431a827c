"""How long anything is kept: RETENTION_DAYS, as the privacy page promises.

Orders are books: they stay. What was said in them, and our letters, go as long after their end.
"""

from datetime import timedelta

from django.utils import timezone

from audit import mails, orders, scans
from audit.models import Mail
from llm import pruning


def prune(days: int) -> dict[str, int]:
    """Deletes scans, call logs and kept replies that are older than so many days; returns how many of each."""
    before = timezone.now() - timedelta(days=days)
    return {
        "scans": scans.delete_older_than(before),
        **pruning.prune(before),
        "wordings of orders": orders.forget_old(before),
        "wordings of mails": mails.forget_wording(Mail.objects.filter(created_at__lt=before)),
    }
