"""The gateway in OpenAI's shape: what goes in, what comes out, and what is refused."""

import json
from decimal import Decimal

import pytest

from guardlabs.web.headers import NO_PAGE
from llm.models import Call, Provider
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, SMALL, make_deepseek, make_groq, make_vertex
from tests.gateway_client import HELLO, Gateway, chunks_of, error_of, leave, make_client, text_of

pytestmark = pytest.mark.django_db

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a town",
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
    },
}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "mood",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"mood": {"enum": ["good", "bad"]}},
            "required": ["mood"],
            "additionalProperties": False,
        },
    },
}
IMAGE = [
    {"type": "text", "text": "What is this?"},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
]


def set_models(slug, **fields):
    """What the models of a provider take, as staff would change it."""
    for row in Provider.objects.get(slug=slug).models.all():
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()


# -- answers ---------------------------------------------------------------------------------------------


def test_a_plain_answer_has_openais_shape_and_says_who_gave_it(chain, gateway):
    chain.script("key-of-groq1", b.ok("Hello!"))
    response = gateway.ask(model="auto")
    body = response.json()
    assert response.status_code == 200
    assert body["object"] == "chat.completion"
    assert body["model"] == f"groq/{OSS}"
    assert body["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello!", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    assert response["x-guardlabs-provider"] == "groq1"
    assert response["x-guardlabs-attempts"] == "1"
    assert response["x-guardlabs-cost-usd"] == "0.000000"
    call = Call.objects.get()
    assert (call.client, call.purpose, call.text) == ("shop", "gateway", "Hello!")
    assert response["x-guardlabs-call"] == str(call.pk)


def test_the_next_provider_answers_and_its_price_is_told(chain, gateway):
    chain.script("key-of-groq1", b.http(429))
    response = gateway.ask()
    assert response["x-guardlabs-provider"] == "deepseek"
    assert response["x-guardlabs-attempts"] == "2"
    assert Decimal(response["x-guardlabs-cost-usd"]) > 0


def test_parameters_are_passed_on_and_unknown_ones_left_out(chain, gateway):
    asked = {
        "max_completion_tokens": 77, "temperature": 0.4, "top_p": 0.9, "stop": ["END"], "seed": 7,
        "presence_penalty": 0.5, "frequency_penalty": -0.5,
    }  # fmt: skip
    assert (
        gateway.ask(
            **asked, user="alice", logit_bias={"1": 2}, store=True, modalities=["text"], audio={"voice": "alloy"},
            web_search_options={}, from_2027=[],
        ).status_code == 200
    )  # fmt: skip
    sent = chain.requests[-1].body
    assert {name: sent[name] for name in asked if name in sent} == {
        name: value for name, value in asked.items() if name != "max_completion_tokens"
    }
    assert sent["max_tokens"] == 77
    assert not {"user", "logit_bias", "store", "modalities", "audio", "from_2027"} & set(sent)


def test_developer_messages_and_lists_of_text_reach_providers_as_plain_messages(chain, gateway):
    messages = [
        {"role": "developer", "content": "Be short."},
        {"role": "user", "content": [{"type": "text", "text": "Hello "}, {"type": "text", "text": "you"}]},
    ]
    assert gateway.ask(messages).status_code == 200
    assert chain.requests[-1].body["messages"] == [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Hello you"},
    ]


@pytest.mark.parametrize("model", ["auto", "free", "groq", f"groq/{SMALL}", "deepseek/deepseek-flash"])
def test_a_model_is_the_chain_a_provider_or_one_of_its_models(sim, gateway, model):
    make_groq(sim, keys=1, models=(OSS, SMALL))
    make_deepseek(sim)
    body = gateway.ask(model=model).json()
    wanted = {"auto": OSS, "free": OSS, "groq": OSS}.get(model, model.partition("/")[2])
    assert body["model"].partition("/")[2] == wanted
    assert model in [entry["id"] for entry in gateway.get("/v1/models").json()["data"]]
    assert gateway.get(f"/v1/models/{model}").json()["id"] == model


def test_a_model_that_does_not_exist_is_a_404(chain, gateway):
    for response in (gateway.ask(model="gpt-9"), gateway.get("/v1/models/gpt-9")):
        assert response.status_code == 404
        assert error_of(response)["code"] == "model_not_found"
    assert error_of(gateway.ask(model="groq/no-such-model"))["param"] == "model"


def test_free_never_pays(chain, gateway):
    chain.script("key-of-groq1", b.http(500))
    response = gateway.ask(model="free")
    assert response.status_code == 503
    assert "free only" in error_of(response)["message"]
    assert chain.count(provider="deepseek") == 0


# -- streams ---------------------------------------------------------------------------------------------


def test_a_stream_brings_the_text_in_pieces_then_usage_then_the_mark(chain, gateway):
    chain.script("key-of-groq1", b.ok("word " * 40))
    response = gateway.ask(stream=True, stream_options={"include_usage": True})
    assert response["Content-Type"].startswith("text/event-stream")
    assert response["x-guardlabs-provider"] == "groq1"
    chunks = chunks_of(response)
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert text_of(chunks).strip() == ("word " * 40).strip()
    assert len(chunks) > 5
    assert all("role" not in choice["delta"] for chunk in chunks[1:-1] for choice in chunk["choices"])
    *_, finish, usage, mark = chunks
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] > 0
    assert usage["x_guardlabs"]["cost_usd"] == "0.000000"
    assert mark == "[DONE]"
    assert len({chunk["id"] for chunk in chunks[:-1]}) == 1


def test_without_include_usage_no_chunk_speaks_of_it(chain, gateway):
    chunks = gateway.stream()
    assert all("usage" not in chunk for chunk in chunks[:-1])
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"


def test_a_provider_that_fails_before_its_first_word_is_replaced_unseen(chain, gateway):
    chain.script("key-of-groq1", b.http(429))
    response = gateway.ask(stream=True)
    assert response["x-guardlabs-provider"] == "deepseek"
    assert response["x-guardlabs-attempts"] == "2"
    assert chunks_of(response)[-1] == "[DONE]"


def test_half_a_text_cannot_be_taken_back_so_the_stream_ends_with_an_error(chain, gateway):
    chain.script("key-of-groq1", b.midstream_death(after=2))
    chunks = gateway.stream([{"role": "user", "content": "Tell me a long story. " * 60}])
    assert text_of(chunks[:-1])
    assert chunks[-1]["error"]["code"] == "stream_interrupted"
    assert chain.count(provider="deepseek") == 0
    assert Call.objects.get().outcome == Call.Outcome.EXHAUSTED


@pytest.mark.django_db(transaction=True)
def test_a_reader_who_leaves_stops_the_call_and_is_accounted(chain, gateway):
    chain.script("key-of-groq1", b.ok("word " * 400, pace=0.01))
    response = gateway.ask(stream=True)
    pieces = iter(response.streaming_content)
    next(pieces), next(pieces)
    leave(response)
    call = Call.objects.get()
    assert call.outcome == Call.Outcome.CANCELLED
    assert 0 < call.tokens_out < 300
    assert call.attempts.get().outcome == "cancelled"


def test_a_stream_that_nobody_began_to_read_is_closed_all_the_same(chain, gateway):
    leave(gateway.ask(stream=True))
    assert Call.objects.get().outcome == Call.Outcome.CANCELLED


def test_a_stream_that_fails_at_once_has_the_status_of_its_failure(sim, gateway):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.http(500))
    response = gateway.ask(stream=True)
    assert response.status_code == 503
    assert error_of(response)["code"] == "no_provider_available"


@pytest.mark.parametrize("stream", [False, True])
def test_a_kept_reply_is_told_as_such_and_counts_for_its_client(chain, gateway, settings, stream):
    settings.LLM_CACHE = "on"
    chain.script("key-of-groq1", b.ok("Kept."))
    gateway.ask()
    response = gateway.ask(stream=stream)
    assert (response["x-guardlabs-cached"], response["x-guardlabs-attempts"]) == ("true", "0")
    assert response["x-guardlabs-provider"] == "groq1"
    text = text_of(chunks_of(response)) if stream else response.json()["choices"][0]["message"]["content"]
    assert text == "Kept."
    assert chain.count() == 1
    assert Call.objects.filter(client="shop").count() == 2
    limited = Gateway(make_client("limited", rpm=1)[1])
    assert [limited.ask().status_code for _ in range(2)] == [200, 429]
    assert "x-guardlabs-cached" not in Gateway(make_client("never", cache="off")[1]).ask()
    assert chain.count() == 3  # what another client has asked is kept for that one


# -- structured answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_against_its_schema_goes_to_the_next_provider(chain, gateway, stream):
    chain.script("key-of-groq1", b.ok('{"mood": "sideways"}'))
    chain.script("key-of-deepseek", b.ok('{"mood": "good"}'))
    response = gateway.ask(response_format=SCHEMA, stream=stream)
    text = text_of(chunks_of(response)) if stream else response.json()["choices"][0]["message"]["content"]
    assert json.loads(text) == {"mood": "good"}
    assert Call.objects.get().attempts.first().outcome == "rejected_output"


def test_a_json_object_is_asked_for_and_checked(chain, gateway):
    chain.script("key-of-groq1", b.ok("Sure! Here it is: {}"))
    chain.script("key-of-deepseek", b.ok('{"a": 1}'))
    response = gateway.ask(response_format={"type": "json_object"})
    assert response.json()["choices"][0]["message"]["content"] == '{"a": 1}'
    assert chain.requests[-1].body["response_format"] == {"type": "json_object"}


def test_a_model_without_schemas_is_told_the_schema_in_words(chain, gateway):
    set_models("deepseek", json_schema=False)
    chain.script("key-of-deepseek", b.ok('{"mood": "bad"}'))
    assert gateway.ask(model="deepseek", response_format=SCHEMA).status_code == 200
    sent = chain.requests[-1].body
    assert sent["response_format"] == {"type": "json_object"}
    assert '"mood"' in sent["messages"][0]["content"]


def test_when_no_answer_fits_the_schema_the_error_says_how(chain, gateway):
    for key in ("key-of-groq1", "key-of-deepseek"):
        chain.script(key, b.ok("not even JSON"))
    response = gateway.ask(response_format=SCHEMA)
    assert response.status_code == 502
    assert error_of(response)["code"] == "invalid_output"
    assert "not JSON" in error_of(response)["message"]


@pytest.mark.parametrize(
    "schema", [{"type": 5}, {"type": "hiccup"}, {"$ref": "http://127.0.0.1:9/x.json"}, {"$ref": "#/nowhere"}]
)
def test_a_schema_that_is_none_or_lies_elsewhere_is_refused(chain, gateway, schema):
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    response = gateway.ask(response_format=form)
    assert response.status_code == 400
    assert error_of(response)["code"] == "invalid_schema"
    assert chain.count() == 0


# -- tools -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_of_a_tool_comes_through_and_its_result_goes_back(chain, gateway, stream):
    chain.script("key-of-groq1", b.tool_call("weather", {"town": "Oslo, Norway, Europe"}), b.ok("Rain."))
    response = gateway.ask(tools=[WEATHER], tool_choice="auto", stream=stream)
    if stream:
        deltas = [c for chunk in chunks_of(response)[:-1] for c in chunk["choices"]]
        call = next(c["delta"]["tool_calls"][0] for c in deltas if "tool_calls" in c["delta"])
        assert call.pop("index") == 0
        assert deltas[-1]["finish_reason"] == "tool_calls"
    else:
        choice = response.json()["choices"][0]
        assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
        [call] = choice["message"]["tool_calls"]
    assert call["function"]["name"] == "weather"
    assert json.loads(call["function"]["arguments"]) == {"town": "Oslo, Norway, Europe"}
    assert chain.requests[-1].body["tools"] == [WEATHER]

    again = [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "rain"},
    ]
    assert gateway.ask(again, tools=[WEATHER]).json()["choices"][0]["message"]["content"] == "Rain."
    assert chain.requests[-1].body["messages"][1:] == again[1:]


def test_models_without_tools_are_skipped(chain, gateway):
    set_models("groq", tools=False)
    chain.script("key-of-deepseek", b.tool_call("weather", {}))
    response = gateway.ask(tools=[WEATHER])
    assert response["x-guardlabs-provider"] == "deepseek"
    assert chain.count(provider="groq") == 0
    set_models("deepseek", tools=False)
    response = gateway.ask(tools=[WEATHER])
    assert (response.status_code, error_of(response)["param"]) == (400, "tools")


def test_gemini_gets_tools_schemas_and_images_in_its_own_words(sim, gateway, tmp_path):
    make_vertex(sim, tmp_path, locations=["global"])
    set_models("vertex", images=True)
    sim.script("vertex", b.tool_call("weather", {"town": "Oslo"}), b.ok('{"mood": "good"}'))
    asked = [{"role": "system", "content": "Be short."}, {"role": "user", "content": IMAGE}]
    response = gateway.ask(asked, tools=[WEATHER], tool_choice="required", stop="END", top_p=0.5)
    [call] = response.json()["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"town": "Oslo"}
    sent = sim.requests[-1].body
    assert sent["systemInstruction"]["parts"] == [{"text": "Be short."}]
    assert (
        sent["contents"][0]["parts"][1]["inlineData"]["mime_type"] == "image/png"
    )  # Google takes both spellings
    assert sent["generationConfig"]["stopSequences"] == ["END"]
    assert sent["tools"][0]["functionDeclarations"][0]["name"] == "weather"
    assert sent["toolConfig"]["functionCallingConfig"]["mode"] == "ANY"
    again = [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "rain"},
    ]
    chunks = gateway.stream(again, tools=[WEATHER], response_format=SCHEMA)
    assert json.loads(text_of(chunks)) == {"mood": "good"}
    sent = sim.requests[-1].body
    assert sent["contents"][1]["parts"][0]["functionCall"] == {"name": "weather", "args": {"town": "Oslo"}}
    assert sent["contents"][2]["parts"][0]["functionResponse"] == {
        "name": "weather", "response": {"result": "rain"},
    }  # fmt: skip
    assert sent["generationConfig"]["responseMimeType"] == "application/json"


# -- images ----------------------------------------------------------------------------------------------


def test_images_are_refused_unless_a_model_takes_them(chain, gateway):
    asked = [{"role": "user", "content": IMAGE}]
    response = gateway.ask(asked)
    assert (response.status_code, error_of(response)["code"]) == (400, "unsupported_content")
    assert chain.count() == 0
    set_models("deepseek", images=True)
    assert gateway.ask(asked)["x-guardlabs-provider"] == "deepseek"
    assert chain.requests[-1].body["messages"][0]["content"] == IMAGE
    kept = Call.objects.first().messages[0]["content"]
    assert kept == [IMAGE[0], {"type": "image_url"}]  # the ledger keeps no pictures


# -- errors ----------------------------------------------------------------------------------------------


def test_when_everything_is_cooling_the_error_says_why_and_until_when(sim, gateway):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.http(429, headers={"retry-after": "33"}))
    response = gateway.ask()
    assert response.status_code == 429
    assert response["Retry-After"] == "33"
    response = gateway.ask()  # now it is not even tried
    error = error_of(response)
    assert response.status_code == 429
    assert 30 <= int(response["Retry-After"]) <= 33
    assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    assert "groq1" in error["message"]
    assert "until 20" in error["message"]
    assert error["skipped"][0]["until"]
    assert sim.count() == 1


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        (b.http(400, {"error": {"message": "Unsupported value"}}), 400, "request_rejected"),
        (b.http(413), 400, "context_length_exceeded"),
        (b.content_filter(), 400, "content_filter"),
        (b.empty(), 502, "empty_output"),
        (b.http(401), 503, "no_provider_available"),
    ],
)
def test_a_failure_of_all_providers_has_the_status_of_its_kind(sim, gateway, behaviour, status, code):
    make_groq(sim, keys=1)
    sim.default(behaviour)
    response = gateway.ask()
    assert (response.status_code, error_of(response)["code"]) == (status, code)


def test_errors_tell_nothing_of_accounts_and_keys(sim, gateway):
    make_groq(sim, keys=1)
    sim.default(
        b.http(403, {"error": {"message": "organization org_secret: key gsk_abcdefghijkl is banned"}})
    )
    text = gateway.ask().content.decode()
    assert "org_secret" not in text
    assert "gsk_" not in text


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [123]}, "messages[0].role"),
        ({"messages": [*HELLO, {}]}, "messages[1].role"),
        ({"messages": [{"role": 123, "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0]"),
        ({"messages": HELLO, "n": 9}, "n"),
        ({"messages": HELLO, "logprobs": True}, "logprobs"),
        ({"messages": HELLO, "max_tokens": 0}, "max_tokens"),
        ({"messages": HELLO, "temperature": 3}, "temperature"),
        ({"messages": HELLO, "temperature": True}, "temperature"),
        ({"messages": HELLO, "stop": ["a"] * 5}, "stop"),
        ({"messages": HELLO, "stream": "yes"}, "stream"),
        ({"messages": HELLO, "model": 7}, "model"),
        ({"messages": HELLO, "tools": [{"type": "retrieval"}]}, "tools[0].type"),
        ({"messages": HELLO, "tool_choice": "required"}, "tool_choice"),
        ({"messages": HELLO, "functions": {}}, "functions"),
        ({"messages": HELLO, "function_call": 5}, "function_call"),
        ({"messages": HELLO, "response_format": {"type": "xml"}}, "response_format"),
        ({"messages": HELLO, "modalities": ["audio"]}, "modalities"),
    ],
)
def test_a_wrong_value_is_named(chain, gateway, body, param):
    response = gateway.post(body)
    assert response.status_code == 400
    assert error_of(response)["param"] == param
    assert error_of(response)["type"] == "invalid_request_error"
    assert chain.count() == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"a": NaN}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(chain, gateway, body):
    response = gateway.post(body)
    assert (response.status_code, error_of(response)["code"]) == (400, "invalid_json")


def test_a_long_diff_fits_and_a_body_beyond_the_limit_does_not(chain, gateway):
    assert gateway.ask([{"role": "user", "content": "+ a line\n" * 30_000}]).status_code == 200
    assert gateway.post(b" " * (8 * 2**20 + 1)).status_code == 413


def test_half_characters_and_nul_are_mended(chain, gateway):
    response = gateway.post(b'{"messages": [{"role": "user", "content": "a\\ud83d\\u0000b"}]}')
    assert response.status_code == 200
    assert "\0" not in Call.objects.get().messages[0]["content"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "chat/completions", 405),
        ("post", "models", 405),
        ("get", "nothing", 404),
        ("get", "v2/x", 404),
    ],
)
def test_what_is_not_there_says_so_in_shape(client, gateway, method, path, status):
    response = getattr(client, method)(f"/v1/{path}", headers={"authorization": f"Bearer {gateway.key}"})
    assert response.status_code == status
    assert error_of(response)["message"]


def test_a_bug_is_a_500_in_shape_without_its_text(chain, gateway, monkeypatch):
    def broken(**arguments):
        raise RuntimeError("the secret detail")

    monkeypatch.setattr("llm.chain.run.acomplete", broken)
    response = gateway.ask()
    assert (response.status_code, error_of(response)["code"]) == (500, "internal_error")
    assert "secret" not in response.content.decode()


def test_no_cookie_no_language_and_few_queries(chain, gateway, django_assert_max_num_queries):
    gateway.ask()
    with django_assert_max_num_queries(25):  # two are the gateway's; four are a test's savepoints
        response = gateway.ask()
    assert response.status_code == 200
    assert not response.cookies
    assert not response.has_header("Content-Language")
    assert response["Content-Security-Policy"] == NO_PAGE
