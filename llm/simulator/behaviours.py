"""What a simulated provider does with one request. A script is a list of these, one per request.

Every behaviour is a name and its options, so that it travels as JSON (`{"name": "http", "status": 500}`).
How each is played on the wire is in `play.py`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

HOW = ("usual", "same_index", "no_index", "name_repeated", "twice", "object", "cut")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One named behaviour with its options; make it with the functions below."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The form that `from_json` reads."""
        return {"name": self.name, **self.options}


@cache
def payloads() -> dict[str, dict[str, Any]]:
    """The recorded failures of real providers, by id: provider, status (None: no HTTP answer), headers,
    body (text as it arrives), expected (the failure kind it means), sometimes retry_after_s and exception.
    """
    records = json.loads(Path(__file__).with_name("payloads.json").read_text(encoding="utf-8"))
    return {record["id"]: record for record in records}


def ok(
    text: str | None = None,
    *,
    reasoning: str | None = None,
    usage: Mapping[str, Any] | None = None,
    pace: float = 0.0,
    finish: str | None = "stop",
) -> Behaviour:
    """A good answer.

    text: what to say; None writes what the prompt asks for (see `report.py`).
    reasoning: visible reasoning beside the text, in the provider's own field; counts as output.
    usage: {"prompt_tokens", "completion_tokens"} to state instead of the counted ones; more fields as they are.
    pace: seconds between the pieces of a stream, those of the reasoning too, for eyes that watch it.
    finish: the finish reason, in whatever word a service may have for it; None: none.
    """
    return Behaviour(
        "ok", {"text": text, "reasoning": reasoning, "usage": usage, "pace": pace, "finish": finish}
    )


def payload(payload_id: str) -> Behaviour:
    """A recorded failure, byte for byte; see `payloads()`. Raises KeyError for an unknown id.

    A recorded 200 is re-told as events when a stream was asked for (and the other way round). Without an
    HTTP answer in the record, the connection fails in the way nearest to it that a loopback server can.
    """
    return Behaviour("payload", {"payload_id": payloads()[payload_id]["id"]})


def http(status: int, body: object = None, headers: Mapping[str, str] | None = None) -> Behaviour:
    """Any HTTP answer. body: text as it is, anything else as JSON, None for the provider's error shape."""
    return Behaviour("http", {"status": status, "body": body, "headers": headers})


def hang() -> Behaviour:
    """Silence: the request is taken and never answered."""
    return Behaviour("hang")


def slow_first_token(seconds: float, text: str | None = None) -> Behaviour:
    """Silence for some seconds, then a good answer."""
    return Behaviour("slow_first_token", {"seconds": seconds, "text": text})


def reset() -> Behaviour:
    """The connection is reset (RST) before any answer."""
    return Behaviour("reset")


def truncate(*, mismatch: bool = True) -> Behaviour:
    """The answer is cut in its middle.

    mismatch: the stated length (or the closing chunk) tells that something is missing; False: it does not,
    only the JSON is broken.
    """
    return Behaviour("truncate", {"mismatch": mismatch})


def blank_keepalive(then: str = "ok", *, count: int = 5, interval: float = 0.02) -> Behaviour:
    """Status 200 at once, then blank lines (comment lines in an OpenAI stream), as DeepSeek does under load.

    then: "ok" answers after `count` lines, "close" ends the answer without one, "forever" never stops.
    interval: seconds between the lines.
    """
    if then not in {"ok", "close", "forever"}:
        raise ValueError(f"blank_keepalive then={then!r}")
    return Behaviour("blank_keepalive", {"then": then, "count": count, "interval": interval})


def drip(interval: float, text: str | None = None) -> Behaviour:
    """A good answer, one byte every `interval` seconds."""
    return Behaviour("drip", {"interval": interval, "text": text})


def empty() -> Behaviour:
    """A well-formed 200 without any text."""
    return Behaviour("empty")


def short(text: str = "OK.") -> Behaviour:
    """A good answer that is too short to be of use."""
    return ok(text)


def think_only() -> Behaviour:
    """All tokens went into reasoning: an unclosed `<think>` (Gemini: a thought part), finished by length."""
    return Behaviour("think_only")


def midstream_death(after: int = 3) -> Behaviour:
    """The connection closes after some pieces of text (plain request: in the middle of the body)."""
    return Behaviour("midstream_death", {"after": after})


def midstream_stall(after: int = 3) -> Behaviour:
    """Silence after some pieces of text (plain request: in the middle of the body)."""
    return Behaviour("midstream_stall", {"after": after})


def malformed_chunk(after: int = 3, count: int = 1) -> Behaviour:
    """After some pieces of text come `count` that are no JSON (plain request: the body is none)."""
    return Behaviour("malformed_chunk", {"after": after, "count": count})


def error_in_200(code: int = 502, message: str = "Provider returned error") -> Behaviour:
    """Status 200 whose body, or first event, is an error."""
    return Behaviour("error_in_200", {"code": code, "message": message})


def error_in_stream(after: int = 3, code: int = 502, message: str = "Provider disconnected") -> Behaviour:
    """An error after some pieces of text (plain request: an error in a 200)."""
    return Behaviour("error_in_stream", {"after": after, "code": code, "message": message})


def no_done(*, finish: bool = True, hold_open: bool = False) -> Behaviour:
    """A complete stream without its `[DONE]`; a plain request only loses its finish reason.

    finish: whether the finish reason is sent. hold_open: the connection stays open and silent instead.
    """
    return Behaviour("no_done", {"finish": finish, "hold_open": hold_open})


def tool_call(function: str, arguments: Mapping[str, Any]) -> Behaviour:
    """A call of the caller's tool instead of a text."""
    return Behaviour("tool_call", {"function": function, "arguments": dict(arguments)})


def tool_calls(*calls: Sequence[Any], how: str = "usual", reasoning: str | None = None) -> Behaviour:
    """Several calls at once, each a (function, arguments).

    how: usual | same_index (always 0) | no_index (the id in each piece instead) | name_repeated (in each piece) |
    twice (each call whole, two times) | object (arguments as JSON, not text) | cut (by the limit of tokens).
    reasoning: what the model thought before. Gemini knows usual and cut.
    """
    if how not in HOW:
        raise ValueError(f"tool_calls how={how!r}")
    return Behaviour(
        "tool_calls", {"calls": [list(call) for call in calls], "how": how, "reasoning": reasoning}
    )


def tool_user(calls: Mapping[str, Mapping[str, Any]], text: str = "The tool says: {result}") -> Behaviour:
    """A model that works with tools: repeats what a tool has just said, or calls one, or else answers as `ok` does.

    calls: arguments by function; the first that the request offers is called. A function that the request forces is
    called with these arguments, or with the smallest that its schema allows. text: the answer to a tool's {result}.
    """
    return Behaviour("tool_user", {"calls": {name: dict(each) for name, each in calls.items()}, "text": text})


def events(*chunks: Any, done: bool = True, pace: float = 0.0) -> Behaviour:
    """A stream of these events: text as it is, anything else as the JSON of one. A plain request gets the first one.

    done: whether the closing mark follows. pace: seconds between them.
    """
    return Behaviour("events", {"chunks": list(chunks), "done": done, "pace": pace})


def odd_events(text: str | None = None) -> Behaviour:
    """A good answer that begins with a byte order mark, with events between its own that hold no data."""
    return Behaviour("odd_events", {"text": text})


def early_finish(text: str | None = None) -> Behaviour:
    """A good answer whose every event states the finish reason and a usage, the last one the right usage."""
    return Behaviour("early_finish", {"text": text})


def huge(size: int = 300_000_000, *, packed: bool = True) -> Behaviour:
    """An answer of `size` bytes. packed: as gzip, a thousandth of that."""
    return Behaviour("huge", {"size": size, "packed": packed})


def content_filter() -> Behaviour:
    """The provider's moderation stopped the answer: finish reason content_filter (Gemini: SAFETY)."""
    return Behaviour("content_filter")


MAKERS: dict[str, Callable[..., Behaviour]] = {
    maker.__name__: maker
    for maker in (
        ok, payload, http, hang, slow_first_token, reset, truncate, blank_keepalive, drip, empty, short,
        think_only, midstream_death, midstream_stall, malformed_chunk, error_in_200, error_in_stream,
        no_done, tool_call, tool_calls, tool_user, events, odd_events, early_finish, huge, content_filter,
    )
}  # fmt: skip


SPREAD = {"tool_calls": "calls", "events": "chunks"}  # options that are a maker's positional arguments


def from_json(value: str | Mapping[str, Any]) -> Behaviour:
    """A behaviour from its name or from `{"name": …, option: …}`. Raises ValueError if there is none such."""
    options = {"name": value} if isinstance(value, str) else dict(value)
    name = str(options.pop("name", ""))
    spread = options.pop(SPREAD[name]) if name in SPREAD and SPREAD[name] in options else ()
    try:
        return MAKERS[name](*spread, **options)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no such behaviour: {value}") from error
