"""Requests as a provider's own client makes them, each made once and sent again with other bodies.

An SDK takes several times as long to build a request, and to wrap its answer, as aiohttp to send it, though all but the
body is the same in every call. So each SDK makes a request of every kind once, for nobody (`transport.unsent`), and its
address and headers are kept.
"""

from collections.abc import AsyncIterator, Awaitable
from functools import lru_cache
from types import ModuleType
from typing import Any

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from llm.adapters import transport


class Prepared:
    """A request without its body. `library`: httpx or httpx2, whose request it was and whose errors are raised."""

    def __init__(self, library: ModuleType, request: Any) -> None:
        self.request = request
        self._library = library
        self._url = URL(str(request.url), encoded=True)
        self._headers = CIMultiDict(transport.pairs(request.headers.raw))

    def post(self, body: bytes) -> Awaitable[aiohttp.ClientResponse]:
        """What comes back, its body unread. Raises the library's errors."""
        return transport.send(self._library, "POST", self._url, self._headers, body)


class Received:
    """An answer: its status now, its body as it comes. Whoever has one reads it to its end, or closes it."""

    def __init__(self, library: ModuleType, answer: aiohttp.ClientResponse) -> None:
        self._library, self._answer = library, answer
        self.status = answer.status
        self.content_type = answer.headers.get("content-type", "")

    @property
    def headers(self) -> dict[str, str]:
        """By their names in lower case; of those that come twice, both values."""
        found: dict[str, str] = {}
        for raw_name, raw_value in self._answer.raw_headers:
            name, value = _name(raw_name), raw_value.decode("utf-8", "replace")
            found[name] = f"{found[name]}, {value}" if name in found else value
        return found

    def pieces(self) -> AsyncIterator[bytes]:
        """The body, unpacked and no longer than it may be. Raises the library's errors."""
        return transport.unpacked(self._library, self._answer)

    async def text(self) -> str:
        """The whole body as text: UTF-8, unless its type names another encoding."""
        try:
            body = await transport.whole(self._library, self._answer)
        except BaseException:
            self.close()
            raise
        charset = self._answer.charset if "=" in self.content_type else None
        try:
            return body.decode(charset or "utf-8", "replace")
        except LookupError:  # an encoding that nobody knows
            return body.decode("utf-8", "replace")

    def close(self) -> None:
        """Ends the connection, unless the answer was read to its end."""
        self._answer.close()


@lru_cache(1024)
def _name(raw: bytes) -> str:
    """A header's name in lower case; a provider sends the same ones each time."""
    return raw.decode("latin-1").lower()
