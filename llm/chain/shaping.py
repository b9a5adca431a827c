"""Adapts messages and parameters to the model that is asked next."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from llm.configuration.snapshot import ModelConf

Messages = Sequence[Mapping[str, Any]]
SCHEMA_PROMPT = "Answer with one JSON object and nothing else. It must be valid against this JSON schema:\n"


def fit(
    messages: Messages, params: Mapping[str, Any], model: ModelConf
) -> tuple[Messages, Mapping[str, Any]]:
    """Messages and parameters for one model; one that knows JSON but no schema is told the schema in words."""
    wanted = params.get("response_format")
    if model.json_schema or not isinstance(wanted, Mapping) or wanted.get("type") != "json_schema":
        return messages, params
    schema = (wanted.get("json_schema") or {}).get("schema") or {}
    told = {"role": "system", "content": SCHEMA_PROMPT + json.dumps(schema, ensure_ascii=False)}
    return [told, *messages], {**params, "response_format": {"type": "json_object"}}
