"""The network layer that is put beneath the providers' own clients, at the place that httpx has for it.

An HTTP library's read timeout measures the gap between two bytes, so a provider that sends a blank line every second
(DeepSeek does) or drips a byte at a time never runs into it. So nobody below counts time: whoever waits does so
`until` a moment. What comes back is unpacked here, piece by piece, and no more than MAX_BYTES of it.

The transports that the libraries bring for aiohttp build sessions of their own, and call a server that hung up a
timeout, https://github.com/karpetrosyan/httpx-aiohttp.
"""

import asyncio
import codecs
import io
import json
import math
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from llm import clock
from llm.adapters import session
from llm.adapters.answers.sse import EventParser

MAX_BYTES = 32 * 2**20  # of one answer, unpacked
_PIECE = 64 * 2**10
_AT_ONCE = 2**20  # bytes that are sent or unpacked before others have their turn
TOO_LARGE = f"the answer is larger than {MAX_BYTES} bytes"


def until(
    end: float, longer: Callable[[], float] | None = None
) -> AbstractAsyncContextManager[object, bool | None]:
    """Within the block (`async with`) no wait lasts beyond `end`, a `clock.monotonic()`. Raises TimeoutError.

    longer: asked once `end` has come: until when it may last indeed
    """
    seconds = None if end == math.inf else max(end - clock.monotonic(), 0)
    return asyncio.timeout(seconds) if longer is None or seconds is None else _Until(seconds, longer)


class _Until:
    """A timeout that asks, when it has come, how much longer it may last."""

    def __init__(self, seconds: float, longer: Callable[[], float]) -> None:
        self._timeout = asyncio.timeout(None)
        self._seconds, self._longer = seconds, longer

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        self._asking = asyncio.get_running_loop().call_later(self._seconds, self._ask)

    async def __aexit__(self, *error: Any) -> None:
        self._asking.cancel()
        await self._timeout.__aexit__(*error)

    def _ask(self) -> None:
        left = 0.0
        try:
            left = max(self._longer() - clock.monotonic(), 0)
        finally:
            self._timeout.reschedule(asyncio.get_running_loop().time() + left)


class Exchange:
    """One request and its answer, for those whose client hides them. `lost`: broken events of the stream."""

    def __init__(self) -> None:
        self.lost = 0
        self._answer: aiohttp.ClientResponse | None = None

    def begin(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    def close(self) -> None:
        """Ends the connection, unless the answer was read to its end."""
        if self._answer is not None:
            self._answer.close()


exchange: ContextVar[Exchange | None] = ContextVar(
    "exchange", default=None
)  # of the request about to be sent
_unsent: ContextVar[bool] = ContextVar("unsent", default=False)


async def send(
    library: Any, method: str, url: URL, headers: CIMultiDict[str], body: bytes
) -> aiohttp.ClientResponse:
    """What comes back for a request, its body unread; no redirect is followed. Raises the library's errors."""
    try:
        session.check(url)
        return await (await session.current()).request(
            method, url, headers=headers, data=_payload(body), allow_redirects=False
        )
    except (aiohttp.ClientError, OSError) as error:
        raise _in_words_of(library, error) from error
    except ValueError as error:  # a header that is none
        raise library.LocalProtocolError("the request cannot be sent") from error


async def unpacked(library: Any, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """An answer's body as it comes, unpacked, and no longer than it may be. Raises the library's errors."""
    size = turn = 0
    try:
        unpacking = Unpacking(answer.headers.get("content-encoding", ""))
        while packed := await answer.content.readany():
            for piece in unpacking.feed(packed):
                piece = piece if size else piece.removeprefix(codecs.BOM_UTF8)
                size += len(piece)
                if size > MAX_BYTES:
                    raise library.ReadError(TOO_LARGE)
                yield piece
                if size - turn > _AT_ONCE:
                    turn = size
                    await asyncio.sleep(0)
        if rest := unpacking.end():
            yield rest
    except (zlib.error, ValueError) as error:
        raise library.DecodingError(str(error)) from None
    except (aiohttp.ClientError, OSError) as error:
        raise _in_words_of(library, error) from error


async def whole(library: Any, answer: aiohttp.ClientResponse) -> bytes:
    """All of an answer's body, as `unpacked` gives it."""
    if answer.headers.get("content-encoding"):
        return b"".join([piece async for piece in unpacked(library, answer)])
    content, found, size = answer.content, [], 0
    try:
        while not content.at_eof():
            piece = await content.readany()
            found.append(piece)
            size += len(piece)
            if size > MAX_BYTES:
                raise library.ReadError(TOO_LARGE)
    except (aiohttp.ClientError, OSError) as error:
        raise _in_words_of(library, error) from error
    return b"".join(found).removeprefix(codecs.BOM_UTF8)


@contextmanager
def unsent() -> Iterator[None]:
    """Within the block requests are made and not sent: an empty answer comes at once, which knows its request."""
    before = _unsent.set(True)
    try:
        yield
    finally:
        _unsent.reset(before)


def pairs(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Headers that are to be sent, as text."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def client(library: Any, *, clean_events: bool = False) -> Any:
    """An HTTP client of `library` (httpx or httpx2) for every event loop.

    clean_events: streams of events are made such as a strict reader takes, see `cleaned`.
    """

    class Body(library.AsyncByteStream):  # type: ignore[misc]
        """An answer's body. Closed early, it ends the connection."""

        def __init__(self, answer: aiohttp.ClientResponse) -> None:
            self._answer, self._seen = answer, exchange.get()
            self._clean = clean_events and "event-stream" in answer.headers.get("content-type", "")
            if self._seen is not None:
                self._seen.begin(answer)

        async def __aiter__(self) -> AsyncIterator[bytes]:
            pieces = unpacked(library, self._answer)
            if not self._clean:
                async for piece in pieces:
                    yield piece
                return
            events = EventParser()
            async for piece in pieces:
                found = events.feed(piece)
                if self._seen is not None:
                    self._seen.lost = events.malformed
                for event in found:
                    yield _event(event)
            for event in events.end():
                yield _event(event)

        async def aclose(self) -> None:
            self._answer.close()

    class Transport(library.AsyncBaseTransport):  # type: ignore[misc]
        async def handle_async_request(self, request: Any) -> Any:
            url, headers = URL(str(request.url), encoded=True), CIMultiDict(pairs(request.headers.raw))
            answer = await send(library, request.method, url, headers, request.read())
            return library.Response(
                status_code=answer.status,
                headers=[pair for pair in answer.raw_headers if pair[0].lower() != b"content-encoding"],
                stream=Body(answer),
                request=request,
            )

    class Client(library.AsyncClient):  # type: ignore[misc]
        """Sends what it is given and nothing else: no cookie of another credential, no second request."""

        def build_request(
            self, method: str, url: Any, *, content: bytes | None = None, headers: Any = None, **more: Any
        ) -> Any:
            if params := more.get("params"):
                url = library.URL(url, params=params)
            # aiohttp adds what headers are missing, so httpx need not think about them.
            return library.Request(
                method, parsed(str(url)), headers=headers, stream=library.ByteStream(content or b"")
            )

        async def send(self, request: Any, *, stream: bool = False, **more: Any) -> Any:
            if _unsent.get():
                return library.Response(200, request=request)
            response = await transport.handle_async_request(request)
            try:
                if not stream:
                    await response.aread()
            except BaseException:
                await response.aclose()
                raise
            return response

    parsed = lru_cache(256)(library.URL)
    transport = Transport()
    return Client(transport=transport, timeout=None, follow_redirects=False)


def _in_words_of(library: Any, error: Exception) -> Exception:
    """The exception of `library` that one of aiohttp's means."""
    text = str(error.__cause__ or error)
    if isinstance(error, aiohttp.ServerTimeoutError):
        return library.ConnectTimeout(text)  # type: ignore[no-any-return]
    if isinstance(error, aiohttp.InvalidURL):
        return library.UnsupportedProtocol(text)  # type: ignore[no-any-return]
    if isinstance(error, aiohttp.ClientConnectorError):
        return library.ConnectError(text)  # type: ignore[no-any-return]
    if isinstance(error, aiohttp.ClientConnectionError) and isinstance(error, OSError):
        return library.ReadError(text)  # type: ignore[no-any-return]
    if isinstance(error, aiohttp.ClientError):
        return library.RemoteProtocolError(text)  # type: ignore[no-any-return]
    return library.ConnectError(text)  # type: ignore[no-any-return]


def _payload(body: bytes) -> bytes | io.BytesIO | None:
    """A body as aiohttp wants it: a large one is written piece by piece."""
    return io.BytesIO(body) if len(body) > _AT_ONCE else body or None


def _event(value: Any) -> bytes:
    return f"data: {json.dumps(value)}\r\n\r\n".encode()


def is_too_large(error: BaseException) -> bool:
    """Whether an exception of one of these clients says that an answer had no end."""
    return str(error) == TOO_LARGE


class Unpacking:
    """Unpacks a body in pieces of bounded size. Raises ValueError for an encoding that nobody asked for."""

    def __init__(self, encoding: str) -> None:
        names = [
            name for part in encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")
        ]
        if len(names) > 1 or (names and names[0] not in ("gzip", "x-gzip", "deflate")):
            raise ValueError(f"unknown content encoding {encoding[:40]}")
        self._packed, self._may_be_raw = bool(names), names == ["deflate"]
        if self._packed:  # which takes 7 KB, and most streams come as they are
            self._unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The unpacked bytes of these packed ones. Raises zlib.error."""
        if not self._packed:
            yield data
            return
        if self._may_be_raw and data:
            self._may_be_raw = False
            if data[0] & 0x0F != 8:  # without zlib's header
                self._unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
        while data:
            if piece := self._unpacking.decompress(data, _PIECE):
                yield piece
            data = self._unpacking.unconsumed_tail
            if self._unpacking.eof:
                rest, self._unpacking = self._unpacking.unused_data, zlib.decompressobj(zlib.MAX_WBITS | 32)
                data = rest if rest.startswith(b"\x1f\x8b") else b""  # another member, or padding

    def end(self) -> bytes:
        """What was held back, once no more will come."""
        return self._unpacking.flush() if self._packed else b""
