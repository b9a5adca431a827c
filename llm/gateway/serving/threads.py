"""The gateway under a server without an event loop: each request keeps its thread, which does its database work."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Generator, Iterator
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse

from llm.chain.sync import Desk
from llm.gateway.serving.answers import Answer, as_response
from llm.gateway.serving.streaming import Stream
from llm.ledger import books

Answering = Coroutine[Any, Any, Answer | HttpResponseBase]


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
    answer = next(told)
    if _stream_of(answer) is not None:
        return StreamingHttpResponse(Pieces(told), headers=answer.headers)
    for _ in told:
        raise AssertionError("an answer that is whole has no pieces")
    return as_response(answer)


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
    answer = await answering
    stream = _stream_of(answer)
    try:
        yield answer
        if stream is not None:
            async for piece in stream:
                yield piece
    finally:
        if stream is not None:
            await stream.aclose()


def _stream_of(answer: Answer | HttpResponseBase) -> Stream | None:
    return answer.body if isinstance(answer, Answer) and isinstance(answer.body, Stream) else None
