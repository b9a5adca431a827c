"""/v1/responses through the official SDK, which reads every event and field by its own types."""

import base64
import json
import zlib

import openai
import pytest
from openai.types.responses import Response
from pydantic import BaseModel

from llm.gateway.protocols import carried
from llm.models import Call, StoredResponse
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, make_provider
from tests.gateway_client import Gateway, make_client
from tests.sdk_clients import openai_sdk

pytestmark = pytest.mark.django_db
WEATHER = {
    "type": "function", "name": "weather", "description": "The weather of a town", "strict": True,
    "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
}  # fmt: skip


class Mood(BaseModel):
    mood: str


@pytest.fixture
def api(db):
    return openai_sdk()


def sent(sim):
    return sim.requests[-1].body


def is_valid(response):
    """By the SDK's own types, strictly: it is lenient when it reads."""
    return Response.model_validate(response.model_dump(warnings=False))


def test_a_text_is_answered(chain, api):
    chain.script("key-of-groq1", b.ok("Hello!"))
    response = api.responses.create(
        model="auto", input="Say hello.", instructions="Be brief.", max_output_tokens=50
    )
    is_valid(response)
    assert (response.output_text, response.status, response.model) == ("Hello!", "completed", f"groq/{OSS}")
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0
    assert response.instructions == "Be brief."
    assert sent(chain)["messages"] == [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello."},
    ]  # fmt: skip
    assert Call.objects.get().text == "Hello!"


def test_items_become_messages_and_what_only_openai_runs_is_left_out(chain, api):
    raw = api.responses.with_raw_response.create(
        model="auto",
        input=[
            {"role": "developer", "content": "Be brief."},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Oslo?"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "another gateway's"},
            {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
             "content": [{"type": "output_text", "text": "I look.", "annotations": []}]},
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": "{}"},
            {"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
            {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "sun"}]},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        ],
        tools=[WEATHER, {"type": "web_search"}, {"type": "image_generation"}],
        include=["web_search_call.action.sources"], store=False, reasoning={"effort": "low", "summary": "auto"},
        prompt_cache_key="a", text={"verbosity": "low"}, truncation="auto", service_tier="auto", metadata={"a": "b"},
    )  # fmt: skip
    is_valid(raw.parse())
    call = {"type": "function", "function": {"name": "weather", "arguments": "{}"}}
    assert sent(chain)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Oslo?"},
        {"role": "assistant", "content": "I look.",
         "tool_calls": [{"id": "call_1", **call}, {"id": "call_2", **call}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        {"role": "tool", "tool_call_id": "call_2", "content": "sun"},
    ]  # fmt: skip
    assert [tool["function"]["name"] for tool in sent(chain)["tools"]] == ["weather"]
    ignored = raw.headers["x-guardlabs-ignored"].split(", ")
    assert set(ignored) == {
        "tools.web_search", "tools.image_generation", "input.web_search_call",
        "include.web_search_call.action.sources", "truncation", "service_tier", "text.verbosity",
    }  # fmt: skip


def test_state_that_nobody_has_packed_here_is_checked_like_any_input(chain, api):
    found = '{"message": {"reasoning_details": [{"type": "x", "v": Infinity}]}, "calls": {}}'
    forged = carried.MARK + base64.urlsafe_b64encode(zlib.compress(found.encode())).decode()
    items = [
        {"role": "user", "content": "a"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": forged},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    assert api.responses.create(model="auto", input=items).output_text


def test_a_stream_has_the_whole_sequence_and_sums_to_the_response(chain, api):
    chain.script("key-of-groq1", b.ok("one two three", reasoning="I think."))
    with api.responses.stream(
        model="auto", input="Count.", reasoning={"effort": "low", "summary": "auto"}
    ) as stream:
        events = list(stream)
        final = stream.get_final_response()
    kinds = [event.type for event in events]
    assert kinds[:3] == ["response.created", "response.in_progress", "response.output_item.added"]
    assert kinds[-1] == "response.completed"
    assert [e.sequence_number for e in events] == list(range(len(events)))
    once = list(dict.fromkeys(kinds))
    assert once[2:] == [
        "response.output_item.added", "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta", "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done", "response.output_item.done", "response.content_part.added",
        "response.output_text.delta", "response.output_text.done", "response.content_part.done", "response.completed",
    ]  # fmt: skip
    assert final.output_text == "one two three"
    assert [item.type for item in final.output] == ["reasoning", "message"]
    told = {event.item_id for event in events if event.type == "response.output_text.delta"}
    assert told == {final.output[1].id}
    is_valid(final)


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_is_called_and_its_result_goes_back(chain, api, stream):
    chain.script("key-of-groq1", b.tool_call("weather", {"town": "Oslo"}), b.ok("Rain."))
    ask = {
        "model": "auto",
        "input": [{"role": "user", "content": "Oslo?"}],
        "tools": [WEATHER],
        "store": False,
    }
    if stream:
        with api.responses.stream(**ask) as events:
            kinds = [event.type for event in events]
            first = events.get_final_response()
        assert "response.function_call_arguments.delta" in kinds
        assert "response.function_call_arguments.done" in kinds
    else:
        first = api.responses.create(**ask)
    (call,) = [item for item in first.output if item.type == "function_call"]
    assert (call.name, json.loads(call.arguments)) == ("weather", {"town": "Oslo"})
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    back = [
        *ask["input"],
        *(item.model_dump(exclude_none=True, warnings=False) for item in first.output),
        result,
    ]
    assert api.responses.create(**ask | {"input": back}).output_text == "Rain."
    assert [m["role"] for m in sent(chain)["messages"]] == ["user", "assistant", "tool"]


def test_allowed_tools_and_a_named_tool_narrow_what_is_offered(chain, api):
    other = {**WEATHER, "name": "other"}
    chain.script("key-of-groq1", b.tool_call("other", {"town": "x"}))
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "other"}]}
    api.responses.create(model="groq", input="x", tools=[WEATHER, other], tool_choice=allowed)
    assert [tool["function"]["name"] for tool in sent(chain)["tools"]] == ["other"]
    assert sent(chain)["tool_choice"] == "required"
    named = {"type": "function", "name": "other"}
    api.responses.create(model="groq", input="x", tools=[WEATHER, other], tool_choice=named)
    assert sent(chain)["tool_choice"] == {"type": "function", "function": {"name": "other"}}


def test_a_structured_answer_is_checked(chain, api):
    chain.script("key-of-groq1", b.ok('{"mood": 5}'))
    chain.script("key-of-deepseek", b.ok('{"mood": "good"}'))
    parsed = api.responses.parse(model="auto", input="How?", text_format=Mood)
    assert parsed.output_parsed == Mood(mood="good")


def test_a_cut_answer_is_incomplete(chain, api):
    chain.script("key-of-groq1", b.ok("one two", finish="length"))
    response = api.responses.create(model="groq", input="x")
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    with api.responses.stream(model="groq", input="x") as stream:
        assert [event.type for event in stream][-1] == "response.incomplete"


def test_a_broken_stream_ends_with_response_failed(chain, api):
    chain.script("key-of-groq1", b.midstream_death(after=3))
    events = list(api.responses.create(model="groq", input="Tell me a long story. " * 60, stream=True))
    assert events[-1].type == "response.failed"
    assert events[-1].response.error.code == "server_error"


# -- what is kept ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_goes_on_from_a_kept_response(chain, api, stream):
    chain.script("key-of-groq1", b.tool_call("weather", {"town": "Oslo"}), b.ok("Rain."), b.ok("Yes."))
    first = api.responses.create(model="auto", input="Oslo?", instructions="A", tools=[WEATHER])
    call = first.output[-1]
    result = [{"type": "function_call_output", "call_id": call.call_id, "output": "rain"}]
    ask = {"model": "auto", "input": result, "instructions": "B", "previous_response_id": first.id}
    if stream:
        with api.responses.stream(**ask) as events:
            second = events.until_done().get_final_response()
    else:
        second = api.responses.create(**ask)
    api.responses.create(model="auto", input="Sure?", previous_response_id=second.id)
    assert [(m["role"], m["content"]) for m in sent(chain)["messages"]] == [
        ("user", "Oslo?"), ("assistant", None), ("tool", "rain"), ("assistant", "Rain."), ("user", "Sure?"),
    ]  # fmt: skip
    assert api.responses.retrieve(second.id).output_text == "Rain."


def test_a_kept_response_is_its_clients_own_and_can_be_deleted(chain, api):
    response = api.responses.create(model="auto", input="x")
    other = openai_sdk(name="other")
    with pytest.raises(openai.NotFoundError):
        other.responses.retrieve(response.id)
    with pytest.raises(openai.NotFoundError):
        other.responses.delete(response.id)
    with pytest.raises(openai.BadRequestError) as refused:
        other.responses.create(model="auto", input="x", previous_response_id=response.id)
    assert refused.value.code == "previous_response_not_found"
    api.responses.delete(response.id)
    with pytest.raises(openai.NotFoundError):
        api.responses.retrieve(response.id)


def test_store_false_keeps_nothing(chain, api):
    response = api.responses.create(model="auto", input="x", store=False)
    assert response.store is False
    assert not StoredResponse.objects.exists()


def test_a_client_without_texts_may_not_ask_to_store(sim):
    make_provider(sim, "private", models=["m"], keys={"private": ""}, free=True, personal_data=True,
                  trains_on_prompts=False)  # fmt: skip
    api = openai_sdk(data_class="personal", regions=["EEA"])
    assert api.responses.create(model="auto", input="x").store is False
    with pytest.raises(openai.BadRequestError) as refused:
        api.responses.create(model="auto", input="x", store=True)
    assert refused.value.param == "store"
    assert not StoredResponse.objects.exists()


def test_a_kept_response_goes_with_its_call(chain, api):
    api.responses.create(model="auto", input="x")
    Call.objects.all().delete()
    assert not StoredResponse.objects.exists()


# -- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "input"),
        ({"input": 5}, "input"),
        ({"input": [5]}, "input[0]"),
        ({"input": [{"type": 5}]}, "input[0].type"),
        ({"input": [{"role": "wizard", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input[0].content[0].image_url"),
        ({"input": [{"type": "function_call", "name": "x"}]}, "input[0].call_id"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].call_id"),
        ({"input": "x", "background": True}, "background"),
        ({"input": "x", "conversation": "conv_1"}, "conversation"),
        ({"input": "x", "prompt": {"id": "p"}}, "prompt"),
        ({"input": "x", "top_logprobs": 3}, "top_logprobs"),
        ({"input": "x", "include": ["message.output_text.logprobs"]}, "top_logprobs"),
        ({"input": "x", "tools": [{"type": "function"}]}, "tools[0].name"),
        ({"input": "x", "tool_choice": "required"}, "tool_choice"),
        ({"input": "x", "text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"input": "x", "text": []}, "text"),
        ({"input": "x", "reasoning": "much"}, "reasoning"),
        ({"input": "x", "previous_response_id": "resp_none"}, "previous_response_id"),
        ({"input": "", }, "input"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(chain, body, param):
    gateway = Gateway(make_client()[1])
    response = gateway.post_to("/v1/responses", body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param
