"""gunicorn's threaded worker, with patience that ends.

As it comes, it waits for the rest of a request without limit, so that as many connections as there are threads,
each sending half a line, keep everybody else out. Here a request's head must be complete within HEAD_S seconds and
its body be read within BODY_S, and an answer that waits to be read must go on at LEAST_BYTES_A_S, looked at every
WRITE_S; then the connection is shut. A buffering proxy in front does the same earlier and
for more connections (see deploy/); this is for who runs without one, and for the day it is misconfigured.
"""

import fcntl
import socket
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import get_ident
from typing import Any, ClassVar

from gunicorn.workers.gthread import ThreadWorker

HEAD_S = 15.0
BODY_S = 60.0  # the gateway takes 8 MiB
WRITE_S = 20.0
LEAST_BYTES_A_S = (
    1_000  # a tenth of the slowest modem; what needs no reading (a live report's pauses) does not count
)
BYTES_ACKED = slice(120, 128)  # tcpi_bytes_acked of Linux's struct tcp_info


class Worker(ThreadWorker):
    answering: "ClassVar[dict[int, Reader]]" = {}  # thread: who reads what it writes; a process has one worker

    def init_process(self) -> None:
        self.waiting: dict[
            int, tuple[socket.socket, float]
        ] = {}  # thread: whose bytes it waits for, until when
        super().init_process()

    def handle(self, conn: Any) -> Any:
        self.answering[get_ident()] = Reader(conn.sock)
        try:
            with self.patience(conn.sock, HEAD_S):
                return super().handle(conn)
        finally:
            self.answering.pop(get_ident(), None)

    def head_is_read(self, request: Any) -> None:
        """From here on only the body is waited for, and only while it is read."""
        sock, _until = self.waiting.pop(get_ident(), (None, 0.0))
        if sock is not None and request.body is not None:
            request.body = _Body(request.body, self, sock)

    @contextmanager
    def patience(self, sock: socket.socket, seconds: float) -> Iterator[None]:
        self.waiting[get_ident()] = (sock, time.monotonic() + seconds)
        try:
            yield
        finally:
            self.waiting.pop(get_ident(), None)

    def murder_keepalived(self, *force: Any, **more: Any) -> None:
        """Called by the worker's loop about once a second; also ends what takes too long."""
        super().murder_keepalived(*force, **more)
        now = time.monotonic()
        stuck = [sock for sock, until in list(self.waiting.values()) if until < now]
        stuck += [reader.sock for reader in list(self.answering.values()) if reader.is_stuck(now)]
        for sock in stuck:
            with suppress(OSError):  # gone by itself
                sock.shutdown(socket.SHUT_RDWR)  # wakes the thread, which sees the end of the stream


class Reader:
    """Whoever is at the other end of a connection, as the kernel sees how they take what was written to them."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._since, self._acked = time.monotonic(), 0

    def is_stuck(self, now: float) -> bool:
        """Whether bytes wait to be read, and have been taken too slowly for WRITE_S."""
        try:
            unread = struct.unpack("i", fcntl.ioctl(self.sock, termios.TIOCOUTQ, b"\0" * 4))[0]
            information = self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        except OSError:  # gone, or a UNIX socket, behind which is a proxy of ours
            return False
        acked = int.from_bytes(information[BYTES_ACKED], sys.byteorder)
        if unread and now - self._since < WRITE_S:
            return False
        stuck = bool(unread) and acked - self._acked < LEAST_BYTES_A_S * (now - self._since)
        self._since, self._acked = now, acked
        return stuck


class _Body:
    """The body of one request; all reads of it together may take BODY_S."""

    def __init__(self, body: Any, worker: Worker, sock: socket.socket) -> None:
        self._body, self._worker, self._sock = body, worker, sock
        self._left = BODY_S

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    def read(self, *size: Any) -> Any:
        return self._timed(self._body.read, *size)

    def readline(self, *size: Any) -> Any:
        return self._timed(self._body.readline, *size)

    def _timed(self, read: Any, *size: Any) -> Any:
        began = time.monotonic()
        try:
            with self._worker.patience(self._sock, self._left):
                return read(*size)
        finally:
            self._left -= time.monotonic() - began
