"""A request as it comes from an ASGI server: its body is read when somebody asks for it, and never without a limit."""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIRequest

from llm.conf import conf

Receive = Callable[[], Awaitable[Any]]


class Gone(BaseException):
    """The client left before its request was whole. No Exception, so that no view takes it for a failure of ours."""


class Request(ASGIRequest):
    """Django's, with a body that is still to come: `fill` reads it into memory."""

    def __init__(self, scope: Any, receive: Receive) -> None:
        """The same as Django's own, which words each header's name anew. Raises UnicodeDecodeError."""
        self.scope = scope
        self._receive, self._stream = receive, BytesIO()
        self.filled: bytes | None = None  # what `fill` has read
        self._post_parse_error = self._read_started = False
        self.resolver_match = None
        self.method = scope["method"].upper()
        self.path = scope["path"]
        self.script_name = conf.FORCE_SCRIPT_NAME or scope.get("root_path") or ""
        self.path_info = self.path.removeprefix(self.script_name)
        address, port = scope.get("server") or ("unknown", 0)
        self.META = meta = {
            "REQUEST_METHOD": self.method,
            "QUERY_STRING": scope.get("query_string", b"").decode(),
            "SCRIPT_NAME": self.script_name,
            "PATH_INFO": self.path_info,
            "SERVER_NAME": address,
            "SERVER_PORT": str(port),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
        }
        if scope.get("client"):
            meta["REMOTE_ADDR"], meta["REMOTE_PORT"] = scope["client"][:2]
            meta["REMOTE_HOST"] = meta["REMOTE_ADDR"]
        for raw, value in scope.get("headers", ()):
            if name := _name(raw):
                told = value.decode("latin-1")
                meta[name] = f"{meta[name]},{told}" if name in meta else told
        self._set_content_type_params(meta)  # type: ignore[attr-defined]

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


@lru_cache(maxsize=256)
def _name(raw: bytes) -> str:
    """What META calls a header; empty for one with `_`, which would pass for another one's `-`."""
    name = raw.decode("latin-1").upper()
    if "_" in name:
        return ""
    name = name.replace("-", "_")
    return name if name in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{name}"
