"""Spans of calls and of their attempts by OpenTelemetry's conventions for generative AI, once a tracer is installed.

Until `install` is called nothing is traced, and nothing of OpenTelemetry is imported: `llm` works without it.
A call is an INTERNAL span `chain PURPOSE`, an attempt a CLIENT span `chat MODEL` below it. Prompts and answers are
left out unless `content` is asked for, and always where the ledger may not keep them.
https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from llm.calls.events import AttemptFailed, AttemptStarted, Completed, Event, Reply

# The conventions' names for what our presets call otherwise.
PROVIDER_NAMES = {"vertex": "gcp.vertex_ai", "gemini": "gcp.gemini", "mistral": "mistral_ai", "zai": "z_ai"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a span says of the request. `messages` are None where nobody may keep them."""

    purpose: str
    lang: str
    streamed: bool
    max_tokens: int
    temperature: float | None
    messages: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class _Installed:
    tracer: Any
    content: bool


_installed: _Installed | None = None


def install(tracer: Any, *, content: bool = False) -> None:
    """Traces calls with an OpenTelemetry tracer from now on; None: no longer. `content`: prompts and answers, too."""
    global _installed
    _installed = None if tracer is None else _Installed(tracer, content)


def is_on() -> bool:
    return _installed is not None


async def watched(events: AsyncGenerator[Event, None], asked: Asked) -> AsyncGenerator[Event, None]:
    """The events, unchanged, with a span around them and one around each attempt. Only while `is_on`."""
    assert _installed is not None  # noqa: S101
    spans = _Spans(_installed, asked)
    try:
        async with aclosing(events) as told:
            async for event in told:
                spans.note(event)
                yield event
    except BaseException as error:
        spans.end(type(error).__name__)
        raise
    spans.end()


class _Spans:
    """The span of a call, and of the attempt that runs."""

    def __init__(self, installed: _Installed, asked: Asked) -> None:
        self._tracer, self._content = installed.tracer, installed.content and asked.messages is not None
        self._call = self._tracer.start_span(f"chain {asked.purpose}".strip(), attributes=self._of(asked))
        self._attempt: Any = None

    def _of(self, asked: Asked) -> dict[str, Any]:
        found: dict[str, Any] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "guardlabs",
            "gen_ai.request.stream": asked.streamed,
            "gen_ai.request.max_tokens": asked.max_tokens,
            "guardlabs.purpose": asked.purpose,
            "guardlabs.lang": asked.lang,
        }
        if asked.temperature is not None:
            found["gen_ai.request.temperature"] = asked.temperature
        if self._content:
            found["gen_ai.input.messages"] = json.dumps(_messages(asked.messages or ()), default=str)
        return found

    def note(self, event: Event) -> None:
        if isinstance(event, AttemptStarted):
            self._begin(event)
        elif isinstance(event, AttemptFailed) and self._attempt is not None:
            self._end_attempt(str(event.kind))
        elif isinstance(event, Completed):
            self._complete(event.reply)

    def _begin(self, event: AttemptStarted) -> None:
        from opentelemetry.trace import SpanKind, set_span_in_context

        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": PROVIDER_NAMES.get(event.provider, event.provider),
            "gen_ai.request.model": event.model,
            "guardlabs.credential": event.credential,
        }
        if event.location:
            attributes["cloud.region"] = event.location
        self._attempt = self._tracer.start_span(
            f"chat {event.model}",
            context=set_span_in_context(self._call),
            kind=SpanKind.CLIENT,
            attributes=attributes,
        )

    def _complete(self, reply: Reply) -> None:
        used = {
            "gen_ai.response.model": reply.model,
            "gen_ai.response.finish_reasons": [reply.finish_reason] if reply.finish_reason else [],
            "gen_ai.usage.input_tokens": reply.tokens_in,
            "gen_ai.usage.output_tokens": reply.tokens_out,
        }
        if self._attempt is not None:
            self._attempt.set_attributes(used)
            self._end_attempt()
        self._call.set_attributes(
            used
            | {
                "guardlabs.call_id": reply.call_id,
                "guardlabs.answered_by": reply.provider,
                "guardlabs.attempts": len(reply.attempts),
                "guardlabs.cached": reply.cached,
            }
        )
        if reply.cost_usd is not None:
            self._call.set_attribute("guardlabs.cost_usd", float(reply.cost_usd))
        if self._content:
            text = [{"role": "assistant", "parts": [{"type": "text", "content": reply.text}]}]
            self._call.set_attribute("gen_ai.output.messages", json.dumps(text))

    def _end_attempt(self, error: str = "") -> None:
        _fail(self._attempt, error)
        self._attempt.end()
        self._attempt = None

    def end(self, error: str = "") -> None:
        """Once, when the call is over, however it ended."""
        if self._attempt is not None:
            self._end_attempt(error)
        _fail(self._call, error)
        self._call.end()


def _messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As the conventions write them down."""
    found = []
    for message in messages:
        content = message.get("content")
        parts = [{"type": "text", "content": content}] if isinstance(content, str) else (content or [])
        found.append({"role": message.get("role", ""), "parts": parts})
    return found


def _fail(span: Any, error: str) -> None:
    if error:
        from opentelemetry.trace import StatusCode

        span.set_attribute("error.type", error)
        span.set_status(StatusCode.ERROR)
