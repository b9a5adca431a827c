"""Agents on small doors: what is too large is said at once and in words that agents know, or served elsewhere."""

from decimal import Decimal

import openai
import pytest

from llm.calls import affinity
from llm.configuration.prices import Price, library_price
from llm.models import Attempt, Call, Pause
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, make_deepseek, make_groq, make_provider
from tests.gateway_client import HELLO, chunks_of
from tests.sdk_clients import openai_sdk

pytestmark = pytest.mark.django_db
LONG = [{"role": "user", "content": "some words of code " * 8_000}]  # about 40,000 tokens


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


# -- a conversation stays where its beginning is held ----------------------------------------------------


def turns(count):
    """The messages of a conversation's turns, each with all that was said before."""
    told = [{"role": "system", "content": "You are an agent."}, {"role": "user", "content": "Begin."}]
    for number in range(count):
        yield list(told)
        told += [
            {"role": "assistant", "content": f"answer {number}"},
            {"role": "user", "content": f"more {number}"},
        ]


def test_ten_turns_hit_the_cache_of_one_account_nine_times(sim, gateway):
    make_groq(sim, keys=3)
    first, *rest = turns(10)
    sim.script("key-of-groq1", b.http(429, headers={"retry-after": "60"}))
    served = [gateway.ask(first)["x-guardlabs-provider"]]
    assert served == ["groq2"]
    affinity.forget()  # as another worker does, which has seen nothing of it
    sim.script("key-of-groq1", b.ok())
    Pause.objects.all().delete()
    served += [gateway.ask(messages)["x-guardlabs-provider"] for messages in rest]
    assert served == ["groq2"] * 10
    assert gateway.ask(HELLO)["x-guardlabs-provider"] == "groq1"  # others begin where one begins


def test_a_conversation_goes_elsewhere_when_its_account_has_no_room(sim, gateway):
    make_groq(sim, keys=2)
    first, second, third = turns(3)
    assert gateway.ask(first)["x-guardlabs-provider"] == "groq1"
    sim.script("key-of-groq1", b.http(429, headers={"retry-after": "300"}))
    assert gateway.ask(second)["x-guardlabs-provider"] == "groq2"
    assert gateway.ask(third)["x-guardlabs-provider"] == "groq2"


@pytest.mark.parametrize("named", [{"prompt_cache_key": "c"}, {"user": "c"}, {}])
def test_what_the_client_calls_it_or_how_it_begins_names_a_conversation(named):
    messages = next(turns(1))
    longer = [*messages, {"role": "assistant", "content": "x"}, {"role": "user", "content": "y"}]
    name = next(iter(named.values()), "")
    key = affinity.key_of("shop", "auto", name, messages)
    assert key == affinity.key_of("shop", "auto", name, longer)
    assert key != affinity.key_of("other", "auto", name, messages)
    assert key != affinity.key_of("shop", "free", name, messages)
    assert key != affinity.key_of("shop", "auto", name + "2", messages)


def test_only_a_conversation_that_goes_on_is_held_unless_it_has_a_name(sim, gateway):
    make_groq(sim, keys=2)
    for named, served in (({}, "groq1"), ({"prompt_cache_key": "agent"}, "groq2")):
        sim.script("key-of-groq1", b.http(429, headers={"retry-after": "60"}))
        assert gateway.ask(**named)["x-guardlabs-provider"] == "groq2"
        sim.script("key-of-groq1", b.ok())
        Pause.objects.all().delete()
        assert gateway.ask(**named)["x-guardlabs-provider"] == served


def test_a_conversation_that_money_was_spent_on_goes_back_to_what_is_free(sim, gateway):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    first, second = turns(2)
    sim.script("key-of-groq1", b.http(500), b.http(500), b.ok("free"))
    assert gateway.ask(first)["x-guardlabs-provider"] == "deepseek"
    Pause.objects.all().delete()
    assert gateway.ask(second)["x-guardlabs-provider"] == "groq1"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "details",
    [
        {"prompt_tokens_details": {"cached_tokens": 800}},
        {"prompt_cache_hit_tokens": 800},
        {"cached_tokens": 800},
    ],
)
def test_cached_tokens_are_read_priced_and_told(sim, gateway, stream, details):
    make_deepseek(sim)
    usage = {"prompt_tokens": 1_000, "completion_tokens": 10, "total_tokens": 1_010, **details}
    sim.script("key-of-deepseek", b.ok("Hello", usage=usage))
    response = gateway.ask(stream=stream, stream_options={"include_usage": True})
    told = chunks_of(response)[-2]["usage"] if stream else response.json()["usage"]
    assert told["prompt_tokens_details"] == {"cached_tokens": 800}
    attempt = Attempt.objects.get()
    assert (attempt.tokens_in, attempt.tokens_cached, Call.objects.get().tokens_cached) == (1_000, 800, 800)


def test_what_was_cached_costs_what_the_provider_takes_for_it():
    price = Price(Decimal(1), Decimal(2), "library", Decimal("0.1"))
    assert price.cost(1_000_000, 0, 900_000) == Decimal("0.19")
    assert price.cost(1_000_000, 0) == price.most(1_000_000, 0) == Decimal(1)
    assert Price(Decimal(1), Decimal(2), "staff").cost(1_000_000, 0, 900_000) == Decimal(1)
    known = library_price(
        slug="deepseek", kind="openai", base_url="https://api.deepseek.com", model="deepseek-chat"
    )
    assert known.per_million_cached is not None
    assert known.per_million_cached < known.per_million_in


def test_anthropic_counts_cached_tokens_apart(sim, gateway):
    make_deepseek(sim)
    usage = {"prompt_tokens": 1_000, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 800}}
    sim.script("key-of-deepseek", b.ok("Hello", usage=usage))
    told = gateway.post_to("/v1/messages", {"max_tokens": 5, "messages": HELLO}).json()["usage"]
    assert (told["input_tokens"], told["cache_read_input_tokens"]) == (200, 800)
