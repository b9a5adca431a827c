"""How long anything is kept: RETENTION_DAYS, as the privacy page promises.

Orders are books: they stay. What was said in them, and our letters, go as long after their end.
"""

from datetime import timedelta

from django.utils import timezone

from audit.models import Mail
from audit.orders import forgetting, outbox
from audit.scans import service as scans
from llm.ledger import retention


def prune(days: int) -> dict[str, int]:
    """Deletes scans, call logs and kept replies that are older than so many days; returns how many of each."""
    before = timezone.now() - timedelta(days=days)
    return {
        "scans": scans.delete_older_than(before),
        **retention.prune(before),
        "wordings of orders": forgetting.forget_old(before),
        "wordings of mails": outbox.forget_wording(Mail.objects.filter(created_at__lt=before)),
    }
