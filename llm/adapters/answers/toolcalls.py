"""Calls of the caller's tools in an answer: read from a message, or put together from the pieces of a stream.

All have OpenAI's shape: {"id", "type": "function", "function": {"name", "arguments"}}, `arguments` being JSON text,
and `extra_content` beside them where a provider wants something back with the next turn.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from llm.adapters.answers.code import Code
from llm.text import mend

_SPECIAL = re.compile(r"<[|｜].*", re.S)  # a model's own marks after a name, such as <|channel|>commentary
_PREFIX = re.compile(r"\A(?:to=)?(?:functions?|tools?|default_api|assistant|multi_tool_use)[.:/]", re.I)
_NUMBER = re.compile(r":\d{1,3}\Z")  # Kimi's, of its ids: functions.get_weather:0
# How models begin a call that no server has taken out of the text: Qwen and Hermes, Mistral, Llama, DeepSeek, Kimi,
# MiniMax, Anthropic's older form.
_WRITTEN = re.compile(
    r"^[ \t]*(?:<tool_call>|\[TOOL_CALLS\]|<\|python_tag\|>|<｜tool▁calls?▁begin｜>"
    r"|<\|tool_calls?(?:_section)?_begin\|>|<minimax:tool_call>|<function=\w|<function_calls>|<\|tool_call\|?>)",
    re.M,
)
_decoder = json.JSONDecoder()
_NEAR = 200  # characters within which a call names its tool
_AROUND = " \t\r\n\"'`()[]{}<>:.,;"


@dataclass
class _Call:
    """One call while it is put together. `index`: the place that its pieces named."""

    index: int | None = None
    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)

    def is_complete(self) -> bool:
        text = self.arguments.strip()
        return text.endswith("}") and _parsed(text) is not None


class ToolCalls:
    """Collects the pieces of a stream. They are told whole: half a call cannot be taken back.

    offered: the names of the caller's tools, which help to tell a second call from the rest of a name.
    """

    def __init__(self, offered: Collection[str] = ()) -> None:
        self._offered = frozenset(offered)
        self._calls: list[_Call] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    def feed(self, deltas: object) -> None:
        """One `delta.tool_calls`, or those of a whole message."""
        for delta in [deltas] if isinstance(deltas, Mapping) else deltas if isinstance(deltas, list) else ():
            if isinstance(delta, Mapping):
                self._feed(delta)

    def _feed(self, delta: Mapping[str, Any]) -> None:
        function = delta.get("function", delta)  # some leave the layer out
        function = function if isinstance(function, Mapping) else {}
        id, name = _word(delta.get("id")), _word(function.get("name"))
        arguments = _text(function.get("arguments"))
        index = _index(delta.get("index"))
        call = self._find(id=id, index=index, name=name, arguments=arguments)
        if call is None:
            call = _Call(index=index)
            self._calls.append(call)
        elif arguments.strip() and call.is_complete() and arguments.strip() == call.arguments.strip():
            arguments = ""  # told twice
        call.id = call.id or id
        if name:
            self._name(call, name)
        if arguments:
            call.pieces.append(arguments)
        if isinstance(extra := delta.get("extra_content"), Mapping):
            call.extra.update(extra)

    def _find(self, *, id: str, index: int | None, name: str, arguments: str) -> _Call | None:
        """The call that a piece belongs to: by its id, else its index, else the last one. None: a new one."""
        current = next((call for call in reversed(self._calls) if id and call.id == id), None)
        if current is None:
            same_place = (
                call for call in reversed(self._calls) if index is None or call.index in (None, index)
            )
            current = next(same_place, None)
            if current is None or (id and not current.id and current.is_complete() and name):
                return None
            if (
                id and current.id and id != current.id and name
            ):  # another one, unless the ids change with each piece
                goes_on = name == current.name and current.arguments.strip() and not current.is_complete()
                return current if goes_on and index is not None else None
        if name and current.name and self._begins_another(current, name, arguments):
            return None
        return current

    def _begins_another(self, current: _Call, name: str, arguments: str) -> bool:
        """Whether a named piece in the place of a named call is a call of its own."""
        if name == current.name:
            different = arguments.strip() not in ("", current.arguments.strip())
            return current.is_complete() and different and _parsed(current.arguments) != {}
        if current.arguments.strip():
            return True
        return current.name in self._offered and name in self._offered

    def _name(self, call: _Call, name: str) -> None:
        """A name may come in pieces, in each piece, or as what it has grown to."""
        if not call.name or (name.startswith(call.name) and call.name + name not in self._offered):
            call.name = name
        elif name != call.name and call.name not in self._offered and not call.arguments.strip():
            call.name += name

    def calls(self) -> tuple[dict[str, Any], ...]:
        """The calls, in the order in which they began; what has no name of a function is none."""
        found, ids = [], set()
        for call in self._calls:
            if call.name:
                id = "" if call.id in ids else call.id
                ids.add(id)
                found.append(
                    tool_call(id=id, name=call.name, arguments=_whole(call.pieces), extra=call.extra)
                )
        return tuple(found)


def read_tool_calls(calls: object, offered: Collection[str] = ()) -> tuple[dict[str, Any], ...]:
    """The calls of a whole message."""
    collected = ToolCalls(offered)
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, Mapping):
            collected.feed([{**call, "index": index}])
    return collected.calls()


def tool_call(
    *, id: str, name: str, arguments: str, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """One call in OpenAI's shape. Some providers name no id, but the answer to a call needs one."""
    call: dict[str, Any] = {
        "id": mend(id) or f"call_{uuid4().hex[:24]}",
        "type": "function",
        "function": {"name": mend(name), "arguments": mend(arguments)},
    }
    return {**call, "extra_content": dict(extra)} if extra else call


def written(calls: object) -> list[str]:
    """What a model wrote of calls, or of their pieces: names and arguments."""
    if not isinstance(calls, list):
        return []
    functions = (call.get("function") for call in calls if isinstance(call, Mapping))
    found = [function for function in functions if isinstance(function, Mapping)]
    return [_text(function.get(name)) for function in found for name in ("name", "arguments")]


# -- judging them ----------------------------------------------------------------------------------


def names_of(tools: object) -> frozenset[str]:
    """The names of the tools in a request's `tools`."""
    if not isinstance(tools, list):
        return frozenset()
    functions = (tool.get("function") for tool in tools if isinstance(tool, Mapping))
    return frozenset(
        str(each["name"]) for each in functions if isinstance(each, Mapping) and each.get("name")
    )


def offered_name(name: str, offered: Collection[str]) -> str:
    """The offered tool that a model means by a name, which it may have dressed in marks of its own; else ""."""
    if name in offered:
        return name
    bare = _NUMBER.sub("", _SPECIAL.sub("", name)).strip(_AROUND)
    tried = [bare, _PREFIX.sub("", bare), bare.rsplit(".", 1)[-1], bare.rsplit(":", 1)[-1]]
    tried += [part.strip(_AROUND) for part in tried]
    for each in tried:
        if each in offered:
            return each
    lowered = [each for each in offered if each.lower() == tried[1].lower()]
    return lowered[0] if len(lowered) == 1 else ""


def whole_arguments(text: str) -> bool:
    """Whether arguments are an object of JSON, as whoever runs the tool will read them."""
    try:
        return isinstance(json.loads(text, parse_constant=_no_json), dict)
    except (ValueError, RecursionError):
        return False


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def calls_in_words(text: str, offered: Collection[str]) -> bool:
    """Whether a text holds a call of an offered tool in a model's own marks, which no reader is to see."""
    for found in _WRITTEN.finditer(text):
        before, after = Code(), text[found.start() : found.start() + _NEAR]
        before.feed(text[: found.start()])
        if not before.inside and any(name in after for name in offered):
            return True
    return False


# -- arguments -------------------------------------------------------------------------------------


def _whole(pieces: Sequence[str]) -> str:
    """The arguments that the pieces make up. Some repeat them whole, or begin with an empty object."""
    text = "".join(pieces).strip()
    if not text or text == "null":
        return "{}"
    if (value := _value(text)) is not None:
        return value if isinstance(value, str) and _parsed(value) is not None else text
    for piece in reversed(pieces):  # each piece held all of it so far
        if len(pieces) > 1 and piece.strip() != "{}" and _parsed(piece) is not None:
            return piece.strip()
    return _once(text)


def _once(text: str) -> str:
    """The one object of a text that repeats it, or has empty ones beside it; else the text."""
    found, place = [], 0
    try:
        while place < len(text):
            value, end = _decoder.raw_decode(text, place)
            if value != {} and (value, text[place:end]) not in found:
                found.append((value, text[place:end]))
            place = end + len(text[end:]) - len(text[end:].lstrip())
    except (ValueError, RecursionError):
        return text
    return found[0][1] if len(found) == 1 and isinstance(found[0][0], dict) else text


def _parsed(text: str) -> dict[str, Any] | None:
    value = _value(text)
    return value if isinstance(value, dict) else None


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _text(arguments: object) -> str:
    """Arguments as JSON text; some providers send the object itself."""
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return json.dumps(arguments, ensure_ascii=False)


def _word(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _index(value: object) -> int | None:
    if isinstance(value, str) and value.isdecimal() and len(value) < 6:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
