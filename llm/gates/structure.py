"""Answers that have to be JSON."""

import json
import re
from collections.abc import Mapping
from typing import Any

from llm.gates import apart, bounds, judge
from llm.gates.basic import Gate

FENCE, FENCE_BEGIN = "```", re.compile(r"```(?:json)?[ \t]*\n", re.IGNORECASE)


def read_json(text: str, *, fence: bool = True) -> Any:
    """The value of an answer in JSON, which models like to put into a code `fence`. Raises ValueError."""
    stripped = text.strip()
    begin = FENCE_BEGIN.match(stripped) if fence else None
    if begin and stripped.endswith(FENCE, begin.end()):
        text = stripped[begin.end() : -len(FENCE)]
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def json_schema(schema: Mapping[str, Any] | None = None, *, fence: bool = True) -> Gate:
    """Rejects what `read_json` cannot read, or what does not fit the JSON schema, if there is one.

    Raises ValueError at once for a schema that is none, or larger than `bounds` allow. References to other documents
    are never fetched. What is surely quick is judged here; all else in a process of its own (`apart`), and the gate
    raises Unjudgeable, a ValueError, when that takes more than two seconds.
    """
    schema = dict(schema or {})
    weight = bounds.check(schema)
    validator = judge.compiled(schema) if weight.is_plain else None
    if validator is None:
        apart.judged(schema, None)

    def gate(text: str) -> str | None:
        try:
            value = read_json(text, fence=fence)
        except ValueError:
            return "not JSON"
        if validator is not None and weight.is_quick(text):
            return judge.fault(validator, value)
        try:
            return apart.judged(schema, json.dumps(value))
        except apart.Busy:
            return "not judged: too much else to judge"

    return gate


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
