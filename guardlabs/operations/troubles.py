"""What is wrong with the site and not with the chain, for the one status line: see `llm.status.verdict`."""

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import caches
from django.db.models import Q
from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.models import Mail, Order, Payment, StripeEvent
from audit.orders import payments
from audit.orders.money import upkeep
from guardlabs.operations import chores
from llm.status import words
from llm.status.verdict import Help, State, Trouble

WORKER_GONE = timedelta(minutes=15)  # it says every minute that it is there; a timer may come every ten
MAILS = Help(gettext_lazy("See the mails"), "admin:audit_mail_changelist", "audit.view_mail")
EVENTS = Help(
    gettext_lazy("See Stripe’s events"), "admin:audit_stripeevent_changelist", "audit.view_stripeevent"
)
ORDERS = Help(gettext_lazy("See the orders"), "admin:audit_order_changelist", "audit.view_order")
WORKER = Help(gettext_lazy("Start the worker"), command="manage.py worker")
PRUNE = Help(gettext_lazy("Delete what is old"), command="manage.py prune")
LATELY = timedelta(days=7)
MOST_COUNTED = 1000
STUCK = 3  # tries of a mail after which its server is not merely busy
SILENT = timedelta(days=1)  # Stripe repeats an event for three days
HEARD_WITHIN = timedelta(hours=1)  # how late an event may be
LITTLE_SHARE, LITTLE_BYTES = 0.05, 2 * 10**9  # of the disk; it is little when both are undercut
SLOW_S = 1.0  # for one write; usually it takes some milliseconds


def troubles(now: datetime) -> Iterator[Trouble]:
    """One of settings.LLM_STATUS_SOURCES."""
    yield from worker(now)
    yield from disk(now)
    yield from database(now)
    yield from stripe(now)
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
    yield Trouble(State.DEGRADED, "worker", text, WORKER)


def _cache_answers() -> bool:
    try:
        caches["chores"].get("seen")
        asked = getattr(caches["chores"], "reachable", None)
        return asked is None or bool(asked())
    except Exception:  # each cache library has errors of its own
        return False


def disk(now: datetime) -> Iterator[Trouble]:
    """Where the site writes is hardly any room left."""
    try:
        found = shutil.disk_usage(settings.VAR_DIR)
    except OSError:
        return  # a site whose keys and database are elsewhere
    if found.free < LITTLE_BYTES and found.free < LITTLE_SHARE * found.total:
        text = _("only %(free)s of the disk is free: make room before nothing can be stored any more")
        yield Trouble(State.DEGRADED, "disk", text % {"free": filesizeformat(found.free)}, PRUNE)


def database(now: datetime) -> Iterator[Trouble]:
    """The last write that the worker timed took long: everything waits for such writes."""
    took = chores.write_s()
    if took is not None and took >= SLOW_S:
        text = _("the database takes %(seconds)s s for one write: see what else uses its disk")
        yield Trouble(State.DEGRADED, "database", text % {"seconds": number_format(took, 1)})


def stripe(now: datetime) -> Iterator[Trouble]:
    """Stripe refuses our key, or its webhook no longer reaches us: we ask it, but late."""
    if payments.method() != Order.Method.STRIPE:
        return
    if upkeep.refused() is not None:
        text = _("Stripe refuses our key, so nobody can pay by card: set a valid STRIPE_SECRET_KEY")
        yield Trouble(State.DEGRADED, "stripe_key", text, ORDERS)
    if StripeEvent.objects.filter(received_at__gt=now - SILENT).exists():
        return
    paid = Payment.objects.filter(
        state=Payment.State.PAID, at__range=(now - SILENT, now - HEARD_WITHIN)
    ).exclude(intent="")
    if missed := paid.order_by()[:MOST_COUNTED].count():
        text = ngettext(
            "Stripe’s webhook is silent, and %(count)d payment of the last day was found by asking: check its "
            "address in Stripe’s dashboard, and STRIPE_WEBHOOK_SECRET",
            "Stripe’s webhook is silent, and %(count)d payments of the last day were found by asking: check its "
            "address in Stripe’s dashboard, and STRIPE_WEBHOOK_SECRET",
            missed,
        ) % {"count": missed}
        yield Trouble(State.DEGRADED, "stripe_webhook", text, EVENTS)


def mails(now: datetime) -> Iterator[Trouble]:
    """Letters that were given up in the last days, and those that the mail server does not take."""
    since = now - min(LATELY, timedelta(days=settings.RETENTION_DAYS))
    given_up = Q(state=Mail.State.FAILED, created_at__gte=since)
    stuck = Q(state=Mail.State.QUEUED, attempts__gte=STUCK)
    states = Mail.objects.filter(given_up | stuck).order_by().values_list("state", flat=True)[:MOST_COUNTED]
    count = Counter(states)
    if lost := count[Mail.State.FAILED]:
        text = ngettext(
            "%(count)d mail could not be sent and was given up",
            "%(count)d mails could not be sent and were given up",
            lost,
        ) % {"count": lost}
        yield Trouble(State.DEGRADED, "mails", text, MAILS)
    if waiting := count[Mail.State.QUEUED]:
        text = ngettext(
            "%(count)d mail waits, since the mail server does not take it: check EMAIL_URL",
            "%(count)d mails wait, since the mail server does not take them: check EMAIL_URL",
            waiting,
        ) % {"count": waiting}
        yield Trouble(State.DEGRADED, "mails_waiting", text, MAILS)
