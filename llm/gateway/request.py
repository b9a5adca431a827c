"""Reads the body of a chat request: what is understood is checked, what is not is left out.

Deliberately not read: `user`, `metadata`, `store` (nobody else's business), `logit_bias` and `logprobs`, and whatever
comes after 2026.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from django.conf import settings
from django.http import HttpRequest

from llm.adapters.dialects import EFFORTS, STATE
from llm.gates import Gate
from llm.gateway.errors import ApiError
from llm.gateway.gate import gate_for
from llm.models import Client
from llm.text import mend

MOST_BYTES = 8 * 2**20  # of a body: a long diff, or some images
MOST_MESSAGES, MOST_TOOLS, MOST_STOPS = 2000, 128, 4
MOST_TOKENS = 1_000_000
MOST_DEADLINE_S = 86_400.0  # agents stream for hours
ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
FUNCTION = re.compile(r"[a-zA-Z0-9_-]{1,64}")
REPLACED = {"functions": "tools", "function_call": "tool_choice"}


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A chat request as the chain takes it. `params` go to the provider as they are."""

    model: str
    messages: Sequence[Mapping[str, Any]]
    params: Mapping[str, Any]
    max_tokens: int | None
    temperature: float | None
    deadline_s: float | None  # None: the client named none
    max_usd: Decimal | None
    stream: bool
    include_usage: bool
    gate: Gate | None
    hold: bool | None  # None: as the client's settings say; so are the next two
    on_break: str | None
    on_content_block: str | None


def read(request: HttpRequest) -> Ask:
    """The request in a body. Raises ApiError."""
    body = _body(request)
    for name, other in REPLACED.items():
        if body.get(name) is not None:
            _refuse(f"'{name}' is not supported: use '{other}'.", name, "unsupported_parameter")
    if body.get("n") not in (None, 1):
        _refuse("Only n = 1 is supported.", "n", "unsupported_parameter")
    modalities = body.get("modalities")
    if isinstance(modalities, list) and "audio" in modalities:
        _refuse("Audio is not supported.", "modalities", "unsupported_parameter")
    model = body.get("model")
    if model is not None and (not isinstance(model, str) or not model):
        _refuse("'model' must be a string.", "model")
    params = {name: value for name, reader in PARAMS.items() if (value := reader(body, name)) is not None}
    if not params.get("tools"):
        if "tool_choice" in params and params["tool_choice"] not in ("none", "auto"):
            _refuse("'tool_choice' is only allowed when 'tools' are specified.", "tool_choice")
        params = {k: v for k, v in params.items() if k not in ("tools", "tool_choice", "parallel_tool_calls")}
    tokens = _number(body, "max_completion_tokens", least=1, most=MOST_TOKENS, whole=True)
    tokens = tokens or _number(body, "max_tokens", least=1, most=MOST_TOKENS, whole=True)
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        _refuse("'stream_options' must be an object.", "stream_options")
    max_usd = _number(body, "max_usd", least=0, most=1000)
    return Ask(
        model=model or "auto",
        messages=_messages(body.get("messages")),
        params=params,
        max_tokens=tokens or getattr(settings, "LLM_GATEWAY_MAX_TOKENS", None),
        temperature=_number(body, "temperature", least=0, most=2),
        deadline_s=_number(body, "deadline_s", least=0.1, most=MOST_DEADLINE_S),
        max_usd=None if max_usd is None else Decimal(str(max_usd)),
        stream=_boolean(body, "stream") or False,
        include_usage=bool((options or {}).get("include_usage")),
        gate=gate_for(params.get("response_format")),
        hold={"true": True, "false": False, None: None}[
            _header(request, "x-guardlabs-hold", "true", "false")
        ],
        on_break=_header(request, "x-guardlabs-on-break", *Client.OnBreak.values),
        on_content_block=_choice(body, "on_content_block", *Client.OnContentBlock.values),
    )


def _header(request: HttpRequest, name: str, *values: str) -> str | None:
    """One of these values of a header of ours; None without it."""
    value = request.headers.get(name, "").strip().lower() or None
    if value is not None and value not in values:
        _refuse(f"The header '{name}' must be {' or '.join(values)}.", name)
    return value


def _choice(body: Mapping[str, Any], name: str, *values: str) -> str | None:
    value = body.get(name)
    if value is not None and value not in values:
        _refuse(f"'{name}' must be {' or '.join(values)}.", name)
    return value


def _body(request: HttpRequest) -> dict[str, Any]:
    length = request.META.get("CONTENT_LENGTH") or ""
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        raise ApiError(411, "Send the body with a Content-Length.", code="length_required")
    if length.isdecimal() and int(length) > MOST_BYTES:
        raise ApiError(413, f"The body is larger than {MOST_BYTES} bytes.", code="request_too_large")
    try:
        body = json.loads(request.read(MOST_BYTES + 1).decode(), parse_constant=_no_constant)
    except OSError:  # the client left half-way
        raise ApiError(400, "The body ended too early.") from None
    except (ValueError, RecursionError):
        raise ApiError(400, "The body is not valid JSON in UTF-8.", code="invalid_json") from None
    if not isinstance(body, dict):
        raise ApiError(400, "The body must be a JSON object.", code="invalid_json")
    try:
        return _mended(body)  # type: ignore[no-any-return]
    except RecursionError:
        raise ApiError(400, "The body is nested too deeply.", code="invalid_json") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _mended(value: Any) -> Any:
    """Without NUL and half characters, which no database takes."""
    if isinstance(value, str):
        return mend(value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {mend(name): _mended(item) for name, item in value.items()}
    return value


def _refuse(message: str, param: str | None, code: str | None = None) -> NoReturn:
    raise ApiError(400, message, param=param, code=code)


# -- values ----------------------------------------------------------------------------------------------


def _number(body: Mapping[str, Any], name: str, *, least: float, most: float, whole: bool = False) -> Any:
    value = body.get(name)
    if value is None:
        return None
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not fits or (isinstance(value, float) and not math.isfinite(value)) or not least <= value <= most:
        kind = "an integer" if whole else "a number"
        _refuse(f"'{name}' must be {kind} from {least:g} to {most:g}.", name)
    return value


def _boolean(body: Mapping[str, Any], name: str) -> bool | None:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        _refuse(f"'{name}' must be true or false.", name)
    return value


def _stop(body: Mapping[str, Any], name: str) -> Any:
    value = body.get(name)
    stops = [value] if isinstance(value, str) else value
    if stops is None:
        return None
    if (
        not isinstance(stops, list)
        or len(stops) > MOST_STOPS
        or not all(isinstance(s, str) and s for s in stops)
    ):
        _refuse(f"'stop' must be a string, or up to {MOST_STOPS} of them.", name)
    return stops or None


def _response_format(body: Mapping[str, Any], name: str) -> Any:
    value = body.get(name)
    if value is None or value == {"type": "text"}:
        return None
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("text", "json_object", "json_schema"):
        _refuse("'response_format.type' must be text, json_object or json_schema.", name)
    if kind == "json_schema":
        schema = value.get("json_schema")
        if not isinstance(schema, dict) or not isinstance(schema.get("name"), str):
            _refuse("'response_format.json_schema' needs a name and a schema.", f"{name}.json_schema")
        if not isinstance(schema.get("schema") or {}, dict):
            _refuse("'response_format.json_schema.schema' must be an object.", f"{name}.json_schema.schema")
    return value


def _tools(body: Mapping[str, Any], name: str) -> Any:
    tools = body.get(name)
    if tools is None:
        return None
    if not isinstance(tools, list) or len(tools) > MOST_TOOLS:
        _refuse(f"'tools' must be a list of at most {MOST_TOOLS} tools.", name)
    for index, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or tool.get("type") != "function":
            _refuse("Only tools of type 'function' are supported.", f"tools[{index}].type")
        if not isinstance(function.get("name"), str) or not FUNCTION.fullmatch(function["name"]):
            _refuse("A function needs a name of letters, digits, _ and -.", f"tools[{index}].function.name")
        if not isinstance(function.get("parameters") or {}, dict):
            _refuse("A function's parameters are a JSON schema.", f"tools[{index}].function.parameters")
        if not isinstance(function.get("description") or "", str):
            _refuse("A function's description is text.", f"tools[{index}].function.description")
    return tools or None


def _tool_choice(body: Mapping[str, Any], name: str) -> Any:
    choice = body.get(name)
    if choice is None or (isinstance(choice, str) and choice in {"none", "auto", "required"}):
        return choice
    function = choice.get("function") if isinstance(choice, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        _refuse("'tool_choice' must be none, auto, required, or name a function.", name)
    return {"type": "function", "function": {"name": function["name"]}}


def _effort(body: Mapping[str, Any], name: str) -> Any:
    """OpenAI's `reasoning_effort`, or OpenRouter's `reasoning`."""
    wish = _reasoning(body)
    value = body.get(name)
    if value is None:
        value = wish.get("effort") or ("none" if wish.get("enabled") is False else None)
    if value is not None and value not in EFFORTS:
        _refuse(f"'{name}' must be one of {', '.join(EFFORTS)}.", name)
    return value


def _include_reasoning(body: Mapping[str, Any], name: str) -> bool | None:
    exclude = _reasoning(body).get("exclude")
    return (not exclude) if isinstance(exclude, bool) else _boolean(body, name)


def _reasoning(body: Mapping[str, Any]) -> Mapping[str, Any]:
    value = body.get("reasoning")
    if value is not None and not isinstance(value, dict):
        _refuse("'reasoning' must be an object.", "reasoning")
    return value or {}


def _within(least: float, most: float, *, whole: bool = False) -> Callable[[Mapping[str, Any], str], Any]:
    return lambda body, name: _number(body, name, least=least, most=most, whole=whole)


PARAMS: Mapping[str, Callable[[Mapping[str, Any], str], Any]] = {
    "top_p": _within(0, 1),
    "presence_penalty": _within(-2, 2),
    "frequency_penalty": _within(-2, 2),
    "seed": _within(-(2**63), 2**63 - 1, whole=True),
    "stop": _stop,
    "response_format": _response_format,
    "tools": _tools,
    "tool_choice": _tool_choice,
    "parallel_tool_calls": _boolean,
    "reasoning_effort": _effort,
    "include_reasoning": _include_reasoning,
}


# -- messages --------------------------------------------------------------------------------------------


def _messages(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        _refuse("'messages' must be a list of at least one message.", "messages")
    if len(value) > MOST_MESSAGES:
        _refuse(f"'messages' must be at most {MOST_MESSAGES}.", "messages")
    found = [_message(message, f"messages[{index}]") for index, message in enumerate(value)]
    if not any(message.get("content") for message in found):
        _refuse("'messages' hold no text.", "messages")
    return found


def _message(message: object, place: str) -> dict[str, Any]:
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(role, str) or role not in ROLES:
        _refuse(f"'{place}.role' must be one of {', '.join(ROLES)}.", f"{place}.role")
    read: dict[str, Any] = {"role": ROLES[role]}
    calls = _calls(message.get("tool_calls"), f"{place}.tool_calls") if role == "assistant" else []
    content = _content(message.get("content"), f"{place}.content")
    if content is None and not calls:
        _refuse(f"'{place}.content' is missing.", f"{place}.content")
    read["content"] = content
    if calls:
        read["tool_calls"] = calls
    if role == "assistant":
        read |= _state(message)
    if isinstance(message.get("name"), str) and role != "tool":
        read["name"] = message["name"]
    if role == "tool":
        if not isinstance(message.get("tool_call_id"), str):
            _refuse("The message of a tool needs the 'tool_call_id' it answers.", f"{place}.tool_call_id")
        read["tool_call_id"] = message["tool_call_id"]
    return read


def _content(content: object, place: str) -> Any:
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list):
        _refuse(f"'{place}' must be a string or a list of parts.", place)
    parts = [_part(part, f"{place}[{index}]") for index, part in enumerate(content)]
    if all(part["type"] == "text" for part in parts):  # what every provider understands
        return "".join(part["text"] for part in parts)
    return parts


def _part(part: object, place: str) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(part, dict) and kind in ("text", "refusal") and isinstance(part.get(kind), str):
        return {"type": "text", "text": part[kind]}
    if isinstance(part, dict) and kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else None
        if (
            isinstance(image, dict)
            and isinstance(url, str)
            and url.startswith(("data:image/", "https://", "http://"))
        ):
            detail = {"detail": image["detail"]} if image.get("detail") in ("low", "high", "auto") else {}
            return {"type": "image_url", "image_url": {"url": url, **detail}}
        _refuse("An image needs a url: data:image/… or https://…", f"{place}.image_url.url")
    _refuse(f"'{place}' must be a part of type text or image_url.", place, "unsupported_content")


def _calls(calls: object, place: str) -> list[dict[str, Any]]:
    if calls is None:
        return []
    if not isinstance(calls, list):
        _refuse(f"'{place}' must be a list.", place)
    return [_call(call, f"{place}[{index}]") for index, call in enumerate(calls)]


def _call(call: object, place: str) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict):
        _refuse(f"'{place}' must be a call of a function.", place)
    values = {"id": call.get("id"), "name": function.get("name"), "arguments": function.get("arguments")}
    for name, value in values.items():
        if not isinstance(value, str):
            _refuse(f"'{place}' needs its {name}.", place)
    return {
        "id": values["id"], "type": "function",
        "function": {"name": values["name"], "arguments": values["arguments"]},
        **_state(call, ("extra_content",)),
    }  # fmt: skip


def _state(told: Mapping[str, Any], names: Sequence[str] = STATE) -> dict[str, Any]:
    """What an answer's provider wants back; the adapter of another one leaves it out."""
    kinds = {"reasoning_details": list, "extra_content": dict}
    return {
        name: told[name] for name in names if told.get(name) and isinstance(told[name], kinds.get(name, str))
    }
