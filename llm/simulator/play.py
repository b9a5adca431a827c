"""How each behaviour is played on the wire, for plain and streamed requests."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from llm.simulator.behaviours import Behaviour
from llm.simulator.connection import Gone, chunk
from llm.simulator.exchange import EVENTS, JSON, Exchange
from llm.simulator.play_odd import play_early_finish, play_events, play_huge, play_odd_events, play_tool_calls
from llm.simulator.play_payload import play_payload
from llm.simulator.play_tools import play_tool_user
from llm.simulator.tokens import count_tokens
from llm.simulator.wire import PIECE, Answer, Events, dump

THOUGHT = "The user wants a report. Let me list the findings, one after the other, before I write"


def play(exchange: Exchange, behaviour: Behaviour) -> None:
    """Answers the request in this way. Raises Gone when the connection is over."""
    try:
        _PLAYERS[behaviour.name](exchange, **behaviour.options)
    finally:
        exchange.settle()


def _ok(
    x: Exchange, text: str | None, reasoning: str | None, usage: Mapping[str, Any] | None, pace: float,
    finish: str | None,
) -> None:  # fmt: skip
    answer = x.answer(text, reasoning=reasoning or "", usage=usage, finish=finish)
    if not (pace and x.ask.stream):
        x.tell(answer)
        return
    events = x.wire.events(x.ask, answer)
    x.connection.start_chunked(x.headers(EVENTS))
    for opening in events.opening:
        x.connection.write_chunks(opening)
        x.connection.wait(pace)
    for number, piece in enumerate(events.pieces, 1):
        x.note(200, answer.prompt_tokens, _tokens_of(answer, number))
        x.connection.write_chunks(piece)
        x.connection.wait(pace)
    x.finished(answer)
    x.connection.end_chunked(*events.closing, *events.done)


def _http(x: Exchange, status: int, body: object, headers: Mapping[str, str] | None) -> None:
    if body is None:
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else f"Error {status}"
        body = x.wire.error(status, phrase)
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "application/json" if text[:1] in {"{", "["} else "text/plain; charset=utf-8"
    x.send(status, {"content-type": kind, **(headers or {})}, text.encode())


def _hang(x: Exchange) -> None:
    x.connection.wait()


def _slow_first_token(x: Exchange, seconds: float, text: str | None) -> None:
    x.connection.wait(seconds)
    x.tell(x.answer(text))


def _reset(x: Exchange) -> None:
    x.settle()
    x.connection.reset()
    raise Gone


def _truncate(x: Exchange, mismatch: bool) -> None:
    answer = x.answer()
    if not x.ask.stream:
        _cut_body(x, answer, mismatch=mismatch)
        return
    events = x.wire.events(x.ask, answer)
    middle = max(1, len(events.pieces) // 2)
    whole, cut = events.pieces[:middle], b"".join(events.pieces[middle:] + events.closing)[:60]
    _open(x, answer, events, whole)
    x.settle()
    if mismatch:
        x.connection.write(chunk(cut)[:30])
        raise Gone
    x.connection.end_chunked(cut)


def _blank_keepalive(x: Exchange, then: str, count: int, interval: float) -> None:
    line = x.wire.keepalive(x.ask)
    x.connection.start_chunked(x.headers(EVENTS if x.ask.stream else JSON))
    x.note(200)
    sent = 0
    while then == "forever" or sent < count:
        x.connection.write_chunks(line)
        x.connection.wait(interval)
        sent += 1
    if then == "close":
        x.settle()
        x.connection.end_chunked()
        return
    answer = x.answer()
    x.finished(answer)
    x.connection.end_chunked(*_body(x, answer))


def _drip(x: Exchange, interval: float, text: str | None) -> None:
    answer = x.answer(text)
    body = b"".join(_body(x, answer))
    x.connection.start_chunked(x.headers(EVENTS if x.ask.stream else JSON))
    x.note(200, *_written(x, answer))
    for position in range(len(body) - 1):
        x.connection.write_chunks(body[position : position + 1])
        x.connection.wait(interval)
    x.finished(answer)
    x.connection.end_chunked(body[-1:])


def _empty(x: Exchange) -> None:
    x.tell(x.answer(""))


def _think_only(x: Exchange) -> None:
    text, reasoning = x.wire.hidden(x.ask, THOUGHT)
    answer = x.answer(text, reasoning=reasoning)
    answer.finish = "length"
    x.tell(answer)


def _midstream_death(x: Exchange, after: int) -> None:
    _begin(x, after)
    x.settle()
    raise Gone


def _midstream_stall(x: Exchange, after: int) -> None:
    _begin(x, after)
    x.connection.wait()


def _malformed_chunk(x: Exchange, after: int, count: int) -> None:
    answer = x.answer()
    if not x.ask.stream:
        _cut_body(x, answer, mismatch=False)
        return
    events = x.wire.events(x.ask, answer)
    broken = events.pieces[min(after, len(events.pieces) - 1)].rstrip()[:-2] + b"\n\n"
    events.pieces[after:after] = [broken] * count
    headers = x.headers(EVENTS)
    x.finished(answer)
    x.connection.send_chunked(headers, events.all())


def _error_in_200(x: Exchange, code: int, message: str) -> None:
    error = dump(x.wire.error(code, message))
    if not x.ask.stream:
        x.send(200, x.headers(JSON), error)
        return
    x.note(200)
    x.settle()
    x.connection.send_chunked(x.headers(EVENTS), [b"data: %b\n\n" % error])


def _error_in_stream(x: Exchange, after: int, code: int, message: str) -> None:
    if not x.ask.stream:
        _error_in_200(x, code, message)
        return
    _begin(x, after)
    x.settle()
    x.connection.end_chunked(b"data: %b\n\n" % dump(x.wire.error(code, message)))


def _no_done(x: Exchange, finish: bool, hold_open: bool) -> None:
    answer = x.answer()
    if not finish:
        answer.finish = None
    if not x.ask.stream:
        x.tell(answer)
        return
    events = x.wire.events(x.ask, answer)
    events.done = []
    headers = x.headers(EVENTS)
    x.finished(answer)
    if not hold_open:
        x.connection.send_chunked(headers, events.all())
        return
    x.connection.start_chunked(headers, *events.all())
    x.connection.wait()


def _tool_call(x: Exchange, function: str, arguments: Mapping[str, Any]) -> None:
    play_tool_calls(x, [(function, arguments)], "usual", None)


def _content_filter(x: Exchange) -> None:
    x.tell(x.answer("", finish="content_filter"))


# -- what several of them share --------------------------------------------------------------------------


def _begin(x: Exchange, after: int) -> None:
    """The answer up to its nth piece, or the first half of a plain body whose length is stated."""
    answer = x.answer()
    if x.ask.stream:
        events = x.wire.events(x.ask, answer)
        _open(x, answer, events, events.pieces[:after])
        return
    body = x.wire.whole(x.ask, answer)
    x.note(200, *_written(x, answer))
    x.connection.send(200, x.headers({**JSON, "content-length": str(len(body))}), body[: len(body) // 2])


def _open(x: Exchange, answer: Answer, events: Events, pieces: list[bytes]) -> None:
    x.note(200, answer.prompt_tokens, _tokens_of(answer, len(pieces)))
    x.connection.start_chunked(x.headers(EVENTS), *events.opening, *pieces)


def _cut_body(x: Exchange, answer: Answer, *, mismatch: bool) -> None:
    """The first half of a plain body; mismatch: its stated length is that of the whole."""
    body = x.wire.whole(x.ask, answer)
    half = body[: len(body) // 2]
    x.note(200, *_written(x, answer))
    x.send(200, x.headers({**JSON, "content-length": str(len(body if mismatch else half))}), half)
    if mismatch:
        raise Gone


def _written(x: Exchange, answer: Answer) -> tuple[int, int]:
    """What an answer has cost when its first byte goes out: a plain one is written whole by then."""
    return answer.prompt_tokens, 0 if x.ask.stream else answer.completion_tokens


def _body(x: Exchange, answer: Answer) -> list[bytes]:
    return x.wire.events(x.ask, answer).all() if x.ask.stream else [x.wire.whole(x.ask, answer)]


def _tokens_of(answer: Answer, pieces: int) -> int:
    """Completion tokens of an answer's first pieces."""
    return answer.reasoning_tokens + count_tokens(answer.text[: pieces * PIECE])


_PLAYERS: dict[str, Callable[..., Any]] = {
    "ok": _ok,
    "payload": play_payload,
    "http": _http,
    "hang": _hang,
    "slow_first_token": _slow_first_token,
    "reset": _reset,
    "truncate": _truncate,
    "blank_keepalive": _blank_keepalive,
    "drip": _drip,
    "empty": _empty,
    "think_only": _think_only,
    "midstream_death": _midstream_death,
    "midstream_stall": _midstream_stall,
    "malformed_chunk": _malformed_chunk,
    "error_in_200": _error_in_200,
    "error_in_stream": _error_in_stream,
    "no_done": _no_done,
    "tool_call": _tool_call,
    "tool_calls": play_tool_calls,
    "tool_user": play_tool_user,
    "events": play_events,
    "odd_events": play_odd_events,
    "early_finish": play_early_finish,
    "huge": play_huge,
    "content_filter": _content_filter,
}
