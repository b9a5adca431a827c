"""The gateway under a server without an event loop: each request keeps its thread, which does its database work."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Generator, Iterator
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse

from llm.chain.sync import Desk
from llm.gateway.serving.streaming import StreamedAnswer
from llm.ledger import books

Answering = Coroutine[Any, Any, HttpResponseBase]


def has_loop() -> bool:
    """Whether this thread runs an event loop, on which nothing may block."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def answered(answering: Answering) -> HttpResponseBase:
    """What the coroutine of a view answers; a stream goes on while it is read, in the thread that reads it."""
    desk = Desk()
    told: Any = desk.events(_all(answering, desk))
    response: HttpResponseBase = next(told)
    if not isinstance(response, StreamedAnswer):
        for _ in told:
            raise AssertionError("an answer that is whole has no pieces")
        return response
    return StreamingHttpResponse(Pieces(told), headers=response.headers)


class Pieces:
    """What is left of a stream. Whoever serves it closes it: a reader who leaves stops the provider."""

    def __init__(self, told: Generator[bytes, None, None]) -> None:
        self._told = told

    def __iter__(self) -> Iterator[bytes]:
        return self._told

    def close(self) -> None:
        self._told.close()


async def _all(answering: Answering, desk: Desk) -> AsyncGenerator[Any, None]:
    """The answer, and then the pieces of its body, if it comes in pieces: all in one task."""
    await desk.hand_over()
    books.chosen.set(desk)
    response = await answering
    try:
        yield response
        if isinstance(response, StreamedAnswer):
            async for piece in response:
                yield piece
    finally:
        if isinstance(response, StreamedAnswer):
            await response.aclose()
