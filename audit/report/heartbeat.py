"""Tells the database which reports of this process are still being written.

One thread for all of them, alive only while there are some: a provider may be silent for longer than a dead
worker should keep a report.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from django.db import DatabaseError, connection
from django.utils import timezone

from audit.models import Report

log = logging.getLogger(__name__)

EVERY_S = 3.0

_claims: set[str] = set()
_lock = Lock()
_thread: Thread | None = None
_pause = Event()  # never set: a wait that a test can shorten


@contextmanager
def beating(claim: str) -> Iterator[None]:
    """While inside, the report of this claim has a heartbeat at most EVERY_S seconds old."""
    global _thread
    with _lock:
        _claims.add(claim)
        if _thread is None:
            _thread = Thread(target=_beat, name="report-heartbeat", daemon=True)
            _thread.start()
    try:
        yield
    finally:
        with _lock:
            _claims.discard(claim)


def _beat() -> None:
    global _thread
    try:
        while True:
            _pause.wait(EVERY_S)
            with _lock:
                claims = sorted(_claims)
                if not claims:
                    _thread = None
                    return
            try:
                Report.objects.filter(claim__in=claims).update(heartbeat_at=timezone.now())
            except DatabaseError:
                log.warning("a heartbeat was missed", exc_info=True)
                connection.close()
    finally:
        connection.close()
