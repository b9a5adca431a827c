"""Ends of calls that could not be written when they came: their answers were given, and the ledger follows.

A process that ends before they are written leaves calls that look as if their worker had died: they are closed as such,
at the most that they can cost.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable

from django.db import connection

from llm.ledger import books
from llm.operations import alerts
from llm.storage import faults

log = logging.getLogger(__name__)

WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)  # before each try; the last one again and again
MOST = 10_000  # that are kept in memory

_jobs: deque[Callable[[], object]] = deque()
_lock = threading.Lock()
_thread: threading.Thread | None = None
_pause = threading.Event().wait  # nobody sets it


def keep(job: Callable[[], object]) -> None:
    """Does a job of the ledger aside, again and again until the database takes it."""
    global _thread
    with _lock:
        if len(_jobs) >= MOST:
            log.error("too many ends of calls wait for the database; one is left to be closed as abandoned")
            return
        _jobs.append(job)
        if _thread is None:
            _thread = threading.Thread(target=_work, name="llm-overdue", daemon=True)
            _thread.start()


def waiting() -> int:
    """How many are not written yet."""
    return len(_jobs)


def wait(seconds: float) -> bool:
    """Whether all of it is written within these seconds."""
    thread = _thread
    if thread is not None:
        thread.join(seconds)
    return not _jobs


def _work() -> None:
    written, tries = 0, 0
    while (job := _next()) is not None:
        _pause(0 if written else WAITS_S[min(tries, len(WAITS_S) - 1)])
        tries += 1
        try:
            connection.close_if_unusable_or_obsolete()
            books.run(job)
        except Exception as error:
            written = 0
            if faults.is_away(error):
                continue
            log.exception("the end of a call cannot be written")
        else:
            written, tries = written + 1, 0
            if written == 1:
                _tell()
        _jobs.popleft()


def _next() -> Callable[[], object] | None:
    """The job that has waited longest; None ends the thread."""
    global _thread
    with _lock:
        if _jobs:
            return _jobs[0]
        _thread = None
    connection.close()
    return None


def _tell() -> None:
    try:
        alerts.record("ledger", "Answers were given before the ledger could be written, which it is now")
    except Exception:
        log.exception("staff could not be told that the ledger was late")
