"""The endpoint's OpenAPI description: what is understood, and what may come back."""

from typing import Any

from llm.adapters.dialects import EFFORTS
from llm.gateway import ask, values
from llm.gateway.protocols import chat_messages
from llm.models import Client

ERRORS = {
    "400": "the request is wrong, or every provider rejected it", "401": "no valid API key",
    "403": "the terms of every provider forbid this client's data", "404": "no such model or URL",
    "405": "another method", "411": "no Content-Length", "413": "the body is too large",
    "429": "a limit of the client's or of all providers; Retry-After says for how long",
    "502": "no provider's answer was valid", "503": "no provider can answer now",
}  # fmt: skip


def document(base: str) -> dict[str, Any]:
    """The description of the endpoint that is served under `base`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "LLM gateway",
            "version": "1",
            "description": "A fallback chain of providers behind OpenAI's chat completions. "
            "`model` is auto, free, a provider's slug, or slug/model-id.",
        },
        "servers": [{"url": base}],
        "security": [{"key": []}],
        "paths": {
            "/chat/completions": {
                "post": {
                    "operationId": "create_chat_completion",
                    "requestBody": {"required": True, "content": _json({"$ref": "#/components/schemas/Ask"})},
                    "responses": {
                        "200": {
                            "description": "the answer, or its events when `stream` is true",
                            "content": {
                                **_json({"$ref": "#/components/schemas/Completion"}),
                                "text/event-stream": {"schema": {"type": "string"}},
                            },
                        },
                        **_errors(),
                    },
                }
            },
            "/models": {
                "get": {
                    "operationId": "list_models",
                    "responses": {
                        "200": _answer("the names that `model` may have", "Models"), **_errors("401", "405"),
                    },
                }
            },
            "/models/{model}": {
                "get": {
                    "operationId": "retrieve_model",
                    "parameters": [
                        {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}
                    ],
                    "responses": {"200": _answer("one of them", "Model"), **_errors("401", "404", "405")},
                }
            },
        },
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}, "schemas": SCHEMAS},
    }  # fmt: skip


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _answer(description: str, name: str) -> dict[str, Any]:
    return {"description": description, "content": _json({"$ref": f"#/components/schemas/{name}"})}


def _errors(*statuses: str) -> dict[str, Any]:
    return {status: _answer(ERRORS[status], "Error") for status in statuses or ERRORS}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def _number(least: float, most: float) -> dict[str, Any]:
    return {"type": ["number", "null"], "minimum": least, "maximum": most}


def _whole(least: float, most: float) -> dict[str, Any]:
    return {"type": ["integer", "null"], "minimum": least, "maximum": most}


TEXT, LIST = {"type": "string"}, {"type": "array", "items": {"type": "object"}}
SCHEMAS: dict[str, Any] = {
    "Ask": _object(
        ["messages"],
        model={"type": "string", "minLength": 1, "default": "auto"},
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
        stream={"type": ["boolean", "null"]},
        stream_options={"type": ["object", "null"], "properties": {"include_usage": {"type": "boolean"}}},
        response_format={"type": ["object", "null"]},
        tools={"type": ["array", "null"], "items": {"type": "object"}, "maxItems": values.MOST_TOOLS},
        tool_choice={"anyOf": [TEXT, {"type": "object"}, {"type": "null"}]},
        parallel_tool_calls={"type": ["boolean", "null"]},
        reasoning_effort={"enum": [*EFFORTS, None]},
        include_reasoning={"type": ["boolean", "null"], "description": "whether `reasoning_content` is told"},
        reasoning={"type": ["object", "null"], "description": "the same as an object: effort, enabled, exclude"},
        deadline_s={**_number(0.1, ask.MOST_DEADLINE_S), "description": "seconds for the whole call"},
        on_content_block={
            "enum": [*Client.OnContentBlock.values, None],
            "description": "when a provider refuses the content: ask the next one, or tell it",
        },
        max_usd={**_number(0, 1000), "description": "the most that this call may cost; 0 is free only"},
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
        choices={"type": "array", "minItems": 1, "maxItems": 1, "items": _object(
            ["index", "message", "finish_reason"],
            index={"const": 0},
            message=_object(["role", "content"], role={"const": "assistant"},
                            content={"type": ["string", "null"]}, tool_calls=LIST, reasoning_content=TEXT),
            finish_reason={"enum": ["stop", "length", "tool_calls", "content_filter"]},
        )},
        usage=_object(["prompt_tokens", "completion_tokens", "total_tokens"], **{
            name: {"type": "integer"} for name in ("prompt_tokens", "completion_tokens", "total_tokens")
        }),
    ),
    "Model": _object(["id", "object", "created", "owned_by"], id=TEXT, object={"const": "model"},
                     created={"type": "integer"}, owned_by=TEXT),
    "Models": _object(["object", "data"], object={"const": "list"},
                      data={"type": "array", "items": {"$ref": "#/components/schemas/Model"}}),
    "Error": _object(["error"], error=_object(
        ["message", "type", "param", "code"], message=TEXT, type=TEXT,
        param={"type": ["string", "null"]}, code={"type": ["string", "null"]},
        attempts={**LIST, "description": "what was tried"},
        skipped={**LIST, "description": "what was not, why, and until when"},
    )),
}  # fmt: skip
