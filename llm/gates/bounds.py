"""How large a JSON schema may be, once its references are followed: before anything compiles it.

A schema of 4 KB whose definitions refer twice to the one before stands for 2**60 steps, which no engine survives.
Within the bounds, `Weight` says by which schemas a text is judged quickly whatever it holds.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 256 * 1024  # of the schema as JSON
MOST_DEPTH = 64  # of nested values
MOST_REFERENCES = 2_000
MOST_STEPS = 20_000  # subschemas, each counted as often as it is referred to
TOO_LARGE = "the schema is too large"
QUICK_VISITS = (
    200_000  # of a subschema, or an element of an `enum`, by a value: at most some tenths of a second
)
QUICK_MATCHES = 2_000_000  # of a place in a pattern by a character
QUICK_PATTERNS = 200_000  # places in all patterns, which are compiled, too
# Their work does not follow from the count of references: they resolve elsewhere, or look at a value again.
NAMES = {"$id", "id"}  # at the root they change nothing; a property may be called so
UNCOUNTED = {*NAMES, "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor",
             "unevaluatedProperties", "unevaluatedItems"}  # fmt: skip
COUNTED_REPEAT = re.compile(r"\{(\d{1,9})(?:,(\d{0,9}))?\}")
BACKTRACKS = re.compile(r"\(\?(?!:)|\\[1-9kK]")  # lookaround, atomic groups, back references


@dataclass(frozen=True, slots=True)
class Weight:
    """What a schema costs to judge by.

    size: subschemas and the elements of their lists, each as often as it is referred to
    returns: how often one of them leads back to itself: more than once, and each level of a text doubles the work
    patterns: places in all its patterns, counted repeats unfolded; infinite where one of them may backtrack
    uncounted: whether it uses words whose work is not in these figures
    """

    size: int
    returns: int
    patterns: float
    uncounted: bool

    @property
    def is_plain(self) -> bool:
        """Whether it is compiled quickly, and the work to judge by it grows evenly with a text."""
        return not self.uncounted and self.returns <= 1 and self.patterns <= QUICK_PATTERNS

    def is_quick(self, text: str) -> bool:
        """Whether a plain schema judges this JSON text at once."""
        values = 1 + sum(map(text.count, ",:[{"))  # or more
        return values * self.size <= QUICK_VISITS and len(text) * self.patterns <= QUICK_MATCHES


def check(schema: Mapping[str, Any]) -> Weight:
    """What the schema costs. Raises ValueError for one that is larger than that, or refers to itself without end."""
    references = 0
    for value, depth in _values(schema):
        if depth > MOST_DEPTH:
            raise ValueError("the schema is nested too deeply")
        references += isinstance(value, dict) and "$ref" in value
    if references > MOST_REFERENCES or len(json.dumps(schema)) > MOST_BYTES:
        raise ValueError(TOO_LARGE)
    count = _Count(schema)
    steps, size, returns = count.of(schema)
    if steps > MOST_STEPS:
        raise ValueError(f"{TOO_LARGE} once its references are followed")
    return Weight(size, returns, _patterns(schema), count.unresolved or _uses_uncounted(schema))


def _uses_uncounted(schema: Mapping[str, Any]) -> bool:
    return any(
        name in UNCOUNTED
        and (value is not schema or name not in NAMES)
        and (name not in NAMES or isinstance(of, str))
        for value, _ in _values(schema)
        if isinstance(value, dict)
        for name, of in value.items()
    )


def _patterns(schema: Mapping[str, Any]) -> float:
    found = []
    for value, _ in _values(schema):
        if isinstance(value, dict):
            found.append(value.get("pattern"))
            more = value.get("patternProperties")
            found += more if isinstance(more, dict) else ()
    return sum(_places(pattern) for pattern in found if isinstance(pattern, str))


def _places(pattern: str) -> float:
    if BACKTRACKS.search(pattern):
        return math.inf
    repeats = [max(int(least), int(most or 0), 1) for least, most in COUNTED_REPEAT.findall(pattern)]
    if "){" in pattern:  # a group that is repeated may hold others
        return len(pattern) * float(math.prod(repeats[:50]))
    return len(pattern) + sum(repeats)


def _values(schema: Any) -> Iterator[tuple[Any, int]]:
    waiting = [(schema, 0)]
    while waiting:
        value, depth = waiting.pop()
        yield value, depth
        if depth <= MOST_DEPTH and isinstance(value, dict | list):
            waiting += [
                (child, depth + 1) for child in (value.values() if isinstance(value, dict) else value)
            ]


class _Count:
    """Counts with each reference followed; one that leads back to itself is followed once."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.known: dict[int, tuple[int, int, int]] = {}
        self.open: set[int] = set()
        self.unresolved = False
        self.anchors = {
            value[name]: value
            for value, _ in _values(root)
            if isinstance(value, dict)
            for name in ("$anchor", "$dynamicAnchor", "$id")
            if isinstance(value.get(name), str)
        }

    def of(self, value: Any) -> tuple[int, int, int]:
        """Subschemas; these and the plain elements of lists; references that lead back."""
        if not isinstance(value, dict | list):
            return 0, 1, 0
        if id(value) in self.known:
            return self.known[id(value)]
        if id(value) in self.open:
            return 1, 1, 1
        if len(self.open) > MOST_REFERENCES:
            return MOST_STEPS + 1, 0, 0
        self.open.add(id(value))
        found = [(1, 1, 0)]
        try:
            for name, child in value.items() if isinstance(value, dict) else enumerate(value):
                if name in {"$defs", "definitions"}:
                    continue  # they count where they are referred to
                found.append(self.of(self._target(child) if name in {"$ref", "$dynamicRef"} else child))
                if found[-1][0] > MOST_STEPS:
                    break
        except RecursionError:
            return MOST_STEPS + 1, 0, 0
        finally:
            self.open.discard(id(value))
        steps, size, returns = map(sum, zip(*found, strict=True))
        self.known[id(value)] = steps, size, returns
        return steps, size, returns

    def _target(self, reference: Any) -> Any:
        if not isinstance(reference, str):
            return None
        document, _, pointer = reference.partition("#")
        if pointer and not pointer.startswith("/"):
            self.unresolved = True  # $anchor and its like are not counted on
            return self.anchors.get(pointer)
        found: Any = self.anchors.get(document, self.root) if document else self.root
        for part in pointer.split("/")[1:]:
            name = part.replace("%25", "%").replace("~1", "/").replace("~0", "~")
            if isinstance(found, list):
                found = found[int(name)] if name.isdecimal() and int(name) < len(found) else None
            else:
                found = found.get(name) if isinstance(found, dict) else None
        self.unresolved |= found is None
        return found
