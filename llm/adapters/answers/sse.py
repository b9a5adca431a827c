"""Server-sent events as providers really send them: bytes go in, the JSON objects of their `data` come out.

More lenient than the specification (https://html.spec.whatwg.org/multipage/server-sent-events.html): a complete JSON
line is an event even without the blank line after it, several objects may share one, and what is no JSON is passed
over. Knows no network, so any client can feed it.
"""

import json
import re
from typing import Any

from llm.adapters.answers.decoding import quick

DONE = frozenset({"[DONE]", '"[DONE]"', "DONE", "[done]"})
MAX_MALFORMED = 1  # events of a stream that may be lost; what misses more is no answer
_NEWLINE = re.compile(rb"\r\n|\n|\r(?!\Z)")
_FIELD = re.compile(r"(data|event|id|retry)(?::[ ]?(.*))?\Z", re.S)
_BETWEEN = re.compile(r"(?:[\s,]|data:)*")
_decoder = json.JSONDecoder()


class EventParser:
    """Reads one stream. `done`: its closing mark has come. `malformed`: objects that were broken and passed over."""

    def __init__(self) -> None:
        self.done = False
        self.malformed = 0
        self._buffer = bytearray()
        self._searched = 0
        self._first = True
        self._data: list[str] = []
        self._event = ""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The objects of the events that these bytes complete; none after the closing mark."""
        found: list[dict[str, Any]] = []
        self._buffer += data
        start = 0
        for newline in _NEWLINE.finditer(self._buffer, self._searched):
            found += self._line(self._buffer[start : newline.start()])
            start = newline.end()
        del self._buffer[:start]
        self._searched = max(
            len(self._buffer) - 1, 0
        )  # a carriage return at the end may be half of a newline
        return found

    def end(self) -> list[dict[str, Any]]:
        """The objects of an event that the end of the stream completes; half an event is none."""
        found = self._line(self._buffer.rstrip(b"\r"))
        self._buffer.clear()
        lost = self.malformed
        found += self._dispatch()
        self.malformed = lost
        return found

    def _line(self, raw: bytearray) -> list[dict[str, Any]]:
        if not (raw or self._first):
            return self._dispatch()
        line = raw.decode("utf-8", "replace")
        if self._first:
            line, self._first = line.removeprefix("\ufeff"), False
        if self.done or line.startswith(":"):
            return []
        if not line.strip():
            return self._dispatch()
        field = _FIELD.match(line)
        if field and field[1] != "data":
            if field[1] == "event":
                self._event = (field[2] or "").strip()
            return []
        text = (field[2] or "").strip().lstrip("\ufeff") if field else line.strip()
        if not field and not self._data and text[:1] not in ("{", "["):
            return []  # an unknown field
        if text in DONE:
            found = self._dispatch()
            self.done = True
            return found
        if not self._data and (values := _values(text)) is not None:
            return self._objects(values)
        self._data.append(text)
        return []

    def _dispatch(self) -> list[dict[str, Any]]:
        if not self._data:
            self._event = ""
            return []
        text, self._data = "\n".join(self._data), []
        values = _values(text)
        if values is None and text[:1] in ("{", "["):
            self.malformed += 1
        found = self._objects(values or [])
        self._event = ""
        return found

    def _objects(self, values: list[Any]) -> list[dict[str, Any]]:
        if len(values) == 1 and type(values[0]) is dict and self._event != "error":
            return values
        flat = [item for value in values for item in (value if isinstance(value, list) else [value])]
        found = [item for item in flat if isinstance(item, dict)]
        if self._event == "error":
            return [item if item.get("error") else {"error": item} for item in found]
        return found


def _values(text: str) -> list[Any] | None:
    """The JSON values that a text consists of, one after the other; None when anything else is in it."""
    try:
        return [quick(text)]
    except ValueError:
        pass
    found, place = [], 0
    try:
        while place < len(text):
            value, place = _decoder.raw_decode(text, place)
            found.append(value)
            if place < len(text) and (between := _BETWEEN.match(text, place)):
                place = between.end()
    except (ValueError, RecursionError):
        return None
    return found
