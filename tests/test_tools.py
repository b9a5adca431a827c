"""Calls of tools: put together from any pieces, under offered names, and sent back as each service takes them."""

import json

import pytest

from llm.adapters.answers.toolcalls import ToolCalls
from llm.chain import complete
from llm.configuration import schema
from llm.configuration.errors import ConfigError
from llm.failures.kinds import Failure, Kind
from llm.models import Provider
from llm.simulator import behaviours as b
from tests.adapter_setup import HELLO, KINDS, OPENAI_KINDS, Ran, chunk, completion, gemini
from tests.chain_setup import make_deepseek, make_groq, make_provider, make_vertex
from tests.gateway_client import Gateway, chunks_of, make_client

pytestmark = pytest.mark.django_db(transaction=True)
both = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
every = pytest.mark.parametrize("kind", KINDS)
openais = pytest.mark.parametrize("kind", OPENAI_KINDS)


def tool(name):
    return {
        "type": "function",
        "function": {"name": name, "parameters": {"type": "object", "properties": {}}},
    }


TOOLS = [tool("get_weather"), tool("get_time")]
OFFERED = {"get_weather", "get_time"}
TWO = [["get_weather", {"town": "Oslo, Norway, where it rains"}], ["get_time", {"zone": "Europe/Oslo or so"}]]


def told(calls):
    return [[call["function"]["name"], json.loads(call["function"]["arguments"])] for call in calls]


def put_together(*deltas, offered=OFFERED):
    calls = ToolCalls(offered)
    for delta in deltas:
        calls.feed([delta])
    found = calls.calls()
    assert len({call["id"] for call in found}) == len(found)
    return [(call["function"]["name"], call["function"]["arguments"]) for call in found]


def piece(arguments=None, *, name=None, id=None, index=0):
    function = {"name": name, "arguments": arguments}
    found = {"id": id, "index": index, "function": {k: v for k, v in function.items() if v is not None}}
    return {key: value for key, value in found.items() if value is not None}


@both
@openais
@pytest.mark.parametrize("how", ["usual", "same_index", "no_index", "name_repeated", "twice", "object"])
def test_calls_are_put_together_from_any_pieces(sim, kind, stream, how):
    ran = Ran(sim, kind, b.tool_calls(*TWO, how=how), stream=stream, params={"tools": TOOLS})
    assert told(ran.answer.tool_calls) == TWO
    assert ran.answer.finish_reason == "tool_calls"
    assert len({call["id"] for call in ran.answer.tool_calls}) == 2


W, T = ("get_weather", '{"a": 1}'), ("get_time", "{}")


@pytest.mark.parametrize(
    ("deltas", "calls"),
    [
        # the index is always 0
        ([piece("", name="get_weather", id="x"), piece('{"a"'), piece(": 1}"), piece("{}", name="get_time", id="y")],
         [W, T]),
        ([piece('{"a": 1}', name="get_weather"), piece("{}", name="get_time")], [W, T]),
        ([piece("", name="get_weather"), piece('{"a": 1}'), piece("", name="get_time"), piece("{}")], [W, T]),
        ([piece("", name="get_time", id="x"), piece("", name="get_weather", id="y"), piece('{"a": 1}', id="y")],
         [T, W]),
        # ids alone, in turns
        ([piece("", name="get_weather", id="x", index=None), piece("", name="get_time", id="y", index=None),
          piece('{"a"', id="x", index=None), piece("{}", id="y", index=None), piece(": 1}", id="x", index=None)],
         [W, T]),
        # neither id nor index
        ([piece("", name="get_weather", index=None), piece('{"a": 1}', index=None),
          piece("{}", name="get_time", index=None)], [W, T]),
        # the name in each piece, and in pieces
        ([piece('{"a"', name="get_weather", id="x"), piece(": 1}", name="get_weather", id="x")], [W]),
        ([piece('{"a"', name="get_weather"), piece(": 1}", name="get_weather")], [W]),
        ([piece(name="get_", id="x"), piece(name="weather"), piece('{"a": 1}')], [W]),
        ([piece(name="get_", id="x"), piece(name="get_weather"), piece('{"a": 1}')], [W]),
        # an id that changes with each piece
        ([piece('{"a"', name="get_weather", id="x"), piece(": ", id="y"), piece("1}", id="z")],
         [("get_weather", '{"a": 1}')]),
        ([piece('{"a"', name="get_weather", id="x"), piece(": 1}", name="get_weather", id="y")], [W]),
        # whole, twice
        ([piece('{"a": 1}', name="get_weather", id="x"), piece('{"a": 1}', name="get_weather", id="x")], [W]),
        ([piece('{"a": 1}', name="get_weather"), piece('{"a": 1}', name="get_weather")], [W]),
        # the same tool twice, with other arguments
        ([piece('{"a": 1}', name="get_weather"), piece('{"a": 2}', name="get_weather")],
         [W, ("get_weather", '{"a": 2}')]),
        # a placeholder first, or all of it in each piece
        ([piece("{}", name="get_weather", id="x"), piece('{"a": 1}')], [W]),
        ([piece('{"a"', name="get_weather", id="x"), piece('{"a": 1}')], [W]),
        # twice in one piece, or with an empty one beside it
        ([piece('{"a": 1}{"a": 1}', name="get_weather", id="x")], [W]),
        ([piece('{"a": 1} {}', name="get_weather", id="x")], [W]),
        ([piece('{"a": 1}{"a": 2}', name="get_weather", id="x")], [("get_weather", '{"a": 1}{"a": 2}')]),
        # the index counts from one; no layer `function`
        ([piece("", name="get_weather", id="x", index=1), piece('{"a": 1}', index=1),
          piece("{}", name="get_time", id="y", index=2)], [W, T]),
        ([{"index": 0, "id": "x", "type": "function", "name": "get_weather", "arguments": '{"a"'},
          {"index": 0, "arguments": ": 1}"}], [W]),
        # odd values
        ([piece({"a": 1}, name="get_weather", id="x")], [W]),
        ([piece(None, name="get_time", id="x")], [T]),
        ([piece("null", name="get_time", id="x")], [T]),
        ([piece('"{\\"a\\": 1}"', name="get_weather", id="x")], [W]),
        ([{"index": "0", "id": 7, "function": {"name": "get_time", "arguments": ""}}], [T]),
        ([{"function": None}, {"index": 0}, "x", piece("{}")], []),
    ],
)  # fmt: skip
def test_no_way_to_send_pieces_mixes_or_doubles_calls(deltas, calls):
    assert put_together(*deltas) == calls


@both
@every
def test_a_call_that_was_cut_is_told_as_cut(sim, kind, stream):
    ran = Ran(sim, kind, b.tool_calls(*TWO, how="cut"), stream=stream, params={"tools": TOOLS})
    assert ran.answer.finish_reason == "length"


@both
@openais
@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", '"Paris"', '{"a": NaN}', "{'a': 1}"])
def test_a_garbled_call_is_no_answer(sim, kind, stream, arguments):
    function = {"name": "get_time", "arguments": arguments}
    call = [{"id": "x", "index": 0, "type": "function", "function": function}]
    told = [chunk({"tool_calls": call}), chunk(finish="tool_calls")] if stream else [
        completion({"content": None, "tool_calls": call}, finish="tool_calls")
    ]  # fmt: skip
    with pytest.raises(Failure) as caught:
        Ran(sim, kind, b.events(*told), stream=stream, params={"tools": TOOLS})
    assert caught.value.kind is Kind.EMPTY_OUTPUT


@both
@openais
@pytest.mark.parametrize(
    "name",
    ["get_weather<|channel|>commentary", "functions.get_weather", "to=functions.get_weather", " get_weather\n",
     "get_weather()", '"get_weather"', "default_api.get_weather", "default_api:get_weather", "Get_Weather",
     "tools/get_weather", "get_weather<|constrain|>json", "assistant.functions.get_weather",
     "functions.get_weather:0"],
)  # fmt: skip
def test_a_dressed_name_is_the_one_that_was_offered(sim, kind, stream, name):
    ran = Ran(sim, kind, b.tool_calls([name, {"a": 1}]), stream=stream, params={"tools": TOOLS})
    assert told(ran.answer.tool_calls) == [["get_weather", {"a": 1}]]


@both
@every
@pytest.mark.parametrize("name", ["brave_search", "functions.", "<|channel|>get_weather", "weather"])
def test_a_name_that_nobody_offered_goes_to_the_next_provider(sim, kind, stream, name):
    with pytest.raises(Failure) as caught:
        Ran(sim, kind, b.tool_calls([name, {}]), stream=stream, params={"tools": TOOLS})
    assert caught.value.kind is Kind.EMPTY_OUTPUT


@both
@pytest.mark.parametrize(
    ("text", "garbled"),
    [
        ('<tool_call>\n{"name": "get_weather", "arguments": {}}\n</tool_call>', True),
        ('I look.\n<tool_call>{"name": "get_weather", "arguments": {}}', True),
        ('[TOOL_CALLS][{"name": "get_weather", "arguments": {}}]', True),
        ("<function=get_weather>{}</function>", True),
        ('<|python_tag|>{"name": "get_weather", "parameters": {}}', True),
        ("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather", True),
        ('Hermes writes:\n```\n<tool_call>{"name": "get_weather"}</tool_call>\n```', False),
        ("A <tool_call> of get_weather.", False),
        ("<tool_call> is a mark of Qwen's.", False),
    ],
)
def test_a_call_that_is_written_as_text_is_no_answer(sim, stream, text, garbled):
    if not garbled:
        assert Ran(sim, "openai", b.ok(text), stream=stream, params={"tools": TOOLS}).text == text
        return
    assert Ran(sim, "openai", b.ok(text), stream=stream).text == text  # no tools: a text about them
    with pytest.raises(Failure) as caught:
        Ran(sim, "openai", b.ok(text), stream=stream, params={"tools": TOOLS})
    assert caught.value.kind is Kind.EMPTY_OUTPUT


@both
@every
def test_calls_without_any_offer_are_dropped_beside_a_text(sim, kind, stream):
    if kind == "vertex":
        body = gemini({"text": "Hello"}, {"functionCall": {"name": "get_time", "args": {}}}, finish="STOP")
        ran = Ran(sim, kind, b.events(body, done=False), stream=stream)
    else:
        call = [{"id": "x", "index": 0, "function": {"name": "get_time", "arguments": "{}"}}]
        whole = {"content": "Hello", "tool_calls": call}
        told = [chunk(whole), chunk(finish="stop")] if stream else [completion(whole)]
        ran = Ran(sim, kind, b.events(*told), stream=stream)
    assert (ran.answer.text, list(ran.answer.tool_calls)) == ("Hello", [])


# -- what goes back --------------------------------------------------------------------------------------


def turn(*calls, content=None, **state):
    made = [
        {"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}, **more}
        for id, name, more in calls
    ]
    return {"role": "assistant", "content": content, "tool_calls": made, **state}


def result(id, text="fine"):
    return {"role": "tool", "tool_call_id": id, "content": text}


def test_gemini_gets_the_results_of_one_turn_in_one_turn_and_in_order(sim):
    messages = [
        {"role": "system", "content": "Be short."}, *HELLO, {"role": "assistant", "content": ""},
        turn(("a", "get_weather", {}), ("b", "get_time", {})), result("b", "noon"), result("a", "rain"),
        {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "So?"}]},
        turn(("c", "get_time", {}), content="Wait."), result("c"),
    ]  # fmt: skip
    ran = Ran(sim, "vertex", b.ok("Rain."), stream=False, messages=messages, model="gemini-3.5-flash-lite",
              params={"tools": TOOLS})  # fmt: skip
    assert [content["role"] for content in ran.sent["contents"]] == [
        "user",
        "model",
        "user",
        "user",
        "model",
        "user",
    ]
    names = [part["functionResponse"]["name"] for part in ran.sent["contents"][2]["parts"]]
    assert names == ["get_weather", "get_time"]
    assert ran.sent["contents"][3]["parts"] == [{"text": "So?"}]


@pytest.mark.parametrize(
    "contents",
    [
        [{"role": "user", "parts": []}], [{"role": "user", "parts": [{"text": ""}]}], [{"role": "user"}],
        [{"role": "user", "parts": [{"text": "x"}]},
         {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}, {"functionCall": {"name": "g"}}]},
         {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"a": 1}}}]},
         {"role": "user", "parts": [{"functionResponse": {"name": "g", "response": {"a": 1}}}]}],
        [{"role": "user", "parts": [{"text": "x"}]}, {"role": "model", "parts": [{"text": "x"}]},
         {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}],
    ],
)  # fmt: skip
def test_the_simulator_refuses_the_turns_that_gemini_refuses(contents):
    from llm.simulator.strict import Rejected, check_gemini

    with pytest.raises(Rejected):
        check_gemini("gemini-2.5-flash", contents)


@both
def test_geminis_signature_travels_out_and_back(sim, tmp_path, stream):
    make_vertex(sim, tmp_path, locations=["global"])
    gateway = Gateway(make_client()[1])
    sim.script("vertex", b.tool_call("get_weather", {"town": "Oslo"}), b.ok("Rain."))
    response = gateway.ask(tools=TOOLS, stream=stream)
    if stream:
        deltas = [c["delta"] for part in chunks_of(response)[:-1] for c in part["choices"]]
        call = next(delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta)
    else:
        [call] = response.json()["choices"][0]["message"]["tool_calls"]
    assert call["extra_content"] == {"google": {"thought_signature": "c2ln"}}
    again = [*HELLO, {"role": "assistant", "content": None, "tool_calls": [call]}, result(call["id"])]
    assert gateway.ask(again, tools=TOOLS).status_code == 200
    part = sim.requests[-1].body["contents"][1]["parts"][0]
    assert (part.get("thoughtSignature") or part.get("thought_signature")) == "c2ln"


def test_gemini_behind_openais_format_gets_its_signature_or_the_word_for_none(sim):
    signed = {"extra_content": {"google": {"thought_signature": "YWJj"}}}
    for more, sent in ((signed, "YWJj"), ({}, "skip_thought_signature_validator")):
        messages = [*HELLO, turn(("a", "get_time", more), ("b", "get_time", {})), result("a"), result("b")]
        ran = Ran(
            sim, "openai", b.ok("x"), stream=False, slug="gemini", model="gemini-3.5-flash", messages=messages
        )
        calls = ran.sent["messages"][1]["tool_calls"]
        assert calls[0]["extra_content"]["google"]["thought_signature"] == sent
        assert "extra_content" not in calls[1]


STATE = {"reasoning_content": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}


@pytest.mark.parametrize(
    ("kind", "slug", "model", "kept"),
    [
        ("openai", "deepseek", "deepseek-v4-pro", {"reasoning_content": "hm"}),
        ("openai", "openrouter", "deepseek/deepseek-v4", {"reasoning_details": STATE["reasoning_details"]}),
        ("openai", "other", "moonshotai/Kimi-K2-Thinking", {"reasoning_content": "hm"}),
        ("openai", "other", "llama-4", {}),
        ("openai", "mistral", "mistral-small-latest", {}),
        ("groq", None, "openai/gpt-oss-120b", {}),
    ],
)
def test_state_goes_back_to_its_own_family_and_to_no_other(sim, kind, slug, model, kept):
    more = {"extra_content": {"google": {"thought_signature": "YWJj"}}}
    messages = [*HELLO, turn(("call_0001", "get_time", more), **STATE), result("call_0001")]
    ran = Ran(sim, kind, b.ok("x"), stream=False, slug=slug, model=model, messages=messages)
    said = ran.sent["messages"][1]
    assert {name: said[name] for name in (*STATE, "extra_content") if name in said} == kept
    assert "extra_content" not in said["tool_calls"][0]


@both
def test_deepseeks_reasoning_travels_out_and_back_and_stays_away_from_others(sim, stream):
    make_deepseek(sim, tier=1)
    make_groq(sim, keys=1, tier=2)
    gateway = Gateway(make_client()[1])
    sim.script("key-of-deepseek", b.tool_calls(["get_time", {}], reasoning="hm"), b.ok("Noon."), b.http(500))
    response = gateway.ask(tools=TOOLS, stream=stream, reasoning_effort="high")
    if stream:
        deltas = [c["delta"] for part in chunks_of(response)[:-1] for c in part["choices"]]
        message = {
            "role": "assistant", "content": None,
            "reasoning_content": "".join(delta.get("reasoning_content", "") for delta in deltas),
            "tool_calls": [call for delta in deltas for call in delta.get("tool_calls", ())],
        }  # fmt: skip
    else:
        message = response.json()["choices"][0]["message"]
    assert message["reasoning_content"] == "hm"
    again = [*HELLO, message, result(message["tool_calls"][0]["id"])]
    assert gateway.ask(again, tools=TOOLS).status_code == 200
    assert sim.requests[-1].body["messages"][1]["reasoning_content"] == "hm"
    assert gateway.ask(again, tools=TOOLS)["x-guardlabs-provider"] == "groq1"
    assert "reasoning_content" not in sim.requests[-1].body["messages"][1]


def test_deepseek_takes_over_a_conversation_that_began_elsewhere(sim):
    messages = [*HELLO, turn(("a", "get_time", {})), result("a")]
    for thinking in ({}, {"thinking": {"type": "enabled"}}, {"thinking": {"type": "disabled"}}):
        ran = Ran(sim, "openai", b.ok("x"), stream=False, slug="deepseek", model="deepseek-v4-pro",
                  messages=messages, params=thinking)  # fmt: skip
        assert ran.answer.text == "x"


# -- dialects --------------------------------------------------------------------------------------------


@both
def test_gpt_5_is_given_the_field_that_it_knows(sim, stream):
    ran = Ran(sim, "openai", b.ok("x"), stream=stream, model="gpt-5-mini", temperature=0.3)
    assert "max_tokens" not in ran.sent
    assert ran.sent["max_completion_tokens"] == 4000
    assert "temperature" not in ran.sent


@both
@pytest.mark.parametrize("id", ["call_abcdefghijkl", "a", "", "functions.get_time:0", "x" * 200, "abcDEF123"])
def test_mistral_gets_ids_of_nine_letters_that_still_match(sim, stream, id):
    messages = [*HELLO, turn((id, "get_time", {})), result(id)]
    ran = Ran(
        sim,
        "openai",
        b.ok("x"),
        stream=stream,
        slug="mistral",
        model="mistral-small-latest",
        messages=messages,
    )
    [_, asked, answered] = ran.sent["messages"]
    assert asked["tool_calls"][0]["id"] == answered["tool_call_id"]
    assert (answered["tool_call_id"] == id) == (id == "abcDEF123")
    assert "stream_options" not in ran.sent


def test_mistral_gets_no_answer_that_says_nothing(sim):
    messages = [*HELLO, {"role": "assistant", "content": ""}, *HELLO]
    mistral = {"slug": "mistral", "model": "mistral-small-latest"}
    assert (
        Ran(sim, "openai", b.ok("x"), stream=False, messages=messages, **mistral).sent["messages"]
        == 2 * HELLO
    )
    assert Ran(sim, "openai", b.ok("x"), stream=False, messages=messages).sent["messages"] == messages


@openais
def test_a_call_without_arguments_is_sent_with_an_empty_object(sim, kind):
    call = {"id": "a", "type": "function", "function": {"name": "get_time", "arguments": ""}}
    messages = [*HELLO, {"role": "assistant", "content": None, "tool_calls": [call]}, result("a")]
    [sent] = Ran(sim, kind, b.ok("x"), stream=False, messages=messages).sent["messages"][1]["tool_calls"]
    assert sent["function"] == {"name": "get_time", "arguments": "{}"}


def test_cloudflare_gets_no_null(sim):
    messages = [*HELLO, turn(("a", "get_time", {})), result("a")]
    ran = Ran(sim, "openai", b.ok("x"), stream=False, slug="cloudflare", model="@cf/x", messages=messages)
    assert ran.sent["messages"][1]["content"] == ""
    assert (
        Ran(sim, "openai", b.ok("x"), stream=False, messages=messages).sent["messages"][1]["content"] is None
    )


def test_staffs_word_overrides_what_is_known(sim):
    stated = {"max_tokens": "max_completion_tokens", "stream_options": False, "null_content": False,
              "call_ids": "openai", "reasoning": "none",
              "state": "reasoning_content", "temperature": False}  # fmt: skip
    messages = [*HELLO, turn(("x" * 50, "get_time", {}), reasoning_content="hm"), result("x" * 50)]
    ran = Ran(
        sim, "openai", b.ok("x"), stream=True, messages=messages, dialect=stated, effort="high", temperature=1
    )
    assert ran.sent["max_completion_tokens"] == 4000
    assert not {"max_tokens", "stream_options", "reasoning_effort", "temperature"} & ran.sent.keys()
    asked = ran.sent["messages"][1]
    assert (asked["content"], asked["reasoning_content"], len(asked["tool_calls"][0]["id"])) == ("", "hm", 29)


def test_a_dialect_stands_in_the_providers_file_and_reaches_the_request(sim):
    from llm.configuration.exporting import export
    from llm.configuration.loading import apply

    make_provider(sim, "newcomer", models=["m"], keys={"k": ""}, free=True)
    dialect = 'dialect = { max_tokens = "max_completion_tokens", stream_options = false }'
    text = f'[[provider]]\nslug = "newcomer"\n{dialect}\n'
    apply(schema.parse(text))
    assert Provider.objects.get().dialect == {"max_tokens": "max_completion_tokens", "stream_options": False}
    complete(user="hi", max_tokens=7)
    assert sim.requests[-1].body["max_completion_tokens"] == 7
    assert dialect in export()


@pytest.mark.parametrize(
    "value", ["true", '"x"', '{ tokens = "x" }', '{ max_tokens = "tokens" }', "{ stream_options = 1 }",
              '{ stream_options = "false" }', "{ call_ids = true }"],
)  # fmt: skip
def test_a_dialect_that_nobody_speaks_is_refused_with_the_reason(value):
    with pytest.raises(ConfigError, match="dialect"):
        schema.read(schema.parse(f'[[provider]]\nslug = "x"\ndialect = {value}\n'))
