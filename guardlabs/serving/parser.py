"""gunicorn's parser of HTTP/1.1, which reads the usual head at once instead of byte by byte.

What is not usual (a line that is none, a limit that is passed, a head that comes in pieces) is left to gunicorn's own
code, which says what is wrong with it.
"""

import re
from typing import Any

from gunicorn.asgi.parser import PythonProtocol

END = b"\r\n\r\n"
# Lines of a name and a value, each of the bytes that it may hold (RFC 9110, sections 5.1 and 5.5).
USUAL = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)+")

_Parser: Any = PythonProtocol  # which has no types


class Parser(_Parser):  # type: ignore[misc]
    """One for a connection."""

    _header_count: int
    _scan_from: int

    @property
    def ahead(self) -> int:
        """Bytes behind a whole request, which are the next one's."""
        return len(self._buffer) if self.is_complete else 0

    def _parse_headers(self) -> bool:
        end = self._buffer.find(END)
        head = bytes(self._buffer[: end + 2])
        lines = head.split(b"\r\n")
        lines.pop()
        if (
            end <= 0
            or self._header_count
            or len(head) > self._limit_request_field_size
            or len(lines) > self._limit_request_fields
            or not USUAL.fullmatch(head)
        ):
            return bool(super()._parse_headers())
        for line in lines:
            name, _, value = line.partition(b":")
            self._headers_list.append((name.lower(), value.strip(b" \t")))
        del self._buffer[: end + len(END)]
        self._header_count, self._scan_from = len(lines), 0
        self._finalize_headers()
        return True
