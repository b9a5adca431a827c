"""A schema is refused before it is compiled when it stands for more work than anybody should do for a client."""

import json
import time

import pytest

from llm.gates import json_schema
from llm.gateway import gate
from llm.gateway.errors import ApiError


def doubling(levels, word="allOf"):
    """Each definition refers twice to the one before."""
    defs = {"d0": {"type": "string"}}
    for level in range(1, levels + 1):
        defs[f"d{level}"] = {word: [{"$ref": f"#/$defs/d{level - 1}"}] * 2}
    return {"$defs": defs, "$ref": f"#/$defs/d{levels}"}


def nested(levels):
    schema = {"type": "string"}
    for _ in range(levels):
        schema = {"properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        doubling(60),
        doubling(24, "anyOf"),
        doubling(20, "oneOf"),
        {"properties": {"a": doubling(30)["$defs"] | {"$ref": "#/x"}}, **doubling(30)},
        nested(2000),
        {"allOf": [{"$ref": "#/$defs/a"}] * 3000, "$defs": {"a": {}}},
        {"enum": ["x" * 1000] * 5000},
    ],
    ids=["allOf", "anyOf", "oneOf", "within", "deep", "references", "bytes"],
)
def test_a_schema_that_stands_for_too_much_is_refused_at_once(schema):
    before = time.thread_time()
    with pytest.raises(ValueError, match="schema"):
        json_schema(schema)
    assert time.thread_time() - before < 2


@pytest.mark.parametrize(
    "schema",
    [
        doubling(8),
        nested(20),
        {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}},
        {
            "$defs": {"node": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "object"}]}},
            "$ref": "#/$defs/node",
        },
        {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(3000)}},
    ],
    ids=["some references", "nested", "a tree", "refers to itself", "many properties"],
)
def test_what_people_use_is_taken(schema):
    json_schema(schema)("{}")


def test_kept_schemas_are_bounded_by_their_bytes():
    gate._kept.clear()
    for number in range(40):
        schema = {"properties": {f"{number}-{each}": {"const": "x" * 500} for each in range(150)}}
        gate.gate_for({"type": "json_schema", "json_schema": {"schema": schema}})
    assert sum(map(len, gate._kept)) <= gate.MOST_BYTES
    first = {"properties": {"39-0": {"const": "x"}}}
    one = gate.gate_for({"type": "json_schema", "json_schema": {"schema": first}})
    assert (
        gate.gate_for({"type": "json_schema", "json_schema": {"schema": json.loads(json.dumps(first))}})
        is one
    )


def test_a_client_is_told_with_400():
    with pytest.raises(ApiError) as refused:
        gate.gate_for({"type": "json_schema", "json_schema": {"schema": doubling(60)}})
    assert refused.value.status == 400
