"""Who does a call's database work. The call itself waits on an event loop, where nothing may block.

The work is plain code in short jobs (`llm.chain.opening`, `llm.chain.aftermath`), each one transaction in which no
other call plans. In a server the bookkeeper does them: a thread with a connection of its own that commits all that
wait together. In a thread that waits for its call anyway (`llm.chain.sync`), that thread does them itself, and those of
other threads that wait at the same moment.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection

from llm.conf import conf
from llm.ledger.batches import Batches, Order, Threads, fail

log = logging.getLogger(__name__)
T = TypeVar("T")

TURNS = 2  # of an event loop, in which more jobs may come, before the bookkeeper is woken for the first
IDLE_S = 30.0  # without work the bookkeeper's thread ends, and with it its connection
DOUBT_AFTER_S = 5.0  # a connection that was idle for longer is looked at before it is used


class Books(Protocol):
    """Where a call's database work, and its caller's own functions, are run."""

    async def do(self, job: Callable[[], T], *, durable: bool = True, withdraw: bool = False) -> T:
        """Runs a job in a transaction, and returns when that is committed. Raises what the job or the commit raises.

        A job runs to its end even if the task that waits for it is cancelled: what it wrote is accounted for.
        durable: see `chain_transaction`; withdraw: a job that has not begun is dropped when the task is cancelled
        """
        ...

    async def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Calls a function of the caller's, plain or async, where it may take its time."""
        ...


def run(job: Callable[[], T], *, durable: bool = True) -> T:
    """Does a job in this thread, or has it done by another that writes already: see `Threads.run`."""
    return threads.run(job, durable=durable)


async def awaited(result: Any) -> Any:
    """What a caller's function has returned, or what that comes to: it may be async without looking like it."""
    return await result if isawaitable(result) else result


async def settled(future: "asyncio.Future[T]") -> T:
    """The result of a future that is waited for even when this task is cancelled, which it then is."""
    told = Told(loop=asyncio.get_running_loop())

    def pass_on(done: "asyncio.Future[T]") -> None:
        if done.cancelled():
            told.give_up()
        elif error := done.exception():
            told.set_exception(error)
        else:
            told.set_result(done.result())

    future.add_done_callback(pass_on)
    return await told  # type: ignore[no-any-return]


# -- a server's: one thread, one connection, many jobs a commit ------------------------------------------


class Told(asyncio.Future[Any]):
    """What a job comes to. A task that waits for it and is cancelled waits on until it is there, and ends then; unless
    `withdraw` says that the job has not begun, and drops it."""

    withdraw: Callable[[], bool] | None = None

    def cancel(self, msg: Any | None = None) -> bool:
        withdraw = self.withdraw  # which another thread takes away when the job begins
        return withdraw is not None and withdraw() and super().cancel(msg)

    def give_up(self) -> None:
        """There will be no result: who waits is cancelled."""
        super().cancel()


class _Order(Order):
    """A job that a task of a loop waits for."""

    __slots__ = ("future", "loop")

    def __init__(self, job: Callable[[], Any], durable: bool, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(job, durable)
        self.loop, self.future = loop, Told(loop=loop)

    def begins(self) -> None:
        self.future.withdraw = None  # which leads back here: circles stay until they are searched for

    def settle(self) -> None:
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Bookkeeper(Batches):
    """A thread that does the jobs of tasks, all that wait together, and then answers them."""

    def _forget(self) -> None:
        super()._forget()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._calling: WeakSet[asyncio.AbstractEventLoop] = WeakSet()  # which are about to wake the thread

    async def do(self, job: Callable[[], T], *, durable: bool = True, withdraw: bool = False) -> T:
        loop = asyncio.get_running_loop()
        order = _Order(job, durable, loop)
        if withdraw:
            order.future.withdraw = partial(self._withdraw, order)
        with self._change:
            self._orders.append(order)
        if loop not in self._calling:
            self._calling.add(loop)
            loop.call_soon(self._call, loop, TURNS)
        return await order.future  # type: ignore[no-any-return]

    def _call(self, loop: asyncio.AbstractEventLoop, turns: int) -> None:
        """Wakes the thread after so many turns: one large transaction takes less time than several small ones."""
        if turns > 1:
            loop.call_soon(self._call, loop, turns - 1)
            return
        self._calling.discard(loop)
        with self._change:
            self._begin()
            self._change.notify()

    def _begin(self) -> None:
        if self._thread is None and self._orders:
            self._thread = threading.Thread(target=self._work, name="llm-bookkeeper", daemon=True)
            self._thread.start()

    async def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if iscoroutinefunction(function):
            return await function(*arguments)
        return await awaited(await asyncio.to_thread(_aside, function, *arguments))

    def stop(self) -> None:
        """Lets the thread end once nothing waits, and waits for it; the next job starts another.

        Jobs of a loop that ended before it woke the thread are done, too.
        """
        with self._change:
            self._begin()
            self._stopping, thread = True, self._thread
            self._change.notify()
        if thread is not None:
            thread.join()
        self._stopping = False

    def _work(self) -> None:
        used = 0.0
        while self._waits():
            batch: list[_Order] = []
            try:
                if time.monotonic() - used > DOUBT_AFTER_S:
                    connection.close_if_unusable_or_obsolete()
                self._write(batch)
            except BaseException as error:
                log.exception("the bookkeeper failed")
                fail(batch or self._take(batch), error)
            used = time.monotonic()
            _answer(batch)
            del batch

    def _waits(self) -> bool:
        """Whether there are jobs to be done; not, when the thread is to end."""
        with self._change:
            self._change.wait_for(lambda: self._orders or self._stopping, IDLE_S)
            if not self._orders:
                connection.close()
                self._thread = None
            return bool(self._orders)


def _answer(batch: Iterable[_Order]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[_Order]] = {}
    for order in batch:
        loops.setdefault(order.loop, []).append(order)
    for loop, orders in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, orders)
        except RuntimeError:  # that loop is closed
            log.warning("nobody waits any more for %d jobs of the ledger", len(orders))


def _settle(orders: list[_Order]) -> None:
    for order in orders:
        order.settle()


def _aside(function: Callable[..., T], *arguments: Any) -> T:
    """A caller's function in a thread of the pool, which keeps no connection for longer than it may."""
    try:
        return function(*arguments)
    finally:
        close_old_connections()


# -- others ----------------------------------------------------------------------------------------------


class InRequest:
    """Does the work in the thread that Django keeps for a request's synchronous code: a test's connection."""

    async def do(self, job: Callable[[], T], *, durable: bool = True, withdraw: bool = False) -> T:
        work = sync_to_async(run, thread_sensitive=True)(job, durable=durable)
        return await settled(asyncio.ensure_future(work))

    async def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if iscoroutinefunction(function):
            return await function(*arguments)
        return await awaited(await sync_to_async(function, thread_sensitive=True)(*arguments))


bookkeeper, threads = Bookkeeper(), Threads()
os.register_at_fork(after_in_child=bookkeeper._forget)
os.register_at_fork(after_in_child=threads._forget)
_in_request = InRequest()


# Whose books the calls of this context use, where it is not left to the process.
chosen: ContextVar[Books | None] = ContextVar("llm_books", default=None)


def here() -> Books:
    """Of calls that begin on a loop: `chosen`, else the bookkeeper, unless the setting LLM_BOOKS says "request"."""
    if (mine := chosen.get()) is not None:
        return mine
    return _in_request if conf.LLM_BOOKS == "request" else bookkeeper
