"""Recurring work, which the background worker puts into its queue every minute (`background`), so no cron is needed.

Whoever puts a chore's mark into the cache does it; the mark stays for the chore's interval, so that of all
processes and machines that share the cache one does it, once. A process that dies over it leaves it to the
next interval. Where no worker runs, `manage.py chores` does what is due at once, for a timer.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.cache import caches
from django.utils import timezone

from audit.orders import outbox
from audit.orders.money import reconcile, upkeep
from guardlabs.operations import health, probe, retention, weekly
from guardlabs.web import correlation
from llm import maintenance
from llm.configuration import snapshot
from llm.foresight import provider_check
from llm.pauses import probes

log = logging.getLogger(__name__)

MOST_EARLY_S = 30  # that a look may come before a chore's time, so that none is skipped every other time
PROBE_EVERY_S = 4  # providers that are down come back between two looks
MINUTE, HOUR, DAY = 60, 3600, 86_400
WRITE_KNOWN_S = 5 * MINUTE


@dataclass(frozen=True)
class Chore:
    """What to do, at most once in `every_s` seconds over all processes."""

    name: str
    every_s: int
    work: Callable[[], object]


def chores() -> tuple[Chore, ...]:
    """All of them, in the order in which `run_due` does them."""
    return (
        Chore("probes", PROBE_EVERY_S, probes.run_due),
        Chore("llm", MINUTE, maintenance.run),
        Chore("write", MINUTE, time_a_write),
        Chore("mails", MINUTE, outbox.send_due),
        Chore("orders", 10 * MINUTE, upkeep.tend),
        Chore("health", 10 * MINUTE, health.tell_staff),
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
    seen()
    return [chore.name for chore in chores() if do(chore)]


def do(chore: Chore) -> bool:
    """Does the chore if nobody has within its interval; returns whether it was done. Logs what fails."""
    try:
        mark_s = chore.every_s - min(MOST_EARLY_S, chore.every_s // 2)
        if not caches["chores"].add(f"chore:{chore.name}", 1, timeout=mark_s):
            return False
        correlation.begin(f"chore-{chore.name}")
        chore.work()
    except Exception:
        log.exception("chore %s failed", chore.name)
        return False
    return True


def seen() -> None:
    """Notes that somebody looks for chores: for the desk, /metrics and the container's health check."""
    try:
        caches["chores"].set("seen", timezone.now(), timeout=DAY)
        (settings.VAR_DIR / probe.WORKER_SEEN).touch()
    except Exception:  # a full disk, a cache that is away
        log.warning("it could not be noted that the worker is alive", exc_info=True)


def time_a_write() -> None:
    """Notes how long one write to the database takes, or was waited for in vain, for the status line."""
    began = time.monotonic()
    try:
        health.write()
    finally:
        caches["chores"].set("write_s", time.monotonic() - began, timeout=WRITE_KNOWN_S)


def write_s() -> float | None:
    """How long the write took that was timed last, in seconds; None when none was for some minutes."""
    try:
        found: float | None = caches["chores"].get("write_s")
    except Exception:  # each cache library has errors of its own
        return None
    return found


def last_seen() -> datetime | None:
    """When somebody last looked for chores; None when nobody has for a day, or the cache is away."""
    try:
        found: datetime | None = caches["chores"].get("seen")
    except Exception:
        return None
    return found
