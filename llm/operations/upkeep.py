"""Runs maintenance in a thread after a call, at most every half minute a process, where no worker does it.

What is done then is `llm.maintenance`, which the app registers when it is loaded; a product with a worker of its own
runs that once a minute instead, and sets LLM_MAINTAIN_AFTER_CALLS to False.
"""

import logging
import threading
import time
from collections.abc import Callable

from django.db import connection

from llm.conf import conf

log = logging.getLogger(__name__)

EVERY_S = 30.0
_last = 0.0
_lock = threading.Lock()
_work: Callable[[], object] = list  # nothing yet


def register(work: Callable[[], object]) -> None:
    """What is to be done from now on."""
    global _work
    _work = work


def after_a_call() -> None:
    """Starts what was registered in a thread, unless that was done less than EVERY_S seconds ago."""
    global _last
    if not conf.LLM_MAINTAIN_AFTER_CALLS:
        return
    with _lock:
        if time.monotonic() - _last < EVERY_S:
            return
        _last = time.monotonic()
    threading.Thread(target=run, name="llm-upkeep", daemon=True).start()


def run() -> None:
    """Does it now. What fails is logged, and tried again after the next call."""
    try:
        _work()
    except Exception:
        log.exception("maintenance of the chain failed; the next call tries again")
    finally:
        connection.close()
