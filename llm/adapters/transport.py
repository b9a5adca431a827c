"""HTTP clients that keep an absolute deadline.

An HTTP library's read timeout measures the gap between two bytes, so a provider that sends a blank
line every second (DeepSeek does) or drips a byte at a time never runs into it. Here every wait of a
socket (resolve, connect, TLS, write, read) is cut to what is left of the deadline that the calling
thread has set with `until()`.
"""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from llm import hosts

CONNECT_TIMEOUT_S = 5.0
_thread = threading.local()
_resolver = ThreadPoolExecutor(max_workers=32, thread_name_prefix="resolve")


@contextmanager
def until(end: float) -> Iterator[None]:
    """Within the block no network wait of this thread goes beyond `end` (a `time.monotonic()`)."""
    before = getattr(_thread, "end", None)
    _thread.end = end
    try:
        yield
    finally:
        _thread.end = before


def _left(timeout: float | None) -> float | None:
    """The library's own timeout, cut to what is left; never zero, which would mean not to block."""
    end: float | None = getattr(_thread, "end", None)
    if end is None:
        return timeout
    left = max(end - time.monotonic(), 0.001)
    return left if timeout is None else min(timeout, left)


class _Stream:
    """A network stream of httpcore whose every wait is cut to the deadline."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = self._stream.read(max_bytes, _left(timeout))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> Any:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend:
    """The network backend of httpcore with a deadline, also on name resolution."""

    def __init__(self, backend: Any, core: Any) -> None:
        self._backend = backend
        self._core = core

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> _Stream:
        *others, last = self._resolve(host, port, _left(timeout))
        for address in others:  # such as IPv6 on a machine that has no way to it
            try:
                return _Stream(self._backend.connect_tcp(address, port, timeout=_left(timeout), **options))
            except self._core.ConnectError:
                continue
        return _Stream(self._backend.connect_tcp(last, port, timeout=_left(timeout), **options))

    def connect_unix_socket(self, path: str, timeout: float | None = None, **options: Any) -> _Stream:
        return _Stream(self._backend.connect_unix_socket(path, timeout=_left(timeout), **options))

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)

    def _resolve(self, host: str, port: int, timeout: float | None) -> list[str]:
        """The host's addresses that may be connected to, as the system orders them.

        They, and never the name again, are what is connected to: a name that resolves to another address a
        moment later leads nowhere else. The system's resolver knows no timeout, so it runs beside us and we
        stop waiting for it.
        """
        future = _resolver.submit(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
        try:
            found = [str(each[4][0]) for each in future.result(timeout)]
        except TimeoutError:
            future.cancel()
            raise self._core.ConnectTimeout(f"resolving {host} took too long") from None
        except (OSError, ValueError) as error:
            raise self._core.ConnectError(str(error)) from error
        allowed = [address for address in found if hosts.may_connect(host, port, address)]
        if not allowed:
            raise self._core.ConnectError(
                f"{host} is at a private address, and LLM_ALLOW_PRIVATE_HOSTS does not allow it"
            )
        return allowed


def client(library: Any, core: Any) -> Any:
    """An HTTP client of `library` (httpx or httpx2, whose network layer is `core`) that keeps deadlines.

    Connections are kept and shared by threads; their number is not limited here, threads are.
    """
    limits = library.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=60)
    transport = library.HTTPTransport(limits=limits)
    # httpx has no argument for the backend; tests/test_deadline.py fails if this place moves.
    transport._pool._network_backend = _Backend(transport._pool._network_backend, core)
    return library.Client(
        transport=transport,
        timeout=library.Timeout(None, connect=CONNECT_TIMEOUT_S),
        follow_redirects=False,
    )
