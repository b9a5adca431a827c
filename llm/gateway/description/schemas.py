"""Schemas of what is understood and what comes back, for the OpenAPI description."""

from typing import Any

from llm.adapters.dialects import EFFORTS
from llm.gateway import ask, values
from llm.gateway.protocols import chat_messages
from llm.models import Client


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def _number(least: float, most: float) -> dict[str, Any]:
    return {"type": ["number", "null"], "minimum": least, "maximum": most}


def _whole(least: float, most: float) -> dict[str, Any]:
    return {"type": ["integer", "null"], "minimum": least, "maximum": most}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


TEXT, LIST = {"type": "string"}, {"type": "array", "items": {"type": "object"}}
# What every protocol's request may hold.
COMMON: dict[str, Any] = {
    "model": {"type": "string", "minLength": 1, "default": "auto"},
    "stream": {"type": ["boolean", "null"]},
    "deadline_s": {**_number(0.1, ask.MOST_DEADLINE_S), "description": "seconds for the whole call"},
    "on_content_block": {
        "enum": [*Client.OnContentBlock.values, None],
        "description": "when a provider refuses the content: ask the next one, or tell it",
    },
    "max_usd": {**_number(0, 1000), "description": "the most that this call may cost; 0 is free only"},
}
SCHEMAS: dict[str, Any] = {
    "Ask": _object(
        ["messages"],
        **COMMON,
        messages={"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Message"}},
        max_tokens=_whole(1, values.MOST_TOKENS),
        max_completion_tokens=_whole(1, values.MOST_TOKENS),
        temperature=_number(0, 2),
        top_p=_number(0, 1),
        presence_penalty=_number(-2, 2),
        frequency_penalty=_number(-2, 2),
        seed={"type": ["integer", "null"]},
        stop={"anyOf": [TEXT, {"type": "array", "items": TEXT, "maxItems": values.MOST_STOPS}, {"type": "null"}]},
        n=_whole(1, 8),
        stream_options={"type": ["object", "null"], "properties": {"include_usage": {"type": "boolean"}}},
        response_format={"type": ["object", "null"]},
        tools={"type": ["array", "null"], "items": {"type": "object"}, "maxItems": values.MOST_TOOLS},
        tool_choice={"anyOf": [TEXT, {"type": "object"}, {"type": "null"}]},
        parallel_tool_calls={"type": ["boolean", "null"]},
        reasoning_effort={"enum": [*EFFORTS, None]},
        include_reasoning={"type": ["boolean", "null"], "description": "whether `reasoning_content` is told"},
        reasoning={"type": ["object", "null"], "description": "the same as an object: effort, enabled, exclude"},
    ),
    "Message": _object(
        ["role"],
        role={"enum": list(chat_messages.ROLES)},
        content={"anyOf": [TEXT, LIST, {"type": "null"}]},
        name=TEXT,
        tool_calls=LIST,
        tool_call_id=TEXT,
        reasoning_content=TEXT,
        reasoning_details=LIST,
        extra_content={"type": "object"},
    ),
    "Completion": _object(
        ["id", "object", "created", "model", "choices", "usage"],
        id=TEXT, object={"const": "chat.completion"}, created={"type": "integer"}, model=TEXT,
        choices={"type": "array", "minItems": 1, "items": _object(
            ["index", "message", "finish_reason"],
            index={"type": "integer"},
            message=_object(["role", "content"], role={"const": "assistant"},
                            content={"type": ["string", "null"]}, tool_calls=LIST, reasoning_content=TEXT),
            finish_reason={"enum": ["stop", "length", "tool_calls", "content_filter", "function_call"]},
        )},
        usage=_object(["prompt_tokens", "completion_tokens", "total_tokens"], **{
            name: {"type": "integer"} for name in ("prompt_tokens", "completion_tokens", "total_tokens")
        }),
    ),
    "Model": _object(["id", "object", "created", "owned_by"], id=TEXT, object={"const": "model"},
                     created={"type": "integer"}, owned_by=TEXT),
    "Models": _object(["object", "data"], object={"const": "list"},
                      data={"type": "array", "items": {"$ref": "#/components/schemas/Model"}}),
    "ResponsesAsk": _object(
        ["input"],
        **COMMON,
        input={"anyOf": [TEXT, LIST]},
        instructions=_or_null(TEXT),
        max_output_tokens=_whole(1, values.MOST_TOKENS),
        temperature=_number(0, 2),
        top_p=_number(0, 1),
        tools=_or_null(LIST),
        tool_choice={"anyOf": [TEXT, {"type": "object"}, {"type": "null"}]},
        parallel_tool_calls={"type": ["boolean", "null"]},
        text={"type": ["object", "null"], "properties": {"format": {"type": "object"}}},
        reasoning={"type": ["object", "null"], "properties": {"effort": {"enum": [*EFFORTS, None]}}},
        previous_response_id=_or_null(TEXT),
        store={"type": ["boolean", "null"]},
        include=_or_null({"type": "array", "items": TEXT}),
    ),
    "Response": _object(
        ["id", "object", "created_at", "status", "model", "output", "usage"],
        id=TEXT, object={"const": "response"}, created_at={"type": "integer"}, model=TEXT, output=LIST,
        status={"enum": ["completed", "incomplete"]}, usage={"type": "object"},
    ),
    "Quota": _object(
        ["object", "at", "client", "limits", "paused", "until_midnight"],
        object={"const": "quota"}, at=TEXT, client={"type": "object"}, limits=LIST, paused=LIST,
        until_midnight={"type": "object"},
    ),
    "EmbeddingsAsk": _object(
        ["input"],
        model={"type": "string", "minLength": 1, "default": "auto"},
        input={"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]},
        dimensions=_whole(1, 16_384),
        encoding_format={"enum": ["float", "base64", None]},
        max_usd=COMMON["max_usd"],
        deadline_s=COMMON["deadline_s"],
    ),
    "Vectors": _object(["object", "data", "model", "usage"], object={"const": "list"}, data=LIST, model=TEXT,
                       usage={"type": "object"}),
    "Deleted": _object(["id", "deleted"], id=TEXT, deleted={"const": True}),
    "MessagesAsk": _object(
        ["messages"],
        **COMMON,
        max_tokens=_whole(1, values.MOST_TOKENS),
        messages={"type": "array", "minItems": 1, "items": _object(
            ["role", "content"], role={"enum": ["user", "assistant", "system"]}, content={"anyOf": [TEXT, LIST]})},
        system={"anyOf": [TEXT, LIST, {"type": "null"}]},
        tools=_or_null(LIST),
        tool_choice={"type": ["object", "null"]},
        thinking={"type": ["object", "null"]},
        output_config={"type": ["object", "null"]},
        stop_sequences=_or_null({"type": "array", "items": TEXT, "maxItems": values.MOST_STOPS}),
        temperature=_number(0, 2),
        top_p=_number(0, 1),
    ),
    "AnthropicMessage": _object(
        ["id", "type", "role", "model", "content", "stop_reason", "usage"],
        id=TEXT, type={"const": "message"}, role={"const": "assistant"}, model=TEXT, content=LIST,
        stop_reason={"enum": ["end_turn", "max_tokens", "tool_use", "refusal"]}, usage={"type": "object"},
    ),
    "Count": _object(["input_tokens"], input_tokens={"type": "integer"}),
    "AnthropicError": _object(["type", "error"], type={"const": "error"}, error=_object(
        ["type", "message"], type=TEXT, message=TEXT)),
    "CompletionsAsk": _object(
        ["prompt"],
        **COMMON,
        prompt={"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 1}]},
        max_tokens=_whole(1, values.MOST_TOKENS),
        n=_whole(1, 8),
        temperature=_number(0, 2),
        stop={"anyOf": [TEXT, {"type": "array", "items": TEXT, "maxItems": values.MOST_STOPS}, {"type": "null"}]},
    ),
    "TextCompletion": _object(
        ["id", "object", "created", "model", "choices", "usage"],
        id=TEXT, object={"const": "text_completion"}, created={"type": "integer"}, model=TEXT, choices=LIST,
        usage={"type": "object"},
    ),
    "Error": _object(["error"], error=_object(
        ["message", "type", "param", "code"], message=TEXT, type=TEXT,
        param={"type": ["string", "null"]}, code={"type": ["string", "null"]},
        attempts={**LIST, "description": "what was tried"},
        skipped={**LIST, "description": "what was not, why, and until when"},
    )),
}  # fmt: skip
