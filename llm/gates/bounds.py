"""How large a JSON schema may be, once its references are followed: before anything compiles it.

A schema of 4 KB whose definitions refer twice to the one before stands for 2**60 steps, which no engine survives.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

MOST_BYTES = 256 * 1024  # of the schema as JSON
MOST_DEPTH = 64  # of nested values
MOST_REFERENCES = 2_000
MOST_STEPS = 20_000  # subschemas, each counted as often as it is referred to
TOO_LARGE = "the schema is too large"


def check(schema: Mapping[str, Any]) -> None:
    """Raises ValueError for a schema that is larger than that, or that refers to itself without end."""
    references = 0
    for value, depth in _values(schema):
        if depth > MOST_DEPTH:
            raise ValueError("the schema is nested too deeply")
        references += isinstance(value, dict) and "$ref" in value
    if references > MOST_REFERENCES or len(json.dumps(schema)) > MOST_BYTES:
        raise ValueError(TOO_LARGE)
    if _Steps(schema).of(schema) > MOST_STEPS:
        raise ValueError(f"{TOO_LARGE} once its references are followed")


def _values(schema: Any) -> Iterator[tuple[Any, int]]:
    waiting = [(schema, 0)]
    while waiting:
        value, depth = waiting.pop()
        yield value, depth
        if depth <= MOST_DEPTH and isinstance(value, dict | list):
            waiting += [
                (child, depth + 1) for child in (value.values() if isinstance(value, dict) else value)
            ]


class _Steps:
    """Counts subschemas with each reference followed; one that leads back to itself is followed once."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.known: dict[int, int] = {}
        self.open: set[int] = set()
        self.anchors = {
            value[name]: value
            for value, _ in _values(root)
            if isinstance(value, dict)
            for name in ("$anchor", "$dynamicAnchor", "$id")
            if isinstance(value.get(name), str)
        }

    def of(self, value: Any) -> int:
        if not isinstance(value, dict | list):
            return 0
        if id(value) in self.known:
            return self.known[id(value)]
        if id(value) in self.open:
            return 1
        if len(self.open) > MOST_REFERENCES:
            return MOST_STEPS + 1
        self.open.add(id(value))
        try:
            steps = 1
            for name, child in value.items() if isinstance(value, dict) else enumerate(value):
                if name in {"$defs", "definitions"}:
                    continue  # they count where they are referred to
                steps += self.of(self._target(child)) if name in {"$ref", "$dynamicRef"} else self.of(child)
                if steps > MOST_STEPS:
                    break
        except RecursionError:
            return MOST_STEPS + 1
        finally:
            self.open.discard(id(value))
        self.known[id(value)] = steps
        return steps

    def _target(self, reference: Any) -> Any:
        if not isinstance(reference, str):
            return None
        document, _, pointer = reference.partition("#")
        if pointer and not pointer.startswith("/"):
            return self.anchors.get(pointer)
        found: Any = self.anchors.get(document, self.root) if document else self.root
        for part in pointer.split("/")[1:]:
            name = part.replace("%25", "%").replace("~1", "/").replace("~0", "~")
            if isinstance(found, list):
                found = found[int(name)] if name.isdecimal() and int(name) < len(found) else None
            else:
                found = found.get(name) if isinstance(found, dict) else None
        return found
