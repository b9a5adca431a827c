"""Tools of Responses as functions of chat completions, and calls of them as the items that their client knows.

A custom tool takes any text, and is offered as a function with one field for it. Tools of a namespace, and those that
come as an item of the input (`additional_tools`), are offered like all others. What only OpenAI runs is left out.
https://platform.openai.com/docs/guides/tools
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llm.gateway import values
from llm.gateway.values import MOST_TOOLS, wrong

DEFAULT_NAMESPACE = "functions"  # OpenAI's own name for no namespace
TEXT = "input"  # the field of a custom tool's text
MOST_NAME = 64
FIELDS = ("strict", "description", "parameters", "name")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as its client calls it. kind: function or custom."""

    kind: str
    name: str
    namespace: str | None = None


@dataclass
class Tools:
    """functions: as chat completions offer them; known: by the names they are offered under."""

    functions: list[dict[str, Any]] = field(default_factory=list)
    known: dict[str, Tool] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def take(self, tools: object, place: str, namespace: str | None = None) -> None:
        """Reads a list of tools. Raises ApiError."""
        for index, tool in enumerate(values.objects(tools, place, most=MOST_TOOLS)):
            where = f"{place}[{index}]"
            match tool.get("type"):
                case "namespace" if namespace is None and isinstance(tool.get("name"), str):
                    self.take(tool.get("tools"), f"{where}.tools", tool["name"])
                case "function":
                    # Some send chat's shape.
                    told = tool["function"] if isinstance(tool.get("function"), dict) else tool
                    self._offer("function", values.function(told, where), namespace)
                case "custom":
                    self._offer("custom", _custom(tool, where), namespace)
                case kind:
                    self.left_out.append(f"tools.{kind}")
        if len(self.functions) > MOST_TOOLS:
            raise wrong(f"'{place}' must be a list, of {MOST_TOOLS} at most.", place)

    def _offer(self, kind: str, tool: dict[str, Any], namespace: str | None) -> None:
        function = tool["function"]
        name = function["name"]
        offered = offered_as(name, namespace)
        if offered in self.known:
            return  # said twice
        self.known[offered] = Tool(kind, name, namespace)
        self.functions.append({**tool, "function": {**function, "name": offered}})

    def chosen(self, choices: Iterable[Mapping[str, Any]]) -> list[str]:
        """Names under which the tools that a choice names are offered."""
        return [
            offered_as(each["name"], each.get("namespace"))
            for each in choices
            if each.get("type") in ("function", "custom") and isinstance(each.get("name"), str)
        ]


def repeated(tools: object) -> list[dict[str, Any]]:
    """The tools of a request that has been read, as its response repeats them: the SDKs' types want every field."""
    found = []
    for tool in tools if isinstance(tools, list) else ():
        kind = tool.get("type")
        if kind == "function":
            told = tool["function"] if isinstance(tool.get("function"), dict) else tool
            found.append({"type": "function", **{name: told.get(name) for name in FIELDS}})
        elif kind in ("custom", "namespace"):
            found.append(dict(tool))
    return found


def offered_as(name: str, namespace: object) -> str:
    """The name of a function, which holds its namespace: two may have a tool of the same name."""
    if not isinstance(namespace, str) or namespace in ("", DEFAULT_NAMESPACE):
        return name
    return re.sub(r"[^a-zA-Z0-9_-]", "_", f"{namespace}__{name}")[-MOST_NAME:]


def _custom(tool: Mapping[str, Any], place: str) -> dict[str, Any]:
    """A function that takes a text. A grammar for it is told in words: few providers could hold a model to it."""
    format = values.mapping(tool, "format", f"{place}.format")
    text: dict[str, Any] = {"type": "string"}
    if isinstance(format.get("definition"), str):
        text["description"] = f"Text of this grammar ({format.get('syntax')}):\n{format['definition']}"
    parameters = {
        "type": "object",
        "properties": {TEXT: text},
        "required": [TEXT],
        "additionalProperties": False,
    }
    told = {"name": tool.get("name"), "description": tool.get("description"), "parameters": parameters}
    return values.function(told, place)


# -- calls -------------------------------------------------------------------------------------------------


def arguments_of(item: Mapping[str, Any]) -> object:
    """What a call in the input gave its tool, as a function's arguments."""
    if item.get("type") != "custom_tool_call":
        return item.get("arguments")
    return (
        json.dumps({TEXT: item["input"]}, ensure_ascii=False) if isinstance(item.get("input"), str) else None
    )


def called(call: Mapping[str, Any], known: Mapping[str, Tool]) -> dict[str, Any]:
    """A call of a function as an item of the output, without its id and status."""
    function = call["function"]
    tool = known.get(function["name"]) or Tool("function", function["name"])
    item: dict[str, Any] = {"call_id": call["id"], "name": tool.name}
    if tool.namespace is not None:
        item["namespace"] = tool.namespace
    if tool.kind == "custom":
        return {"type": "custom_tool_call", **item, "input": _text_of(function["arguments"])}
    return {"type": "function_call", **item, "arguments": function["arguments"]}


def _text_of(arguments: str) -> str:
    """The text in a custom tool's arguments; a model may have written it without the field around it."""
    try:
        found = json.loads(arguments)
    except ValueError:
        return arguments
    text = found.get(TEXT) if isinstance(found, dict) else found
    return text if isinstance(text, str) else arguments
