"""Agents on small doors: what is too large is said at once and in words that agents know, or served elsewhere."""

import openai
import pytest

from llm.models import Call
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, make_groq, make_provider
from tests.gateway_client import Gateway, make_client
from tests.sdk_clients import openai_sdk

pytestmark = pytest.mark.django_db
LONG = [{"role": "user", "content": "some words of code " * 8_000}]  # about 40,000 tokens


@pytest.fixture
def gateway(db):
    return Gateway(make_client()[1])


def small(sim, **model):
    return make_groq(sim, keys=2, models=[{"name": OSS, "tpm": 8_000, **model}])


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_too_large_everywhere_is_said_at_once(sim, gateway, stream):
    small(sim)
    response = gateway.ask(LONG, stream=stream)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "context_length_exceeded")
    assert error["message"].startswith("This model's maximum context length is 8000 tokens")
    assert f"groq/{OSS} with 8000 tokens" in error["message"]
    assert {skip["why"] for skip in error["skipped"]} == {"request above limit"}
    assert sim.requests == []
    assert "Retry-After" not in response


def test_beside_a_larger_door_it_is_served_there(sim, gateway):
    small(sim)
    make_provider(
        sim, "large", models=[{"name": "m", "context": 128_000}], keys={"large": ""}, free=True, tier=2
    )
    response = gateway.ask(LONG)
    assert response["x-guardlabs-provider"] == "large"
    assert len(sim.requests) == 1


def test_while_the_larger_door_is_paused_one_should_wait(sim, gateway):
    small(sim)
    make_provider(
        sim, "large", models=[{"name": "m", "context": 128_000}], keys={"large": ""}, free=True, tier=2
    )
    sim.script("key-of-large", b.http(429, headers={"retry-after": "300"}))
    response = gateway.ask(LONG)
    error = response.json()["error"]
    assert response.status_code in (429, 503)
    assert 290 < int(response["Retry-After"]) <= 300
    assert "large m" in error["message"]


def test_a_window_is_a_limit_too(sim, gateway):
    make_groq(
        sim, keys=1, models=[{"name": "narrow", "context": 8_192}, {"name": "wide", "context": 131_072}]
    )
    assert gateway.ask(LONG).json()["model"] == "groq/wide"
    error = gateway.ask(LONG, model="groq/narrow").json()["error"]
    assert error["code"] == "context_length_exceeded"
    assert "8192 tokens" in error["message"]


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [({"max_output": 1_000}, 5_000, 1_000), ({"context": 2_000}, 5_000, None), ({"max_output": 100}, 5_000, 100),
     ({"context": 100_000, "max_output": 9_000}, 5_000, 5_000)],
)  # fmt: skip
def test_max_tokens_is_lowered_to_what_the_model_can_give(sim, gateway, model, asked, sent):
    make_groq(sim, keys=1, models=[{"name": OSS, **model}])
    response = gateway.ask(max_tokens=asked)
    told = sim.requests[-1].body.get("max_tokens") or sim.requests[-1].body.get("max_completion_tokens")
    assert told == sent or (sent is None and 1_900 < told < 2_000)
    assert response.get("x-guardlabs-max-tokens") == (str(told) if told < asked else None)


def test_the_sdks_see_a_bad_request_and_do_not_try_again(sim):
    small(sim)
    for ask in (
        lambda api: api.responses.create(model="auto", input=LONG[0]["content"]),
        lambda api: api.chat.completions.create(model="auto", messages=LONG),
    ):
        with pytest.raises(openai.BadRequestError) as refused:
            ask(openai_sdk(name=f"n{Call.objects.count()}"))
        assert refused.value.code == "context_length_exceeded"
