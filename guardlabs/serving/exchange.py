"""One request on a connection and its answer, in the messages of ASGI: what the site says goes out in few writes.

gunicorn's own does the same in a task of its own for each request, which may outlast its answer, and looks at every
header twice. Ours runs in the connection's task: whoever leaves cancels that, and with it what is done for them.
"""

import time
from collections.abc import Mapping
from datetime import timedelta
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any

WHOLE = "guardlabs.whole"  # among the extensions of ASGI's scope: takes an answer that is whole in one call
LEFT = 499  # for the access log: the client has left before it was answered
LARGE = 64 * 1024  # bytes of a body that are not copied to stand behind their head
NO_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
SERVER = b"Server: gunicorn/asgi\r\n"
CLOSE, CHUNKED, END = b"Connection: close\r\n", b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"
# All that a header may hold, and the space and the colon behind its name (RFC 9110, section 5.5).
ALLOWED = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])


class Exchange:
    """`send` takes the site's messages, `whole` all of an answer. After `run`, `status` and `sent` (bytes of the body)
    are for the access log."""

    def __init__(self, connection: Any, request: Any, receiver: Any) -> None:
        self._connection, self._request, self._receiver = connection, request, receiver
        self.status, self.sent = LEFT, 0
        self._head: bytes | None = None  # until something of the body is there
        self._left: int | None = None  # bytes of the body that are still to come, where its length was told
        self._is_chunked = self._has_body = self._is_complete = False
        self._closes = True  # the connection, after this

    async def run(self, scope: Any) -> bool:
        """Lets the site answer; returns whether the connection may serve another request. Logs what the site raises."""
        connection, began = self._connection, time.monotonic()
        scope["extensions"] = {WHOLE: self.whole}
        try:
            await connection.app(scope, self._receiver.receive, self.send)
            if not self._is_complete and not connection.is_closed:
                raise RuntimeError("the answer is not complete")
        except Exception:
            connection.log.exception("the site failed to answer")
            if self.status == LEFT:
                self.status = HTTPStatus.INTERNAL_SERVER_ERROR
                connection.refuse(self.status, "Internal Server Error")
            return False
        finally:
            if connection.log.access_log_enabled:
                took = timedelta(seconds=time.monotonic() - began)
                connection.log.access(self, self._request, connection.environ(self._request), took)
        return self._is_complete and not self._closes and not self._left

    async def send(self, message: Any) -> None:
        """One of ASGI's messages. Whoever has left gets nothing, and nobody hears of it."""
        connection = self._connection
        if connection.is_closed:
            return
        if message["type"] == "http.response.start":
            self._start(message["status"], *_worded(message["status"], message.get("headers", ())))
            return
        if self.status == LEFT or self._is_complete:
            raise RuntimeError(f"not the time for {message['type']}")
        self._write(message.get("body", b""), more=message.get("more_body", False))
        if connection.is_full:
            await connection.drained()

    async def whole(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """What `send` would be told in two messages. headers: all but the length of the body."""
        connection = self._connection
        if connection.is_closed:
            return
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        lines.append(f"Content-Length: {len(body)}\r\n")
        self._start(status, "".join(lines).encode("latin-1"), len(lines), len(body))
        self._write(body, more=False)
        if connection.is_full:
            await connection.drained()

    def _write(self, body: bytes, *, more: bool) -> None:
        connection = self._connection
        if not self._has_body:
            body = b""
        if self._left is not None:
            body = body[: self._left]  # more would be read as the next answer
            self._left -= len(body)
        self.sent += len(body)
        self._is_complete = not more
        if self._is_chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body += END if not more else b""
        if self._head is not None and (body or not more):
            head, self._head = self._head, None
            if len(body) < LARGE:
                body = head + body
            else:
                connection.write(head)
        if body:
            connection.write(body)

    def _start(self, status: int, told: bytes, count: int, length: int | None) -> None:
        """Words the head, which goes out with the first of the body. Raises RuntimeError, and nothing is sent yet.

        told: the lines of the site's headers, of which there are `count`; length: of the body, if they say so.
        """
        if self.status != LEFT:
            raise RuntimeError("the answer has begun before")
        request = self._request
        self._receiver.expect_continue = False
        self._has_body = request.method != "HEAD" and status not in NO_BODY
        self._left = length if self._has_body else None
        self._is_chunked = self._has_body and length is None and request.version >= (1, 1)
        endless = self._has_body and length is None and not self._is_chunked
        self._closes = endless or self._connection.will_close(request)
        if told.translate(None, ALLOWED) != b"\r\n" * count:
            raise RuntimeError("a header of the answer holds a control character")
        ours = (CHUNKED if self._is_chunked else b"", CLOSE if self._closes else b"", b"\r\n")
        first = _status_line(request.version, status)
        self._head = b"".join((first, told, SERVER, _date(int(time.time())), *ours))
        self.status = status


def _worded(status: int, headers: Any) -> tuple[bytes, int, int | None]:
    """ASGI's headers as lines, how many there are, and the length that they say."""
    length: int | None = None
    lines: list[bytes] = []
    for name, value in headers:
        if len(name) == len(b"content-length") and name.lower() == b"content-length":
            if status == HTTPStatus.NO_CONTENT:
                continue
            length = int(value)
        lines += (name, b": ", value, b"\r\n")
    return b"".join(lines), len(lines) // 4, length


@lru_cache(maxsize=64)
def _status_line(version: tuple[int, int], status: int) -> bytes:
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Unknown"
    return b"HTTP/%d.%d %d %b\r\n" % (*version, status, reason.encode())


@lru_cache(maxsize=1)
def _date(seconds: int) -> bytes:
    return b"Date: %b\r\n" % formatdate(seconds, usegmt=True).encode()
