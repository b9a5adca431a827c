"""Judges structured answers: `response_format` as a gate for the chain, which asks the next provider on failure."""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import jsonschema_rs

from llm.gateway.errors import ApiError

Gate = Callable[[str], str | None]


def gate_for(response_format: Mapping[str, Any] | None) -> Gate | None:
    """`accept` for the chain; None when any text will do. Raises ApiError for a schema that is none."""
    kind = (response_format or {}).get("type")
    if kind == "json_object":
        return is_object
    if kind == "json_schema" and response_format is not None:
        return _schema_gate(json.dumps(response_format["json_schema"].get("schema") or {}, sort_keys=True))
    return None


def is_object(text: str) -> str | None:
    """Why the text is no JSON object, or None."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "not JSON"
    return None if isinstance(value, dict) else "JSON, but no object"


@lru_cache(maxsize=256)
def _schema_gate(schema: str) -> Gate:
    validator = _validator(schema)

    def judge(text: str) -> str | None:
        try:
            validator.validate(json.loads(text))
        except jsonschema_rs.ValidationError as error:
            place = "/".join(map(str, error.instance_path))
            return f"against the schema at {place or 'its root'}: {error.message}"[:300]
        except (ValueError, RecursionError):
            return "not JSON"
        return None

    return judge


def _validator(schema: str) -> Any:
    """A validator that fetches nothing (`offline`) and whose patterns cannot run away (the engine limits them)."""
    try:
        return jsonschema_rs.validator_for(json.loads(schema), offline=True)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        reason = getattr(error, "message", "") or str(error)
        raise ApiError(
            400, f"Invalid schema for response_format: {reason[:300]}", code="invalid_schema",
            param="response_format.json_schema.schema",
        ) from None  # fmt: skip
