"""OpenAI's chat completions: `messages` in, `choices` out. Old functions are read as tools and told as functions."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llm.adapters.dialects import EFFORTS
from llm.chain import Reply
from llm.gateway import values
from llm.gateway.ask import OWN, Ask, made
from llm.gateway.protocols import chat_messages
from llm.gateway.protocols.base import Protocol, Writer, cost, event, model_of, total
from llm.gateway.values import Body, wrong

REASONS = {"stop", "length", "tool_calls", "content_filter"}
MOST_ANSWERS = 8


class Chat(Protocol):
    prefix = "chatcmpl-"

    def read(self, body: Body, meta: Mapping[str, Any]) -> Ask:
        body = _modern(body)
        params = {} if WITH_PARAMS.isdisjoint(body) else _params(body)
        modalities = body.get("modalities")
        if isinstance(modalities, list) and "audio" in modalities:
            raise values.unsupported("Audio is not supported.", "modalities")
        if body.get("logprobs") or body.get("top_logprobs"):
            raise values.unsupported(
                "Log probabilities are not told by every provider: leave them out.", "logprobs"
            )
        tokens = values.number(body, "max_completion_tokens", least=1, most=values.MOST_TOKENS, whole=True)
        tokens = tokens or values.number(body, "max_tokens", least=1, most=values.MOST_TOKENS, whole=True)
        return made(
            body, meta,
            messages=chat_messages.read(body.get("messages"), "messages"),
            params=params,
            max_tokens=tokens,
            temperature=values.number(body, "temperature", least=0, most=2),
            session=body.get("prompt_cache_key") or body.get("user"),
            n=values.number(body, "n", least=1, most=MOST_ANSWERS, whole=True) or 1,
            own={
                "include_usage": bool(values.mapping(body, "stream_options").get("include_usage")),
                "functions": FUNCTIONS in body,
            },
            ignored=values.ignored(body, READ, *values.unread(body, READ_INSIDE)),
        )  # fmt: skip

    def answer(self, replies: Sequence[Reply], ask: Ask, id: str) -> dict[str, Any]:
        choices = [
            {
                "index": index,
                "message": _message(reply, ask),
                "logprobs": None,
                "finish_reason": _finish_reason(reply, ask),
            }
            for index, reply in enumerate(replies)
        ]
        return {
            "id": id, "object": "chat.completion", "created": int(time.time()), "model": model_of(replies[0]),
            "choices": choices, "usage": usage(replies),
        }  # fmt: skip

    def writer(self, ask: Ask, id: str, *, hold: bool) -> Writer:
        return ChatWriter(ask, id, hold=hold)


class ChatWriter(Writer):
    """`chat.completion.chunk`s; with several answers one after the other, by their index."""

    def __init__(self, ask: Ask, id: str, *, hold: bool) -> None:
        super().__init__(ask, id, hold=hold)
        self.created, self.index = int(time.time()), 0

    def opening(self) -> bytes:
        return self._delta({"role": "assistant", "content": ""})

    def text(self, text: str) -> bytes:
        return self._delta({"content": text})

    def reasoning(self, text: str) -> bytes:
        return self._delta({"reasoning_content": text})

    def finish(self, reply: Reply) -> bytes:
        found = b""
        if self.ask.own["functions"] and reply.tool_calls:
            found += self._delta({"function_call": reply.tool_calls[0]["function"]})
        else:
            for index, call in enumerate(reply.tool_calls):
                found += self._delta({"tool_calls": [{"index": index, **call}]})
        if reply.state:
            found += self._delta(reply.state)
        found += self._delta({}, _finish_reason(reply, self.ask))
        self.index += 1
        return found

    def end(self) -> bytes:
        found = b""
        if self.ask.own["include_usage"]:
            told = {"provider": self.replies[-1].provider, "attempts": sum(len(r.attempts) for r in self.replies),
                    "cost_usd": cost(self.replies)}  # fmt: skip
            found = event({**self._base(), "choices": [], "usage": usage(self.replies), "x_guardlabs": told})
        return found + b"data: [DONE]\n\n"

    def _delta(self, delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": self.index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event({**self._base(), "choices": [choice]})

    def _base(self) -> dict[str, Any]:
        base = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
        }
        return {**base, "usage": None} if self.ask.own["include_usage"] else base


def _message(reply: Reply, ask: Ask) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": reply.text or None,
        "refusal": None,
        **reply.state,
    }
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.tool_calls and ask.own["functions"]:
        message["function_call"] = reply.tool_calls[0]["function"]
    elif reply.tool_calls:
        message["tool_calls"] = list(reply.tool_calls)
    return message


def _finish_reason(reply: Reply, ask: Ask) -> str:
    reason = reply.finish_reason
    if reason not in REASONS:
        reason = "tool_calls" if reply.tool_calls else "stop"
    return "function_call" if reason == "tool_calls" and ask.own["functions"] else reason


def usage(replies: Sequence[Reply]) -> dict[str, Any]:
    """Tokens of the whole call, failed attempts included: what the ledger counted."""
    tokens_in, tokens_out, cached = total(replies)
    return {
        "prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out,
        "prompt_tokens_details": {"cached_tokens": cached},
    }  # fmt: skip


# -- parameters ------------------------------------------------------------------------------------------

FUNCTIONS = "functions"


def _modern(body: Body) -> Body:
    """The body with its old functions as tools. `functions` stays in it: the answer then speaks of functions too."""
    if FUNCTIONS not in body and "function_call" not in body:
        return body
    found = {name: value for name, value in body.items() if name not in (FUNCTIONS, "function_call")}
    functions, choice = body.get(FUNCTIONS), body.get("function_call")
    if functions is not None and body.get("tools") is None:
        told = values.objects(functions, FUNCTIONS, most=values.MOST_TOOLS)
        found["tools"] = [{"type": "function", "function": each} for each in told]
        found[FUNCTIONS] = True
        found["parallel_tool_calls"] = None
    if choice is not None and body.get("tool_choice") is None:
        name = choice.get("name") if isinstance(choice, dict) else None
        if not (choice in ("none", "auto") or isinstance(name, str)):
            raise wrong("'function_call' must be none, auto, or name a function.", "function_call")
        found["tool_choice"] = {"type": "function", "function": choice} if isinstance(name, str) else choice
    return found


def _params(body: Body) -> dict[str, Any]:
    """What a provider gets beside the messages. Raises ApiError."""
    params = {
        name: value
        for name, reader in PARAMS.items()
        if (name in body or (name in OF_REASONING and "reasoning" in body))
        and (value := reader(body, name)) is not None
    }
    return _allowed(body, params)


def _allowed(body: Body, params: dict[str, Any]) -> dict[str, Any]:
    """`allowed_tools`: of the tools that are offered, the ones that may be called now."""
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        told = choice.get("allowed_tools")
        wanted = told if isinstance(told, dict) else choice
        names = [
            function["name"]
            for tool in values.objects(
                wanted.get("tools"), "tool_choice.allowed_tools.tools", most=values.MOST_TOOLS
            )
            if isinstance(function := tool.get("function"), dict) and isinstance(function.get("name"), str)
        ]
        params = {**params, "tools": values.only(params.get("tools") or [], names)}
        params["tool_choice"] = values.choice(wanted, "mode", "auto", "required") or "auto"
    return values.with_tools(params)


def _response_format(body: Body, name: str) -> Any:
    value = body.get(name)
    if value is None or value == {"type": "text"}:
        return None
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("text", "json_object", "json_schema"):
        raise wrong("'response_format.type' must be text, json_object or json_schema.", name)
    if kind == "json_schema":
        schema = value.get("json_schema")
        if not isinstance(schema, dict) or not isinstance(schema.get("name"), str):
            raise wrong("'response_format.json_schema' needs a name and a schema.", f"{name}.json_schema")
        if not isinstance(schema.get("schema") or {}, dict):
            raise wrong(
                "'response_format.json_schema.schema' must be an object.", f"{name}.json_schema.schema"
            )
    return value


def _tools(body: Body, name: str) -> Any:
    tools = values.objects(body.get(name), name, most=values.MOST_TOOLS)
    found = []
    for index, tool in enumerate(tools):
        function = tool.get("function")
        if not isinstance(function, dict) or tool.get("type") != "function":
            raise wrong("Only tools of type 'function' are supported.", f"{name}[{index}].type")
        values.function(function, f"{name}[{index}].function")
        found.append({"type": "function", "function": function})
    return found or None


def _tool_choice(body: Body, name: str) -> Any:
    choice = body.get(name)
    if choice is None or (isinstance(choice, str) and choice in {"none", "auto", "required"}):
        return choice
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        return "auto"  # see `_allowed`
    function = choice.get("function") if isinstance(choice, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise wrong("'tool_choice' must be none, auto, required, or name a function.", name)
    return values.called(function["name"])


def _effort(body: Body, name: str) -> Any:
    """OpenAI's `reasoning_effort`, or OpenRouter's `reasoning`."""
    wish = values.mapping(body, "reasoning")
    value = body.get(name)
    if value is None:
        value = wish.get("effort") or ("none" if wish.get("enabled") is False else None)
    if value is not None and value not in EFFORTS:
        raise wrong(f"'{name}' must be one of {', '.join(EFFORTS)}.", name)
    return value


def _include_reasoning(body: Body, name: str) -> bool | None:
    exclude = values.mapping(body, "reasoning").get("exclude")
    return (not exclude) if isinstance(exclude, bool) else values.boolean(body, name)


PARAMS: Mapping[str, Callable[[Body, str], Any]] = {
    "top_p": values.within(0, 1),
    "presence_penalty": values.within(-2, 2),
    "frequency_penalty": values.within(-2, 2),
    "seed": values.within(-(2**63), 2**63 - 1, whole=True),
    "stop": values.stops,
    "response_format": _response_format,
    "tools": _tools,
    "tool_choice": _tool_choice,
    "parallel_tool_calls": values.boolean,
    "reasoning_effort": _effort,
    "include_reasoning": _include_reasoning,
}
OF_REASONING = {"reasoning_effort", "include_reasoning"}  # which OpenRouter's `reasoning` may tell, too
WITH_PARAMS = {*PARAMS, "reasoning"}
READ_INSIDE = {
    "reasoning": ("effort", "enabled", "exclude"),
    "stream_options": (
        "include_usage",
        "include_obfuscation",
    ),  # the latter hides lengths, which nobody needs here
}
READ = {
    *PARAMS, *OWN, "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens",
    "temperature", "n", "modalities", "logprobs", "top_logprobs", "reasoning", "user", "prompt_cache_key", FUNCTIONS,
}  # fmt: skip
