"""Messages of chat completions, checked: roles, parts, calls of tools, and the state that a provider wants back."""

from collections.abc import Mapping, Sequence
from typing import Any

from llm.adapters.dialects import STATE
from llm.gateway import values
from llm.gateway.values import MOST_MESSAGES, wrong

ROLES = {
    "system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool",
    "function": "tool",
}  # fmt: skip
PLAIN = {"role", "content"}
LEGACY_CALL = "call_of_%s"  # the id of a call of an old function, which has none: its name


def read(value: object, place: str) -> list[dict[str, Any]]:
    """The messages as a provider gets them. Raises ApiError."""
    if not isinstance(value, list) or not value:
        raise wrong(f"'{place}' must be a list of at least one message.", place)
    if len(value) > MOST_MESSAGES:
        raise wrong(f"'{place}' must be at most {MOST_MESSAGES}.", place)
    return [
        {"role": ROLES[message["role"]], "content": message["content"]}
        if _is_plain(message)
        else _message(message, f"{place}[{index}]")
        for index, message in enumerate(value)
    ]


def _is_plain(message: object) -> bool:
    """Whether it is a text and nothing else, as most are."""
    if type(message) is not dict or message.keys() != PLAIN:
        return False
    return type(message["content"]) is str and message["role"] in ("system", "user", "assistant")


def _message(message: object, place: str) -> dict[str, Any]:
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(role, str) or role not in ROLES:
        raise wrong(f"'{place}.role' must be one of {', '.join(ROLES)}.", f"{place}.role")
    read: dict[str, Any] = {"role": ROLES[role]}
    calls = _calls(message, place) if role == "assistant" else []
    content = _content(message.get("content"), f"{place}.content")
    if content is None and role == "assistant" and isinstance(message.get("refusal"), str):
        content = message["refusal"]  # an earlier answer that was one comes back so
    if content is None and not calls:
        raise wrong(f"'{place}.content' is missing.", f"{place}.content")
    read["content"] = content
    if calls:
        read["tool_calls"] = calls
    if role == "assistant":
        read |= state(message)
    if isinstance(message.get("name"), str) and ROLES[role] != "tool":
        read["name"] = message["name"]
    if role == "tool":
        if not isinstance(message.get("tool_call_id"), str):
            raise wrong("The message of a tool needs the 'tool_call_id' it answers.", f"{place}.tool_call_id")
        read["tool_call_id"] = message["tool_call_id"]
    if role == "function":
        if not isinstance(message.get("name"), str):
            raise wrong("The message of a function needs its 'name'.", f"{place}.name")
        read["tool_call_id"] = LEGACY_CALL % message["name"]
    return read


def _content(content: object, place: str) -> Any:
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise wrong(f"'{place}' must be a string or a list of parts.", place)
    parts = [_part(part, f"{place}[{index}]") for index, part in enumerate(content)]
    return values.content(parts)


def _part(part: object, place: str) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(part, dict) and kind in ("text", "refusal") and isinstance(part.get(kind), str):
        return {"type": "text", "text": part[kind]}
    if isinstance(part, dict) and kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else None
        return values.image(
            url, f"{place}.image_url.url", image.get("detail") if isinstance(image, dict) else None
        )
    raise wrong(f"'{place}' must be a part of type text or image_url.", place, "unsupported_content")


def _calls(message: Mapping[str, Any], place: str) -> list[dict[str, Any]]:
    calls, old = message.get("tool_calls"), message.get("function_call")
    if calls is None and isinstance(old, dict) and isinstance(old.get("name"), str):
        return [_call({"id": LEGACY_CALL % old["name"], "function": old}, f"{place}.function_call")]
    if calls is None:
        return []
    if not isinstance(calls, list):
        raise wrong(f"'{place}.tool_calls' must be a list.", f"{place}.tool_calls")
    return [_call(call, f"{place}.tool_calls[{index}]") for index, call in enumerate(calls)]


def _call(call: object, place: str) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict):
        raise wrong(f"'{place}' must be a call of a function.", place)
    told = {"id": call.get("id"), "name": function.get("name"), "arguments": function.get("arguments")}
    for name, value in told.items():
        if not isinstance(value, str):
            raise wrong(f"'{place}' needs its {name}.", place)
    return {
        "id": told["id"], "type": "function",
        "function": {"name": told["name"], "arguments": told["arguments"]},
        **state(call, ("extra_content",)),
    }  # fmt: skip


def state(told: Mapping[str, Any], names: Sequence[str] = STATE) -> dict[str, Any]:
    """What an answer's provider wants back; the adapter of another one leaves it out."""
    kinds = {"reasoning_details": list, "extra_content": dict}
    return {
        name: told[name] for name in names if told.get(name) and isinstance(told[name], kinds.get(name, str))
    }
