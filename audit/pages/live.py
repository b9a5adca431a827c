"""A report's progress as server-sent events, for any number of viewers.

All viewers of a process share one query a tick, of all the reports that they look at, and a picture that many see is
drawn once. A viewer costs no thread, only an open connection, for LIFE_S seconds at most. What this process itself
writes is looked at as soon as it has changed. Reading only: whatever a viewer does here, no call is started.
"""

import asyncio
import hashlib
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from audit.models import Report, Scan
from audit.presentation import report as report_view
from audit.report import jobs

log = logging.getLogger(__name__)

TICK_S, LEAST_S = 0.5, 0.1
LIFE_S = 120.0  # longer than a report takes; whoever is still there then asks again
RETRY_MS = 1000
CONTENT_TYPE = "text/event-stream; charset=utf-8"
UNBUFFERED = {"X-Accel-Buffering": "no"}

clock = time.monotonic  # tests put their own clock here

Draw = Callable[[Report], str]


class Seen:
    """A report as it was at a tick, for all who look at it."""

    def __init__(self, row: Report) -> None:
        self.row = row
        self.is_moving = row.status == Report.Status.WRITING and not jobs.is_stalled(row)
        # The id of an event: the same for the same picture, in whichever process it was drawn.
        picture = [row.pk, row.claim, row.status, self.is_moving, row.progress, row.draft, row.markdown]
        self.mark = hashlib.blake2s(json.dumps(picture).encode(), digest_size=12).hexdigest()


class Watch:
    """What the viewers on one event loop look at."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._scans: Counter[int] = Counter()
        self._turn: asyncio.Task[dict[int, Seen]] | None = None
        self._changed = asyncio.Event()
        self._pictures: dict[tuple[str, str], asyncio.Task[str]] = {}
        self.over = False

    @contextmanager
    def looking_at(self, scan: Scan) -> Iterator[None]:
        self._scans[scan.pk] += 1
        try:
            yield
        finally:
            self._scans[scan.pk] -= 1
            if not self._scans[scan.pk]:
                del self._scans[scan.pk]

    async def next(self, scan: Scan) -> Seen:
        """The scan's report at the next tick. Raises DatabaseError."""
        if self._turn is None or self._turn.done():
            self._turn = asyncio.create_task(self._look())
        seen = await asyncio.shield(self._turn)
        return seen.get(scan.pk) or Seen(Report(scan=scan))

    async def picture(self, address: str, seen: Seen, draw: Draw) -> str:
        """The event of this picture; drawn once, in a thread, for all who ask for it within a tick."""
        key = (address, seen.mark)
        if key not in self._pictures:
            self._pictures[key] = asyncio.create_task(sync_to_async(_told)(seen, draw))
        return await asyncio.shield(self._pictures[key])

    def note(self, scan_id: int) -> None:
        """From any thread: this scan's report has changed."""
        if scan_id in self._scans and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)

    def end(self) -> None:
        self.over = True
        self._loop.call_soon_threadsafe(self._changed.set)

    async def _look(self) -> dict[int, Seen]:
        await pause(self._changed)
        self._changed.clear()
        self._pictures.clear()
        rows = await sync_to_async(jobs.shown)(sorted(self._scans))
        return {pk: Seen(row) for pk, row in rows.items()}


async def pause(changed: asyncio.Event) -> None:
    """Until the next tick, or until something has changed; tests put their own time here."""
    await asyncio.sleep(LEAST_S)
    try:
        await asyncio.wait_for(changed.wait(), TICK_S - LEAST_S)
    except TimeoutError:
        return


_watches: "WeakKeyDictionary[asyncio.AbstractEventLoop, Watch]" = WeakKeyDictionary()


def watch() -> Watch:
    """The running loop's."""
    loop = asyncio.get_running_loop()
    if (found := _watches.get(loop)) is None:
        found = _watches[loop] = Watch()
    return found


def note(scan_id: int) -> None:
    """From any thread: this scan's report has changed."""
    for each in list(_watches.values()):
        each.note(scan_id)


def end() -> None:
    """This process stops: its viewers ask again, and find another one."""
    for loop, each in list(_watches.items()):
        if not loop.is_closed():
            each.end()


jobs.on_change.append(note)


async def answer(scan: Scan, *, address: str, last_id: str, draw: Draw) -> HttpResponseBase:
    """The events of the scan's report. `draw` makes the HTML of a row, `address` says for whom alike; `last_id`:
    what the viewer has seen.

    A report that nobody is writing is told in one event, or in none (204) to a viewer who has it already.
    """
    now = Seen(await sync_to_async(jobs.current)(scan))
    if now.is_moving:
        return _streamed(_follow(scan, now, address, last_id, draw))
    return _unmoved(now, last_id, "" if last_id == now.mark else await watch().picture(address, now, draw))


def answer_in_thread(scan: Scan, *, last_id: str, draw: Draw) -> HttpResponseBase:
    """The same for a server without an event loop: a viewer keeps a thread, and has queries of their own."""
    now = Seen(jobs.current(scan))
    if now.is_moving:
        return _streamed(_follow_in_thread(scan, now, last_id, draw))
    return _unmoved(now, last_id, _told(now, draw))


def _streamed(events: Any) -> HttpResponseBase:
    return StreamingHttpResponse(events, content_type=CONTENT_TYPE, headers=UNBUFFERED)


def _unmoved(now: Seen, last_id: str, told: str) -> HttpResponseBase:
    if last_id == now.mark:
        return HttpResponse(status=204, headers=UNBUFFERED)
    return HttpResponse(told, CONTENT_TYPE, headers=UNBUFFERED)


def _follow_in_thread(scan: Scan, now: Seen, last_id: str, draw: Draw) -> Generator[str, None, None]:
    until = clock() + LIFE_S
    yield f"retry: {RETRY_MS}\n\n"
    while clock() < until:
        yield f"{_told(now, draw) if now.mark != last_id else ''}{_time(now)}"
        if not now.is_moving:
            return
        last_id = now.mark
        close_old_connections()
        time.sleep(TICK_S)
        now = Seen(jobs.current(scan))


async def _follow(scan: Scan, now: Seen, address: str, last_id: str, draw: Draw) -> AsyncGenerator[str, None]:
    """A change is told at once. The time, told at every tick, also keeps the line alive."""
    until, here = clock() + LIFE_S, watch()
    with here.looking_at(scan):
        yield f"retry: {RETRY_MS}\n\n"
        while clock() < until:
            try:
                told = await here.picture(address, now, draw) if now.mark != last_id else ""
                last_id = now.mark
                yield f"{told}{_time(now)}"
                if not now.is_moving or here.over:
                    return
                now = await here.next(scan)
            except DatabaseError:  # the viewer asks again; the report goes on
                log.warning("the progress of a report could not be read", exc_info=True)
                return


def _time(seen: Seen) -> str:
    return f"event: time\ndata: {report_view.elapsed_s(seen.row)}\n\n"


def _told(seen: Seen, draw: Draw) -> str:
    data = "".join(f"data: {line}\n" for line in draw(seen.row).splitlines())
    return f"event: report\nid: {seen.mark}\n{data}\n"
