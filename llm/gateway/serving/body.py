"""The JSON object in a request's body: as it is, in chunks, or packed, and never larger than MOST_BYTES."""

import json
import math
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import orjson
from django.http import HttpRequest

from llm.gateway.errors import ApiError
from llm.text import mend

MOST_BYTES = 8 * 2**20  # unpacked: a long diff, or some images
PIECE = 64 * 1024
# What zlib is told of the marks around the packed bytes; deflate comes with and without them.
PACKED = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
# What orjson reads otherwise than we do: NUL, which is mended, and integers above 64 bits, which stay integers.
NUL, LONG, AS_ZEROS = b"\\u0000", b"0" * 19, bytes.maketrans(b"123456789", b"0" * 9)
SHALLOW = 200  # brackets that are opened, and so no more levels than our own code goes down without a care
UNMARKED = bytes(set(range(256)) - set(b"0123456789{["))


def read(request: HttpRequest) -> dict[str, Any]:
    """The object. Raises ApiError: 400, 413, 415."""
    try:
        body = _read(_bytes(request))
    except OSError:  # the client left half-way
        raise ApiError(400, "The body ended too early.") from None
    except (ValueError, RecursionError):
        raise ApiError(400, "The body is not valid JSON in UTF-8.", code="invalid_json") from None
    if not isinstance(body, dict):
        raise ApiError(400, "The body must be a JSON object.", code="invalid_json")
    return body


def is_packed(request: HttpRequest) -> bool:
    """Whether the body may be far larger than it was sent."""
    return "HTTP_CONTENT_ENCODING" in request.META


def _read(told: bytes) -> Any:
    """The value that a body holds, without NUL and half characters. Raises ValueError, ApiError."""
    if _is_usual(told):
        try:
            return orjson.loads(told)
        except ValueError:  # half characters, for one
            pass
    value = DECODER.decode(told.decode())
    try:
        return _mended(value)
    except RecursionError:
        raise ApiError(400, "The body is nested too deeply.", code="invalid_json") from None


def _is_usual(told: bytes) -> bool:
    """Whether orjson reads it as we do, and our own code can follow it."""
    if b"\\" in told and NUL in told:
        return False
    marks = told.translate(None, UNMARKED)  # all digits and opening brackets, which are few in most bodies
    if len(marks) < len(LONG):
        return True
    return marks.count(b"{") + marks.count(b"[") <= SHALLOW and LONG not in told.translate(AS_ZEROS)


async def fill(request: HttpRequest) -> int | None:
    """Takes the body from the connection, where the server has left it to us, and returns its size in bytes, of what
    is too large a part's; None where reading it may block."""
    take = getattr(request, "fill", None)  # of guardlabs.serving
    if take is None:
        return None
    await take(MOST_BYTES)
    return len(request.filled)  # type: ignore[attr-defined]


def drain(request: HttpRequest) -> None:
    """Reads what nobody has read, up to MOST_BYTES: a connection that is closed over unread bytes is reset, and the
    client may lose the answer that says why."""
    take, left = _reader(request), MOST_BYTES
    try:
        while left > 0 and (piece := take(min(PIECE, left))):
            left -= len(piece)
    except Exception:  # read already, or the client has left
        return


def _bytes(request: HttpRequest) -> bytes:
    filled: bytes | None = getattr(request, "filled", None)
    if filled is not None and not is_packed(request):
        if len(filled) > MOST_BYTES:
            raise _too_large()
        return filled
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and int(length) > MOST_BYTES:
        raise _too_large()
    packing = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if packing in ("", "identity"):
        return _joined(_pieces(request))
    if packing not in PACKED:
        raise ApiError(
            415, "The body may be packed with gzip or deflate only.", code="unsupported_encoding",
            headers={"Accept-Encoding": "gzip, deflate"},
        )  # fmt: skip
    return _joined(_unpacked(_pieces(request), PACKED[packing]))


def _joined(pieces: Iterator[bytes]) -> bytes:
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) > MOST_BYTES:
            raise _too_large()
    return bytes(found)


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    """The body as it was sent. Bounded here too: packed bytes without end may hold nothing."""
    take, size = _reader(request), 0
    while piece := take(PIECE):
        size += len(piece)
        if size > MOST_BYTES:
            raise _too_large()
        yield piece


def _reader(request: HttpRequest) -> Callable[[int], bytes]:
    """Django reads nothing of a body that names no length; a server that ends it itself is read directly."""
    environ = getattr(request, "environ", None) or {}
    if environ.get("HTTP_TRANSFER_ENCODING") and environ.get("wsgi.input_terminated"):
        return environ["wsgi.input"].read  # type: ignore[no-any-return]
    return request.read


def _unpacked(pieces: Iterator[bytes], marks: int) -> Iterator[bytes]:
    """The pieces unpacked, never more than PIECE at once, however well they were packed. Raises ValueError."""
    unpacker = zlib.decompressobj(marks)
    try:
        for piece in pieces:
            yield unpacker.decompress(piece, PIECE)
            while unpacker.unconsumed_tail:
                yield unpacker.decompress(unpacker.unconsumed_tail, PIECE)
            if unpacker.unused_data:
                raise ValueError("something follows the packed body")
        yield unpacker.flush()
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not unpacker.eof:
        raise ValueError("the packed body ends too early")


def _too_large() -> ApiError:
    return ApiError(413, f"The body is larger than {MOST_BYTES} bytes.", code="request_too_large")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    """`1e999` is JSON, and infinite to Python: it could be neither sent on nor stored."""
    if not math.isfinite(number := float(digits)):
        raise ValueError(f"{digits[:20]} is too large a number")
    return number


DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def _mended(value: Any) -> Any:
    """Without NUL and half characters, which no database takes."""
    if isinstance(value, str):
        return mend(value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {mend(name): _mended(item) for name, item in value.items()}
    return value
