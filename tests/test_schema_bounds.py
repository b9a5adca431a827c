"""A schema is refused before it is compiled when it stands for more work than anybody should do for a client."""

import json
import time

import pytest

from llm.gates import Unjudgeable, apart, json_schema
from llm.gateway import gate
from llm.gateway.errors import ApiError
from llm.models import Attempt, Call
from llm.simulator import behaviours as b
from tests.chain_setup import make_deepseek, make_groq
from tests.gateway_client import Gateway, error_of, make_client
from tests.matrix import one_of


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
    assert time.thread_time() - before < 100


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


def levels(count):
    """{"x": {"x": …}}"""
    return '{"x":' * count + "1" + "}" * count


DOUBLED_AT_EACH_LEVEL = {"properties": {"x": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}
RUNAWAYS = {
    "each level of the text doubles the work": (DOUBLED_AT_EACH_LEVEL, levels(40)),
    "doubled by a definition": (
        {
            "$defs": {"a": {"properties": {"x": {"$ref": "#"}}}},
            "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}],
        },
        levels(40),
    ),
    "references that resolve elsewhere": (
        {"$defs": {"x": {"$id": "http://b/", **doubling(40)}}, "$ref": "http://b/"},
        '"x"',
    ),
    "references in other letters": ({**doubling(40), "$ref": "#/%24defs/d40"}, '"x"'),
}


@pytest.mark.parametrize("name", one_of(*RUNAWAYS))
def test_judging_that_runs_away_ends_in_a_process_of_its_own(name):
    schema, text = RUNAWAYS[name]
    gate, before = json_schema(schema), time.thread_time()
    with pytest.raises(Unjudgeable, match="seconds"):
        gate(text)
    assert time.thread_time() - before < 1


def never(*arguments, **options):
    raise AssertionError("a process for what is quick")


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (
            {"properties": {"id": {"type": "string"}, "pattern": {"type": "string"}}},
            '{"id": "a"}',
            '{"id": 1}',
        ),
        (
            {
                "$id": "http://a/",
                "properties": {"children": {"items": {"$ref": "#"}}, "n": {"type": "integer"}},
            },
            '{"n": 1, "children": [{"n": 2}, {"n": 3, "children": []}]}',
            '{"n": 1, "children": [{"n": "2"}]}',
        ),
        (
            {
                "items": {
                    "anyOf": [
                        {"pattern": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
                        {"pattern": r"^[^@ ]{1,64}@[a-z.-]+\.[a-z]{2,}$"},
                    ]
                }
            },
            '["a@b.example"]',
            '["a b"]',
        ),
        (doubling(8), '"x"', "1"),
        (
            {"anyOf": [{"type": "null"}, {"properties": {"x": {"$ref": "#"}}, "required": ["x"]}]},
            levels(30),
            '{"y":1}',
        ),
    ],
    ids=["names like keywords", "a tree", "patterns", "some references", "a list"],
)
def test_what_people_use_is_judged_in_the_request(monkeypatch, schema, good, bad):
    monkeypatch.setattr(apart.subprocess, "run", never)
    judge = json_schema(schema)
    assert judge(good) is None
    assert judge(bad).startswith("does not fit the schema at ")


def test_the_same_is_found_apart_as_in_the_request():
    schema = {"type": "object", "properties": {"a": {"pattern": "^(?!no)"}}, "unevaluatedProperties": False}
    judge = json_schema(schema)
    assert judge('{"a": "yes"}') is None
    assert judge('{"a": "no"}') == "does not fit the schema at properties/a/pattern"
    assert judge('{"b": 1}').startswith("does not fit the schema at unevaluatedProperties")
    with pytest.raises(ValueError, match="not a JSON schema"):
        json_schema({"type": "nothing", "unevaluatedProperties": False})


def test_a_long_text_is_judged_apart_by_a_large_schema(monkeypatch):
    seen = []
    monkeypatch.setattr(apart, "judged", lambda schema, text: seen.append(text))
    schema = {"items": {"enum": list(range(5000))}}
    judge = json_schema(schema)
    assert judge("[1, 2, 3]") is None
    assert not seen
    judge(json.dumps([1] * 1000))
    assert len(seen) == 1


def test_the_process_has_nothing_of_our_environment(monkeypatch):
    monkeypatch.setenv("GROQ_API_KEY", "secret")
    ran = []
    real = apart.subprocess.run

    def run(*arguments, **options):
        ran.append(options)
        return real(*arguments, **options)

    monkeypatch.setattr(apart.subprocess, "run", run)
    assert apart.judged({"type": "string"}, '"x"') is None
    assert ran[0]["env"] == {}


def test_nobody_waits_for_ever_while_others_are_judged(monkeypatch):
    monkeypatch.setattr(apart, "MOST_WALL_S", 0.01)
    with apart._places, apart._places, pytest.raises(apart.Busy):
        apart.judged({}, "1")


@pytest.mark.parametrize("streamed", one_of(True, False))
@pytest.mark.django_db(transaction=True)
def test_a_client_whose_schema_cannot_be_judged_by_is_told_so_and_nobody_else_is_asked(
    sim, settings, streamed
):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.ok(levels(40)))
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": DOUBLED_AT_EACH_LEVEL}}
    answer = Gateway(make_client()[1]).ask(response_format=form, stream=streamed)
    assert answer.status_code == 400
    assert error_of(answer)["code"] == "invalid_schema"
    assert [row.outcome for row in Attempt.objects.all()] == ["rejected_output"]
    assert Call.objects.get().outcome == "exhausted"
