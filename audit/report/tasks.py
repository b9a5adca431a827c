"""Writes reports as tasks on this process's event loop, at most AT_ONCE at a time; others wait.

While a task runs, its claim's lease is prolonged every EVERY_S seconds, by one statement for all of the process: a
provider may be silent for longer than a dead worker should keep a report. A server's tasks run on the server's own
loop (`serve`), those of a command or of a thread without one on `llm.loop`.
"""

import asyncio
import atexit
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, copy_context
from functools import partial
from threading import Lock

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection, connections

from audit.report import claims
from llm import loop as own_loop

log = logging.getLogger(__name__)

AT_ONCE = 32  # of one process; each has a call, its gates and its drafts
EVERY_S = 3.0
SHUTDOWN_GRACE_S = 5.0

_served: asyncio.AbstractEventLoop | None = None
_claims: dict[str, asyncio.Task[None] | None] = {}  # of this process; None: the task is not there yet
_waiting: dict[object, Callable[[], object]] = {}  # what asks again when there is a place, by what it is for
_lock = Lock()
_heart: asyncio.Task[None] | None = None


def spawn(claim: str, job: Callable[[], Awaitable[None]]) -> None:
    """Has the job of a claim done by a task, with the context variables of whoever asks. Returns at once."""
    with _lock:
        _claims[claim] = None
    loop = _served or own_loop.running()
    loop.call_soon_threadsafe(_begin, claim, job, context=copy_context())


@contextmanager
def kept(claim: str) -> Iterator[None]:
    """While inside, the lease of this claim is prolonged. For whoever does its job on their own."""
    with _lock:
        _claims[claim] = None
    (_served or own_loop.running()).call_soon_threadsafe(_listen)
    try:
        yield
    finally:
        with _lock:
            _claims.pop(claim, None)


def is_full() -> bool:
    """Whether as many reports are being written here as may be."""
    return len(_claims) >= AT_ONCE


def later(what: object, ask_again: Callable[[], object]) -> None:
    """Remembers to ask again when a place is free, in a thread, with the context variables of now. What waits already
    waits once."""
    _waiting.setdefault(what, partial(copy_context().run, ask_again))


async def serve() -> None:
    """From now on tasks run on the loop that calls this."""
    global _served
    _served = asyncio.get_running_loop()


async def leave() -> None:
    """At the end of a server: a moment for what is nearly done; the rest is cancelled, and free for others."""
    global _served
    _served = None
    _waiting.clear()
    tasks = [task for task in _claims.values() if task is not None]
    if tasks:
        await asyncio.wait(tasks, timeout=SHUTDOWN_GRACE_S)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=SHUTDOWN_GRACE_S / 2)


def _begin(claim: str, job: Callable[[], Awaitable[None]]) -> None:
    _claims[claim] = asyncio.create_task(_run(claim, job), name=f"report-{claim[:8]}")
    _listen()


def _listen() -> None:
    global _heart
    if _heart is None or _heart.done():
        # In a context of its own: it outlives the request that began it, whose thread would be asked otherwise.
        _heart = asyncio.create_task(_beat(), name="report-heartbeat", context=Context())


async def _run(claim: str, job: Callable[[], Awaitable[None]]) -> None:
    try:
        await job()
    except asyncio.CancelledError:
        await sync_to_async(claims.release)([claim])
        raise
    finally:
        with _lock:
            _claims.pop(claim, None)
        while _waiting and not is_full():
            what = next(iter(_waiting))
            await sync_to_async(_ask)(_waiting.pop(what))


def _ask(ask_again: Callable[[], object]) -> None:
    try:
        ask_again()
    except Exception:
        log.exception("a report that waited for its turn could not be begun")


async def _beat() -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        if not _claims:
            await sync_to_async(connections.close_all)()  # of the thread that reports share
            return
        await sync_to_async(_prolong)(sorted(_claims))


def _prolong(names: list[str]) -> None:
    try:
        claims.beat(names)
    except DatabaseError:
        log.warning("a heartbeat was missed", exc_info=True)
        connection.close()


@atexit.register
def _give_back() -> None:
    """What a process without a server has not finished when it ends."""
    if _claims:
        claims.release(list(_claims))
