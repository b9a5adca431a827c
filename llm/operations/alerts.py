"""Alerts to staff: written once for each fault, mailed in digests, never once a call."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from django.core.mail import mail_admins
from django.db import IntegrityError
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from llm.calls.deployment import Deployment
from llm.failures.kinds import Failure, Kind
from llm.models import Attempt, Notice
from llm.storage.transactions import write_transaction

log = logging.getLogger(__name__)

SAME_AFTER = timedelta(hours=24)  # the same thing is not said twice within
DIGEST_EVERY = timedelta(minutes=15)
REJECTED_TIMES = 3  # a day: once may be one caller's odd parameter

# The next step, by the kind of the notice.
ADVICE: Mapping[str, Promise] = {
    Kind.KEY_INVALID: _(
        "Make another key at the provider and add it: First run in the admin, or manage.py setup."
    ),
    Kind.CREDITS_DEPLETED: _("Add credit at the provider, or switch it off. The others serve meanwhile."),
    Kind.MODEL_GONE: _(
        "Run manage.py providers check, which lists what is served today; configure one of those, or disable this "
        "model."
    ),
    Kind.BLOCKED_PROVIDER: _(
        "It is asked again by itself. If it stays so, look at its status page and terms."
    ),
    Kind.REQUEST_REJECTED: _("Look at its attempts in the admin: some parameter is not to its liking."),
    "gone": _("Run manage.py providers diff, then apply it, or name another model there."),
    "price": _("Run manage.py providers diff, then apply it."),
    "paid": _("Give it a daily budget, or switch it off."),
    "demoted": _("Nothing to do: it is asked again from time to time, and comes back by itself."),
}


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


def mail_digest(standing: Callable[[], str] | None = None) -> int:
    """Mails to ADMINS what is new, at most once in 15 minutes over all workers; returns how many notices.

    Each with what to do about it. `standing` tells how the whole is, in a line at the end.
    """
    now = timezone.now()
    if Notice.objects.filter(mailed_at__gt=now - DIGEST_EVERY).exists():
        return 0
    waiting = list(Notice.objects.filter(mailed_at=None).order_by("at"))
    # Whoever marks a row mails it, so that two workers do not mail the same.
    mine = [n for n in waiting if Notice.objects.filter(pk=n.pk, mailed_at=None).update(mailed_at=now)]
    if mine:
        subject = mine[0].subject if len(mine) == 1 else f"{len(mine)} notices"
        try:
            with translation.override("en"):
                text = "\n".join(map(_told, mine))
                text += f"\n\nNow: {standing()}\n" if standing else "\n"
            mail_admins(subject, text, fail_silently=False)
        except Exception:
            Notice.objects.filter(pk__in=[n.pk for n in mine]).update(mailed_at=None)  # the next digest tries
            raise
    return len(mine)


def advice(kind: str) -> str:
    """What to do about a notice of a kind; empty where its detail says it, or there is nothing to do."""
    return str(ADVICE.get(kind.removeprefix("check_"), ""))


def _told(notice: Notice) -> str:
    lines = [f"{notice.at:%Y-%m-%d %H:%M} UTC  {notice.subject}", notice.detail]
    if todo := advice(notice.kind):
        lines.append(f"What to do: {todo}")
    return "\n    ".join(filter(None, lines))
