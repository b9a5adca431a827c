"""OpenAI's Responses: items in, items out. https://platform.openai.com/docs/api-reference/responses"""

from collections.abc import Mapping, Sequence
from typing import Any

from llm.adapters.dialects import EFFORTS
from llm.chain import Reply
from llm.gateway import conversations, values
from llm.gateway.ask import OWN, Ask, made
from llm.gateway.protocols import responses_input
from llm.gateway.protocols.base import Protocol, Writer
from llm.gateway.protocols.responses_output import ResponsesWriter, response
from llm.gateway.protocols.responses_tools import Tools, repeated
from llm.gateway.values import Body, unsupported, wrong
from llm.models import Client

INCLUDES = {"reasoning.encrypted_content"}  # other values ask for what hosted tools have found


class Responses(Protocol):
    prefix = "resp_"

    def read(self, body: Body, meta: Mapping[str, Any]) -> Ask:
        _refuse_what_is_not_done(body)
        messages, left_out = responses_input.read(body.get("input"))
        previous = values.text(body, "previous_response_id")
        if not messages and not previous:
            raise wrong("'input' must be a string or a list of items.", "input")
        instructions = values.text(body, "instructions")
        if instructions:
            messages = [{"role": "system", "content": instructions}, *messages]
        tools = _tools(body)
        params, format = _params(body, tools)
        includes = body.get("include") or ()
        # The choice of a tool that was left out can be none.
        chosen = not isinstance(body.get("tool_choice"), dict) or "tool_choice" in params
        return made(
            body, meta,
            place="input",
            messages=messages,
            params=params,
            max_tokens=values.number(body, "max_output_tokens", least=1, most=values.MOST_TOKENS, whole=True),
            temperature=values.number(body, "temperature", least=0, most=2),
            session=body.get("prompt_cache_key") or body.get("user") or body.get("safety_identifier"),
            own={
                "instructions": instructions,
                "previous_response_id": previous,
                "store": values.boolean(body, "store"),
                "repeated": _repeated(body, format),
                "tools": tools.known,
            },
            ignored=values.ignored(
                body, READ, *tools.left_out, *left_out,
                *values.unread(body, READ_INSIDE), *(() if chosen else ("tool_choice",)),
                *(f"include.{name}" for name in includes if isinstance(name, str) and name not in INCLUDES),
            ),
        )  # fmt: skip

    def looks_up(self, ask: Ask) -> bool:
        return bool(ask.own["previous_response_id"] or ask.own["store"])

    def prepared(self, ask: Ask, client: Client) -> Ask:
        may_keep = conversations.may_keep(client)
        if ask.own["store"] and not may_keep:
            raise unsupported("This API key's texts are not kept: say store: false.", "store")
        system, said = (ask.messages[:1], ask.messages[1:]) if ask.own["instructions"] else ([], ask.messages)
        own = {**ask.own, "store": may_keep and ask.own["store"] is not False, "said": said, "thread": ""}
        previous = own["previous_response_id"]
        if not previous:
            return ask._replace(own=own)
        told = conversations.before(client, previous)
        own["thread"] = told.thread
        return ask._replace(messages=[*system, *told.messages, *said], own=own)

    def answer(self, replies: Sequence[Reply], ask: Ask, id: str) -> dict[str, Any]:
        return response(replies[0], ask, id)

    def writer(self, ask: Ask, id: str, *, hold: bool) -> Writer:
        return ResponsesWriter(ask, id, hold=hold)

    def keeps(self, ask: Ask) -> bool:
        return bool(ask.own["store"])

    def keep(self, ask: Ask, client: Client, reply: Reply, body: Mapping[str, Any]) -> None:
        conversations.keep(client, reply, body, said=ask.own["said"], thread=ask.own["thread"])


def _refuse_what_is_not_done(body: Body) -> None:
    if body.get("background"):
        raise unsupported("Answers in the background are not supported: ask for a stream.", "background")
    for name in ("conversation", "prompt"):
        if body.get(name) is not None:
            raise unsupported(f"'{name}' is kept at OpenAI: send the messages themselves.", name)
    include = body.get("include")
    if include is not None and not isinstance(include, list):
        raise wrong("'include' must be a list.", "include")
    if body.get("top_logprobs") or "message.output_text.logprobs" in (include or ()):
        raise unsupported("Log probabilities are not told by every provider: leave them out.", "top_logprobs")


def _tools(body: Body) -> Tools:
    """The tools that are offered, those too that come with the input, as Codex sends them."""
    tools = Tools()
    tools.take(body.get("tools"), "tools")
    items = body.get("input")
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict) and item.get("type") == "additional_tools":
            tools.take(item.get("tools"), f"input[{index}].tools")
    return tools


def _params(body: Body, tools: Tools) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters of a chat, and the format of the text as it was asked for."""
    params: dict[str, Any] = {"tools": tools.functions}
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        names = [choice] if choice.get("type") != "allowed_tools" else choice.get("tools")
        names = values.objects(names, "tool_choice.tools", most=values.MOST_TOOLS)
        wanted = tools.chosen(names)
        if choice.get("type") == "allowed_tools":
            params["tools"] = values.only(tools.functions, wanted)
            params["tool_choice"] = values.choice(choice, "mode", "auto", "required") or "auto"
        elif wanted:
            params["tool_choice"] = values.called(wanted[0])
    elif choice is not None:
        params["tool_choice"] = values.choice(body, "tool_choice", "none", "auto", "required")
    params["parallel_tool_calls"] = values.boolean(body, "parallel_tool_calls")
    params["top_p"] = values.number(body, "top_p", least=0, most=1)
    reasoning = values.mapping(body, "reasoning")
    if reasoning.get("effort") is not None:
        params["reasoning_effort"] = values.choice(reasoning, "effort", *EFFORTS)
    if reasoning.get("summary") or reasoning.get("generate_summary"):
        params["include_reasoning"] = True
    format = values.mapping(values.mapping(body, "text"), "format", "text.format")
    kind = format.get("type", "text")
    if kind == "json_schema":
        params["response_format"] = values.json_schema(format, "text.format")
    elif kind == "json_object":
        params["response_format"] = {"type": "json_object"}
    elif kind != "text":
        raise wrong("'text.format.type' must be text, json_object or json_schema.", "text.format.type")
    params = values.with_tools({name: value for name, value in params.items() if value is not None})
    return params, dict(format) or {"type": "text"}


def _repeated(body: Body, format: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a request that its response repeats; the SDK's types want them all."""
    metadata = body.get("metadata")
    return {
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": metadata if isinstance(metadata, dict) else {},
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None, **(body.get("reasoning") or {})},
        "temperature": body.get("temperature"),
        "text": {"format": format},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": repeated(body.get("tools")),
        "top_p": body.get("top_p"),
        "truncation": "disabled",
        "user": body.get("user") if isinstance(body.get("user"), str) else None,
    }


READ_INSIDE = {"text": ("format",), "reasoning": ("effort", "summary", "generate_summary")}
READ = {
    *OWN, "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "top_p", "temperature",
    "max_output_tokens", "reasoning", "text", "stream", "stream_options", "store", "previous_response_id", "include",
    "background", "conversation", "prompt", "top_logprobs", "prompt_cache_key", "user", "safety_identifier",
    "metadata",
}  # fmt: skip
