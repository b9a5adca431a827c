"""An answer as it comes: events of the chain in, bytes of a protocol out."""

import logging
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from llm.chain import CallerLeft, ChainExhausted, Completed, Event, Reply
from llm.failures.kinds import Kind
from llm.gateway import errors
from llm.gateway.errors import ApiError
from llm.gateway.protocols.base import Writer

log = logging.getLogger(__name__)


@dataclass
class Stream:
    """Runs the chain up to the first text before anything is sent, so that a failure until then has its status.

    keep: called with each whole reply before it is told as such.
    Whoever serves it must `close` it: a reader who leaves stops the provider, and is accounted.
    """

    events: Generator[Event, None, None]
    writer: Writer
    keep: Callable[[Reply], None]
    first: bytes = b""

    def start(self) -> None:
        """Runs the chain until there is something to tell. Raises what the chain raises."""
        for event in self.events:
            if first := self._told(event):
                self.first = first
                return

    def close(self) -> None:
        self.events.close()

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield self.first
            for event in self.events:
                if told := self._told(event):
                    yield told
            yield self.writer.end()
        except CallerLeft:
            return
        except Exception as error:
            yield self.writer.error(broken(error))

    def _told(self, event: Event) -> bytes:
        told = self.writer.feed(event)
        if isinstance(event, Completed):
            self.keep(event.reply)
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
