"""An answer as it comes: events of the chain in, bytes of a protocol out."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from llm.chain import ChainExhausted, Completed, Event, Reply
from llm.failures.kinds import Kind
from llm.gateway import errors
from llm.gateway.errors import ApiError
from llm.gateway.protocols.base import Writer

log = logging.getLogger(__name__)


@dataclass
class Stream:
    """Runs the chain up to the first text before anything is sent, so that a failure until then has its status.

    keep: called with each whole reply before it is told as such.
    Whoever serves it must `aclose` it: a reader who leaves stops the provider, and is accounted.
    """

    events: AsyncGenerator[Event, None]
    writer: Writer
    keep: Callable[[Reply], Awaitable[None]]
    first: bytes = b""

    async def start(self) -> None:
        """Runs the chain until there is something to tell. Raises what the chain raises."""
        async for event in self.events:
            if first := await self._told(event):
                self.first = first
                return

    async def aclose(self) -> None:
        await self.events.aclose()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            yield self.first
            feed = self.writer.feed
            async for event in self.events:
                told = await self._told(event) if isinstance(event, Completed) else feed(event)
                if told:
                    yield told
            yield self.writer.end()
        except Exception as error:
            yield self.writer.error(broken(error))

    async def _told(self, event: Event) -> bytes:
        told = self.writer.feed(event)
        if isinstance(event, Completed):
            await self.keep(event.reply)
        return told


def broken(error: Exception) -> ApiError:
    """What a reader is told of a stream that ends too early."""
    if not isinstance(error, ChainExhausted):
        log.error("a stream broke", exc_info=error)
        return ApiError(500, "The stream broke.", code="internal_error")
    # Half a text cannot be taken back, and nobody else could go on from it.
    broken = [attempt for attempt in error.attempts if attempt["outcome"] == Kind.PROVIDER_DOWN]
    last = (broken or list(error.attempts) or [{"outcome": "unknown"}])[-1]
    told = errors.exhausted(error)
    text = f"The answer broke off ({last['outcome']}): discard it and ask again."
    return ApiError(503, text, code="stream_interrupted", attempts=told.attempts, skipped=told.skipped)
