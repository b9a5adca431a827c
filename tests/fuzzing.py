"""What fuzz tests have in common: hostile values, good values gone wrong, a server that says any bytes, corpora.

A corpus is a file of tests/corpora with one JSON value a line: cases that once broke something, and good seeds.
They are tried on every run, before anything is made up. Whoever finds a new case adds its line.
"""

import json
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

CORPORA = Path(__file__).parent / "corpora"
SHORT, LONG = 40, 2000


def corpus(name: str) -> list[Any]:
    return [json.loads(line) for line in (CORPORA / f"{name}.jsonl").read_text().splitlines() if line]


def budget(examples: int) -> settings:
    """The short run is the same on every machine; the long one looks somewhere else every time."""
    return settings(
        max_examples=examples, deadline=None, derandomize=examples <= SHORT, database=None, print_blob=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )  # fmt: skip


# -- values ------------------------------------------------------------------------------------------
WORDS = st.sampled_from([
    "", " ", "0", "-1", "1e999", "NaN", "null", "true", "\x00", "\ud800", "a" * 5000, "🦊" * 40, "../../etc/passwd",
    "{{7*7}}", "%s%n", "<script>", "'; DROP TABLE--", "٣", "1٫5", "9" * 400, "\u202e", "data: [DONE]", "\r\nX: y",
    "__proto__", "0x10", "1_000", "Infinity", "2026-99-99", "tokens per day (TPD)", "try again in 1e9s", "-5ms",
])  # fmt: skip
ODD_TEXT = WORDS | st.text(max_size=40)
SCALARS = (
    st.none() | st.booleans() | ODD_TEXT | st.integers(-(2**70), 2**70) | st.floats()
    | st.sampled_from([0, -1, 1, 2**31, 2**63, 1e308, -0.0, 10**400])
)  # fmt: skip
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ODD_TEXT, inner, max_size=4),
    max_leaves=8,
)
DEEP = st.integers(1, 3000).map(lambda depth: "[" * depth + "]" * depth)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a JSON value something can be replaced."""
    found = [at]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*at, key))
    return found


@st.composite
def gone_wrong(draw, *good: Any) -> Any:
    """One of the good values with one to three of its parts replaced, removed, or given a neighbour."""
    value = json.loads(json.dumps(draw(st.sampled_from(good))))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(value)))
        if not place:
            continue
        holder = value
        for step in place[:-1]:
            holder = holder[step]
        match draw(st.sampled_from(("replace", "remove", "add"))):
            case "replace":
                holder[place[-1]] = draw(JUNK)
            case "remove":
                del holder[place[-1]]
            case "add" if isinstance(holder, dict):
                holder[draw(ODD_TEXT)] = draw(JUNK)
    return value


def as_json(value: Any) -> bytes:
    """JSON as a careless sender writes it: NaN, lone surrogates and all."""
    return json.dumps(value).encode()


def bodies(*good: Any) -> st.SearchStrategy[bytes]:
    """Bodies that were meant to be JSON."""
    whole = (gone_wrong(*good) | JUNK).map(as_json)
    cut = st.tuples(whole, st.integers(0, 400)).map(lambda pair: pair[0][: pair[1]])
    return whole | cut | st.binary(max_size=200) | DEEP.map(str.encode)


# -- a provider that says anything -------------------------------------------------------------------
class Says:
    """A server on loopback that answers each connection with the bytes in `answer`, and closes it."""

    def __enter__(self) -> "Says":
        self.answer = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(60)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, suppress(OSError):
                client.settimeout(60)
                self._read_request(client)
                client.sendall(self.answer)
                client.shutdown(socket.SHUT_WR)

    @staticmethod
    def _read_request(client: socket.socket) -> None:
        read = b""
        while b"\r\n\r\n" not in read:
            read += client.recv(65536) or b"\r\n\r\n"
        head, _, body = read.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                left = int(line.split(b":")[1]) - len(body)
                while left > 0 and (more := client.recv(65536)):
                    left -= len(more)


STATUS = st.sampled_from([
    *[200] * 6, 201, 204, 299, 301, 400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 498, 500, 502, 503, 520, 529, 599,
])  # fmt: skip
HEADER = st.sampled_from([
    "retry-after", "x-ratelimit-limit-requests", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens",
    "x-ratelimit-reset-requests", "x-ratelimit-reset", "x-should-retry", "cf-ray", "server", "content-encoding",
    "content-type", "x-request-id", "location",
])  # fmt: skip
VALUE = ODD_TEXT.map(
    lambda text: text.encode("latin-1", "ignore").replace(b"\r", b"").replace(b"\n", b"")
) | (
    st.sampled_from(
        [b"gzip", b"br", b"text/html", b"text/event-stream", b"1m26.4s", b"Wed, 21 Oct 2099 07:28:00 GMT"]
    )
)


@st.composite
def replies(draw, body: st.SearchStrategy[bytes], kind: bytes) -> bytes:
    """A whole HTTP answer: mostly well-formed outside and wrong inside."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=300))
    lines = [b"HTTP/1.1 %d Whatever" % draw(STATUS)]
    for name in draw(st.lists(HEADER, max_size=3, unique=True)):
        lines.append(name.encode() + b": " + draw(VALUE))
    if not any(line.startswith(b"content-type") for line in lines):
        lines.append(b"content-type: " + kind)
    said = draw(body)
    length = len(said) if draw(st.integers(0, 9)) else draw(st.sampled_from([0, len(said) + 5, 10**12]))
    lines.append(b"content-length: %d" % length)
    lines.append(b"connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n" + said


PREFIXES = [*[b"data: "] * 6, b"data:", b": ", b"event: error\ndata: ", b"id: 1\ndata: ", b""]


@st.composite
def event_streams(draw, *good: Any) -> bytes:
    """Server-sent events: good and bad chunks, comments, other events, cut anywhere."""
    lines = []
    for _ in range(draw(st.integers(0, 6))):
        data = draw(st.sampled_from(good).map(as_json) | gone_wrong(*good).map(as_json) | st.just(b"[DONE]"))
        prefix = draw(
            st.sampled_from(
                [b"data: "] * 6 + [b"data:", b": ", b"event: error\ndata: ", b"id: 1\ndata: ", b""]
            )
        )
        lines.append(prefix + data + draw(st.sampled_from([b"\n\n", b"\n\n", b"\r\n\r\n", b"\n"])))
    whole = b"".join(lines) + draw(st.sampled_from([b"", b"data: [DONE]\n\n", b"data: {", b"\xff\xfe"]))
    return whole[: draw(st.just(len(whole)) | st.integers(0, len(whole)))]
