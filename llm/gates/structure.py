"""Answers that have to be JSON."""

import json
import re
from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from llm.gates import bounds
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

    Raises ValueError at once for a schema that is none, or larger than `bounds` allow. References to
    other documents are never fetched, and a pattern cannot run away: the engine limits them.
    """
    bounds.check(schema or {})
    try:
        validator = jsonschema_rs.validator_for(dict(schema or {}), offline=True)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise ValueError(f"not a JSON schema: {getattr(error, 'message', '') or error}"[:300]) from None

    def gate(text: str) -> str | None:
        try:
            validator.validate(read_json(text, fence=fence))
        except jsonschema_rs.ValidationError as error:
            # Names of properties come from the schema, so far as they are in it; of the value only positions are told.
            return f"does not fit the schema at {'/'.join(map(str, error.schema_path))}"[:200]
        except ValueError:
            return "not JSON"
        return None

    return gate


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
