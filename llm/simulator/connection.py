"""One client connection: HTTP/1.1 by hand, because it is fast and can misbehave in every way a test needs."""

import select
import socket
import struct
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

MAX_HEAD = 64 * 1024
MAX_BODY = 32 * 1024 * 1024
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Gone(Exception):
    """The connection is over: the client left, the simulator closes, or a behaviour ended it."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request as it came; header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """Reads requests and writes answers on one socket. Every method raises Gone when there is no point."""

    def __init__(self, sock: socket.socket, closing: threading.Event) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._closing = closing
        self._buffer = b""

    # -- reading -------------------------------------------------------------------------------------

    def read_request(self) -> HttpRequest:
        """Waits for the next request."""
        head = self._read_head()
        start, *lines = head.decode("latin-1").split("\r\n")
        try:
            method, target, _version = start.split(" ")
        except ValueError:
            raise Gone from None
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("expect", "").lower() == "100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        path, _, query = target.partition("?")
        return HttpRequest(method, path, query, headers, self._read_body(headers))

    def _read_head(self) -> bytes:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD:
                raise Gone
            self._fill()
        head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
        return head

    def _read_body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int(self._take_line(), 16):
                body += self._take(size)
                self._take(2)
            while self._take_line():
                pass  # trailers
            return body
        return self._take(int(headers.get("content-length") or 0))

    def _take_line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._fill()
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line

    def _take(self, size: int) -> bytes:
        if size > MAX_BODY:
            raise Gone
        while len(self._buffer) < size:
            self._fill()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _fill(self) -> None:
        try:
            data = self._sock.recv(256 * 1024)
        except OSError:
            data = b""
        if not data or self._closing.is_set():
            raise Gone
        self._buffer += data

    # -- writing -------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Sends bytes as they are, in one piece."""
        try:
            self._sock.sendall(data)
        except OSError:
            raise Gone from None

    def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """A whole answer in one write. A content-length among the headers replaces the true one."""
        self.write(head(status, {"content-length": str(len(body)), **headers}) + body)

    def send_chunked(self, headers: Mapping[str, str], events: Iterable[bytes]) -> None:
        """The same in chunks, an event each."""
        chunks = b"".join(map(chunk, events))
        self.write(head(200, {**headers, "transfer-encoding": "chunked"}) + chunks + b"0\r\n\r\n")

    def start_chunked(self, headers: Mapping[str, str], *events: bytes) -> None:
        """Status 200 and the first events of an answer whose length is not known."""
        self.write(head(200, {**headers, "transfer-encoding": "chunked"}) + b"".join(map(chunk, events)))

    def write_chunks(self, *events: bytes) -> None:
        """More of such an answer, in one write."""
        self.write(b"".join(map(chunk, events)))

    def end_chunked(self, *events: bytes) -> None:
        """The rest of such an answer and its end."""
        self.write(b"".join(map(chunk, events)) + b"0\r\n\r\n")

    # -- waiting and leaving -------------------------------------------------------------------------

    def wait(self, seconds: float | None = None) -> None:
        """Does nothing for some seconds (None: for ever), unless the client leaves or all is closed."""
        end = None if seconds is None else time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        while not self._closing.is_set():
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return
            if poll.poll(None if left is None else left * 1000):
                self._fill()  # an early next request is kept, an end raises Gone
        raise Gone

    def reset(self) -> None:
        """Ends the connection with RST."""
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        finally:
            self.close()

    def close(self) -> None:
        """Ends the connection; from another thread, it wakes the one that serves it."""
        self._sock.close()

    def shut(self) -> None:
        """Wakes the thread that serves this connection: its reads and waits raise Gone."""
        with suppress(OSError):  # it may be closed already
            self._sock.shutdown(socket.SHUT_RDWR)


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """The head of an answer, with its blank line."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes) -> bytes:
    """One chunk of the chunked transfer coding."""
    return b"%x\r\n%b\r\n" % (len(data), data)
