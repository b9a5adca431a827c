"""Work that nobody waits for: the serving processes do it themselves, so that no cron is needed.

Whoever puts a chore's mark into the cache does it; the mark stays for the chore's interval, so that of all
processes and machines that share the cache one does it, once. A process that dies over it leaves it to the
next interval. With CHORES=off, `manage.py chores` does what is due at once, for a timer, and
`manage.py chores --forever` looks every minute, as a service of its own.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import caches
from django.db import connections

from audit.orders import outbox
from audit.orders import service as orders
from audit.orders.money import reconcile
from guardlabs.operations import retention, weekly
from guardlabs.web import correlation
from llm import maintenance
from llm.configuration import snapshot
from llm.foresight import provider_check
from llm.pauses import probes

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
PROBE_EVERY_S = 4.0  # providers that are down come back between two looks
MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass(frozen=True)
class Chore:
    """What to do, at most once in `every_s` seconds over all processes."""

    name: str
    every_s: int
    work: Callable[[], object]


def chores() -> tuple[Chore, ...]:
    """All of them, in the order in which they are done."""
    return (
        Chore("probes", MINUTE, probes.run_due),  # also every few seconds, see `run_until`
        Chore("llm", MINUTE, maintenance.run),
        Chore("mails", MINUTE, outbox.send_due),
        Chore("orders", 10 * MINUTE, orders.tend),
        Chore("books", DAY, reconcile.daily),
        Chore("letter", HOUR, weekly.send),
        Chore("providers", DAY, check_providers),
        Chore("prune", DAY, lambda: retention.prune(settings.RETENTION_DAYS)),
    )


def check_providers() -> None:
    """What `providers check` looks at; what it finds becomes notices, which are mailed to ADMINS."""
    for provider in snapshot.providers():
        for finding in provider_check.check(provider):
            log.info("%s %s: %s", finding.provider, finding.subject, finding.word)


def run_due() -> list[str]:
    """Does what is due and returns its names. What fails is logged, and tried again after its interval."""
    done = []
    for chore in chores():
        try:
            # A little less than the interval, so that a chore of a minute is not skipped every other minute.
            if not caches["chores"].add(f"chore:{chore.name}", 1, timeout=chore.every_s - LOOK_EVERY_S / 2):
                continue
            correlation.begin(f"chore-{chore.name}")
            chore.work()
            done.append(chore.name)
        except Exception:
            log.exception("chore %s failed", chore.name)
    return done


def start(stopping: threading.Event | None = None) -> threading.Thread:
    """Looks for chores in a thread, until `stopping` is set or the process ends."""
    thread = threading.Thread(
        target=run_until, args=(stopping or threading.Event(),), name="chores", daemon=True
    )
    thread.start()
    return thread


def run_until(
    stopping: threading.Event,
    *,
    first_after_s: float | None = None,
    looked: Callable[[], object] = lambda: None,
) -> None:
    """Probes providers and does what is due every LOOK_EVERY_S seconds, until `stopping` is set.

    The first look comes after `first_after_s` seconds, as a rule LOOK_EVERY_S; `looked` is called after each.
    """
    look_at = time.monotonic() + (LOOK_EVERY_S if first_after_s is None else first_after_s)
    while not stopping.wait(PROBE_EVERY_S):
        try:
            probes.run_due()
        except Exception:
            log.exception("probing providers failed")
        if time.monotonic() >= look_at:
            run_due()
            looked()
            look_at = time.monotonic() + LOOK_EVERY_S
        connections.close_all()
