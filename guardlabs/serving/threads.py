"""Threads for what is not async: a bounded number, each of which keeps its database connection."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any, TypeVar

T = TypeVar("T")


class Threads:
    """At most `count` pieces of work at a time; the others wait their turn."""

    def __init__(self, count: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)

    def run(
        self, work: Callable[..., T], *arguments: Any, context: Context | None = None
    ) -> "asyncio.Future[T]":
        """Runs it with the caller's context variables, or in `context`. Who stops waiting does not stop it."""
        context = context or copy_context()
        return asyncio.get_running_loop().run_in_executor(self._pool, context.run, work, *arguments)


class Left(Exception):
    """Nobody takes the pieces any more."""


class Pipe:
    """From a thread, which makes the pieces, to the loop, which sends them; one piece waits at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[Any] = asyncio.Queue(1)
        self._left = False

    def put(self, piece: Any) -> None:
        """In the thread: returns when the piece before this one is taken. Raises Left."""
        if not self._left:
            asyncio.run_coroutine_threadsafe(self._pieces.put(piece), self._loop).result()
        if self._left:
            raise Left

    async def drain(self, work: "asyncio.Future[None]", send: Callable[[Any], Awaitable[None]]) -> None:
        """On the loop: sends every piece until the work is done. Cancelled, it lets the work find out."""
        end = object()
        work.add_done_callback(lambda done: self._pieces.put_nowait(end) if self._pieces.empty() else None)
        try:
            while True:
                piece = await self._pieces.get()
                if piece is end:
                    break
                await send(piece)
                if work.done() and self._pieces.empty():
                    break
            await work
        finally:
            self._left = True
            while not self._pieces.empty():
                self._pieces.get_nowait()
