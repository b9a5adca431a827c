"""Recorded failures on the wire: byte for byte where the form fits the request, re-told where it does not."""

import json
from typing import Any

from llm.simulator.behaviours import payloads
from llm.simulator.connection import Gone
from llm.simulator.exchange import EVENTS, JSON, Exchange
from llm.simulator.wire import dump

NO_ANSWER = {  # what a loopback server without TLS and without a name to resolve can do instead
    "transport-connection-reset": "reset",
    "transport-ssl-eof": "close",
    "transport-dns": "close",
    "transport-read-timeout": "hang",
}


def play_payload(x: Exchange, payload_id: str) -> None:
    """Answers with a recorded failure."""
    record = payloads()[payload_id]
    if record["status"] is None:
        _no_answer(x, NO_ANSWER[payload_id])
        return
    text, kind = record["body"], record["headers"].get("content-type", "")
    if kind.startswith("text/event-stream"):
        _stream(x, text, broken="exception" in record)
    elif record["status"] == 200 and x.ask.stream and (events := _as_events(x, text)):
        x.note(200, *_usage(json.loads(text)))
        x.settle()
        x.connection.send_chunked(EVENTS, events)
    else:
        if record["status"] == 200:
            x.note(200, *_usage(_parsed(text)))
        x.send(record["status"], record["headers"], text.encode())


def _no_answer(x: Exchange, how: str) -> None:
    if how == "hang":
        x.connection.wait()
    x.settle()
    if how == "reset":
        x.connection.reset()
    raise Gone


def _stream(x: Exchange, text: str, *, broken: bool) -> None:
    """A recorded stream. broken: its end is missing. A plain request gets its error, or half a body."""
    x.note(200)
    x.settle()
    if x.ask.stream:
        x.connection.start_chunked(EVENTS, text.encode())
        if broken:
            raise Gone
        x.connection.end_chunked()
        return
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    if error := next((event["error"] for event in events if event.get("error")), None):
        x.connection.send(200, JSON, dump({"error": error}))
        return
    body = x.wire.whole(x.ask, x.answer())
    x.connection.send(200, {**JSON, "content-length": str(len(body))}, body[: len(body) // 2])
    raise Gone


def _as_events(x: Exchange, text: str) -> list[bytes]:
    """The events that tell what a plain body tells; none when it tells nothing."""
    body = _parsed(text)
    if not body:
        return []
    if not (choices := body.get("choices")):
        return [_event(body)]
    base = {**body, "object": "chat.completion.chunk"}
    usage = base.pop("usage", None)
    choice = choices[0]
    delta = {"index": 0, "delta": choice["message"], "finish_reason": None}
    end = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
    events = [{**base, "choices": [delta]}, {**base, "choices": [end]}]
    if usage:
        events.append({**base, "choices": [], "usage": usage})
    return [*map(_event, events), b"data: [DONE]\n\n"]


def _usage(body: dict[str, Any]) -> tuple[int, int]:
    """Prompt and completion tokens (reasoning included) that a recorded answer states."""
    usage, google = body.get("usage") or {}, body.get("usageMetadata") or {}
    prompt = usage.get("prompt_tokens", google.get("promptTokenCount", 0))
    thought = google.get("thoughtsTokenCount", 0) + google.get("candidatesTokenCount", 0)
    return prompt, usage.get("completion_tokens", thought)


def _parsed(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _event(value: object) -> bytes:
    return b"data: " + dump(value) + b"\n\n"
