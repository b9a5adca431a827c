"""What staff should know, written down once and mailed in digests, never once a call."""

import logging
import threading
import time
from datetime import timedelta

from django.core.mail import mail_admins
from django.db import connection
from django.utils import timezone

from llm import ledger
from llm.models import Notice

log = logging.getLogger(__name__)

SAME_AFTER = timedelta(hours=24)  # the same thing is not said twice within
DIGEST_EVERY = timedelta(minutes=15)
HOUSEKEEPING_EVERY_S = 30.0
_last_housekeeping = 0.0
_lock = threading.Lock()


def record(kind: str, subject: str, detail: str = "") -> Notice | None:
    """Writes a notice, unless the same was written within a day; returns it when it is new."""
    now = timezone.now()
    if Notice.objects.filter(kind=kind, subject=subject[:200], at__gt=now - SAME_AFTER).exists():
        return None
    log.warning("%s: %s", subject, detail)
    return Notice.objects.create(at=now, kind=kind, subject=subject[:200], detail=detail[:300])


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
        mail_admins(subject, "\n".join(lines), fail_silently=False)
    return len(mine)


def housekeeping() -> None:
    """Marks calls whose worker died and mails the digest, aside, at most every 30 seconds a process."""
    global _last_housekeeping
    with _lock:
        if time.monotonic() - _last_housekeeping < HOUSEKEEPING_EVERY_S:
            return
        _last_housekeeping = time.monotonic()
    threading.Thread(target=_housekeeping, name="llm-housekeeping", daemon=True).start()


def _housekeeping() -> None:
    try:
        ledger.bury_abandoned()
        mail_digest()
    except Exception:
        log.exception("housekeeping failed; the next call tries again")
    finally:
        connection.close()
