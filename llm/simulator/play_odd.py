"""Answers that are good, or nearly, but worded as some services word them."""

import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

from llm.simulator.exchange import EVENTS, JSON, Exchange
from llm.simulator.tokens import count_tokens
from llm.simulator.wire import dump

NOISE = (b"data:\n\n", b"retry: 10\n\n", b"event: ping\n\n", b"id: 1\n\n", b"data: null\n\n", b": comment\n\n",
         b"event: ping\ndata: {}\n\n", b"data: ping\n\n")  # fmt: skip
BOM = b"\xef\xbb\xbf"


def play_events(x: Exchange, chunks: Sequence[Any], done: bool, pace: float) -> None:
    """Events as they are given; for a plain request the first one is the body."""
    if not x.ask.stream:
        x.note(200)
        x.send(200, x.headers(JSON), _raw(chunks[0]) if isinstance(chunks[0], str) else dump(chunks[0]))
        return
    x.connection.start_chunked(x.headers(EVENTS))
    x.note(200)
    for chunk in chunks:
        x.connection.write_chunks(
            _raw(chunk) if isinstance(chunk, str) else b"data: " + dump(chunk) + b"\n\n"
        )
        x.connection.wait(pace)
    x.settle()
    x.connection.end_chunked(*([b"data: [DONE]\n\n"] if done else []))


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def play_odd_events(x: Exchange, text: str | None) -> None:
    """A good answer with everything around it that the format allows and nobody needs."""
    answer = x.answer(text)
    headers = x.headers(EVENTS if x.ask.stream else JSON)
    x.finished(answer)
    if not x.ask.stream:
        x.connection.send(200, headers, BOM + x.wire.whole(x.ask, answer))
        return
    events = x.wire.events(x.ask, answer).all()
    mixed = [part for number, event in enumerate(events) for part in (NOISE[number % len(NOISE)], event)]
    x.connection.send_chunked(headers, [BOM, *mixed])


def play_early_finish(x: Exchange, text: str | None) -> None:
    """The finish reason and a usage stand in every chunk, as bridges to Gemini do it."""
    answer = x.answer(text)
    if not x.ask.stream:
        x.tell(answer)
        return
    events = x.wire.events(x.ask, answer)
    headers = x.headers(EVENTS)
    x.finished(answer)
    early = [x.wire.finished_early(x.ask, answer, piece) for piece in events.pieces]
    x.connection.send_chunked(headers, [*events.opening, *early, *events.closing, *events.done])


def play_tool_calls(x: Exchange, calls: Sequence[Sequence[Any]], how: str, reasoning: str | None) -> None:
    """Calls of the caller's tools, in the pieces that `how` names."""
    answer = x.answer("", reasoning=reasoning or "", finish="length" if how == "cut" else "tool_calls")
    answer.tools = tuple((name, json.dumps(arguments)) for name, arguments in calls)
    if how == "cut":
        name, arguments = answer.tools[-1]
        answer.tools = (*answer.tools[:-1], (name, arguments[: len(arguments) // 2]))
    answer.how = how
    answer.completion_tokens = (
        answer.reasoning_tokens + 1 + sum(count_tokens(each) for _, each in answer.tools)
    )
    x.tell(answer)


def play_huge(x: Exchange, size: int, packed: bool) -> None:
    """An answer of `size` bytes, most of it one letter; packed: as gzip, which makes it tiny."""
    piece = b"*" * 65_536
    if x.ask.stream:
        frame = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % piece
        body = frame * max(1, size // len(frame))
    else:
        body = b'{"choices":[{"message":{"content":"' + b"*" * size + b'"},"finish_reason":"stop"}]}'
    headers: Mapping[str, str] = EVENTS if x.ask.stream else JSON
    if packed:
        body, headers = gzip.compress(body, 1), {**headers, "content-encoding": "gzip"}
    x.note(200)
    x.send(200, x.headers(headers), body)
