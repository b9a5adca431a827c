"""Jobs of the ledger that wait at the same moment are done in one transaction, and committed together."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection

from llm.storage import faults
from llm.storage.sql import part
from llm.storage.transactions import chain_transaction

T = TypeVar("T")

MAX_BATCH = 64  # jobs in one transaction


class Order:
    """A job that somebody waits for, and what it comes to: a result, or the first error.

    It is done in the context in which it was ordered. durable: see `chain_transaction`
    """

    __slots__ = ("context", "durable", "error", "job", "result", "since")

    def __init__(self, job: Callable[[], Any], durable: bool) -> None:
        self.job, self.durable = job, durable
        self.context = copy_context()
        self.since = time.monotonic()
        self.result: Any = None
        self.error: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        """Only the first error counts."""
        self.error = self.error or error

    def begins(self) -> None:
        """It is in a batch now, and can no longer be withdrawn."""


@dataclass(slots=True)
class Stats:
    """What was done since the process began, and what waits now."""

    waiting: int = 0
    jobs: int = 0
    batches: int = 0
    largest: int = 0
    waited_s: float = 0.0  # all jobs together, until their batch began
    written_s: float = 0.0  # all batches together


class Batches:
    """Jobs that wait, and how whoever has its turn does them: each in a savepoint of one transaction.

    A job that raises undoes only itself. When the commit fails, or the database is away, all of the batch are told so.
    """

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        """For a new process, which has neither the threads nor whoever waits for them."""
        self._change = threading.Condition()
        self._orders: deque[Any] = deque()
        self._stats = Stats()

    def stats(self) -> Stats:
        """Numbers for the metrics."""
        self._stats.waiting = len(self._orders)
        return self._stats

    def _take(self, batch: list[Any]) -> list[Any]:
        """Fills an empty batch with the jobs that wait, and returns it."""
        with self._change:
            batch += [self._orders.popleft() for _ in range(min(len(self._orders), MAX_BATCH))]
        now, stats = time.monotonic(), self._stats
        for order in batch:
            order.begins()
            stats.waited_s += now - order.since
        stats.jobs += len(batch)
        stats.batches += 1
        stats.largest = max(stats.largest, len(batch))
        return batch

    def _write(self, batch: list[Any]) -> None:
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
                fail(batch or self._take(batch), error)
            break
        self._stats.written_s += time.monotonic() - began

    def _withdraw(self, order: Order) -> bool:
        """Whether a job had not begun, and never will."""
        with self._change:
            try:
                self._orders.remove(order)
            except ValueError:
                return False
        return True


def _run_all(batch: list[Order]) -> None:
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


def fail(batch: Iterable[Order], error: BaseException) -> None:
    """Tells the orders of a batch. What was not told otherwise already was undone by this."""
    if not isinstance(error, Exception):
        error = RuntimeError(f"a job of the ledger ended with {type(error).__name__}")
    for order in batch:
        order.fail(error)


# -- threads that wait for their jobs ----------------------------------------------------------------------


class _Waiting(Order):
    """A job whose thread waits until it is done, or until it is that thread's turn to write."""

    __slots__ = ("begun", "leads", "told")

    def __init__(self, job: Callable[[], Any], durable: bool) -> None:
        super().__init__(job, durable)
        self.told = threading.Event()  # which stays set, for who was interrupted when it just had waited
        self.leads = self.begun = False

    def begins(self) -> None:
        self.begun = True


class Threads(Batches):
    """Threads take turns. Who has its turn does its own job and those of all who wait, with its connection, and then
    gives the turn to the first of those who came meanwhile. A thread that is alone changes to no other.
    """

    def _forget(self) -> None:
        super()._forget()
        self._busy = False  # whether a thread has its turn

    def run(self, job: Callable[[], T], *, durable: bool = True) -> T:
        """What a job returns, once that is committed. Raises what the job or the commit raises.

        Within a transaction of the thread's own it is a part of that. durable: see `chain_transaction`
        """
        if connection.in_atomic_block:
            with chain_transaction(durable=durable):
                return job()
        order = _Waiting(job, durable)
        try:
            with self._change:
                self._orders.append(order)
                order.leads, self._busy = not self._busy, True
            if not order.leads:
                order.told.wait()
            if order.leads:
                self._lead()
        except BaseException:
            self._leave(order)
            raise
        if order.error is not None:
            raise order.error
        return order.result  # type: ignore[no-any-return]

    def _lead(self) -> None:
        batch: list[_Waiting] = []
        try:
            self._write(batch)
        except BaseException as error:  # this thread was interrupted
            fail(batch, error)
            raise
        finally:
            self._pass_on()
            for order in batch:
                order.told.set()

    def _pass_on(self) -> None:
        """The turn to who has waited longest."""
        with self._change:
            self._busy = bool(self._orders)
            if self._orders:
                self._orders[0].leads = True
                self._orders[0].told.set()

    def _leave(self, order: _Waiting) -> None:
        """For a thread that was interrupted: its job is withdrawn, or has an end."""
        if self._withdraw(order):
            if order.leads:
                self._pass_on()
        elif order.begun:
            order.told.wait()
