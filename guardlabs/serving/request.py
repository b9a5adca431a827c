"""A request as it comes from an ASGI server: its body is read when somebody asks for it, and never without a limit."""

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIRequest

Receive = Callable[[], Awaitable[Any]]


class Gone(BaseException):
    """The client left before its request was whole. No Exception, so that no view takes it for a failure of ours."""


class Request(ASGIRequest):
    """Django's, with a body that is still to come: `fill` reads it into memory."""

    def __init__(self, scope: Any, receive: Receive) -> None:
        self._receive = receive
        self.filled: bytes | None = None  # what `fill` has read
        super().__init__(scope, BytesIO())

    async def fill(self, most: int) -> None:
        """Reads the body, `most` bytes of it and one more for whoever judges its size. Raises Gone.

        How long that may take is the connection's affair (serving/connection.py).
        """
        if self.filled is not None:
            return
        pieces: list[bytes] = []
        size, more = 0, True
        while more and size <= most:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            more = message.get("more_body", False)
        if "HTTP_TRANSFER_ENCODING" in self.META:  # sent in chunks, without its length
            self.META["CONTENT_LENGTH"] = str(size)
        self.filled = b"".join(pieces)  # which copies nothing of a single one
        self._stream = BytesIO(self.filled)
