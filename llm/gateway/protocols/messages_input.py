"""`system`, `messages` and `tools` of Anthropic's Messages, as those of chat completions."""

import json
from collections.abc import Mapping
from typing import Any

from llm.gateway import values
from llm.gateway.protocols import carried
from llm.gateway.values import MOST_MESSAGES, Body, wrong

ROLES = ("user", "assistant", "system")
Messages = list[dict[str, Any]]


def read(body: Body) -> tuple[Messages, tuple[str, ...]]:
    """The messages, and names of the blocks that no chat knows and that are left out. Raises ApiError."""
    left_out: list[str] = []
    messages = _system(body)
    told = body.get("messages")
    if not isinstance(told, list) or not told:
        raise wrong("'messages' must be a list of at least one message.", "messages")
    for index, message in enumerate(values.objects(told, "messages", most=MOST_MESSAGES)):
        place = f"messages[{index}]"
        role = message.get("role")
        if role not in ROLES:
            raise wrong(f"'{place}.role' must be user or assistant.", f"{place}.role")
        blocks = _blocks(message.get("content"), f"{place}.content")
        if role == "assistant":
            messages += _assistant(blocks, f"{place}.content", left_out)
        else:
            messages += _user(role, blocks, f"{place}.content", left_out)
    return messages, tuple(left_out)


def tools(body: Body) -> tuple[list[dict[str, Any]], list[str]]:
    """Functions, and names of the tools that Anthropic defines itself, which are left out."""
    found, own = [], []
    for index, tool in enumerate(values.objects(body.get("tools"), "tools", most=values.MOST_TOOLS)):
        if tool.get("type") in (None, "custom"):
            found.append(values.function(tool, f"tools[{index}]", schema="input_schema"))
            found[-1]["function"].pop("strict", None)
        else:
            own.append(f"tools.{tool.get('type')}")
    for tool in found:
        tool["function"].setdefault("parameters", {"type": "object", "properties": {}})
    return found, own


def _system(body: Body) -> Messages:
    told = body.get("system")
    if told is None:
        return []
    words = [_text(block, "system") for block in _blocks(told, "system")]
    text = "\n\n".join(word for word in words if word)
    return [{"role": "system", "content": text}] if text else []


def _blocks(content: object, place: str) -> list[Mapping[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise wrong(f"'{place}' must be a string or a list of blocks.", place)
    return values.objects(content, place, most=MOST_MESSAGES)


def _text(block: Mapping[str, Any], place: str) -> str:
    if block.get("type") != "text" or not isinstance(block.get("text"), str):
        raise wrong(f"'{place}' must hold blocks of type text.", place)
    return str(block["text"])


def _assistant(blocks: list[Mapping[str, Any]], place: str, left_out: list[str]) -> Messages:
    texts: list[str] = []
    calls: list[dict[str, Any]] = []
    state: dict[str, Any] = {}
    of_calls: dict[str, Any] = {}
    for index, block in enumerate(blocks):
        match block.get("type"):
            case "text":
                texts.append(_text(block, f"{place}[{index}]"))
            case "tool_use":
                calls.append(_call(block, f"{place}[{index}]"))
            case "thinking" | "redacted_thinking":
                if isinstance(block.get("thinking"), str) and block["thinking"]:
                    state["reasoning_content"] = block["thinking"]
                of_message, more = carried.unpacked(block.get("signature") or block.get("data"))
                state |= of_message
                of_calls |= more
            case str(kind):
                left_out.append(f"messages.{kind}")
            case _:
                raise wrong(f"'{place}[{index}].type' must be a string.", f"{place}[{index}].type")
    if not texts and not calls:
        return []
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) or None}
    if calls:
        message["tool_calls"] = calls
    carried.joined([message], state, of_calls)
    return [message]


def _call(block: Mapping[str, Any], place: str) -> dict[str, Any]:
    for name in ("id", "name"):
        if not isinstance(block.get(name), str):
            raise wrong(f"'{place}' needs its {name}.", f"{place}.{name}")
    given = values.mapping(block, "input", f"{place}.input")
    function = {"name": block["name"], "arguments": json.dumps(given, ensure_ascii=False)}
    return {"id": block["id"], "type": "function", "function": function}


def _user(role: str, blocks: list[Mapping[str, Any]], place: str, left_out: list[str]) -> Messages:
    """Results of tools first, as their calls want them, then what was said beside them."""
    results: Messages = []
    parts: list[dict[str, Any]] = []
    for index, block in enumerate(blocks):
        where = f"{place}[{index}]"
        if block.get("type") == "tool_result":
            result, images = _result(block, where, left_out)
            results.append(result)
            parts += images
        elif (part := _part(block, where, left_out)) is not None:
            parts.append(part)
    if not parts:
        return results
    return [*results, {"role": role, "content": _spaced(parts)}]


def _spaced(parts: list[dict[str, Any]]) -> Any:
    """Blocks of text are paragraphs of their own."""
    if all(part["type"] == "text" for part in parts):
        return "\n\n".join(part["text"] for part in parts)
    return parts


def _result(
    block: Mapping[str, Any], place: str, left_out: list[str]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A tool's message, and its images, which few providers take from a tool."""
    if not isinstance(block.get("tool_use_id"), str):
        raise wrong("The result of a tool needs the 'tool_use_id' it answers.", f"{place}.tool_use_id")
    told = [] if block.get("content") is None else _blocks(block["content"], f"{place}.content")
    parts = [
        part
        for index, each in enumerate(told)
        if (part := _part(each, f"{place}.content[{index}]", left_out)) is not None
    ]
    words = "\n\n".join(part["text"] for part in parts if part["type"] == "text")
    if block.get("is_error") is True and "error" not in words[:40].lower():
        words = f"Error: {words}"
    result = {"role": "tool", "tool_call_id": block["tool_use_id"], "content": words}
    return result, [part for part in parts if part["type"] != "text"]


def _part(block: Mapping[str, Any], place: str, left_out: list[str]) -> dict[str, Any] | None:
    """A text or an image; None for what is left out."""
    match block.get("type"):
        case "text":
            return {"type": "text", "text": _text(block, place)}
        case "image":
            source = values.mapping(block, "source", f"{place}.source")
            return values.image(_url(source), f"{place}.source")
        case "document":
            if values.mapping(block, "citations", f"{place}.citations").get("enabled"):
                left_out.append("messages.citations")
            return _titled(block, ("title", "context"), _document(block, place))
        case "search_result":
            return _titled(block, ("title", "source"), _texts(block.get("content"), f"{place}.content"))
        case str(kind):
            left_out.append(f"messages.{kind}")
            return None
    raise wrong(f"'{place}.type' must be a string.", f"{place}.type")


def _document(block: Mapping[str, Any], place: str) -> str:
    source = values.mapping(block, "source", f"{place}.source")
    if source.get("type") == "text" and isinstance(source.get("data"), str):
        return str(source["data"])
    if source.get("type") == "content":
        return _texts(source.get("content"), f"{place}.source.content")
    raise wrong("A document must be text: no provider here reads files.", place, "unsupported_content")


def _texts(content: object, place: str) -> str:
    return "\n\n".join(_text(each, place) for each in _blocks(content, place))


def _titled(block: Mapping[str, Any], names: tuple[str, ...], text: str) -> dict[str, Any]:
    """A text with what its block says about it in lines before it."""
    about = [block[name] for name in names if isinstance(block.get(name), str) and block[name]]
    return {"type": "text", "text": "\n\n".join(["\n".join(about), text] if about else [text])}


def _url(source: Mapping[str, Any]) -> object:
    if source.get("type") == "base64":
        return f"data:{source.get('media_type')};base64,{source.get('data')}"
    return source.get("url")
