"""Who does a call's database work. The call itself waits on an event loop, where nothing may block.

The work is plain code in short jobs (`llm.chain.opening`, `llm.chain.aftermath`), each one transaction in which no
other call plans. In a server the bookkeeper does them: a thread with a connection of its own that commits all that
wait together. In a thread that waits for its call anyway (`llm.chain.sync`), that thread does them itself.
"""

import asyncio
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections, connection

from llm.storage import faults
from llm.storage.sql import part
from llm.storage.transactions import chain_transaction

log = logging.getLogger(__name__)
T = TypeVar("T")

MAX_BATCH = 64  # jobs in one transaction
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
    """Does a job in this thread."""
    with chain_transaction(durable=durable):
        return job()


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


@dataclass(slots=True, eq=False, repr=False)
class _Order:
    job: Callable[[], Any]
    durable: bool
    context: Context
    loop: asyncio.AbstractEventLoop
    future: Told
    since: float = field(default_factory=time.monotonic)
    result: Any = None
    error: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        """Only the first error counts."""
        self.error = self.error or error

    def settle(self) -> None:
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


@dataclass(slots=True)
class Stats:
    """What the bookkeeper has done since the process began, and what waits now."""

    waiting: int = 0
    jobs: int = 0
    batches: int = 0
    largest: int = 0
    waited_s: float = 0.0  # all jobs together, until their batch began
    written_s: float = 0.0  # all batches together


class Bookkeeper:
    """Takes all jobs that wait, runs each in a savepoint of one transaction, commits, then answers them.

    A job that raises undoes only itself. When the commit fails, or the database is away, all of the batch are told so.
    """

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        """For a new process, which has neither the thread nor whoever waits for it."""
        self._change = threading.Condition()
        self._orders: deque[_Order] = deque()
        self._thread: threading.Thread | None = None
        self._stats = Stats()
        self._stopping = False
        self._calling: WeakSet[asyncio.AbstractEventLoop] = WeakSet()  # which are about to wake the thread

    async def do(self, job: Callable[[], T], *, durable: bool = True, withdraw: bool = False) -> T:
        loop = asyncio.get_running_loop()
        order = _Order(job, durable, copy_context(), loop, Told(loop=loop))
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

    def stats(self) -> Stats:
        """Numbers for the metrics."""
        self._stats.waiting = len(self._orders)
        return self._stats

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

    def _withdraw(self, order: _Order) -> bool:
        with self._change:
            try:
                self._orders.remove(order)
            except ValueError:  # it is being done
                return False
        return True

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
                _fail(batch or self._take(batch), error)
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

    def _take(self, batch: list[_Order]) -> list[_Order]:
        """Fills an empty batch with the jobs that wait, and returns it."""
        with self._change:
            batch += [self._orders.popleft() for _ in range(min(len(self._orders), MAX_BATCH))]
        for order in batch:
            order.future.withdraw = None  # it leads back to the order: such circles stay until they are searched for
        now, stats = time.monotonic(), self._stats
        stats.jobs += len(batch)
        stats.batches += 1
        stats.largest = max(stats.largest, len(batch))
        stats.waited_s += sum(now - order.since for order in batch)
        return batch

    def _write(self, batch: list[_Order]) -> None:
        """Does the jobs that wait. Taken once it is our turn: what came while others wrote is of the same commit."""
        began = time.monotonic()
        for again in (True, False):
            try:
                with chain_transaction() as unit:
                    began = time.monotonic()
                    unit.durable = any(order.durable for order in self._take(batch))
                    _run_all(batch)
            except Exception as error:
                if faults.is_away(error):
                    connection.close()
                if again and not batch:  # such as a connection that the database has ended
                    continue
                _fail(batch or self._take(batch), error)
            break
        self._stats.written_s += time.monotonic() - began


def _run_all(batch: list[_Order]) -> None:
    if len(batch) == 1:  # the transaction is its savepoint
        batch[0].result = batch[0].context.run(batch[0].job)
        return
    for order in batch:
        try:
            with part(order.fail):
                order.result = order.context.run(order.job)
        except Exception as error:
            order.fail(error)
            if connection.needs_rollback:
                raise


def _fail(batch: Iterable[_Order], error: BaseException) -> None:
    """What was not told otherwise already was undone by this."""
    if not isinstance(error, Exception):
        error = RuntimeError(f"a job of the ledger ended with {type(error).__name__}")
    for order in batch:
        order.fail(error)


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


bookkeeper = Bookkeeper()
os.register_at_fork(after_in_child=bookkeeper._forget)
_in_request = InRequest()


# Whose books the calls of this context use, where it is not left to the process.
chosen: ContextVar[Books | None] = ContextVar("llm_books", default=None)


def here() -> Books:
    """Of calls that begin on a loop: `chosen`, else the bookkeeper, unless the setting LLM_BOOKS says "request"."""
    if (mine := chosen.get()) is not None:
        return mine
    return _in_request if getattr(settings, "LLM_BOOKS", "") == "request" else bookkeeper
