"""Answers that have to be JSON."""

import json
import re
from collections.abc import Mapping
from typing import Any

from llm.gates.basic import Gate

FENCE = re.compile(r"\A\s*```(?:json)?[ \t]*\n(.*?)\n?[ \t]*```\s*\Z", re.DOTALL | re.IGNORECASE)


def read_json(text: str) -> Any:
    """The value of an answer in JSON, which models like to put into a code fence. Raises ValueError."""
    fenced = FENCE.match(text)
    try:
        return json.loads(fenced[1] if fenced else text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def json_schema(schema: Mapping[str, Any] | None = None) -> Gate:
    """Rejects what `read_json` cannot read, or what does not fit the JSON schema (draft 2020-12), if there is one.

    Raises ValueError at once for a schema that is none. References to other documents are never fetched.
    """
    from jsonschema import Draft202012Validator, SchemaError  # takes 50 ms to import, and few calls need it

    try:
        Draft202012Validator.check_schema(schema or {})
    except SchemaError as error:
        raise ValueError(f"not a JSON schema: {error.message}") from None
    validator = Draft202012Validator(schema or {})

    def gate(text: str) -> str | None:
        try:
            value = read_json(text)
        except ValueError:
            return "not JSON"
        error = next(validator.iter_errors(value), None)
        if error is None:
            return None
        # Names of properties come from the schema, so far as they are in it; of the value only positions are told.
        place = "/".join(str(part) for part in error.absolute_schema_path)
        return f"does not fit the schema at {place}"[:200]

    return gate


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
