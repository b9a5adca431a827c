"""Anthropic's Messages: blocks in, blocks out. https://docs.anthropic.com/en/api/messages"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from llm.chain import Reply
from llm.gateway import values
from llm.gateway.ask import OWN, Ask, counted_in, made
from llm.gateway.errors import ApiError
from llm.gateway.protocols import carried, messages_input
from llm.gateway.protocols.base import Protocol, Writer, event, model_of, total
from llm.gateway.values import Body, wrong

EFFORTS = ("low", "medium", "high", "xhigh", "max")
# Tokens that a model may think, from which on a higher effort says the same.
BUDGETS = ((16_384, "high"), (4_096, "medium"), (0, "low"))
ENDINGS = {"length": "max_tokens", "content_filter": "refusal"}
# Anthropic's names, by which its SDKs choose an exception. https://docs.anthropic.com/en/api/errors
ERRORS = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 429: "rate_limit_error", 503: "overloaded_error",
}  # fmt: skip


class Messages(Protocol):
    prefix = "msg_"

    def read(self, body: Body, meta: Mapping[str, Any]) -> Ask:
        messages, left_out = messages_input.read(body)
        tools, own = messages_input.tools(body)
        thinking = values.mapping(body, "thinking")
        user = values.mapping(body, "metadata").get("user_id")
        return made(
            body, meta,
            messages=messages,
            params=_params(body, tools, thinking),
            max_tokens=values.number(body, "max_tokens", least=1, most=values.MOST_TOKENS, whole=True),
            temperature=values.number(body, "temperature", least=0, most=2),
            session=user,
            own={"thinks": thinking.get("type") in ("enabled", "adaptive")},
            ignored=values.ignored(body, READ, *own, *left_out, *values.unread(body, READ_INSIDE)),
        )  # fmt: skip

    def answer(self, replies: Sequence[Reply], ask: Ask, id: str) -> dict[str, Any]:
        reply, blocks = replies[0], []
        if reply.reasoning and ask.own["thinks"]:
            blocks.append(
                {"type": "thinking", "thinking": reply.reasoning, "signature": carried.packed(reply)}
            )
        if reply.text:
            blocks.append({"type": "text", "text": reply.text})
        if redacted := _redacted(reply, ask):
            blocks.append(redacted)
        for call in reply.tool_calls:
            blocks.append({**_tool_use(call), "input": _arguments(call)})
        return {
            **_frame(id, model_of(reply)),
            "content": blocks,
            "stop_reason": _stop_reason(reply),
            "usage": usage(replies),
        }

    def writer(self, ask: Ask, id: str, *, hold: bool) -> Writer:
        return MessagesWriter(ask, id, hold=hold)

    def error(self, error: ApiError) -> dict[str, Any]:
        told = error.body()["error"]
        kind = ERRORS.get(error.status) or ("api_error" if error.status >= 500 else "invalid_request_error")
        return {
            "type": "error",
            "error": {**told, "type": kind, "message": _worded(error)},
            "request_id": None,
        }


class MessagesWriter(Writer):
    """message_start, blocks with their deltas, message_delta, message_stop."""

    def __init__(self, ask: Ask, id: str, *, hold: bool) -> None:
        super().__init__(ask, id, hold=hold)
        self.place = 0  # of the next block
        self.open = ""  # the kind of block that is being told

    def opening(self) -> bytes:
        counted = usage(self.replies) if self.replies else {**NOTHING, "input_tokens": counted_in(self.ask)}
        message = {**_frame(self.id, self.model), "content": [], "usage": {**counted, "output_tokens": 1}}
        return event({"type": "message_start", "message": message}, "message_start") + event(
            {"type": "ping"}, "ping"
        )

    def text(self, text: str) -> bytes:
        return self._begin("text", {"type": "text", "text": ""}) + self._delta(type="text_delta", text=text)

    def reasoning(self, text: str) -> bytes:
        if not self.ask.own["thinks"]:
            return b""
        empty = {"type": "thinking", "thinking": "", "signature": ""}
        return self._begin("thinking", empty) + self._delta(type="thinking_delta", thinking=text)

    def finish(self, reply: Reply) -> bytes:
        found = self._end_block()
        if redacted := _redacted(reply, self.ask, told=True):
            found += self._begin("redacted_thinking", redacted) + self._end_block()
        for call in reply.tool_calls:
            found += self._begin("tool_use", {**_tool_use(call), "input": {}})
            found += self._delta(
                type="input_json_delta", partial_json=json.dumps(_arguments(call), ensure_ascii=False)
            )
            found += self._end_block()
        delta = {"stop_reason": _stop_reason(reply), "stop_sequence": None}
        return found + event(
            {"type": "message_delta", "delta": delta, "usage": usage([reply])}, "message_delta"
        )

    def end(self) -> bytes:
        return event({"type": "message_stop"}, "message_stop")

    def error(self, error: ApiError) -> bytes:
        return event(Messages().error(error), "error")

    def _begin(self, kind: str, block: Mapping[str, Any]) -> bytes:
        if self.open == kind:
            return b""
        found = self._end_block()
        self.open = kind
        told = {"type": "content_block_start", "index": self.place, "content_block": block}
        return found + event(told, "content_block_start")

    def _delta(self, **delta: Any) -> bytes:
        told = {"type": "content_block_delta", "index": self.place, "delta": delta}
        return event(told, "content_block_delta")

    def _end_block(self) -> bytes:
        if not self.open:
            return b""
        # What a provider wants back is known at the end, and then told in a block of its own: see `_redacted`.
        self.open, self.place = "", self.place + 1
        return event({"type": "content_block_stop", "index": self.place - 1}, "content_block_stop")


NOTHING = {
    "input_tokens": 0,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "output_tokens": 0,
}


def usage(replies: Sequence[Reply]) -> dict[str, int]:
    """Tokens of the whole call; Anthropic counts what came from a cache apart from the rest of the input."""
    tokens_in, tokens_out, cached = total(replies)
    counted = {
        "input_tokens": tokens_in - cached,
        "cache_read_input_tokens": cached,
        "output_tokens": tokens_out,
    }
    return {**NOTHING, **counted}


def _params(body: Body, tools: list[dict[str, Any]], thinking: Mapping[str, Any]) -> dict[str, Any]:
    output = values.mapping(body, "output_config")
    params: dict[str, Any] = {
        "tools": tools,
        "top_p": values.number(body, "top_p", least=0, most=1),
        "stop": values.stops(body, "stop_sequences"),
    }
    choice = values.mapping(body, "tool_choice")
    kind = values.choice(choice, "type", "auto", "any", "tool", "none")
    if kind == "tool":
        if not isinstance(choice.get("name"), str):
            raise wrong("'tool_choice' must name its tool.", "tool_choice.name")
        params["tool_choice"] = values.called(choice["name"])
    elif kind:
        params["tool_choice"] = {"any": "required"}.get(kind, kind)
    if choice.get("disable_parallel_tool_use") is True:
        params["parallel_tool_calls"] = False
    effort = values.choice(output, "effort", *EFFORTS)
    match values.choice(thinking, "type", "enabled", "adaptive", "disabled"):
        case "enabled":
            budget = (
                values.number(thinking, "budget_tokens", least=1, most=values.MOST_TOKENS, whole=True) or 0
            )
            params["reasoning_effort"] = next(word for least, word in BUDGETS if budget >= least)
            params["include_reasoning"] = True
        case "adaptive":
            params |= {"reasoning_effort": effort, "include_reasoning": True}
        case "disabled":
            params["reasoning_effort"] = "none"
    format = values.mapping(output, "format", "output_config.format") or values.mapping(body, "output_format")
    if format:
        if format.get("type") != "json_schema":
            raise wrong("'output_config.format.type' must be json_schema.", "output_config.format.type")
        params["response_format"] = values.json_schema(format, "output_config.format")
    return values.with_tools({name: value for name, value in params.items() if value is not None})


def _frame(id: str, model: str) -> dict[str, Any]:
    return {
        "id": id, "type": "message", "role": "assistant", "model": model, "content": [], "stop_reason": None,
        "stop_sequence": None, "usage": NOTHING,
    }  # fmt: skip


def _redacted(reply: Reply, ask: Ask, *, told: bool = False) -> dict[str, Any] | None:
    """A block with what must come back beside calls of tools, where no block of thinking has it.

    told: the reasoning has been streamed, and could not have it yet.
    """
    shown = ask.own["thinks"] and bool(reply.reasoning)
    if not reply.tool_calls or (shown and not told):
        return None
    state = carried.packed(reply, reasoning=not shown)
    return {"type": "redacted_thinking", "data": state} if state else None


def _tool_use(call: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": call["id"], "name": call["function"]["name"]}


def _arguments(call: Mapping[str, Any]) -> Any:
    """An object, as Anthropic tells it; what was cut off is no JSON."""
    try:
        found = json.loads(call["function"]["arguments"] or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {"value": found}


def _stop_reason(reply: Reply) -> str:
    if reply.finish_reason in ENDINGS:
        return ENDINGS[reply.finish_reason]
    return "tool_use" if reply.tool_calls else "end_turn"


def _worded(error: ApiError) -> str:
    """Agents that speak this protocol make room for themselves when they read Anthropic's own words for it."""
    if error.code != "context_length_exceeded":
        return error.message
    asked, most = error.tokens
    sizes = f"{asked} tokens > {most} maximum. " if asked and most else ""
    return f"prompt is too long: {sizes}{error.message}"


READ_INSIDE = {"thinking": ("type", "budget_tokens"), "output_config": ("effort", "format")}
READ = {
    *OWN, "model", "system", "messages", "tools", "tool_choice", "thinking", "metadata", "max_tokens", "temperature",
    "top_p", "stop_sequences", "output_config", "output_format", "stream",
}  # fmt: skip
