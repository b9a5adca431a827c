"""One event loop in a thread of this process, for those who have none: commands, the admin, threads, tests."""

import asyncio
import atexit
import contextvars
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["run", "running"]
T = TypeVar("T")
STOP_S = 2.0  # how long calls may take to end once the process does, or their caller was interrupted


class _Thread:
    """A daemon thread with an event loop; both end with the process."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="llm-loop", daemon=True)
        self._thread.start()

    @property
    def is_current(self) -> bool:
        return threading.current_thread() is self._thread

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.run_until_complete(
                self.loop.shutdown_asyncgens()
            )  # closes connections, see adapters.session
        finally:
            self.loop.close()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(STOP_S)


_current: _Thread | None = None
_lock = threading.Lock()


def _thread() -> _Thread:
    global _current
    with _lock:
        if _current is None:
            _current = _Thread()
        return _current


def _forget() -> None:
    """A forked child has the loop's memory without its thread, so it starts its own."""
    global _current, _lock
    _current, _lock = None, threading.Lock()


def _end() -> None:
    if _current is not None:
        _current.stop()


os.register_at_fork(after_in_child=_forget)
atexit.register(_end)


def running() -> asyncio.AbstractEventLoop:
    """The loop of this process's thread, started when it is not there yet."""
    return _thread().loop


def is_here() -> bool:
    """Whether this is that loop's thread, on which nothing may wait for it."""
    return _current is not None and _current.is_current


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine on the thread's loop, with the caller's context variables, and returns its result.

    Raises what the coroutine raises; RuntimeError on that loop itself, which would wait for itself for ever. A caller
    that is interrupted cancels the coroutine, and gives it STOP_S seconds to end in order.
    """
    thread = _thread()
    if thread.is_current:
        coroutine.close()
        raise RuntimeError("this is the event loop: await the coroutine here instead of running it")
    done: Future[T] = Future()
    ended = threading.Event()
    tasks: list[asyncio.Task[T]] = []

    def begin() -> None:
        task = thread.loop.create_task(coroutine)
        tasks.append(task)
        task.add_done_callback(finish)

    def finish(task: asyncio.Task[T]) -> None:
        if task.cancelled():
            done.cancel()
        elif (error := task.exception()) is not None:
            done.set_exception(error)
        else:
            done.set_result(task.result())
        ended.set()

    try:
        thread.loop.call_soon_threadsafe(begin, context=contextvars.copy_context())
        return done.result()
    except BaseException:
        if not done.done():  # not the coroutine's: somebody interrupts us
            thread.loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])
            ended.wait(STOP_S)
        raise
