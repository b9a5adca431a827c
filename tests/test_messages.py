"""/v1/messages through Anthropic's SDK, which reads every event and block by its own types."""

import json

import anthropic
import pytest
from anthropic.types import Message
from pydantic import BaseModel

from llm.models import Call
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, make_groq
from tests.gateway_client import Gateway, make_client
from tests.sdk_clients import anthropic_sdk

pytestmark = pytest.mark.django_db
WEATHER = {
    "name": "weather", "description": "The weather of a town",
    "input_schema": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
}  # fmt: skip
PIXEL = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}


class Mood(BaseModel):
    mood: str


@pytest.fixture
def api(db):
    return anthropic_sdk()


def ask(**more):
    return {
        "model": "auto",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Say hello."}],
        **more,
    }


def sent(sim):
    return sim.requests[-1].body


def is_valid(message):
    return Message.model_validate(message.model_dump(warnings=False))


def test_a_text_is_answered(chain, api):
    chain.script("key-of-groq1", b.ok("Hello!"))
    raw = api.messages.with_raw_response.create(**ask(system="Be brief.", stop_sequences=["END"]))
    message = raw.parse()
    is_valid(message)
    assert [block.text for block in message.content] == ["Hello!"]
    assert (message.stop_reason, message.model, message.role) == ("end_turn", f"groq/{OSS}", "assistant")
    assert message.usage.output_tokens > 0
    assert raw.headers["request-id"] == message.id
    assert raw.headers["x-guardlabs-provider"] == "groq1"
    assert sent(chain)["messages"][0] == {"role": "system", "content": "Be brief."}
    assert sent(chain)["stop"] == ["END"]
    assert Call.objects.get().text == "Hello!"


def test_what_claude_code_sends_is_taken(chain, api):
    chain.script("key-of-groq1", b.ok("Done."))
    cached = {"cache_control": {"type": "ephemeral"}}
    raw = api.beta.messages.with_raw_response.create(
        **ask(
            system=[{"type": "text", "text": "You are an agent.", **cached}, {"type": "text", "text": "Be brief."}],
            messages=[
                {"role": "user", "content": [
                    {"type": "text", "text": "Reminder.", **cached}, {"type": "text", "text": "Go."}]},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "somebody else's"},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"town": "Oslo"}},
                    {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {}}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "rain"}]},
                    {"type": "tool_result", "tool_use_id": "toolu_2", "content": "no town", "is_error": True, **cached},
                    {"type": "text", "text": "And?"}]},
                {"role": "system", "content": "A reminder in the middle."},
                {"role": "user", "content": "Now."},
            ],
            tools=[{**WEATHER, **cached}, {"type": "web_search_20250305", "name": "web_search"}],
            thinking={"type": "enabled", "budget_tokens": 10_000},
            metadata={"user_id": "user_1_session_2"},
            context_management={"edits": [{"type": "clear_tool_uses_20250919"}]},
            output_config={"effort": "high"},
            betas=["interleaved-thinking-2025-05-14", "context-management-2025-06-27"],
        )
    )  # fmt: skip
    assert raw.parse().content[-1].text == "Done."
    call = {"type": "function", "function": {"name": "weather", "arguments": '{"town": "Oslo"}'}}
    messages = sent(chain)["messages"]
    assert messages[0] == {"role": "system", "content": "You are an agent.\n\nBe brief."}
    assert messages[1] == {"role": "user", "content": "Reminder.\n\nGo."}
    assert messages[2]["content"] == "I look."
    assert messages[2]["tool_calls"][0] == {"id": "toolu_1", **call}
    assert messages[3:] == [
        {"role": "tool", "tool_call_id": "toolu_1", "content": "rain"},
        {"role": "tool", "tool_call_id": "toolu_2", "content": "Error: no town"},
        {"role": "user", "content": "And?"},
        {"role": "system", "content": "A reminder in the middle."},
        {"role": "user", "content": "Now."},
    ]
    assert [tool["function"]["name"] for tool in sent(chain)["tools"]] == ["weather"]
    assert raw.headers["x-guardlabs-ignored"] == "context_management, tools.web_search_20250305"


def test_a_stream_has_the_whole_sequence_and_sums_to_the_message(chain, api):
    chain.script("key-of-groq1", b.ok("one two three", reasoning="I think."))
    thinking = {"type": "enabled", "budget_tokens": 5000}
    with api.messages.stream(**ask(thinking=thinking)) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_message()
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert {"content_block_start", "content_block_delta", "content_block_stop", "thinking", "text"} <= set(
        kinds
    )
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert (final.content[0].thinking, final.content[1].text) == ("I think.", "one two three")
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens > 0
    is_valid(final)


def test_events_have_their_names(chain):
    response = Gateway(make_client()[1]).post_to("/v1/messages?beta=true", ask(stream=True))
    events = b"".join(response.streaming_content).decode().split("\n\n")
    for event in filter(None, events):
        name, data = event.split("\n")
        assert name.removeprefix("event: ") == json.loads(data.removeprefix("data: "))["type"]
    assert any(event.startswith("event: ping") for event in events)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reasoning", [None, "I think."])
def test_a_tool_is_called_and_its_result_goes_back(chain, api, stream, reasoning):
    call = b.tool_calls(("weather", {"town": "Oslo"}), reasoning=reasoning)
    chain.script("key-of-groq1", call, b.ok("Rain."))
    asked = ask(tools=[WEATHER], tool_choice={"type": "any", "disable_parallel_tool_use": True})
    if stream:
        with api.messages.stream(**asked) as events:
            kinds = {event.type for event in events}
            first = events.get_final_message()
        assert "input_json" in kinds
    else:
        first = api.messages.create(**asked)
    is_valid(first)
    assert sent(chain)["tool_choice"] == "required"
    assert sent(chain)["parallel_tool_calls"] is False
    use = first.content[-1]
    assert (first.stop_reason, use.name, use.input) == ("tool_use", "weather", {"town": "Oslo"})
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "rain"}]}
    history = [*asked["messages"], {"role": "assistant", "content": first.content}, result]
    assert (
        api.messages.create(**asked | {"messages": history, "tool_choice": {"type": "auto"}}).content[0].text
        == "Rain."
    )
    assert [m["role"] for m in sent(chain)["messages"]] == ["user", "assistant", "tool"]


def test_a_structured_answer_is_checked(chain, api):
    chain.script("key-of-groq1", b.ok('{"mood": 5}'))
    chain.script("key-of-deepseek", b.ok('{"mood": "good"}'))
    parsed = api.messages.parse(**ask(output_format=Mood))
    assert parsed.parsed_output == Mood(mood="good")


def test_a_cut_answer_says_so(chain, api):
    chain.script("key-of-groq1", b.ok("one two", finish="length"))
    assert api.messages.create(**ask(model="groq")).stop_reason == "max_tokens"


def test_thinking_is_not_told_unless_it_is_asked_for(chain, api):
    chain.script("key-of-groq1", b.ok("Hello", reasoning="I think."))
    assert [block.type for block in api.messages.create(**ask()).content] == ["text"]
    with api.messages.stream(**ask()) as stream:
        assert [block.type for block in stream.get_final_message().content] == ["text"]


@pytest.mark.parametrize(
    ("thinking", "effort"),
    [({"type": "enabled", "budget_tokens": 1024}, "low"), ({"type": "enabled", "budget_tokens": 8000}, "medium"),
     ({"type": "enabled", "budget_tokens": 32_000}, "high")],
)  # fmt: skip
def test_a_budget_for_thinking_is_an_effort(chain, api, thinking, effort):
    api.messages.create(**ask(thinking=thinking))
    assert sent(chain)["reasoning_effort"] == effort


def test_tokens_are_counted_without_asking_anybody(chain, api):
    short = api.messages.count_tokens(model="auto", messages=[{"role": "user", "content": "Hi"}])
    long = api.messages.count_tokens(
        model="auto",
        messages=[{"role": "user", "content": "word " * 1000}],
        tools=[WEATHER],
        system="Be brief.",
    )
    assert 0 < short.input_tokens < 50 < 900 < long.input_tokens < 2500
    assert chain.requests == []


def test_models_are_listed_in_anthropics_shape_too(chain, api):
    page = api.models.list()
    assert "auto" in [model.id for model in page]
    assert api.models.retrieve("auto").display_name == "auto"


# -- errors ----------------------------------------------------------------------------------------------


def test_errors_are_the_sdks_own(chain, api):
    with pytest.raises(anthropic.NotFoundError) as missing:
        api.messages.create(**ask(model="groq/none"))
    assert missing.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(anthropic.AuthenticationError) as key:
        anthropic_sdk("sk-wrong").messages.create(**ask())
    assert key.value.body["type"] == "error"
    with pytest.raises(anthropic.AuthenticationError):
        anthropic_sdk("sk-wrong").models.list()
    chain.script("key-of-groq1", b.http(429, headers={"retry-after": "77"}))
    with pytest.raises(anthropic.RateLimitError) as limited:
        api.messages.create(**ask(model="groq"))
    assert limited.value.body["error"]["type"] == "rate_limit_error"
    assert 60 < int(limited.value.response.headers["retry-after"]) <= 77


def test_a_broken_stream_ends_with_an_error_event(chain, api):
    chain.script("key-of-groq1", b.midstream_death(after=3))
    long = [{"role": "user", "content": "Tell me a long story. " * 60}]
    with pytest.raises(anthropic.APIStatusError, match="broke off"):
        list(api.messages.create(**ask(model="groq", messages=long, stream=True)))


def test_a_prompt_that_is_too_long_is_said_in_the_words_that_agents_know(sim, api):
    make_groq(sim, keys=1, models=[{"name": OSS, "tpm": 8000}])
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long: "):
        api.messages.create(**ask(messages=[{"role": "user", "content": "word " * 40_000}]))
    assert sim.requests == []


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "x"}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": 5}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]}, "messages[0].content[0].tool_use_id"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "file"}}]}]},
         "messages[0].content[0].source"),
        ({"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "base64"}}]}]},
         "messages[0].content[0]"),
        ({"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "input": {}}]}]},
         "messages[0].content[0].name"),
        ({"system": 5}, "system"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"tools": [{"name": "a b"}]}, "tools[0].name"),
        ({"tools": [{"name": "a", "input_schema": 5}]}, "tools[0].input_schema"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"thinking": {"type": "much"}}, "type"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(chain, more, param):
    response = Gateway(make_client()[1]).post_to("/v1/messages", ask(**more))
    assert response.status_code == 400
    body = response.json()
    assert (body["type"], body["error"]["type"], body["error"]["param"]) == (
        "error",
        "invalid_request_error",
        param,
    )
