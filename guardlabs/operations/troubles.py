"""What is wrong with the site and not with the chain, for the one status line: see `llm.status.verdict`."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import caches
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.models import Mail
from guardlabs.operations import chores
from llm.status import words
from llm.status.verdict import Help, State, Trouble

WORKER_GONE = timedelta(minutes=15)  # it says every minute that it is there; a timer may come every ten
MAILS = Help(gettext_lazy("See the mails"), "admin:audit_mail_changelist", "audit.view_mail")
LATELY = timedelta(days=7)
MOST_COUNTED = 1000


def troubles(now: datetime) -> Iterator[Trouble]:
    """One of settings.LLM_STATUS_SOURCES."""
    yield from worker(now)
    yield from mails(now)


def worker(now: datetime) -> Iterator[Trouble]:
    """Nobody does what has to be done in the background."""
    seen = chores.last_seen()
    if seen is not None and now - seen < WORKER_GONE:
        return
    if seen is None and not _cache_answers():
        return  # nobody could have said that he was there
    if seen is None:
        text = _("no background worker has been seen: mails, probes and chores wait")
    else:
        text = _("no background worker for %(span)s: mails, probes and chores wait") % {
            "span": words.span(now - seen)
        }
    yield Trouble(State.DEGRADED, "worker", text)


def _cache_answers() -> bool:
    try:
        caches["chores"].get("seen")
        asked = getattr(caches["chores"], "reachable", None)
        return asked is None or bool(asked())
    except Exception:  # each cache library has errors of its own
        return False


def mails(now: datetime) -> Iterator[Trouble]:
    """Letters that were given up in the last days."""
    since = now - min(LATELY, timedelta(days=settings.RETENTION_DAYS))
    lost = (
        Mail.objects.filter(state=Mail.State.FAILED, created_at__gte=since).order_by()[:MOST_COUNTED].count()
    )
    if lost:
        text = ngettext(
            "%(count)d mail could not be sent and was given up",
            "%(count)d mails could not be sent and were given up",
            lost,
        ) % {"count": lost}
        yield Trouble(State.DEGRADED, "mails", text, MAILS)
