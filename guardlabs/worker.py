"""gunicorn's threaded worker, with patience that ends.

As it comes, it waits for the rest of a request without limit, so that as many connections as there are threads,
each sending half a line, keep everybody else out. Here a request's head must be complete within HEAD_S seconds and
its body be read within BODY_S; then the connection is shut. A buffering proxy in front does the same earlier and
for more connections (see deploy/); this is for who runs without one, and for the day it is misconfigured.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import get_ident
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

HEAD_S = 15.0
BODY_S = 60.0  # the gateway takes 8 MiB


class Worker(ThreadWorker):
    def init_process(self) -> None:
        self.waiting: dict[
            int, tuple[socket.socket, float]
        ] = {}  # thread: whose bytes it waits for, until when
        super().init_process()

    def handle(self, conn: Any) -> Any:
        with self.patience(conn.sock, HEAD_S):
            return super().handle(conn)

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
        for sock, until in list(self.waiting.values()):
            if until < now:
                with suppress(OSError):  # gone by itself
                    sock.shutdown(socket.SHUT_RDWR)  # wakes the thread, which sees the end of the stream


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
