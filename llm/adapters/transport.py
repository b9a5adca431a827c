"""HTTP clients that keep an absolute deadline, and a limit of what they read.

An HTTP library's read timeout measures the gap between two bytes, so a provider that sends a blank
line every second (DeepSeek does) or drips a byte at a time never runs into it. Here every wait of a
socket (resolve, connect, TLS, write, read) is cut to what is left of the deadline that the calling
thread has set with `until()`. What comes back is unpacked here, piece by piece, and no more than MAX_BYTES of it.
"""

import codecs
import json
import math
import socket
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from llm import clock, hosts
from llm.adapters.answers.sse import EventParser

CONNECT_TIMEOUT_S = 5.0
TICK_S = 0.5
MAX_BYTES = 32 * 2**20  # of one answer, unpacked
_PIECE = 64 * 2**10
TOO_LARGE = f"the answer is larger than {MAX_BYTES} bytes"
_thread = threading.local()
_resolver = ThreadPoolExecutor(max_workers=32, thread_name_prefix="resolve")


@contextmanager
def until(end: float) -> Iterator[None]:
    """Within the block no network wait of this thread goes beyond `end` (a `clock.monotonic()`)."""
    before = getattr(_thread, "end", None)
    _thread.end = end
    try:
        yield
    finally:
        _thread.end = before


@contextmanager
def ticking(tick: Callable[[], None]) -> Iterator[None]:
    """Within the block `tick` is called every half second that this thread waits for bytes; it may raise."""
    before = getattr(_thread, "tick", None)
    _thread.tick = tick
    try:
        yield
    finally:
        _thread.tick = before


def _left(timeout: float | None) -> float | None:
    """The library's own timeout, cut to what is left; never zero, which would mean not to block."""
    end: float | None = getattr(_thread, "end", None)
    if end is None:
        return timeout
    left = max(end - clock.monotonic(), 0.001)
    if left == math.inf:
        return timeout
    return left if timeout is None else min(timeout, left)


class _Stream:
    """A network stream of httpcore whose every wait is cut to the deadline."""

    def __init__(self, stream: Any, core: Any) -> None:
        self._stream = stream
        self._core = core

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        tick: Callable[[], None] | None = getattr(_thread, "tick", None)
        left = _left(timeout)
        end = math.inf if left is None else clock.monotonic() + left
        while True:
            if tick is not None:
                tick()
                left = max(min(end - clock.monotonic(), TICK_S), 0.001)
            try:
                data: bytes = self._stream.read(max_bytes, left)
            except self._core.ReadTimeout:
                if tick is None or clock.monotonic() >= end:
                    raise
            else:
                return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> Any:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)), self._core)

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
                return self._connect(address, port, timeout, **options)
            except self._core.ConnectError:
                continue
        return self._connect(last, port, timeout, **options)

    def _connect(self, address: str, port: int, timeout: float | None, **options: Any) -> _Stream:
        stream = self._backend.connect_tcp(address, port, timeout=_left(timeout), **options)
        return _Stream(stream, self._core)

    def connect_unix_socket(self, path: str, timeout: float | None = None, **options: Any) -> _Stream:
        stream = self._backend.connect_unix_socket(path, timeout=_left(timeout), **options)
        return _Stream(stream, self._core)

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


def client(library: Any, core: Any, *, clean_events: bool = False) -> Any:
    """An HTTP client of `library` (httpx or httpx2, whose network layer is `core`) that keeps deadlines.

    clean_events: streams of events are made such as a strict reader takes, see `cleaned`.
    Connections are kept and shared by threads; their number is not limited here, threads are.
    """

    class Body(library.SyncByteStream):  # type: ignore[misc]
        """An answer's body as it was packed, no longer than it may be."""

        def __init__(self, stream: Any, headers: Any) -> None:
            self._stream, self._encoding = stream, headers.pop("content-encoding", "")
            self._clean = clean_events and "event-stream" in headers.get("content-type", "")

        def __iter__(self) -> Iterator[bytes]:
            yield from cleaned(self._bounded()) if self._clean else self._bounded()

        def _bounded(self) -> Iterator[bytes]:
            size = 0
            try:
                for piece in unpacked(self._stream, self._encoding):
                    piece = piece if size else piece.removeprefix(codecs.BOM_UTF8)
                    if (size := size + len(piece)) > MAX_BYTES:
                        raise library.ReadError(TOO_LARGE)
                    yield piece
            except (zlib.error, ValueError) as error:
                raise library.DecodingError(str(error)) from None

        def close(self) -> None:
            self._stream.close()

    class Transport(library.HTTPTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            response = super().handle_request(request)
            response.stream = Body(response.stream, response.headers)
            return response

    limits = library.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=60)
    transport = Transport(limits=limits)
    # httpx has no argument for the backend; tests/test_deadline.py fails if this place moves.
    transport._pool._network_backend = _Backend(transport._pool._network_backend, core)
    return library.Client(
        transport=transport,
        timeout=library.Timeout(None, connect=CONNECT_TIMEOUT_S),
        follow_redirects=False,
        headers={"Accept-Encoding": "gzip, deflate"},
    )


def cleaned(received: Iterable[bytes]) -> Iterator[bytes]:
    """A stream of events with one JSON object each, and nothing else; `lost_events` counts what was broken."""
    events = EventParser()
    _thread.lost = 0
    for data in received:
        yield from map(_event, events.feed(data))
        _thread.lost = events.malformed
    yield from map(_event, events.end())


def lost_events() -> int:
    """Malformed events of the latest stream that this thread has read through `cleaned`."""
    return getattr(_thread, "lost", 0)


def _event(value: Any) -> bytes:
    return f"data: {json.dumps(value)}\r\n\r\n".encode()


def is_too_large(error: BaseException) -> bool:
    """Whether an exception of one of these clients says that an answer had no end."""
    return str(error) == TOO_LARGE


def unpacked(packed: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The bytes of a body, in pieces of bounded size. Raises ValueError for an encoding that nobody asked for."""
    names = [name for part in encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    if not names:
        yield from packed
        return
    if len(names) > 1 or names[0] not in ("gzip", "x-gzip", "deflate"):
        raise ValueError(f"unknown content encoding {encoding[:40]}")
    unpacking, begun = zlib.decompressobj(zlib.MAX_WBITS | 32), False
    for data in packed:
        if not begun and data and names[0] == "deflate" and data[0] & 0x0F != 8:  # without zlib's header
            unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
        begun = begun or bool(data)
        while data:
            if piece := unpacking.decompress(data, _PIECE):
                yield piece
            data = unpacking.unconsumed_tail
            if unpacking.eof:
                rest, unpacking = unpacking.unused_data, zlib.decompressobj(zlib.MAX_WBITS | 32)
                data = rest if rest.startswith(b"\x1f\x8b") else b""  # another member, or padding
    if rest := unpacking.flush():
        yield rest
