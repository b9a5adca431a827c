"""What agents meet on small doors, in each protocol: a clear error, a larger door, an account that knows them."""

import json
import time

import pytest

from llm.models import Attempt, Pause
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, make_groq, make_provider
from tests.gateway_client import chunks_of
from tests.matrix import matrix

pytestmark = pytest.mark.django_db
WORDS = "some words of code " * 8_000  # about 40,000 tokens
RUSSIAN = "немного слов о коде " * 5_000
TOOL_NAMES = [f"tool_{number}" for number in range(60)]
DOORS = ("/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/completions")
PICTURE = "data:image/png;base64," + "A" * 200


def small(sim, **model):
    return make_groq(sim, keys=2, models=[{"name": OSS, "tpm": 8_000, **model}])


def large(sim, **model):
    models = [{"name": "m", "context": 131_072, **model}]
    return make_provider(sim, "large", models=models, keys={"large": ""}, free=True, tier=2)


def body_of(path, *, said="Hello.", system="", tools=(), picture=False, **more):
    """A request in the protocol of a door."""
    parameters = {
        "type": "object",
        "properties": {"path": {"type": "string", "description": "Where it lies."}},
    }
    if path == "/v1/completions":
        return {"prompt": system + said, **more}
    if path == "/v1/responses":
        parts = [{"type": "input_text", "text": said}] + [
            {"type": "input_image", "image_url": PICTURE}
        ] * picture
        offered = [
            {"type": "function", "name": n, "description": d, "parameters": parameters} for n, d in tools
        ]
        return {
            "instructions": system or None,
            "input": [{"role": "user", "content": parts}],
            "tools": offered,
            **more,
        }
    if path == "/v1/messages":
        source = {"type": "base64", "media_type": "image/png", "data": "A" * 200}
        parts = [{"type": "text", "text": said}] + [{"type": "image", "source": source}] * picture
        offered = [{"name": n, "description": d, "input_schema": parameters} for n, d in tools]
        told = [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}] if system else []
        return {"system": told, "messages": [{"role": "user", "content": parts}], "tools": offered,
                "max_tokens": 1_000, **more}  # fmt: skip
    parts = [{"type": "text", "text": said}] + [
        {"type": "image_url", "image_url": {"url": PICTURE}}
    ] * picture
    offered = [
        {"type": "function", "function": {"name": n, "description": d, "parameters": parameters}}
        for n, d in tools
    ]
    told = [{"role": "system", "content": system}] if system else []
    return {"messages": [*told, {"role": "user", "content": parts}], "tools": offered, **more}


LARGE = {
    "said": {"said": WORDS},
    "in Russian": {"said": RUSSIAN},
    "system": {"system": WORDS},
    "tools": {"tools": [(name, "what it does and when to use it " * 80) for name in TOOL_NAMES]},
    "many pictures": {"said": WORDS, "picture": True},
}


# Completions have no tools and no pictures.
CASES = [
    (path, what)
    for path in DOORS
    for what in LARGE
    if path != DOORS[-1] or set(LARGE[what]) <= {"said", "system"}
]


@pytest.mark.parametrize(("case", "stream"), matrix(CASES, [False, True]))
def test_what_is_too_large_everywhere_is_said_at_once_in_each_protocols_words(sim, gateway, case, stream):
    path, what = case
    small(sim, images=True)
    body = body_of(path, stream=stream, **LARGE[what])
    gateway.post_to(path, body)  # the first one imports what it needs
    began = time.process_time()
    response = gateway.post_to(path, body)
    took = time.process_time() - began
    error = response.json()["error"]
    assert response.status_code == 400
    assert f"groq/{OSS} with 8000 tokens" in error["message"]
    if path == "/v1/messages":
        assert response.json()["type"] == "error"
        assert error["type"] == "invalid_request_error"
        assert error["message"].startswith("prompt is too long: ")
        assert " tokens > 8000 maximum" in error["message"]
    else:
        assert (error["type"], error["code"]) == ("invalid_request_error", "context_length_exceeded")
        assert error["message"].startswith("This model's maximum context length is 8000 tokens")
    assert sim.requests == []
    assert took < 10


@pytest.mark.parametrize(("path", "what"), CASES)
def test_beside_a_larger_door_it_is_served_there(sim, gateway, path, what):
    small(sim, images=True)
    large(sim, images=True)
    response = gateway.post_to(path, body_of(path, **LARGE[what]))
    assert response.status_code == 200, response.content
    assert response["x-guardlabs-provider"] == "large"
    assert len(sim.requests) == 1


@pytest.mark.parametrize("what", LARGE)
def test_counting_says_what_the_doors_go_by(sim, gateway, what):
    """Agents ask before they send: what is counted above a door's size is refused by that door."""
    small(sim, images=True)
    body = body_of("/v1/messages", **LARGE[what])
    counted = gateway.post_to("/v1/messages/count_tokens", body).json()["input_tokens"]
    refused = gateway.post_to("/v1/messages", body).json()["error"]["message"]
    assert f"prompt is too long: {counted} tokens > 8000 maximum" in refused


@pytest.mark.parametrize("path", DOORS[:3])
def test_a_picture_where_nobody_takes_any_is_said_too(sim, gateway, path):
    small(sim)
    response = gateway.post_to(path, body_of(path, picture=True))
    assert response.status_code == 400
    assert "images" in response.json()["error"]["message"]


# -- ten turns ---------------------------------------------------------------------------------------------


def talk(gateway, path, turns, *, stream, meanwhile):
    """Who served the turns of a conversation, as a protocol's clients hold one. meanwhile: called after the first."""
    system = "You are an agent that tells long stories."
    said, previous, served = [], None, []
    for turn in range(turns):
        said.append({"role": "user", "content": f"Turn {turn}: go on with the story, please."})
        body = {"messages": said, "system": system, "max_tokens": 500}
        if path == "/v1/responses":
            body = {"instructions": system, "input": said[-1:], "previous_response_id": previous}
        elif path == "/v1/chat/completions":
            body = {"messages": [{"role": "system", "content": system}, *said]}
        response = gateway.post_to(path, {**body, "stream": stream})
        assert response.status_code == 200
        served.append(response["x-guardlabs-provider"])
        whole = events_of(response)[-1] if stream else response.json()
        if path == "/v1/responses":
            previous = whole["response"]["id"] if stream else whole["id"]
        said.append({"role": "assistant", "content": f"So it went, in turn {turn}."})
        if turn == 0:
            meanwhile()
    return served


def events_of(response):
    lines = b"".join(response.streaming_content).decode().split("\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", DOORS[:3])
def test_ten_turns_hit_the_prompt_cache_of_one_account_nine_times(sim, gateway, path, stream):
    sim.cache_prompts()
    make_groq(sim, keys=3, timeout_s=20, first_byte_s=10)
    sim.script("key-of-groq1", b.http(429, headers={"retry-after": "60"}), b.ok())
    # The first account is back after the first turn, and would be the first to be asked.
    served = talk(gateway, path, 10, stream=stream, meanwhile=Pause.objects.all().delete)
    assert served == ["groq2"] * 10
    attempts = Attempt.objects.filter(outcome="ok").order_by("id")
    cached = list(attempts.values_list("tokens_cached", flat=True))
    assert cached[0] == 0
    assert min(cached[1:]) > 0
    assert cached == sorted(cached)  # each turn finds the one before


def test_a_streamed_chat_tells_what_was_cached(sim, gateway):
    sim.cache_prompts()
    make_groq(sim, keys=1)
    told = {"stream": True, "stream_options": {"include_usage": True}}
    said = [{"role": "user", "content": WORDS[:2_000]}]
    gateway.post({"messages": said, **told}).getvalue()
    usage = chunks_of(gateway.post({"messages": [*said, {"role": "user", "content": "b"}], **told}))[-2][
        "usage"
    ]
    assert usage["prompt_tokens_details"]["cached_tokens"] > 400
