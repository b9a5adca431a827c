"""The chain's reply in OpenAI's shape: whole, or in the chunks of a stream."""

import json
import logging
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from llm.chain import (
    AttemptStarted,
    CallerLeft,
    ChainExhausted,
    Completed,
    Delta,
    Event,
    ReasoningDelta,
    Reply,
)
from llm.failures.kinds import Kind
from llm.gateway import errors
from llm.gateway.errors import ApiError

log = logging.getLogger(__name__)
REASONS = {"stop", "length", "tool_calls", "content_filter"}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def new_id() -> str:
    return f"chatcmpl-{uuid4().hex}"


def completion(reply: Reply, id: str) -> dict[str, Any]:
    """A chat.completion."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": reply.text or None,
        "refusal": None,
        **reply.state,
    }
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.tool_calls:
        message["tool_calls"] = list(reply.tool_calls)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(reply)}
    return {
        "id": id, "object": "chat.completion", "created": int(time.time()), "model": model_of(reply),
        "choices": [choice], "usage": usage(reply),
    }  # fmt: skip


def finish_reason(reply: Reply) -> str:
    if reply.finish_reason in REASONS:
        return reply.finish_reason
    return "tool_calls" if reply.tool_calls else "stop"


def model_of(reply: Reply) -> str:
    """`slug/model-id`, a name that /models lists. A kept reply has no attempt to tell the slug."""
    return f"{reply.attempts[-1]['provider']}/{reply.model}" if reply.attempts else reply.model


def usage(reply: Reply) -> dict[str, int]:
    """Tokens of the whole call, failed attempts included: what the ledger counted."""
    total = reply.tokens_in + reply.tokens_out
    return {"prompt_tokens": reply.tokens_in, "completion_tokens": reply.tokens_out, "total_tokens": total}


def headers(reply: Reply) -> dict[str, str]:
    """Who answered, after how many attempts, and what it cost (`unknown` when a price is)."""
    cost = "unknown" if reply.cost_usd is None else f"{reply.cost_usd:.6f}"
    found = {
        "x-guardlabs-provider": reply.provider,
        "x-guardlabs-attempts": str(len(reply.attempts)),
        "x-guardlabs-cost-usd": cost,
        "x-guardlabs-call": str(reply.call_id),
    }
    found |= lowered(reply.max_tokens)
    return {**found, "x-guardlabs-cached": "true"} if reply.cached else found


def lowered(max_tokens: int | None) -> dict[str, str]:
    """The cap that was sent, where it is lower than the one that was asked for."""
    return {} if max_tokens is None else {"x-guardlabs-max-tokens": str(max_tokens)}


@dataclass
class Stream:
    """A reply as server-sent events. The chain has run up to the first text, so that a failure has its status.

    `hold`: the text is told only once it has passed the gate, since it cannot be taken back.
    Whoever serves it must `close` it: a reader who leaves stops the provider, and is accounted.
    """

    events: Generator[Event, None, None]
    include_usage: bool
    hold: bool
    id: str = field(default_factory=new_id)
    created: int = field(default_factory=lambda: int(time.time()))
    attempt: AttemptStarted | None = None
    attempts: int = 0
    first: Delta | ReasoningDelta | Completed | None = None

    def start(self) -> None:
        """Runs the chain until there is something to tell. Raises what the chain raises."""
        for event in self.events:
            if isinstance(event, AttemptStarted):
                self.attempt, self.attempts = event, self.attempts + 1
            elif isinstance(event, Completed) or (
                isinstance(event, Delta | ReasoningDelta) and not self.hold and self.attempt is not None
            ):  # a text without an attempt was kept: who gave it comes with its end, which is there already
                self.first = event
                return

    def headers(self) -> dict[str, str]:
        """What is known when the first text is there; the cost comes with the usage, at the end."""
        if isinstance(self.first, Completed):
            return headers(self.first.reply)
        if self.attempt is None:
            return {}
        where = f":{self.attempt.location}" if self.attempt.location else ""
        return {
            "x-guardlabs-provider": self.attempt.credential + where,
            "x-guardlabs-attempts": str(self.attempts),
            **lowered(self.attempt.max_tokens),
        }

    def close(self) -> None:
        self.events.close()

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield self._delta({"role": "assistant", "content": ""})
            yield from self._pieces()
        except CallerLeft:
            return
        except ChainExhausted as failure:
            yield _event(_broken(failure).body())
        except Exception:
            log.exception("a stream broke")
            yield _event(ApiError(500, "The stream broke.", code="internal_error").body())

    def _pieces(self) -> Iterator[bytes]:
        event: Event | None = self.first
        told = thought = False
        while event is not None:
            if isinstance(event, Completed):
                yield from self._end(event.reply, told=told, thought=thought)
                return
            if isinstance(event, ReasoningDelta) and not self.hold:
                thought = True
                yield self._delta({"reasoning_content": event.text})
            if isinstance(event, Delta) and not self.hold:
                told = True
                yield self._delta({"content": event.text})
            event = next(self.events, None)

    def _end(self, reply: Reply, *, told: bool, thought: bool) -> Iterator[bytes]:
        if reply.reasoning and not thought:
            yield self._delta({"reasoning_content": reply.reasoning})
        if reply.text and not told:
            yield self._delta({"content": reply.text})
        for index, call in enumerate(reply.tool_calls):
            yield self._delta({"tool_calls": [{"index": index, **call}]})
        if reply.state:
            yield self._delta(reply.state)
        yield self._delta({}, finish_reason(reply))
        if self.include_usage:
            told_also = {"provider": reply.provider, "attempts": len(reply.attempts),
                         "cost_usd": headers(reply)["x-guardlabs-cost-usd"]}  # fmt: skip
            yield _event({**self._base(), "choices": [], "usage": usage(reply), "x_guardlabs": told_also})
        yield b"data: [DONE]\n\n"

    def _delta(self, delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event({**self._base(), "choices": [choice]})

    def _base(self) -> dict[str, Any]:
        if self.attempt:
            model = f"{self.attempt.provider}/{self.attempt.model}"
        else:
            model = self.first.reply.model if isinstance(self.first, Completed) else ""
        base = {"id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": model}
        return {**base, "usage": None} if self.include_usage else base


def _broken(failure: ChainExhausted) -> ApiError:
    """Half a text cannot be taken back, and nobody else could go on from it."""
    broken = [attempt for attempt in failure.attempts if attempt["outcome"] == Kind.PROVIDER_DOWN]
    last = (broken or list(failure.attempts) or [{"outcome": "unknown"}])[-1]
    error = errors.exhausted(failure)
    text = f"The answer broke off ({last['outcome']}): discard it and ask again."
    return ApiError(503, text, code="stream_interrupted", attempts=error.attempts, skipped=error.skipped)


def _event(value: Mapping[str, Any]) -> bytes:
    return f"data: {_encode(value)}\n\n".encode()
