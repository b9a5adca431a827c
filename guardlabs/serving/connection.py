"""One HTTP connection of gunicorn's ASGI worker, with time limits on slow senders and slow readers.

Out of the box, gunicorn waits without limit for the rest of a request's head and for a reader who takes nothing of an
answer. Here a head must be complete within HEAD_S seconds of its first byte (or of the connection), a body within
BODY_S of its head, and an answer that waits to be read must go on at LEAST_BYTES_A_S, looked at every WRITE_S; then
the connection is shut. A buffering proxy in front does the same earlier (see deploy/); this is for who runs without
one, and for the day it is misconfigured.
"""

import fcntl
import struct
import sys
import termios
import time
from collections.abc import Coroutine
from typing import Any

from gunicorn.asgi.protocol import ASGIProtocol

from guardlabs.serving.exchange import Exchange
from guardlabs.serving.parser import Parser

HEAD_S = 15.0
SILENT_S = 1.0  # without a byte since it was opened: nothing is on its way
BODY_S = 60.0  # the gateway takes 8 MiB
WRITE_S = 20.0
LEAST_BYTES_A_S = 1_000  # a tenth of the slowest modem; a live report's pauses do not count
BYTES_ACKED = slice(120, 128)  # tcpi_bytes_acked of Linux's struct tcp_info
TCP_INFO, TCP_INFO_SIZE, IPPROTO_TCP = 11, 256, 6


_Protocol: Any = ASGIProtocol  # whose stubs know no more than asyncio's


class Connection(_Protocol):  # type: ignore[misc]
    """Knows since when it waits for what; the worker asks `is_stuck` about once a second."""

    def connection_made(self, transport: Any) -> None:
        self.head_since: float | None = time.monotonic()
        self.is_silent = True
        self.body_since: float | None = None
        self.kept_since: float | None = None
        self.reader_watch: Reader | None = None
        self.worker.connections.add(self)
        super().connection_made(transport)
        if len(self.worker.connections) > self.worker.worker_connections:
            self._send_error_response(503, "Too many connections")
            self._close_transport()

    def connection_lost(self, exc: Exception | None) -> None:
        self.worker.connections.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.is_silent = False
        if self._awaiting_request and self.head_since is None:
            self.head_since, self.kept_since = time.monotonic(), None
        try:
            super().data_received(data)
        except ValueError:  # a length of thousands of digits, which Python reads no number from
            self._send_error_response(400, "Invalid Content-Length value")
            self._close_transport()

    def _on_headers_complete(self) -> Any:
        self.head_since, self.body_since = None, time.monotonic()
        return super()._on_headers_complete()

    def _on_message_complete(self) -> None:
        self.body_since = None
        super()._on_message_complete()

    def _arm_keepalive_timer(self) -> None:
        """Whoever asks `is_stuck` ends it in time: no timer is set and cancelled for each request."""
        self.kept_since = time.monotonic()

    def _cancel_keepalive_timer(self) -> None:
        self.kept_since = None

    def _setup_callback_parser(self) -> None:
        cfg = self.cfg
        if cfg.proxy_protocol != "off":
            super()._setup_callback_parser()
            return
        self._callback_parser = Parser(
            on_headers_complete=self._on_headers_complete,
            on_body=self._on_body,
            on_message_complete=self._on_message_complete,
            limit_request_line=cfg.limit_request_line,
            limit_request_fields=cfg.limit_request_fields,
            limit_request_field_size=cfg.limit_request_field_size,
            permit_unconventional_http_method=cfg.permit_unconventional_http_method,
            permit_unconventional_http_version=cfg.permit_unconventional_http_version,
        )

    def _http1_buffered(self) -> int:
        """Bytes that wait for the site, and for the next request's turn: above 256 KB no more are read."""
        receiver, parser = self._body_receiver, self._callback_parser
        return (receiver.buffered if receiver else 0) + getattr(parser, "ahead", 0)

    def _serve_http_request(self, request: Any, sockname: Any, peername: Any) -> Coroutine[Any, Any, bool]:
        scope = self._build_http_scope(request, sockname, peername)
        return Exchange(self, request, self._body_receiver).run(scope)

    # -- for the exchange ----------------------------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        return bool(self._closed)

    @property
    def is_full(self) -> bool:
        """Whether so much waits to be read that no more should be written."""
        return bool(self._flow_control.write_paused)

    async def drained(self) -> None:
        await self._flow_control.drain()

    write = _Protocol._safe_write

    def refuse(self, status: int, why: str) -> None:
        """Answers in plain text, in place of the site."""
        self._send_error_response(status, why)

    def will_close(self, request: Any) -> bool:
        """Whether this request is the connection's last."""
        return bool(self._will_close(request, False))

    def environ(self, request: Any) -> dict[str, str]:
        """What the access log names (guardlabs/gunicorn.py), and none of the headers."""
        major, minor = request.version
        return {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.path,
            "SERVER_PROTOCOL": f"HTTP/{major}.{minor}",
        }

    @property
    def is_idle(self) -> bool:
        """Whether nothing of a request is here: it may be shut without harm. Browsers open some that they never use."""
        if self.is_silent and self.head_since is not None:
            return time.monotonic() - self.head_since > SILENT_S
        return bool(self._awaiting_request) and self.head_since is None

    def is_stuck(self, now: float) -> bool:
        """Whether the other side has taken too long over a head, a body, an answer or its next request.

        now: time.monotonic()
        """
        if self.head_since is not None:
            return now - self.head_since > HEAD_S
        if self.body_since is not None and now - self.body_since > BODY_S:
            return True
        if self.kept_since is not None:
            return bool(now - self.kept_since > self._keepalive)
        if self._awaiting_request:
            return False
        if self.reader_watch is None:
            self.reader_watch = Reader(self.transport, now)
        return self.reader_watch.is_stuck(now)

    def shut(self) -> None:
        """Ends the connection at once. Whatever answers it is cancelled."""
        if self.transport is not None:
            self.transport.abort()


class Reader:
    """Whoever is at the other end of a connection, as the kernel sees how they take what was written to them."""

    def __init__(self, transport: Any, now: float) -> None:
        self._transport = transport
        self._since, self._acked = now, 0

    def is_stuck(self, now: float) -> bool:
        """Whether bytes wait to be read, and have been taken too slowly for WRITE_S."""
        if now - self._since < WRITE_S:
            return False
        sock = self._transport.get_extra_info("socket")
        try:
            unread = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]
            information = sock.getsockopt(IPPROTO_TCP, TCP_INFO, TCP_INFO_SIZE)
        except (OSError, AttributeError):  # gone, or a UNIX socket, behind which is a proxy of ours
            return False
        acked = int.from_bytes(information[BYTES_ACKED], sys.byteorder)
        stuck = bool(unread) and acked - self._acked < LEAST_BYTES_A_S * (now - self._since)
        self._since, self._acked = now, acked
        return stuck
