"""What a call costs: never less than its provider will bill, and never more than the call or a budget may."""

import json
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.utils import timezone

from llm.calls import tokens
from llm.calls.deployment import Deployment
from llm.calls.fitting import fitted, worst_cost
from llm.calls.spec import CallSpec
from llm.chain import AttemptStarted, ChainExhausted, Delta, complete, stream
from llm.configuration import snapshot
from llm.ledger import bookkeeper
from llm.models import Attempt, Call, Pause
from llm.pauses import breaker
from llm.simulator import behaviours as b
from tests.chain_setup import make_deepseek, make_groq, make_provider, make_vertex
from tests.gateway_client import Gateway, chunks_of, make_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_waiting")]

PRICES = {"price_in": Decimal(10), "price_out": Decimal(30)}


def paid(sim, slug="paid", **fields):
    model = {"name": "m", **PRICES, **fields.pop("model", {})}
    return make_provider(
        sim,
        slug,
        models=[model],
        keys={slug: ""},
        **({"tier": 2, "timeout_s": 20, "first_byte_s": 10} | fields),
    )


def said(message, *, finish="stop", usage=None):
    """A plain answer of OpenAI's shape."""
    return b.http(200, {"choices": [{"index": 0, "message": {"role": "assistant", **message},
                                     "finish_reason": finish}], "usage": usage})  # fmt: skip


def streamed(*deltas, finish=None, usage=None):
    """A stream of these pieces; without a finish it just ends."""
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    if finish:
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}], "usage": usage})
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + (
        "data: [DONE]\n\n" if finish else ""
    )
    return b.http(200, body, headers={"content-type": "text/event-stream"})


def asked(**arguments):
    """The attempts of a call that nobody answers."""
    with pytest.raises(ChainExhausted):
        complete(user="hi", max_tokens=100, **arguments)
    return list(Attempt.objects.order_by("id"))


USAGE = {"prompt_tokens": 1000, "completion_tokens": 2000}
STATED = Decimal("0.07")
TOOL = {"tool_calls": [{"index": 0, "id": "c", "type": "function",
                        "function": {"name": "f", "arguments": '{"text": "' + "word " * 100}}]}  # fmt: skip


# -- attempts without an accepted text -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "behaviour",
    [
        said({"content": None, "reasoning": "Hm. " * 50}, usage=USAGE),
        said({"content": "<think>Hm."}, finish="length", usage=USAGE),
        said({"content": "No."}, finish="content_filter", usage=USAGE),
        said({"content": None, "refusal": "I would rather not."}, usage=USAGE),
        said({"content": ""}, usage=USAGE),
    ],
)
def test_an_attempt_without_a_text_costs_what_its_provider_counted(sim, behaviour):
    paid(sim)
    sim.default(behaviour)
    (row,) = asked()
    assert (row.tokens_in, row.tokens_out, row.cost_usd) == (1000, 2000, STATED)
    assert Call.objects.get().cost_usd == STATED


@pytest.mark.parametrize(
    "behaviour",
    [
        streamed({"content": "Hello "}, {"content": "world " * 100}),
        streamed({"reasoning_content": "Let me think. " * 40}),
        streamed({"reasoning": "Let me think. " * 40}, finish="stop"),
        streamed({"content": "<think>" + "Let me think. " * 40}, finish="length"),
        streamed(TOOL),
        streamed({"content": "word " * 100}, finish="content_filter"),
    ],
)
def test_what_came_out_of_a_stream_is_paid_whatever_became_of_it(sim, behaviour):
    paid(sim)
    sim.default(behaviour)
    with pytest.raises(ChainExhausted):
        list(stream(user="hi", max_tokens=100))
    rows = list(Attempt.objects.all())  # where nobody else is left, it may be asked once more
    assert rows
    for row in rows:
        assert row.tokens_in == row.estimated_in
        assert row.tokens_out >= 100
        assert row.cost_usd == row.price_in * row.tokens_in / 10**6 + row.price_out * row.tokens_out / 10**6


@pytest.mark.parametrize(
    ("behaviour", "is_billed"),
    [
        (b.hang(), True),
        (b.midstream_stall(), True),
        (b.truncate(), True),
        (b.truncate(mismatch=False), True),
        (b.reset(), True),
        (b.empty(), True),
        (b.http(504), True),
        (b.http(524), True),
        (b.http(500), False),
        (b.http(503), False),
        (b.http(400), False),
        (b.http(401), False),
        (b.http(402), False),
        (b.http(404), False),
        (b.http(413), False),
        (b.http(429), False),
        (b.payload("groq-429-tpd-1"), False),
    ],
)
def test_where_nobody_knows_what_was_written_the_reservation_is_the_cost(sim, behaviour, is_billed):
    waits = behaviour.name in {"hang", "midstream_stall"}
    paid(sim, **({"timeout_s": 0.3, "first_byte_s": 0.2} if waits else {}))
    sim.default(behaviour)
    for row in asked():
        known = row.tokens_out > 0
        assert (row.cost_usd > 0) == is_billed
        assert row.cost_usd == row.reserved_usd or known or not is_billed


@pytest.mark.parametrize("kind", ["openai", "vertex"])
@pytest.mark.parametrize("count", [1, 40])
def test_what_could_not_be_read_may_have_been_anything(sim, tmp_path, kind, count):
    model = {"name": "m", **PRICES}
    make_vertex(sim, tmp_path, locations=["eu"]) if kind == "vertex" else paid(sim, model=model)
    sim.default(b.malformed_chunk(1, count))
    with suppress(ChainExhausted):
        list(stream(user="hi", max_tokens=100))
    requests = [record for record in sim.requests if record.endpoint == "chat"]
    for row, asked in zip(Attempt.objects.order_by("id"), requests, strict=True):
        bill = (row.price_in * asked.prompt_tokens + row.price_out * asked.completion_tokens) / 10**6
        assert bill <= row.cost_usd <= row.reserved_usd
        assert count > 1 or row.cost_usd < row.reserved_usd  # with one lost event the usage still arrives


@pytest.mark.parametrize("ask", [lambda **call: list(stream(**call)), complete])
@pytest.mark.parametrize("behaviour", [b.huge(400_000, packed=False), b.huge(3_000_000)])
def test_an_answer_without_end_costs_no_more_than_was_allowed(sim, ask, behaviour):
    paid(sim)
    sim.default(behaviour)
    with suppress(ChainExhausted):
        ask(user="hi", max_tokens=100)
    rows = list(Attempt.objects.all())
    assert rows
    assert all(0 < row.cost_usd <= row.reserved_usd for row in rows)


def test_a_provider_that_was_never_reached_bills_nothing(sim):
    paid(SimpleNamespace(url="http://127.0.0.1:9"))
    assert {row.cost_usd for row in asked()} == {0}


def test_a_budget_for_six_calls_lets_six_through_though_none_brings_a_text(sim):
    paid(sim, daily_budget_usd=Decimal("0.05"))
    sim.default(
        said({"content": None, "reasoning": "Hm."}, usage={"prompt_tokens": 10, "completion_tokens": 250})
    )
    for _ in range(12):
        with pytest.raises(ChainExhausted):
            complete(user="hi", max_tokens=100)
        breaker.close(Pause.objects.all(), by="test")
    spent = sum(row.cost_usd for row in Attempt.objects.all())
    assert len(sim.requests) == 6
    assert spent <= Decimal("0.05")


def test_a_caller_who_leaves_pays_for_what_came_and_one_who_never_asked_pays_nothing(sim):
    paid(sim)
    events = stream(user="hi", max_tokens=100)
    assert isinstance(next(events), AttemptStarted)
    events.close()
    assert Attempt.objects.get().cost_usd == 0
    events = stream(user="hi", max_tokens=100)
    while not isinstance(next(events), Delta):
        pass
    events.close()
    row = Attempt.objects.order_by("-id")[0]
    assert (row.outcome, row.cost_usd > 0) == ("cancelled", True)


# -- the whole call ------------------------------------------------------------------------------------------


def test_max_usd_holds_for_the_call_and_not_for_each_attempt(sim):
    for slug in ("one", "two", "three"):
        paid(sim, slug)
    sim.default(said({"content": "Hello there."}, usage={"prompt_tokens": 10, "completion_tokens": 690}))
    with pytest.raises(ChainExhausted) as failed:
        complete(user="hi", max_tokens=700, max_usd="0.06", accept=lambda text: "no")
    assert len(failed.value.attempts) == 2
    assert failed.value.skipped[-1]["why"] == "over max_usd"
    assert Call.objects.get().cost_usd <= Decimal("0.06")


def test_an_attempt_that_ran_out_of_time_is_part_of_what_the_call_may_cost(sim):
    paid(sim, "one", timeout_s=0.2, first_byte_s=0.2)
    paid(sim, "two")
    sim.script("key-of-one", b.hang())
    with pytest.raises(ChainExhausted) as failed:
        complete(user="hi", max_tokens=1000, max_usd="0.04")
    assert len(failed.value.attempts) == 1


def test_a_rejected_text_and_its_repair_stay_within_max_usd(sim):
    paid(sim)
    paid(sim, "next")
    sim.default(said({"content": "Hello."}, usage={"prompt_tokens": 10, "completion_tokens": 500}))
    with pytest.raises(ChainExhausted):
        complete(user="hi", max_tokens=500, max_usd="0.04", accept=lambda text: "no", repair=True)
    assert Call.objects.get().cost_usd <= Decimal("0.04")


# -- the worst case ------------------------------------------------------------------------------------------

RARE = {
    "bytes": "".join(map(chr, range(0x80, 0x100))) * 40,
    "emoji": "🧿🫠🪬🫥" * 500,
    "ethiopic": "ሀሁሂሃሄህሆለሉ" * 300,
    "base64": "q83vEjRWeJq83vASNFZ4kA" * 100,
    "digits": "0123456789" * 300,
    "spaces": " \t\n" * 700,
    "control": "\x01\x02\x7f" * 500,
}


@pytest.mark.parametrize("text", RARE.values(), ids=RARE)
def test_no_budget_is_exceeded_by_a_provider_that_counts_every_byte(sim, text):
    """Nothing tokenizes into more than bytes, so this is the dearest provider there can be."""
    paid(sim, daily_budget_usd=Decimal("0.2"))
    counted = len(text.encode()) + 60
    sim.default(said({"content": "Hello there."}, usage={"prompt_tokens": counted, "completion_tokens": 100}))
    for max_usd in (None, "0.1", "0.05", "0.01", "0.001"):
        try:
            reply = complete(user=text, max_tokens=100, max_usd=max_usd)
        except ChainExhausted:
            continue
        assert max_usd is None or reply.cost_usd <= Decimal(max_usd)
    assert sum(row.cost_usd for row in Attempt.objects.all()) <= Decimal("0.2")


@pytest.mark.parametrize(
    ("messages", "params"),
    [
        ([{"role": "user", "content": [{"type": "text", "text": "🧿" * 100}]}], {}),
        ([{"role": "tool", "tool_call_id": "c", "content": "ሀ" * 100}], {}),
        ([{"role": "assistant", "content": None,
           "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "ሀ" * 100}}]}], {}),
        ([{"role": "user", "content": "hi"}],
         {"tools": [{"type": "function", "function": {"name": "f", "description": "🧿" * 100}}]}),
        ([{"role": "user", "content": "hi"}],
         {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"title": "🧿" * 99}}}}),
    ],
)  # fmt: skip
def test_the_most_that_a_request_can_be_counts_all_that_is_sent(messages, params):
    assert tokens.most(messages, params) >= 300
    assert tokens.most(messages, params) >= tokens.estimate(messages, params)


def test_an_image_is_reserved_at_the_largest_that_a_provider_counts():
    parts = [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]
    assert tokens.most([{"role": "user", "content": parts}]) > 16_000


def test_money_is_reserved_for_hidden_reasoning_too(sim):
    plain = paid(sim, "plain")
    thinking = paid(sim, "thinking", model={"reasoning_reserve": 500})
    want = CallSpec(tokens_in=0, max_tokens=100)
    costs = {}
    for provider in snapshot.providers():
        deployment = Deployment(provider, provider.keys[0], provider.models[0])
        costs[provider.slug] = worst_cost(deployment, want)
    assert costs == {plain.slug: Decimal("0.003"), thinking.slug: Decimal("0.018")}
    complete(user="hi", max_tokens=100, max_usd="0.01")
    with pytest.raises(ChainExhausted):
        complete(user="hi", max_tokens=100, max_usd="0.01", providers=["thinking"])


def test_a_tiny_price_is_not_nothing(sim):
    paid(sim, model={"price_in": Decimal("0.000001"), "price_out": Decimal("0.000001")})
    with pytest.raises(ChainExhausted) as failed:
        complete(user="hi", max_tokens=10, max_usd=0)
    assert [skip["why"] for skip in failed.value.skipped] == ["free only"]


# -- a worker that dies ------------------------------------------------------------------------------------


def test_an_attempt_whose_worker_died_keeps_its_reservation_as_its_cost(sim):
    paid(sim, daily_budget_usd=Decimal("0.01"))
    running = [stream(user="hi", max_tokens=100, deadline_s=1) for _ in range(5)]
    begun = 0
    for events in running:  # and nobody goes on with them, as after a kill
        try:
            next(events)
            begun += 1
        except ChainExhausted:
            break
    assert begun < 5
    Call.objects.update(started_at=timezone.now() - timedelta(hours=1))
    assert bookkeeper.mark_abandoned() == begun
    for call in Call.objects.filter(outcome="abandoned"):
        row = call.attempts.get()
        assert row.cost_usd == call.cost_usd == row.reserved_usd > 0
        assert call.attempt_count == 1
    with pytest.raises(ChainExhausted) as failed:
        complete(user="hi", max_tokens=100)
    assert [skip["why"] for skip in failed.value.skipped] == ["daily budget spent"]


# -- what was saved -----------------------------------------------------------------------------------------


def test_only_an_answered_call_has_saved_anything_and_only_by_the_attempt_that_answered(sim):
    make_groq(sim, keys=1)
    make_provider(sim, "second", models=["n"], keys={"second": ""}, free=True, tier=1)
    make_deepseek(sim)
    usage = {"prompt_tokens": 1000, "completion_tokens": 1000}
    sim.default(b.ok("Hello there.", usage=usage))
    reply = complete(user="hi", accept=rejects_the_first())
    assert reply.provider == "second"
    assert Call.objects.get().saved_usd == Decimal("0.0015")  # 1000 in at 0.30 and 1000 out at 1.20
    with pytest.raises(ChainExhausted):
        complete(user="hi", tiers=[1], accept=lambda text: "no")
    assert Call.objects.order_by("-id")[0].saved_usd is None


def rejects_the_first():
    told = iter(["no", None])
    return lambda text: next(told)


# -- max_tokens is a cap ------------------------------------------------------------------------------------


def deployment_with(sim, **limits):
    make_groq(sim, keys=1, models=[{"name": "m", **limits}])
    (provider,) = snapshot.providers()
    return Deployment(provider, provider.keys[0], provider.models[0])


@pytest.mark.parametrize(
    ("asked_for", "sent"), [(32_000, 7_900), (8_000, 7_900), (7_900, 7_900), (1_000, 1_000), (1, 1)]
)
def test_max_tokens_is_lowered_to_what_fits_at_all(sim, asked_for, sent):
    deployment = deployment_with(sim, tpm=8_000)
    assert fitted(deployment, CallSpec(tokens_in=100, max_tokens=asked_for)).max_tokens == sent


def test_max_tokens_is_not_lowered_to_less_than_an_answer(sim):
    deployment = deployment_with(sim, tpm=8_000)
    assert fitted(deployment, CallSpec(tokens_in=7_900, max_tokens=1_000)).max_tokens == 1_000  # has no room


def test_an_agent_that_asks_for_32000_tokens_is_served_by_a_small_door(sim):
    deployment_with(sim, tpm=8_000)
    reply = complete(user="hi", max_tokens=32_000)
    assert reply.provider == "groq1"
    assert 7_000 < sim.requests[-1].body["max_tokens"] < 8_000


def test_who_names_no_cap_gets_the_models_own_within_half_of_its_minute(sim):
    deployment_with(sim, tpm=20_000)
    complete(user="hi")
    assert 8_000 <= sim.requests[-1].body["max_tokens"] <= 10_000


def test_who_names_no_cap_is_not_kept_from_a_paid_model_by_a_small_budget(sim):
    paid(sim)
    assert complete(user="hi", max_usd="0.05").cost_usd <= Decimal("0.05")
    assert 1_000 < sim.requests[-1].body["max_tokens"] < 1_700


def test_the_setting_is_what_a_call_gets_that_names_none(sim, settings):
    settings.LLM_MAX_TOKENS = 700
    make_groq(sim, keys=1)
    complete(user="hi")
    assert sim.requests[-1].body["max_tokens"] == 700


# -- and the gateway says so --------------------------------------------------------------------------------


@pytest.fixture
def shop():
    """A client of the gateway."""
    return Gateway(make_client()[1])


def test_a_lowered_cap_is_said_in_a_header(sim, shop):
    deployment_with(sim, tpm=8_000)
    answer = shop.ask(max_tokens=32_000)
    assert answer.status_code == 200
    assert answer["x-guardlabs-max-tokens"] == str(sim.requests[-1].body["max_tokens"])
    assert "x-guardlabs-max-tokens" not in shop.ask(max_tokens=100)
    streamed = shop.ask(max_tokens=32_000, stream=True)  # for what is left of the minute
    assert 7_000 < int(streamed["x-guardlabs-max-tokens"]) < int(answer["x-guardlabs-max-tokens"])
    chunks_of(streamed)


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_that_fits_nowhere_is_a_400_that_names_the_largest_door(sim, shop, stream):
    make_groq(sim, keys=2, models=[{"name": "small", "tpm": 6_000}, {"name": "large", "tpm": 8_000}])
    make_provider(sim, "off", models=["m"], keys={})
    answer = shop.ask([{"role": "user", "content": "word " * 20_000}], stream=stream)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "context_length_exceeded")
    assert "groq/large with 8000 tokens" in error["message"]
    assert not sim.requests


def test_a_prompt_that_fits_a_door_that_is_closed_for_now_is_worth_waiting_for(sim, shop):
    make_groq(sim, keys=1, models=[{"name": "small", "tpm": 6_000}])
    make_provider(sim, "large", models=["m"], keys={"large": ""}, free=True)
    sim.script("key-of-large", b.http(503))
    answer = shop.ask([{"role": "user", "content": "word " * 20_000}])
    assert answer.status_code == 503


# -- arguments ----------------------------------------------------------------------------------------------

NAN = float("nan")
WRONG = [
    {"max_usd": "abc"}, {"max_usd": NAN}, {"max_usd": -1}, {"max_usd": "Infinity"}, {"max_usd": True}, {"max_usd": []},
    {"deadline_s": NAN}, {"deadline_s": 0}, {"deadline_s": -3}, {"deadline_s": "5"}, {"deadline_s": 1e30},
    {"max_tokens": 0}, {"max_tokens": -1}, {"max_tokens": 1.5}, {"max_tokens": "9"}, {"max_tokens": 10**10},
    {"max_tokens": True}, {"temperature": NAN}, {"temperature": "hot"}, {"temperature": -1}, {"temperature": 1e9},
    {"user": 5}, {"user": b"hi"}, {"user": ""}, {"user": "\0"}, {"system": 5}, {"messages": "hi"}, {"messages": 5},
    {"messages": []}, {"messages": ["hi"]}, {"messages": [{"role": "user", "content": 5}]},
    {"messages": [{"role": "user", "content": b"hi"}]}, {"messages": [{"content": "hi"}]},
    {"messages": [{"role": "user", "content": [5]}]}, {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]},
    {"messages": [{"role": "user", "content": "hi", "tool_calls": "x"}]},
    {"messages": [{"role": "user", "content": "hi", "tool_calls": [{"id": 1}]}]},
    {"params": "x"}, {"params": {"a": {1}}}, {"params": {"a": NAN}}, {"params": {"a": Decimal(1)}},
    {"params": {"response_format": "json"}},
    {"params": {"response_format": {"type": "json_schema", "json_schema": "x"}}},
    {"params": {"response_format": {"type": "json_schema", "json_schema": {"schema": "x"}}}},
    {"params": {"tools": "x"}}, {"params": {"tools": [{"type": "function"}]}}, {"params": {"tools": [5]}},
    {"params": {"tools": [{"type": "function", "function": {"name": ""}}]}},
    {"params": {"max_tokens": 10**6}},
    {"params": {"max_completion_tokens": 10**6}}, {"params": {"n": 5}}, {"params": {"model": "gpt"}},
    {"providers": "groq"}, {"providers": [5]}, {"models": "m"}, {"tiers": "1"}, {"tiers": ["one"]}, {"tiers": 1},
    {"purpose": 5}, {"lang": None}, {"accept": "yes"}, {"on_content_block": "stop"}, {"on_broken_stream": "x"},
    {"use": "personal"}, {"client": "shop"},
]  # fmt: skip


@pytest.mark.parametrize("arguments", WRONG, ids=str)
def test_what_cannot_be_asked_is_a_value_error_and_nothing_is_sent_or_stored(sim, arguments):
    make_groq(sim, keys=1)
    wanted = arguments if "messages" in arguments else {"user": "hi"} | arguments
    with pytest.raises(ValueError, match=r"must be|must hold|nothing to ask|is set by"):
        complete(**wanted)
    assert not sim.requests
    assert not Call.objects.exists()
