"""OpenAI's words for a chat request, said in Gemini's: messages, tools, structured answers, sampling, reasoning."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from google.genai import types

from llm.adapters.dialects import EFFORTS, NO_SIGNATURE, google_state
from llm.failures.kinds import Failure, Kind

SAMPLING = ("top_p", "seed", "presence_penalty", "frequency_penalty")
OPENAI_ONLY = {"stop", "response_format", "tools", "tool_choice", "parallel_tool_calls", *SAMPLING}
LEVELS = dict(zip(EFFORTS, ("MINIMAL", "MINIMAL", "LOW", "MEDIUM", "HIGH", "HIGH", "HIGH"), strict=True))
BUDGETS = dict(zip(EFFORTS, (0, 512, 1024, 8192, 24576, 24576, 24576), strict=True))  # tokens
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


def thinking(model: str, params: Mapping[str, Any], effort: str | None, shown: bool | None) -> dict[str, Any]:
    """`thinking_config` with the caller's wish for reasoning; empty when there is none.

    Gemini 3 knows levels and cannot switch thinking off; 2.5 knows budgets of tokens.
    """
    if effort is None and shown is None:
        return {}
    stated = params.get("thinking_config")
    config = dict(stated) if isinstance(stated, Mapping) else {}
    if effort in LEVELS:  # a word that nobody knows leaves the model as it is
        config.pop("thinking_level", None)
        config.pop("thinking_budget", None)
        if "gemini-2" in model:
            config["thinking_budget"] = BUDGETS[effort]
        else:
            config["thinking_level"] = LEVELS[effort]
    config["include_thoughts"] = effort != "none" if shown is None else shown
    return {"thinking_config": config}


def contents(messages: Sequence[Mapping[str, Any]]) -> list[types.Content]:
    """All messages but the system's. The result of a tool is told by the name of the function that was called.

    Gemini wants the results of one turn's calls in one turn, in the order of the calls, and no turn without parts.
    """
    found: list[types.Content] = []
    order: dict[str, tuple[int, str]] = {}  # of the latest turn's calls: place and name, by id
    results: list[tuple[int, types.Part]] = []

    def close() -> None:
        if results:
            parts = [part for _, part in sorted(results, key=lambda each: each[0])]
            found.append(types.Content(role="user", parts=parts))
            results.clear()

    for message in messages:
        role = message["role"]
        if role in {"system", "developer"}:
            continue
        if role == "tool":
            place, name = order.get(str(message.get("tool_call_id")), (len(order), "unknown"))
            results.append((place, _result(message, name)))
            continue
        close()
        calls: list[Mapping[str, Any]] = list(message.get("tool_calls") or ())
        if calls:
            order = {str(call["id"]): (place, call["function"]["name"]) for place, call in enumerate(calls)}
        parts = _parts(message.get("content"))
        parts += [_called(call, first=place == 0) for place, call in enumerate(calls)]
        if role == "assistant" and not calls and parts and (signature := _signature(message)):
            parts[-1].thought_signature = signature
        if parts:
            found.append(types.Content(role="model" if role == "assistant" else "user", parts=parts))
    close()
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
        if part.get("type") == "image_url" or part.get("text")
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


def _called(call: Mapping[str, Any], *, first: bool) -> types.Part:
    """A call as it was made. Of several at once Gemini signs the first."""
    function = types.FunctionCall(
        name=call["function"]["name"], args=_object(call["function"].get("arguments"))
    )
    signature = _signature(call) or (NO_SIGNATURE.encode() if first else None)
    return types.Part(function_call=function, thought_signature=signature)


def _signature(told: Mapping[str, Any]) -> bytes | None:
    """The signature that came with a call or a text, if it is Google's."""
    for state in google_state(told).values():
        text = state.get("thought_signature")
        if text == NO_SIGNATURE:
            return NO_SIGNATURE.encode()
        if isinstance(text, str) and text:
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error:
                return None
    return None


def _result(message: Mapping[str, Any], name: str) -> types.Part:
    text = "".join(part.text or "" for part in _parts(message.get("content")))
    return types.Part(function_response=types.FunctionResponse(name=name, response={"result": text}))


def _object(text: object) -> dict[str, Any]:
    try:
        value = json.loads(str(text or "{}"))
    except ValueError:
        value = {}
    return value if isinstance(value, dict) else {"value": value}
