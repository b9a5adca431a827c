"""OpenAI's words for a chat request, said in Gemini's: messages, tools, structured answers, sampling."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from google.genai import types

from llm.adapters.toolcalls import tool_call
from llm.failures.rules import Failure, Kind

# Gemini 3 wants back the signature that came with its own call of a tool. A call in OpenAI's shape has lost it,
# and may be another model's anyway; this value is the documented way to say so.
NO_SIGNATURE = b"skip_thought_signature_validator"
SAMPLING = ("top_p", "seed", "presence_penalty", "frequency_penalty")
OPENAI_ONLY = {"stop", "response_format", "tools", "tool_choice", "parallel_tool_calls", *SAMPLING}
NEVER = {"http_options"}  # where a request goes, and with which headers, is the adapter's to say
MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}


def config(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a GenerateContentConfig; Gemini's own names (a model's `params`) stay as they are."""
    found = {name: value for name, value in params.items() if name not in OPENAI_ONLY | NEVER}
    found |= {name: params[name] for name in SAMPLING if params.get(name) is not None}
    if stop := params.get("stop"):
        found["stop_sequences"] = [stop] if isinstance(stop, str) else list(stop)
    wanted = params.get("response_format") or {}
    if wanted.get("type") in {"json_object", "json_schema"}:
        found["response_mime_type"] = "application/json"
        if schema := (wanted.get("json_schema") or {}).get("schema"):
            found["response_json_schema"] = schema
    if tools := params.get("tools"):
        found["tools"] = [types.Tool(function_declarations=[_declaration(tool) for tool in tools])]
        found["tool_config"] = types.ToolConfig(function_calling_config=_choice(params.get("tool_choice")))
    return found


def _declaration(tool: Mapping[str, Any]) -> types.FunctionDeclaration:
    function = tool["function"]
    return types.FunctionDeclaration(
        name=function["name"],
        description=function.get("description"),
        parameters_json_schema=function.get("parameters"),
    )


def _choice(choice: object) -> types.FunctionCallingConfig:
    if isinstance(choice, Mapping):
        name = (choice.get("function") or {}).get("name")
        return types.FunctionCallingConfig.model_validate({"mode": "ANY", "allowed_function_names": [name]})
    return types.FunctionCallingConfig.model_validate({"mode": MODES.get(str(choice or "auto"), "AUTO")})


def contents(messages: Sequence[Mapping[str, Any]]) -> list[types.Content]:
    """All messages but the system's. The result of a tool is told by the name of the function that was called."""
    names: dict[str, str] = {}
    found = []
    for message in messages:
        role = message["role"]
        if role in {"system", "developer"}:
            continue
        for call in message.get("tool_calls") or ():
            names[call["id"]] = call["function"]["name"]
        if role == "tool":
            parts = [_result(message, names.get(str(message.get("tool_call_id")), "unknown"))]
        else:
            parts = [*_parts(message.get("content")), *map(_called, message.get("tool_calls") or ())]
        found.append(types.Content(role="model" if role == "assistant" else "user", parts=parts))
    return found


def system(messages: Sequence[Mapping[str, Any]]) -> str | None:
    """The system's messages as one text."""
    texts = [
        "".join(part.text or "" for part in _parts(message.get("content")))
        for message in messages
        if message["role"] in {"system", "developer"}
    ]
    return "\n\n".join(texts) or None


def _parts(content: object) -> list[types.Part]:
    if not isinstance(content, list):
        return [types.Part(text=str(content))] if content else []
    return [
        _image(part["image_url"]["url"]) if part.get("type") == "image_url" else types.Part(text=part["text"])
        for part in content
    ]


def _image(url: str) -> types.Part:
    if not url.startswith("data:"):
        return types.Part(file_data=types.FileData(file_uri=url, mime_type="image/jpeg"))
    head, _, data = url.removeprefix("data:").partition(",")
    try:
        return types.Part(
            inline_data=types.Blob(data=base64.b64decode(data, validate=True), mime_type=head.split(";")[0])
        )
    except binascii.Error:
        raise Failure(Kind.REQUEST_REJECTED, "an image's data is not base64") from None


def _called(call: Mapping[str, Any]) -> types.Part:
    function = types.FunctionCall(
        name=call["function"]["name"], args=_object(call["function"].get("arguments"))
    )
    return types.Part(function_call=function, thought_signature=NO_SIGNATURE)


def _result(message: Mapping[str, Any], name: str) -> types.Part:
    text = "".join(part.text or "" for part in _parts(message.get("content")))
    return types.Part(function_response=types.FunctionResponse(name=name, response={"result": text}))


def _object(text: object) -> dict[str, Any]:
    try:
        value = json.loads(str(text or "{}"))
    except ValueError:
        value = {}
    return value if isinstance(value, dict) else {"value": value}


def tool_calls(responses: Sequence[Any]) -> tuple[dict[str, Any], ...]:
    """The calls of tools in a response, or in all chunks of a stream."""
    candidates = [response.candidates[0] for response in responses if response.candidates]
    parts = [part for each in candidates for part in (each.content.parts if each.content else None) or ()]
    return tuple(
        tool_call(
            id=part.function_call.id or "",
            name=part.function_call.name or "",
            arguments=json.dumps(part.function_call.args or {}, ensure_ascii=False),
        )
        for part in parts
        if part.function_call
    )
