"""Alerts to staff: written once for each fault, mailed in digests, never once a call."""

import logging
from datetime import timedelta

from django.core.mail import mail_admins
from django.db import IntegrityError
from django.utils import timezone

from llm.calls.deployment import Deployment
from llm.failures.kinds import Failure, Kind
from llm.models import Attempt, Notice
from llm.storage.transactions import write_transaction

log = logging.getLogger(__name__)

SAME_AFTER = timedelta(hours=24)  # the same thing is not said twice within
DIGEST_EVERY = timedelta(minutes=15)
REJECTED_TIMES = 3  # a day: once may be one caller's odd parameter


def record(kind: str, subject: str, detail: str = "") -> Notice | None:
    """Writes a notice, unless the same was written within a day; returns it when it is new."""
    now = timezone.now()
    notice = Notice(at=now, day=now.date(), kind=kind, subject=subject[:200], detail=detail[:300])
    try:
        with write_transaction():
            if Notice.objects.filter(kind=kind, subject=notice.subject, at__gt=now - SAME_AFTER).exists():
                return None
            notice.save(force_insert=True)
    except IntegrityError:  # another worker was quicker
        return None
    log.warning("%s", subject)  # the detail is a provider's prose, which may repeat what it was asked
    return notice


def tell(failure: Failure, deployment: Deployment) -> None:
    """Writes a notice when a failure needs a person; a rejected request only when it repeats."""
    slug, model, label = deployment.provider.slug, deployment.model.name, deployment.key.label
    subjects = {
        Kind.KEY_INVALID: f"{label}: the key no longer works",
        Kind.CREDITS_DEPLETED: f"{label}: out of credit",
        Kind.MODEL_GONE: f"{slug}: {model} is gone"
        + (f" from {deployment.location}" if deployment.location else ""),
        Kind.BLOCKED_PROVIDER: f"{slug}: blocks us",
    }
    if failure.kind in subjects:
        record(failure.kind, subjects[failure.kind], failure.detail)
    elif failure.kind is Kind.REQUEST_REJECTED:
        since = timezone.now() - SAME_AFTER
        again = Attempt.objects.filter(provider=slug, model=model, outcome=failure.kind, started_at__gt=since)
        if again.count() >= REJECTED_TIMES:
            record(failure.kind, f"{slug}: {model} rejects our requests", failure.detail)


def mail_digest() -> int:
    """Mails to ADMINS what is new, at most once in 15 minutes over all workers; returns how many notices."""
    now = timezone.now()
    if Notice.objects.filter(mailed_at__gt=now - DIGEST_EVERY).exists():
        return 0
    waiting = list(Notice.objects.filter(mailed_at=None).order_by("at"))
    # Whoever marks a row mails it, so that two workers do not mail the same.
    mine = [n for n in waiting if Notice.objects.filter(pk=n.pk, mailed_at=None).update(mailed_at=now)]
    if mine:
        lines = [f"{n.at:%Y-%m-%d %H:%M} UTC  {n.subject}\n    {n.detail}" for n in mine]
        subject = mine[0].subject if len(mine) == 1 else f"{len(mine)} notices about providers"
        try:
            mail_admins(subject, "\n".join(lines), fail_silently=False)
        except Exception:
            Notice.objects.filter(pk__in=[n.pk for n in mine]).update(mailed_at=None)  # the next digest tries
            raise
    return len(mine)
