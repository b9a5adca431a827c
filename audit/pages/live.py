"""A report's progress as server-sent events: what its thread writes into the row, read once a tick.

Reading only: whatever a viewer does here, no call is started. An open stream keeps a thread of the web server,
so that a process has settings.LIVE_STREAMS seats, and nobody keeps one for longer than LIFE_S without asking
again. Whoever finds no seat is answered with 204, which ends an EventSource for good, and polls.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Generator, Iterator
from threading import Lock

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from audit.models import Report, Scan
from audit.presentation import report as report_view
from audit.report import jobs

log = logging.getLogger(__name__)

TICK_S = 0.5
LIFE_S = 30.0  # below the minute after which proxies and a server that is stopping lose patience
RETRY_MS = 1000
CONTENT_TYPE = "text/event-stream; charset=utf-8"
sleep = time.sleep  # tests put their own clock here

_taken = 0
_lock = Lock()

Draw = Callable[[Report], str]


def answer(scan: Scan, *, last_id: str, draw: Draw) -> HttpResponseBase:
    """The events of the scan's report. `draw` makes the HTML of a row; `last_id`: what the viewer has seen.

    A report that nobody is writing is told in one event, or in none (204) to a viewer who has it already.
    """
    row = jobs.current(scan)
    response: HttpResponseBase
    if not _is_moving(row):
        seen = last_id == _mark(row)
        response = HttpResponse(status=204) if seen else HttpResponse(_told(row, draw), CONTENT_TYPE)
    elif not _take_seat():
        response = HttpResponse(status=204)
    else:
        response = StreamingHttpResponse(Stream(_follow(scan, last_id, draw)), content_type=CONTENT_TYPE)
    response["X-Accel-Buffering"] = "no"
    return response


class Stream:
    """Events, and the seat of who reads them. A server closes what it was given to send, come what may."""

    def __init__(self, events: Generator[str, None, None]) -> None:
        self._events = events
        self._seated = True

    def __iter__(self) -> Iterator[str]:
        return self._events

    def close(self) -> None:
        """Frees the seat, once. Unlike a generator's own end this also happens if nothing was ever read."""
        if self._seated:
            self._seated = False
            self._events.close()
            _free_seat()


def _follow(scan: Scan, seen: str, draw: Draw) -> Generator[str, None, None]:
    """One query a tick; a change is told at once. The time, told at every tick, also keeps the line alive and
    finds out who has left."""
    until = time.monotonic() + LIFE_S
    yield f"retry: {RETRY_MS}\n\n"
    while time.monotonic() < until:
        try:
            row = jobs.current(scan)
            told = _told(row, draw) if (mark := _mark(row)) != seen else ""
        except DatabaseError:  # the viewer asks again; the report goes on
            log.warning("the progress of a report could not be read", exc_info=True)
            return
        finally:
            close_old_connections()
        seen = mark
        yield f"{told}event: time\ndata: {report_view.elapsed_s(row)}\n\n"
        if not _is_moving(row):
            return
        sleep(TICK_S)


def _is_moving(row: Report) -> bool:
    return row.status == Report.Status.WRITING and not jobs.is_stalled(row)


def _mark(row: Report) -> str:
    """The id of an event: the same for the same picture, in whichever process it was drawn."""
    picture = [row.pk, row.claim, row.status, _is_moving(row), row.progress, row.draft, row.markdown]
    return hashlib.blake2s(json.dumps(picture).encode(), digest_size=12).hexdigest()


def _told(row: Report, draw: Draw) -> str:
    data = "".join(f"data: {line}\n" for line in draw(row).splitlines())
    return f"event: report\nid: {_mark(row)}\n{data}\n"


def _take_seat() -> bool:
    global _taken
    with _lock:
        if _taken >= settings.LIVE_STREAMS:
            return False
        _taken += 1
        return True


def _free_seat() -> None:
    global _taken
    with _lock:
        _taken -= 1
