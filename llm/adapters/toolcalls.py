"""Calls of the caller's tools in an answer: read from a message, or put together from the pieces of a stream."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from llm.text import mend


class ToolCalls:
    """Collects the pieces of a stream. They are told whole: half a call cannot be taken back."""

    def __init__(self) -> None:
        self._calls: dict[int, dict[str, str]] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def feed(self, deltas: object) -> None:
        """One `delta.tool_calls`. A piece without an index belongs to the call that its id, or the last one, names."""
        for delta in deltas if isinstance(deltas, list) else ():
            if not isinstance(delta, Mapping):
                continue
            index = delta.get("index")
            if not isinstance(index, int):
                index = max(self._calls, default=-1) + (1 if delta.get("id") or not self._calls else 0)
            call = self._calls.setdefault(index, {"id": "", "name": "", "arguments": ""})
            function = delta.get("function")
            function = function if isinstance(function, Mapping) else {}
            call["id"] = call["id"] or str(delta.get("id") or "")
            call["name"] += str(function.get("name") or "")
            call["arguments"] += str(function.get("arguments") or "")

    def calls(self) -> tuple[dict[str, Any], ...]:
        found = (self._calls[index] for index in sorted(self._calls))
        return tuple(tool_call(**call) for call in found if call["name"])


def read_tool_calls(calls: object) -> tuple[dict[str, Any], ...]:
    """The calls of a whole message; what has no name of a function is none."""
    collected = ToolCalls()
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, Mapping):
            collected.feed([{**call, "index": index}])
    return collected.calls()


def tool_call(*, id: str, name: str, arguments: str) -> dict[str, Any]:
    """One call in OpenAI's shape. Some providers name no id, but the answer to a call needs one."""
    return {
        "id": mend(id) or f"call_{uuid4().hex[:24]}",
        "type": "function",
        "function": {"name": mend(name), "arguments": mend(arguments)},
    }
