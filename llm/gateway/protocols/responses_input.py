"""The `input` of Responses: a text, or items, as messages of chat completions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llm.gateway import values
from llm.gateway.protocols import carried
from llm.gateway.protocols.chat_messages import ROLES
from llm.gateway.protocols.responses_tools import arguments_of, offered_as
from llm.gateway.values import MOST_MESSAGES, wrong

MOST_ITEMS = 2 * MOST_MESSAGES
TEXTS = {
    "input_text": "text",
    "output_text": "text",
    "text": "text",
    "refusal": "refusal",
    "summary_text": "text",
}


def read(value: object, place: str = "input") -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The messages, and names of the items that no chat knows and that are left out. Raises ApiError."""
    if isinstance(value, str):
        return [{"role": "user", "content": value}], ()
    if value is None:
        return [], ()
    reading = _Reading()
    for index, item in enumerate(values.objects(value, place, most=MOST_ITEMS)):
        reading.take(item, f"{place}[{index}]")
    return reading.messages, tuple(reading.left_out)


@dataclass
class _Reading:
    """Items in their order: what the assistant said and called in one turn becomes one message."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    of_calls: dict[str, Any] = field(default_factory=dict)

    def take(self, item: Mapping[str, Any], place: str) -> None:
        match item.get("type", "message"):
            case "message":
                self._message(item, place)
            case "function_call" | "custom_tool_call":
                self._call(item, place)
            case "function_call_output" | "custom_tool_call_output":
                self._output(item, place)
            case "additional_tools":
                pass  # see `responses_tools`
            case "reasoning":
                self._reasoning(item)
            case str(kind):
                self.left_out.append(f"input.{kind}")
            case _:
                raise wrong(f"'{place}.type' must be a string.", f"{place}.type")

    def _message(self, item: Mapping[str, Any], place: str) -> None:
        role = item.get("role")
        if not isinstance(role, str) or role not in ROLES or ROLES[role] == "tool":
            raise wrong(f"'{place}.role' must be user, assistant, system or developer.", f"{place}.role")
        message = {"role": ROLES[role], "content": parts(item.get("content"), f"{place}.content")}
        if role == "assistant":
            self._say(message)
        else:
            self.messages.append(message)

    def _say(self, message: dict[str, Any]) -> None:
        """A text of the assistant's; the calls that follow it belong to it."""
        self.messages.append(message)
        self._carry()

    def _call(self, item: Mapping[str, Any], place: str) -> None:
        told = {"call_id": item.get("call_id"), "name": item.get("name"), "arguments": arguments_of(item)}
        for name, value in told.items():
            if not isinstance(value, str):
                raise wrong(f"'{place}' needs its {name}.", f"{place}.{name}")
        if not (self.messages and self.messages[-1]["role"] == "assistant"):
            self.messages.append({"role": "assistant", "content": None})
        call = {
            "id": told["call_id"], "type": "function",
            "function": {"name": offered_as(item["name"], item.get("namespace")), "arguments": told["arguments"]},
        }  # fmt: skip
        self.messages[-1].setdefault("tool_calls", []).append(call)
        self._carry()

    def _output(self, item: Mapping[str, Any], place: str) -> None:
        if not isinstance(item.get("call_id"), str):
            raise wrong("The output of a function needs the 'call_id' it answers.", f"{place}.call_id")
        content = parts(item.get("output"), f"{place}.output")
        words, images = content, []
        if isinstance(content, list):  # few providers take an image from a tool
            words = "".join(part["text"] for part in content if part["type"] == "text")
            images = [part for part in content if part["type"] != "text"]
        self.messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": words})
        if images:
            self.messages.append({"role": "user", "content": images})

    def _reasoning(self, item: Mapping[str, Any]) -> None:
        """Belongs to the assistant's turn around it: to what was said just before, or else to what follows."""
        self.state, self.of_calls = carried.unpacked(item.get("encrypted_content"))
        summary = item.get("summary")
        told = (
            [part.get("text") for part in summary if isinstance(part, dict)]
            if isinstance(summary, list)
            else []
        )
        if words := "".join(text for text in told if isinstance(text, str)):
            self.state = {"reasoning_content": words, **self.state}
        if self.messages and self.messages[-1]["role"] == "assistant":
            self._carry()

    def _carry(self) -> None:
        carried.joined(self.messages, self.state, self.of_calls)
        self.state = {}


def parts(content: object, place: str) -> Any:
    """A text, or parts of it and images. Raises ApiError."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise wrong(f"'{place}' must be a string or a list of parts.", place)
    return values.content([_part(part, f"{place}[{index}]") for index, part in enumerate(content)])


def _part(part: object, place: str) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(part, dict) and isinstance(kind, str):
        if kind in TEXTS and isinstance(part.get(TEXTS[kind]), str):
            return {"type": "text", "text": part[TEXTS[kind]]}
        if kind == "input_image":
            return values.image(part.get("image_url"), f"{place}.image_url", part.get("detail"))
    raise wrong(f"'{place}' must be a part of type input_text or input_image.", place, "unsupported_content")
