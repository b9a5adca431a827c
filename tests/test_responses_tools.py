"""Tools that are no plain functions, as Codex sends them: free text, namespaces, and tools that come with the input."""

import json

import pytest

from llm.simulator import behaviours as b
from tests.chain_setup import make_groq

pytestmark = pytest.mark.django_db
PATCH = {"type": "custom", "name": "apply_patch", "description": "Changes files.",
         "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}}  # fmt: skip
SLEEP = {"type": "function", "name": "sleep", "parameters": {"type": "object", "properties": {}}}
NAMESPACES = [
    {"type": "namespace", "name": "functions", "description": "", "tools": [PATCH]},
    {"type": "namespace", "name": "clock", "description": "Time.", "tools": [SLEEP]},
]
ADDED = {"type": "additional_tools", "role": "developer", "tools": NAMESPACES}
ASK = {"role": "user", "content": "Mend it."}
TEXT = '*** Begin Patch\n"quoted" \\ and ünïcode'


def ask(gateway, *items, stream=False, **more):
    body = {"model": "auto", "input": [*items, ASK], "stream": stream, "store": False, **more}
    response = gateway.post_to("/v1/responses", body)
    if not stream:
        assert response.status_code == 200, response.content
        return response.json(), []
    events = [each for each in chunks_of(response) if isinstance(each, dict)]
    return events[-1]["response"], events


def chunks_of(response):
    lines = b"".join(response.streaming_content).decode().split("\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


def offered(sim):
    return [tool["function"]["name"] for tool in sim.requests[-1].body.get("tools", ())]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("arguments", [{"input": TEXT}, {"input": ""}])
def test_a_tool_of_free_text_is_called_with_a_text(sim, gateway, stream, arguments):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.tool_call("apply_patch", arguments))
    body, events = ask(gateway, tools=[PATCH], stream=stream)
    [item] = body["output"]
    assert (item["type"], item["name"], item["input"]) == (
        "custom_tool_call",
        "apply_patch",
        arguments["input"],
    )
    assert "namespace" not in item
    assert body["tools"] == [PATCH]
    function = sim.requests[-1].body["tools"][0]["function"]
    assert function["parameters"]["required"] == ["input"]
    assert "start: /.+/" in function["parameters"]["properties"]["input"]["description"]
    if stream:
        told = [event for event in events if "custom_tool_call_input" in event["type"]]
        assert [event["type"].rpartition(".")[2] for event in told] == ["delta", "done"]
        assert told[0]["delta"] == told[1]["input"] == arguments["input"]


def test_a_text_that_a_model_wrote_without_its_field_is_the_text(sim, gateway):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.tool_call("apply_patch", {"patch": "x"}))
    body, _ = ask(gateway, tools=[PATCH])
    assert json.loads(body["output"][0]["input"]) == {"patch": "x"}


@pytest.mark.parametrize("how", ["input", "tools"])
def test_tools_of_a_namespace_are_offered_and_called_by_their_names(sim, gateway, how):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.tool_calls(("clock__sleep", {}), ("apply_patch", {"input": TEXT})))
    body, _ = ask(gateway, ADDED) if how == "input" else ask(gateway, tools=NAMESPACES)
    assert offered(sim) == ["apply_patch", "clock__sleep"]
    sleep, patch = body["output"]
    assert (sleep["type"], sleep["namespace"], sleep["name"]) == ("function_call", "clock", "sleep")
    assert (patch["type"], patch["namespace"], patch["input"]) == ("custom_tool_call", "functions", TEXT)


def test_calls_and_their_outputs_come_back_as_they_were_offered(sim, gateway):
    make_groq(sim, keys=1)
    ask(
        gateway, ADDED,
        {"type": "function_call", "call_id": "1", "namespace": "clock", "name": "sleep", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "2", "namespace": "functions", "name": "apply_patch", "input": TEXT},
        {"type": "function_call_output", "call_id": "1", "output": "slept"},
        {"type": "custom_tool_call_output", "call_id": "2", "output": [{"type": "input_text", "text": "done"}]},
    )  # fmt: skip
    assistant, slept, done, _ = sim.requests[-1].body["messages"]
    assert [call["function"]["name"] for call in assistant["tool_calls"]] == ["clock__sleep", "apply_patch"]
    assert json.loads(assistant["tool_calls"][1]["function"]["arguments"]) == {"input": TEXT}
    assert (slept["content"], done["content"]) == ("slept", "done")


@pytest.mark.parametrize(
    ("choice", "sent"),
    [({"type": "custom", "name": "apply_patch"}, "apply_patch"),
     ({"type": "function", "namespace": "clock", "name": "sleep"}, "clock__sleep")],
)  # fmt: skip
def test_a_choice_names_them_too(sim, gateway, choice, sent):
    make_groq(sim, keys=1)
    ask(gateway, tools=NAMESPACES, tool_choice=choice)
    assert sim.requests[-1].body["tool_choice"]["function"]["name"] == sent


def test_two_namespaces_may_have_a_tool_of_the_same_name(sim, gateway):
    make_groq(sim, keys=1)
    spaces = [
        {"type": "namespace", "name": name, "description": "", "tools": [SLEEP]} for name in ("a.b", "c")
    ]
    ask(gateway, tools=[*spaces, SLEEP])
    assert offered(sim) == ["a_b__sleep", "c__sleep", "sleep"]


@pytest.mark.parametrize(
    ("more", "param"),
    [({"tools": [{"type": "custom", "name": "no spaces"}]}, "tools[0].name"),
     ({"tools": [{"type": "custom", "name": "x", "format": "lark"}]}, "tools[0].format"),
     ({"tools": [{"type": "namespace", "name": "x", "tools": [{"type": "function"}]}]}, "tools[0].tools[0].name"),
     ({"tools": [{"type": "namespace", "name": "x", "tools": "all"}]}, "tools[0].tools"),
     ({"input": [{"type": "additional_tools", "tools": [1]}, ASK]}, "input[0].tools[0]"),
     ({"input": [{"type": "custom_tool_call", "call_id": "1", "name": "x"}, ASK]}, "input[0].arguments")],
)  # fmt: skip
def test_a_wrong_tool_is_named(sim, gateway, more, param):
    make_groq(sim, keys=1)
    response = gateway.post_to("/v1/responses", {"input": [ASK], **more})
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
