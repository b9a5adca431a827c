"""The chain against the simulator: who answers, what is tried, and what is never tried again."""

import asyncio
import time
from decimal import Decimal

import pytest

from llm import loop
from llm.adapters.base import USAGE_GRACE_S
from llm.chain import AttemptFailed, AttemptStarted, ChainExhausted, Completed, Delta, complete, stream
from llm.models import Attempt, Call, Pause
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, SMALL, make_deepseek, make_groq, make_provider, make_vertex
from tests.matrix import matrix

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_waiting")]


def told(source):
    """[(credential, outcome)] of a reply or an exhausted chain."""
    return [(attempt["credential"], attempt["outcome"]) for attempt in source.attempts]


def test_the_first_key_of_the_first_tier_answers(sim):
    make_groq(sim)
    make_deepseek(sim)
    reply = complete(user="Say hello", lang="en")
    assert reply.provider == "groq1"
    assert len(reply.text) >= 20
    assert reply.cost_usd == 0
    assert reply.tokens_in > 0
    assert told(reply) == [("groq1", "ok")]


def test_a_rate_limited_account_gives_way_and_is_not_asked_again(sim):
    make_groq(sim)
    for n in (1, 2, 3):
        sim.script(f"key-of-groq{n}", b.payload("groq-429-docs-headers"))
    assert complete(user="hi").provider == "groq4"
    before = len(sim.requests)
    again = complete(user="hi")
    assert again.provider == "groq4"
    assert told(again) == [("groq4", "ok")]
    assert len(sim.requests) == before + 1
    assert {skip["why"] for skip in again.skipped} == {"rate_limited_key"}


def test_the_next_model_of_an_account_comes_before_the_next_account(sim):
    make_groq(sim, models=(OSS, SMALL))
    sim.script("key-of-groq1", b.payload("groq-429-tpd-1"), model=OSS)
    reply = complete(user="hi")
    assert (reply.provider, reply.model) == ("groq1", SMALL)


def test_keys_whose_answers_name_one_organisation_share_a_quota_from_then_on(sim):
    make_groq(sim, keys=3)
    for n in (1, 2):
        sim.script(f"key-of-groq{n}", b.payload("groq-429-tpm-1"))
    assert complete(user="hi").provider == "groq3"
    Pause.objects.all().delete()
    before = len(sim.requests)
    assert complete(user="hi").provider == "groq3"
    assert len(sim.requests) == before + 2  # groq1 speaks for groq2


def test_a_blocked_edge_costs_one_attempt_not_one_a_key(sim):
    make_groq(sim)
    make_deepseek(sim)
    sim.block_edge("groq", "cf-1010-plain")
    reply = complete(user="hi")
    assert told(reply) == [("groq1", "blocked_provider"), ("deepseek", "ok")]
    assert told(complete(user="hi")) == [("deepseek", "ok")]
    assert Attempt.objects.filter(provider="groq").count() == 1


def test_vertex_goes_on_to_its_next_location(sim, tmp_path):
    make_deepseek(sim)
    make_vertex(sim, tmp_path)
    sim.script("key-of-deepseek", b.payload("deepseek-402"))
    sim.script("vertex", b.payload("vertex-429-dsq"), location="global")
    reply = complete(user="hi")
    assert told(reply) == [
        ("deepseek", "credits_depleted"),
        ("vertex", "rate_limited_provider"),
        ("vertex", "ok"),
    ]
    assert reply.provider == "vertex:eu"
    assert [attempt["location"] for attempt in reply.attempts] == [None, "global", "eu"]


def test_a_silent_provider_costs_one_timeout_not_one_a_key(sim, virtual):
    make_groq(sim, timeout_s=15)
    make_deepseek(sim)
    for n in range(1, 6):
        sim.script(f"key-of-groq{n}", b.hang())
    reply = complete(user="hi", deadline_s=40)
    assert told(reply) == [("groq1", "provider_down"), ("deepseek", "ok")]
    assert virtual.waited == [pytest.approx(15, abs=5)]


@pytest.mark.parametrize(
    ("behaviour", "streamed", "deadline_s"),
    matrix([b.hang(), b.blank_keepalive(then="forever"), b.drip(0.02)], [False, True], [2, 12, 30]),
)
def test_nothing_that_a_provider_does_beats_the_deadline(sim, virtual, behaviour, streamed, deadline_s):
    make_groq(sim, keys=1, first_byte_s=300, timeout_s=300)
    sim.script("key-of-groq1", behaviour)
    virtual.a_wait_s = 0.25
    began = virtual.monotonic()
    ask = (lambda **arguments: list(stream(**arguments))) if streamed else complete
    with pytest.raises(ChainExhausted) as caught:
        ask(user="hi" * 400, deadline_s=deadline_s)
    assert [attempt["outcome"] for attempt in caught.value.attempts] == ["cut_short"]
    assert deadline_s * 0.9 <= virtual.monotonic() - began < deadline_s + 20  # the rest is this machine's


def test_a_deadline_leaves_time_for_the_tiers_to_come(sim, virtual):
    make_groq(sim, keys=1, timeout_s=60)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.hang())
    assert complete(user="hi", deadline_s=6).provider == "deepseek"


def test_when_everybody_fails_the_exception_tells_it_all(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.payload("groq-401-invalid-key"))
    sim.script("key-of-deepseek", b.payload("deepseek-503-busy"))
    with pytest.raises(ChainExhausted) as caught:
        complete(user="hi")
    # The provider that was only busy is asked once more.
    assert told(caught.value) == [("groq1", "key_invalid"), *[("deepseek", "provider_down")] * 2]
    assert Call.objects.get().outcome == "exhausted"


def test_an_invalid_key_is_out_until_staff_act_and_its_sibling_serves(sim):
    make_provider(sim, "groq", kind="groq", free=True, models=[OSS], keys={"a": "org", "b": "org"})
    sim.script("key-of-a", b.payload("groq-401-invalid-key"))
    assert told(complete(user="hi")) == [("a", "key_invalid"), ("b", "ok")]
    pause = Pause.objects.get()
    assert (pause.credential, pause.until) == ("a", None)


def test_a_request_that_is_too_large_skips_the_model_for_this_call_only(sim):
    make_groq(sim, keys=2, models=(OSS, SMALL))
    for n in (1, 2):
        sim.script(f"key-of-groq{n}", b.payload("groq-413-tpm-2"), model=OSS)
    assert told(complete(user="hi")) == [("groq1", "request_too_large"), ("groq1", "ok")]
    assert not Pause.objects.exists()


def test_a_rejected_request_moves_to_the_next_provider_without_a_pause(sim):
    make_groq(sim)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.payload("groq-400-reasoning-effort"))
    assert told(complete(user="hi")) == [("groq1", "request_rejected"), ("deepseek", "ok")]
    assert not Pause.objects.exists()


@pytest.mark.parametrize("asked", [{"max_tokens": 1}, {"params": {"stop": [" "]}}], ids=str)
def test_empty_answers_that_a_caller_may_have_asked_for_pause_nothing(sim, asked):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", *[b.empty()] * 4)
    for _ in range(4):
        with pytest.raises(ChainExhausted):
            complete(user="hi", **asked)
    assert not Pause.objects.exists()


def test_three_empty_answers_in_a_row_pause_the_model(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.empty())
    for _ in range(3):
        assert complete(user="hi").provider == "deepseek"
    assert told(complete(user="hi")) == [("deepseek", "ok")]
    assert Pause.objects.get().kind == "empty_output"


def test_the_gate_moves_to_the_next_provider_and_pauses_nobody(sim):
    make_groq(sim, keys=2)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.ok("bad text"))
    reply = complete(user="hi", accept=lambda text: "too bad" if "bad" in text else None)
    assert told(reply) == [("groq1", "rejected_output"), ("deepseek", "ok")]
    assert reply.attempts[0]["detail"] == "too bad"
    assert not Pause.objects.exists()


def test_a_refusal_goes_on_or_is_passed_to_the_caller(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.content_filter())
    assert complete(user="hi").provider == "deepseek"
    with pytest.raises(ChainExhausted) as caught:
        complete(user="hi", on_content_block="error")
    assert caught.value.content_blocked
    assert told(caught.value) == [("groq1", "content_blocked")]


def test_max_usd_zero_never_pays(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.http(503))
    with pytest.raises(ChainExhausted) as caught:
        complete(user="hi", max_usd=0)
    assert ("deepseek", "free only") in {(skip["provider"], skip["why"]) for skip in caught.value.skipped}
    assert sim.count(provider="deepseek") == 0


def test_a_hiccup_of_a_free_deployment_gets_one_quick_retry(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.http(500), b.ok())
    assert told(complete(user="hi")) == [("groq1", "provider_down"), ("groq1", "ok")]
    assert not Pause.objects.exists()


def test_a_second_failure_in_a_row_is_no_hiccup(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.http(500))
    assert told(complete(user="hi")) == [("groq1", "provider_down")] * 2 + [("deepseek", "ok")]
    assert told(complete(user="hi")) == [("deepseek", "ok")]


def test_a_short_stated_wait_is_waited_for_rather_than_paying(sim, monkeypatch):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    waited = []
    monkeypatch.setattr(
        "llm.clock.sleep", lambda seconds: (waited.append(seconds), Pause.objects.all().delete())
    )
    sim.script("key-of-groq1", b.payload("groq-429-docs-headers"), b.ok())  # names 2 seconds
    reply = complete(user="hi")
    assert reply.provider == "groq1"
    assert 1 < waited[0] <= 2


def test_a_long_wait_is_not(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.payload("groq-429-tpm-1"))  # names 11.5 seconds
    assert complete(user="hi").provider == "deepseek"


def test_cost_is_tokens_times_the_price_in_force_and_the_ledger_keeps_it(sim):
    make_deepseek(sim)
    reply = complete(user="hi there")
    row = Attempt.objects.get()
    by_hand = (Decimal("0.30") * row.tokens_in + Decimal("1.20") * row.tokens_out) / 1_000_000
    assert reply.cost_usd == row.cost_usd == by_hand.quantize(Decimal("0.000001"))
    assert (row.price_in, row.price_out) == (Decimal("0.30"), Decimal("1.20"))


def test_the_row_is_there_before_the_answer(sim):
    make_groq(sim, keys=1)
    events = stream(user="hi")
    assert isinstance(next(events), AttemptStarted)
    assert Call.objects.get().outcome == "running"
    assert Attempt.objects.get().outcome == "running"
    assert isinstance(list(events)[-1], Completed)
    assert Call.objects.get().outcome == "ok"


def test_a_caller_that_leaves_is_no_failure_of_the_provider(sim):
    make_groq(sim, keys=1)
    events = stream(user="hi")
    while not isinstance(next(events), Delta):
        pass
    events.close()
    assert Call.objects.get().outcome == "cancelled"
    row = Attempt.objects.get()
    assert row.outcome == "cancelled"
    assert row.tokens_out > 0
    assert not Pause.objects.exists()


@pytest.mark.parametrize(
    "behaviour",
    [
        b.midstream_death(after=3),
        b.midstream_stall(after=3),
        b.malformed_chunk(after=3, count=3),
        b.error_in_stream(after=3),
    ],
)
def test_a_stream_that_breaks_is_taken_over_from_the_start(sim, virtual, behaviour):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", behaviour)
    events = list(stream(user="hi" * 300, deadline_s=60))
    failed = next(i for i, event in enumerate(events) if isinstance(event, AttemptFailed))
    assert events[failed].kind == "provider_down"
    after = "".join(event.text for event in events[failed:] if isinstance(event, Delta))
    reply = events[-1].reply
    assert reply.provider == "deepseek"
    assert after == reply.text


@pytest.mark.parametrize("hold_open", [False, True])
def test_a_stream_without_its_closing_mark_ends_promptly(sim, virtual, hold_open):
    make_groq(sim, keys=1, first_byte_s=20, timeout_s=20)
    sim.script("key-of-groq1", b.no_done(hold_open=hold_open))
    *_, last = stream(user="hi")
    assert last.reply.provider == "groq1"
    assert virtual.waited == ([pytest.approx(USAGE_GRACE_S, abs=0.95 * USAGE_GRACE_S)] if hold_open else [])


def test_plain_and_streamed_calls_give_the_same_text_and_counts(sim):
    make_groq(sim, keys=1)
    plain = complete(user="hi")
    *_, last = stream(user="hi")
    assert (last.reply.text, last.reply.tokens_in, last.reply.tokens_out) == (
        plain.text,
        plain.tokens_in,
        plain.tokens_out,
    )


def test_thinking_is_hidden_and_thinking_alone_is_empty(sim):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.ok("<think>secret plan</think>The answer"))
    assert complete(user="hi").text.strip() == "The answer"
    *_, last = stream(user="hi")
    assert last.reply.text.strip() == "The answer"
    sim.script("key-of-groq1", b.think_only())
    with pytest.raises(ChainExhausted) as caught:
        complete(user="hi")
    assert told(caught.value) == [("groq1", "empty_output")]


def test_forty_calls_and_the_ledger_says_exactly_who_served_them(sim):
    """38 by Groq, 2 by DeepSeek while Groq is blocked; the sums are redone by hand from what the simulator saw."""
    make_groq(sim)
    make_deepseek(sim)
    for _ in range(19):
        complete(user="report please")
    sim.block_edge("groq", "cf-1010-json")
    for _ in range(2):
        assert complete(user="report please").provider == "deepseek"
    sim.unblock_edge("groq")
    Pause.objects.update(closed_at="2026-01-01T00:00:00Z")
    for _ in range(19):
        complete(user="report please")
    served = [row.provider for row in Attempt.objects.filter(outcome="ok")]
    assert (served.count("groq"), served.count("deepseek"), len(served)) == (38, 2, 40)
    paid = [r for r in sim.requests if r.provider == "deepseek"]
    by_hand = sum(
        ((Decimal("0.30") * r.prompt_tokens + Decimal("1.20") * r.completion_tokens) / 1_000_000).quantize(
            Decimal("0.000001")
        )
        for r in paid
    )
    assert sum(call.cost_usd for call in Call.objects.filter(provider="deepseek")) == by_hand
    assert sum(call.cost_usd for call in Call.objects.filter(provider__startswith="groq")) == 0
    assert Call.objects.filter(outcome="ok").count() == 40


def test_bad_arguments_are_refused_before_anything_is_sent(sim):
    make_groq(sim, keys=1)
    for wrong in ({"user": ""}, {"user": "x", "max_tokens": 0}, {"user": "x", "deadline_s": 0}):
        with pytest.raises(ValueError, match=r"."):
            complete(**wrong)
    assert not sim.requests


def test_a_keyless_provider_is_called_without_a_key(sim):
    make_provider(sim, "ollama", models=["llama"], keys={}, free=True, keyless=True)
    assert complete(user="hi").provider == "ollama"
    assert "authorization" not in {name.lower() for name in sim.requests[-1].headers}


def test_the_user_agent_names_us(sim):
    make_groq(sim, keys=1)
    complete(user="hi")
    headers = {name.lower(): value for name, value in sim.requests[-1].headers.items()}
    assert headers["user-agent"].startswith("GuardLabs/")


@pytest.mark.parametrize(
    "ask", [complete, lambda **call: next(e for e in stream(**call) if isinstance(e, Completed)).reply]
)
def test_a_call_of_a_tool_that_nobody_offered_is_no_answer(sim, ask):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.tool_call("search", {"query": "x"}))
    reply = ask(user="hi", accept=lambda text: None if text.strip() else "there is no text")
    assert told(reply) == [("groq1", "empty_output"), ("deepseek", "ok")]
    assert reply.text.strip()


def test_a_stream_that_nobody_closed_stops_no_other_call(sim):
    """Python closes a forgotten generator in the thread that collects it, which may be the loop's own."""
    make_groq(sim, keys=1, first_byte_s=2, timeout_s=2)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.midstream_stall(), b.ok("again"))
    forgotten = [stream(user="hi")]
    assert isinstance(next(forgotten[0]), AttemptStarted)
    loop.running().call_soon_threadsafe(forgotten.clear)
    assert loop.run(asyncio.wait_for(asyncio.sleep(0, "alive"), 60)) == "alive"
    for _ in range(3000):
        if Call.objects.filter(outcome=Call.Outcome.CANCELLED).exists():
            break
        time.sleep(0.02)
    assert Call.objects.get().outcome == Call.Outcome.CANCELLED
    assert complete(user="hi").text
