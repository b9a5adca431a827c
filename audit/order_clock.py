"""Lets orders expire and close by the traffic of the site itself, so that no cron job is needed."""

import logging
import threading
import time

from django.db import DatabaseError

from audit import mails, orders

log = logging.getLogger(__name__)

EVERY_S = 600.0

_last = float("-inf")
_lock = threading.Lock()


def tick() -> None:
    """Does what is due, at most every EVERY_S seconds a process. Two indexed queries when nothing is."""
    global _last
    with _lock:
        if time.monotonic() - _last < EVERY_S:
            return
        _last = time.monotonic()
    try:
        orders.tend()
        mails.wake()
    except DatabaseError:
        log.warning("orders could not be tended; the next visit tries again", exc_info=True)
