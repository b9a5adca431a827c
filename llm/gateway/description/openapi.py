"""The endpoint's OpenAPI description: what is understood, and what may come back."""

from typing import Any

from llm.gateway.description.schemas import SCHEMAS

ERRORS = {
    "400": "the request is wrong, or every provider rejected it", "401": "no valid API key",
    "403": "the terms of every provider forbid this client's data", "404": "no such model or URL",
    "405": "another method", "413": "the body is too large", "415": "the body is packed in an unknown way",
    "429": "a limit of the client's or of all providers; Retry-After says for how long",
    "502": "no provider's answer was valid", "503": "no provider can answer now",
}  # fmt: skip
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}


def document(base: str) -> dict[str, Any]:
    """The description of the endpoint that is served under `base`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "LLM gateway",
            "version": "1",
            "description": "A fallback chain of providers behind the APIs of OpenAI and Anthropic. `model` is auto, "
            "free, a provider's slug, slug/model-id, a model's id alone, or an alias.",
        },
        "servers": [{"url": base}],
        "security": [{"key": []}, {"x-api-key": []}],
        "paths": {
            "/chat/completions": {"post": _asked("create_chat_completion", "Ask", "Completion")},
            "/completions": {"post": _asked("create_completion", "CompletionsAsk", "TextCompletion")},
            "/embeddings": {"post": _asked("create_embeddings", "EmbeddingsAsk", "Vectors", streams=False)},
            "/responses": {"post": _asked("create_response", "ResponsesAsk", "Response")},
            "/responses/{id}": {
                "get": _got("retrieve_response", "a kept answer", "Response", ID),
                "delete": _got("delete_response", "it is kept no more", "Deleted", ID),
            },
            "/messages": {"post": _asked("create_message", "MessagesAsk", "AnthropicMessage", "AnthropicError")},
            "/messages/count_tokens": {
                "post": _asked("count_tokens", "MessagesAsk", "Count", "AnthropicError", streams=False)
            },
            "/quota": {"get": _got("retrieve_quota", "what is left for this client, and until when", "Quota")},
            "/models": {"get": _got("list_models", "the names that `model` may have", "Models")},
            "/models/{id}": {"get": _got("retrieve_model", "one of them", "Model", ID)},
        },
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
            "schemas": SCHEMAS,
        },
    }  # fmt: skip


def _asked(name: str, ask: str, answer: str, error: str = "Error", *, streams: bool = True) -> dict[str, Any]:
    """An operation that takes a body, and may answer with events."""
    content = _json(answer) | ({"text/event-stream": {"schema": {"type": "string"}}} if streams else {})
    told = "the answer, or its events when `stream` is true" if streams else "the answer"
    return {
        "operationId": name,
        "requestBody": {"required": True, "content": _json(ask)},
        "responses": {"200": {"description": told, "content": content}, **_errors(error)},
    }


def _got(name: str, told: str, answer: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    """An operation without a body."""
    missing = ("404",) if parameters else ()
    return {
        "operationId": name,
        "parameters": list(parameters),
        "responses": {
            "200": {"description": told, "content": _json(answer)},
            **_errors("Error", "401", "405", "503", *missing),
        },
    }


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _errors(shape: str, *statuses: str) -> dict[str, Any]:
    return {status: {"description": ERRORS[status], "content": _json(shape)} for status in statuses or ERRORS}
