"""The chain for threads, commands, the admin and tests: the call runs on the process's own loop (`llm.loop`), while the
thread that waits for it does its database work, and runs its caller's functions, as `llm.ledger.books` says.

Changing threads takes time, and far more where many of them want the interpreter. So a call begins in the thread
itself, and is handed over to the loop once its first job is done: then there is something to send or to wait for.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from contextlib import aclosing, closing
from functools import partial
from inspect import iscoroutinefunction
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from django.db import connection

from llm import loop
from llm.calls import current
from llm.calls.events import Completed, Event, Reply
from llm.chain import opening, run
from llm.ledger import books
from llm.models import Call

T = TypeVar("T")
TICK_S = 0.5


class CallerLeft(BaseException):
    """Nobody waits for the answer any more. No Exception, so that no library takes it for a failure of the provider."""


def complete(
    *,
    on_event: Callable[[Event], Any] | None = None,
    has_left: Callable[[], bool] | None = None,
    **arguments: Any,
) -> Reply:
    """Asks the chain once and waits. Takes the arguments of `llm.chain.run.astream`; sends plain requests.

    on_event: told what happens meanwhile, in this thread
    has_left: see `stream`
    Raises ChainExhausted when nobody answered, CallerLeft when `has_left` says so, ValueError for unusable arguments.
    """
    state = opening.prepare(streamed=False, **arguments)
    if on_event is None:
        desk = Desk(has_left, state.call)
        return desk.wait(run.last(run.events(state, desk)))
    with closing(_told(state, has_left)) as told:
        for event in told:
            on_event(event)
            if isinstance(event, Completed):
                return event.reply
    raise AssertionError("a call ends with Completed or raises")


def stream(*, has_left: Callable[[], bool] | None = None, **arguments: Any) -> Iterator[Event]:
    """Asks the chain once and yields what happens. Takes the arguments of `llm.chain.run.astream`.

    has_left: whether the caller has left; asked twice a second while the call waits, and before each attempt
    Raises what `complete` raises. The call goes on only while the next event is waited for; closing the generator ends
    it, and returns when that is accounted.
    """
    return _told(opening.prepare(streamed=True, **arguments), has_left)


def _told(state: opening.CallState, has_left: Callable[[], bool] | None) -> Generator[Event, None, None]:
    desk = Desk(has_left, state.call)
    yield from desk.events(run.events(state, desk))


class Desk:
    """A thread at work for one call that it waits for. Everything that the call puts before it is done in turn."""

    def __init__(self, has_left: Callable[[], bool] | None = None, call: Call | None = None) -> None:
        self._has_left, self._call = has_left, call
        self._here = True  # whether the call is still run by this thread
        # The call once it has begun, for the first who takes it: the loop, or `_leave`.
        self._begun: list[Coroutine[Any, Any, Any]] = []
        self._orders: SimpleQueue[_Order | Event | None] = SimpleQueue()  # None: the call is over
        self._task: asyncio.Task[Any] | None = None

    # -- in the call -------------------------------------------------------------------------------

    async def hand_over(self) -> None:
        """What follows is run on the loop."""
        if self._here:
            await _Pause()

    async def do(self, job: Callable[[], T], *, durable: bool = True, withdraw: bool = False) -> T:
        if not self._here:
            order = _Order(partial(books.run, job, durable=durable), early=withdraw)
            return await self._put(order)  # type: ignore[no-any-return]
        if withdraw:
            self._check()
        result = books.run(job, durable=durable)
        if withdraw:  # what is done else before the loop has the call ends it: it could not begin
            await self.hand_over()
        return result

    async def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if iscoroutinefunction(function):
            return await function(*arguments)
        return await books.awaited(await self._put(_Order(partial(function, *arguments), early=True)))

    async def _put(self, order: "_Order") -> Any:
        self._orders.put(order)
        return await order.future

    # -- in the thread -----------------------------------------------------------------------------

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns, which gets this desk as its books."""
        try:
            self._start(coroutine)
            while self._serve() is not None:
                pass
        except BaseException:
            self._leave()
            raise
        finally:
            self._note()
        return self._result()  # type: ignore[no-any-return]

    def events(self, told: AsyncGenerator[Event, None]) -> Generator[Event, None, None]:
        """The events of a call that gets this desk as its books, one whenever the next is asked for."""
        self._go = asyncio.Event()
        try:
            self._start(self._drive(told))
            while (event := self._serve()) is not None:
                self._note()
                yield event
                loop.running().call_soon_threadsafe(self._go.set)
        except BaseException:
            self._leave()
            raise
        self._result()

    async def _drive(self, told: AsyncGenerator[Event, None]) -> None:
        async with aclosing(told):
            async for event in told:
                self._orders.put(event)
                await self._go.wait()
                self._go.clear()

    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Runs the call here until it has something to wait for, and gives it to the loop then."""
        self._begun.append(coroutine)
        if loop.is_here():  # which would wait for itself for ever
            raise AssertionError("on this event loop await acomplete or astream")
        coroutine.send(None)
        loop.running().call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        """On the loop."""
        if (call := self._taken()) is not None:
            self._here = False
            self._task = asyncio.get_running_loop().create_task(call)
            self._task.add_done_callback(lambda task: self._orders.put(None))

    def _taken(self) -> Coroutine[Any, Any, Any] | None:
        try:
            return self._begun.pop()
        except IndexError:
            return None

    def _serve(self) -> Event | None:
        """Works until there is an event for the caller; None when the call is over. Raises CallerLeft."""
        while True:
            try:
                order = self._orders.get(timeout=TICK_S if self._has_left else None)
            except Empty:
                self._check()
                continue
            if not isinstance(order, _Order):
                return order
            if order.early:
                self._check()
            order.run()
            if order.fatal is not None:
                raise order.fatal

    def _note(self) -> None:
        """For what this thread logs."""
        if self._call is not None and self._call.pk is not None:
            current.call_id.set(self._call.pk)

    def _check(self) -> None:
        if self._has_left is not None and self._has_left():
            raise CallerLeft

    def _leave(self) -> None:
        """Ends the call, and works until that is accounted."""
        self._has_left = None
        if (call := self._taken()) is not None:  # before the loop
            with contextlib.suppress(Exception):
                call.close()
            return
        loop.running().call_soon_threadsafe(self._cancel)
        if loop.is_here():  # a generator that nobody closed is closed by whichever thread collects garbage
            threading.Thread(target=self._account_aside, name="llm-desk", daemon=True).start()
        else:
            self._account()

    def _account_aside(self) -> None:
        try:
            self._account()
        finally:
            connection.close()

    def _account(self) -> None:
        while (order := self._orders.get()) is not None:
            if isinstance(order, _Order) and not order.early:  # those are withdrawn
                order.run()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            self._result()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _result(self) -> Any:
        return self._task.result() if self._task else None


class _Pause:
    """Awaited where a call changes threads: whoever runs it stops there, and another goes on."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class _Order:
    """One piece of work for the desk. `early`: it need not be done when the caller leaves first."""

    def __init__(self, work: Callable[[], Any], *, early: bool) -> None:
        self.work, self.early = work, early
        self.loop = asyncio.get_running_loop()
        self.future = books.Told(loop=self.loop)
        if early:
            self.future.withdraw = self.withdraw
        self._taken = threading.Lock()  # by the first who would run it, or withdraw it
        self.fatal: BaseException | None = None

    def withdraw(self) -> bool:
        """On the loop: whether it had not begun, and never will."""
        return self._taken.acquire(blocking=False)

    def run(self) -> None:
        """In the thread."""
        if not self._taken.acquire(blocking=False):
            return
        self.future.withdraw = None  # it leads back to us: such circles stay until they are searched for
        result: Any = None
        error: BaseException | None = None
        try:
            result = self.work()
        except Exception as raised:
            error = raised
        except BaseException as raised:  # an interrupt, for our caller alone: the call is left
            self.fatal = raised
            error = asyncio.CancelledError()
        self.loop.call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if isinstance(error, asyncio.CancelledError):
            self.future.give_up()
        elif error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)
