"""Judges structured answers: `response_format` as a gate for the chain, which asks the next provider on failure."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any

from llm.gates import Gate, json_schema
from llm.gateway import errors

MOST_BYTES = 1024 * 1024

_kept: OrderedDict[str, Gate] = OrderedDict()
_lock = Lock()


def gate_for(response_format: Mapping[str, Any] | None) -> Gate | None:
    """`accept` for the chain; None when any text will do. Raises ApiError for a schema that is none."""
    kind = (response_format or {}).get("type")
    if kind == "json_object":
        return _gate('{"type": "object"}')
    if kind == "json_schema" and response_format is not None:
        return _gate(json.dumps(response_format["json_schema"].get("schema") or {}, sort_keys=True))
    return None


def _gate(schema: str) -> Gate:
    """Clients read the whole answer as JSON, so a code fence around it is not good enough.

    The last ones are kept, as many as MOST_BYTES of schemas make: a compiled one takes some twenty times as much.
    """
    with _lock:
        if schema in _kept:
            _kept.move_to_end(schema)
            return _kept[schema]
    made = _compiled(schema)
    with _lock:
        _kept[schema] = made
        while len(_kept) > 1 and sum(map(len, _kept)) > MOST_BYTES:
            _kept.popitem(last=False)
    return made


def _compiled(schema: str) -> Gate:
    try:
        return json_schema(json.loads(schema), fence=False)
    except ValueError as error:
        raise errors.invalid_schema(error) from None
