"""gunicorn's parser of HTTP/1.1, which reads a usual request at once instead of byte by byte.

What is not usual (a line that is none, a limit that is passed, a head that comes in pieces) is left to gunicorn's own
code, which says what is wrong with it.
"""

import re
from typing import Any

from gunicorn.asgi.parser import PythonProtocol

# A request line, and lines of a name and a value, each of the bytes that it may hold (RFC 9110, sections 5.1 and 5.5;
# RFC 9112, section 3).
USUAL = re.compile(
    rb"([A-Z]{3,20}) (/[\x21-\x7e]*) HTTP/1\.1\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)+)\r\n"
)

_Parser: Any = PythonProtocol  # which has no types


class Parser(_Parser):  # type: ignore[misc]
    """One for a connection."""

    is_complete: bool
    _body_remaining: int
    _header_count: int
    _state: str

    @property
    def ahead(self) -> int:
        """Bytes behind a whole request, which are the next one's."""
        return len(self._buffer) if self.is_complete else 0

    def feed(self, data: bytes) -> None:
        if self._state == "request_line" and not self._buffer and (head := USUAL.match(data)):
            data = self._read(head, data)
        if data:
            super().feed(data)

    def _read(self, head: re.Match[bytes], data: bytes) -> bytes:
        """Reads a usual head, and its body if that is all that follows. Returns what is still to be read."""
        method, target, told = head.groups()
        lines = told.split(b"\r\n")
        lines.pop()
        if (
            head.start(3) - len(b"\r\n") > self._limit_request_line
            or len(lines) > self._limit_request_fields
            or len(told) > self._limit_request_field_size  # which is the limit of each
        ):
            return data
        self.method, self.path, self.http_version = method, target, (1, 1)
        for line in lines:
            name, _, value = line.partition(b":")
            self._headers_list.append((name.lower(), value.strip(b" \t")))
        self._header_count = len(lines)
        self._finalize_headers()
        data = data[head.end() :]
        if self._state == "body" and len(data) == self._body_remaining:
            self._state, self.is_complete, self._body_remaining = "complete", True, 0
            if self._on_body:
                self._on_body(data)
            if self._on_message_complete:
                self._on_message_complete()
            return b""
        return data
