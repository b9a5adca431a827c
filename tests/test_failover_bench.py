"""The sixteen faults of the public crash test for failover software, and what else a provider may do to us.

The settings are default-like but for the times, which are a tenth or less of the real ones.
"""

import json
import time
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
import time_machine

from llm.adapters import adapter_for
from llm.chain import AttemptFailed, ChainExhausted, Completed, Delta, complete, stream
from llm.failures.kinds import Kind
from llm.models import Attempt, Call, Pause
from llm.pauses import breaker
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, SMALL, make_deepseek, make_groq

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PROMPT = "What should I do about my seed phrase? " * 20
FIRST_BYTE, TIMEOUT = 10, 20


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def slept(clock, monkeypatch):
    """What the chain waited, in seconds; the clock goes on by it, and nobody really waits."""
    seconds = []
    monkeypatch.setattr("llm.clock.sleep", lambda wait: (seconds.append(wait), clock.shift(wait + 0.001)))
    monkeypatch.setattr(breaker.random, "uniform", lambda low, high: low if low < 0.5 else 1.0)
    for kind in ("groq", "openai"):
        adapter_for(kind=kind, base_url="http://127.0.0.1:9", key="x")  # imports are no part of a call's time
    return seconds


@pytest.fixture
def two_tiers(sim):
    """A free provider with three accounts, then a paid one."""
    make_groq(sim, keys=3, models=(OSS, SMALL), first_byte_s=FIRST_BYTE, timeout_s=TIMEOUT)
    make_deepseek(sim, first_byte_s=FIRST_BYTE, timeout_s=TIMEOUT)


def break_groq(sim, *behaviours, **where):
    for n in (1, 2, 3):
        sim.script(f"key-of-groq{n}", *behaviours, **where)


def told(reply):
    return [(attempt["credential"], attempt["outcome"]) for attempt in reply.attempts]


def streamed(**arguments):
    """The reply of a streamed call, checked: what the consumer holds at the end is the answer, whole."""
    text, reply = "", None
    for event in stream(user=PROMPT, **arguments):
        if isinstance(event, AttemptFailed):
            text = ""
        elif isinstance(event, Delta):
            text += event.text
        elif isinstance(event, Completed):
            reply = event.reply
    assert text == reply.text
    return reply


def plain(**arguments):
    return complete(user=PROMPT, **arguments)


BOTH = pytest.mark.parametrize("ask", [plain, streamed])


# 1, 2: rate limits ----------------------------------------------------------------------------------------


@BOTH
def test_01_a_429_with_a_long_retry_after_is_obeyed(sim, two_tiers, clock, ask):
    break_groq(sim, b.http(429, headers={"retry-after": "30"}))
    assert told(ask()) == [
        *[("groq1", "rate_limited_key")] * 2, *[("groq2", "rate_limited_key")] * 2,
        *[("groq3", "rate_limited_key")] * 2, ("deepseek", "ok"),
    ]  # fmt: skip
    clock.shift(28)  # and 3 seconds would not be waited for
    break_groq(sim, b.ok())
    before = sim.count(provider="groq")
    clock.shift(-2)
    assert told(ask()) == [("deepseek", "ok")]
    assert sim.count(provider="groq") == before
    clock.shift(5)
    assert told(ask()) == [("groq1", "ok")]


@BOTH
def test_01_a_429_with_a_short_retry_after_is_waited_for(sim, two_tiers, slept, ask):
    refused = b.http(429, headers={"retry-after": "2"})
    break_groq(sim, refused, refused, b.ok())  # one for each model
    reply = ask()
    assert (reply.provider, reply.cost_usd) == ("groq1", 0)
    assert slept == [pytest.approx(2, abs=0.01)]


@BOTH
def test_02_a_429_without_a_word_is_left_alone_for_a_while(sim, two_tiers, clock, ask):
    break_groq(sim, b.http(429, ""))
    assert ask().provider == "deepseek"
    before = sim.count(provider="groq")
    clock.shift(20)
    assert told(ask()) == [("deepseek", "ok")]
    assert sim.count(provider="groq") == before
    break_groq(sim, b.ok())
    clock.shift(11)
    assert ask().provider == "groq1"


# 3, 4, 5: a hiccup, an outage, a reset --------------------------------------------------------------------


@BOTH
def test_03_one_500_is_a_hiccup(sim, two_tiers, slept, ask):
    break_groq(sim, b.http(500), b.ok())
    assert told(ask()) == [("groq1", "provider_down"), ("groq1", "ok")]
    assert len(slept) == 1
    assert slept[0] <= 0.4
    assert not Pause.objects.exists()


@BOTH
def test_04_a_503_costs_one_request_not_one_a_key(sim, two_tiers, ask):
    break_groq(sim, b.http(503))
    assert told(ask()) == [("groq1", "provider_down"), ("deepseek", "ok")]
    assert told(ask()) == [("deepseek", "ok")]
    assert sim.count(provider="groq") == 1


@BOTH
def test_05_a_reset_is_tried_once_more_then_left(sim, two_tiers, ask):
    break_groq(sim, b.reset())
    assert told(ask()) == [("groq1", "provider_down")] * 2 + [("deepseek", "ok")]
    assert told(ask()) == [("deepseek", "ok")]


# 6, 7: silence, slowness ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("ask", "limit_s"), [(plain, 20), (streamed, 10)])
def test_06_silence_costs_one_timeout_once(sim, virtual, slept, ask, limit_s):
    make_groq(sim, keys=3, models=(OSS, SMALL), first_byte_s=10, timeout_s=20)
    make_deepseek(sim, first_byte_s=10, timeout_s=20)
    break_groq(sim, b.hang())
    assert told(ask()) == [("groq1", "provider_down"), ("deepseek", "ok")]
    assert virtual.waited == [pytest.approx(limit_s, abs=4)]
    for _ in range(3):
        assert told(ask()) == [("deepseek", "ok")]
    assert len(virtual.waited) == 1
    assert slept == []


@pytest.mark.parametrize("hush", [b.blank_keepalive(then="forever"), b.drip(0.03)], ids=["comments", "drip"])
def test_06_noise_without_a_word_is_silence(sim, virtual, slept, hush):
    make_groq(sim, keys=3, models=(OSS, SMALL), first_byte_s=10, timeout_s=20)
    make_deepseek(sim, first_byte_s=10, timeout_s=20)
    break_groq(sim, hush)
    virtual.a_wait_s = 0.1
    assert told(streamed()) == [("groq1", "provider_down"), ("deepseek", "ok")]
    assert 9 <= Attempt.objects.order_by("id").first().latency_ms / 1000 < 12
    assert slept == []


def test_07_a_first_token_that_takes_too_long_is_not_waited_for(sim, two_tiers, virtual):
    break_groq(sim, b.slow_first_token(FIRST_BYTE + 3))
    assert told(streamed()) == [("groq1", "provider_down"), ("deepseek", "ok")]


@BOTH
def test_07_a_first_token_within_its_time_is(sim, two_tiers, ask):
    break_groq(sim, b.slow_first_token(0.2))
    assert told(ask()) == [("groq1", "ok")]


# 8 to 11: streams that break ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        b.midstream_death(after=3), b.truncate(), b.truncate(mismatch=False), b.midstream_stall(after=3),
        b.malformed_chunk(after=3, count=3), b.error_in_stream(after=3), b.no_done(finish=False),
    ],
    ids=["08 cut", "08 cut chunk", "08 cut quietly", "09 stalled", "10 malformed", "16 error in it", "08 no end"],
)  # fmt: skip
def test_a_stream_that_breaks_is_taken_over_from_the_start(sim, two_tiers, virtual, fault):
    break_groq(sim, fault)
    events = list(stream(user=PROMPT))
    assert all(wait_s <= TIMEOUT for wait_s in virtual.waited)
    assert len(virtual.waited) <= 1
    failed = [n for n, event in enumerate(events) if isinstance(event, AttemptFailed)]
    assert len(failed) == 1
    assert events[failed[0]].kind == Kind.PROVIDER_DOWN
    assert any(isinstance(event, Delta) for event in events[: failed[0]])
    reply = events[-1].reply
    assert reply.provider == "deepseek"
    assert "".join(event.text for event in events[failed[0] :] if isinstance(event, Delta)) == reply.text
    assert Pause.objects.filter(provider="groq", closed_at=None).count() == 1


@pytest.mark.parametrize(
    "fault",
    [b.midstream_death(), b.truncate(), b.truncate(mismatch=False), b.midstream_stall(), b.malformed_chunk()],
    ids=["08 cut", "08 truncated", "08 truncated quietly", "09 stalled", "10 malformed"],
)
def test_half_a_plain_answer_is_none(sim, two_tiers, virtual, fault):
    break_groq(sim, fault)
    reply = plain()
    assert reply.provider == "deepseek"
    assert {outcome for who, outcome in told(reply) if who != "deepseek"} == {"provider_down"}


@pytest.mark.parametrize("hold_open", [False, True])
def test_11_a_stream_without_its_closing_mark_is_whole_and_ends_promptly(sim, two_tiers, virtual, hold_open):
    break_groq(sim, b.no_done(hold_open=hold_open))
    reply = streamed()
    assert told(reply) == [("groq1", "ok")]
    assert virtual.waited == ([pytest.approx(1, abs=0.95)] if hold_open else [])
    assert reply.tokens_out == sim.requests[-1].completion_tokens


# 12, 13: the request itself -------------------------------------------------------------------------------


@BOTH
def test_12_a_context_that_is_too_long_skips_the_model_not_its_provider(sim, two_tiers, ask):
    error = {"error": {"message": "This model's maximum context length is 8192 tokens. However, your messages "
                       "resulted in 9001 tokens.", "code": "context_length_exceeded"}}  # fmt: skip
    break_groq(sim, b.http(400, error), model=OSS)
    reply = ask()
    assert (told(reply), reply.model) == ([("groq1", "request_too_large"), ("groq1", "ok")], SMALL)
    assert not Pause.objects.exists()


@BOTH
def test_13_a_content_filter_sends_the_call_on_or_back(sim, two_tiers, ask):
    break_groq(sim, b.content_filter())
    assert told(ask()) == [("groq1", "content_blocked"), ("deepseek", "ok")]
    with pytest.raises(ChainExhausted) as caught:
        ask(on_content_block="error")
    assert caught.value.content_blocked
    assert not Pause.objects.exists()


# 14: flapping ---------------------------------------------------------------------------------------------


@BOTH
def test_14_a_provider_that_flaps_costs_nobody_an_answer_and_few_requests(sim, two_tiers, clock, ask):
    break_groq(sim, *[b.http(503), b.ok()] * 40)
    served = []
    for _ in range(40):
        served.append(ask().provider)
        clock.shift(5)
    assert "groq1" in served
    failed = Attempt.objects.exclude(outcome="ok").count()
    assert failed <= 10
    assert Call.objects.filter(outcome="ok").count() == 40


# 15: accounting -------------------------------------------------------------------------------------------


def paid(tokens_in, tokens_out):
    exact = (Decimal("0.30") * tokens_in + Decimal("1.20") * tokens_out) / 1_000_000
    return exact.quantize(Decimal("0.000001"), ROUND_HALF_UP)


@BOTH
def test_15_tokens_and_cost_are_those_that_the_provider_counted(sim, two_tiers, ask):
    sim.script("key-of-deepseek", b.ok("Fine.", usage={"prompt_tokens": 1234, "completion_tokens": 567}))
    reply = ask(tiers=[2])
    assert (reply.tokens_in, reply.tokens_out, reply.cost_usd) == (1234, 567, paid(1234, 567))
    call = Call.objects.get()
    assert (call.tokens_in, call.tokens_out, call.cost_usd) == (1234, 567, paid(1234, 567))


@BOTH
def test_15_hidden_reasoning_is_billed(sim, two_tiers, ask):
    sim.script("key-of-deepseek", b.ok("Fine.", reasoning="Let me think about it. " * 20))
    reply = ask(tiers=[2])
    seen = sim.requests[-1]
    assert reply.tokens_out == seen.completion_tokens > 100
    assert reply.cost_usd == paid(seen.prompt_tokens, seen.completion_tokens)


def test_15_a_stream_that_died_is_billed_with_what_had_come(sim, two_tiers):
    sim.script("key-of-deepseek", b.midstream_death(after=5), b.ok())
    with pytest.raises(ChainExhausted):
        list(stream(user=PROMPT, tiers=[2]))
    row = Attempt.objects.get()
    assert row.tokens_in == pytest.approx(sim.requests[-1].prompt_tokens, rel=0.3)
    assert row.tokens_out == pytest.approx(sim.requests[-1].completion_tokens, rel=0.5)
    assert row.cost_usd == paid(row.tokens_in, row.tokens_out) > 0
    assert Call.objects.get().cost_usd == row.cost_usd


def test_15_a_call_costs_what_all_its_attempts_cost(sim, two_tiers):
    sim.script("key-of-groq1", b.midstream_death(after=5))
    reply = streamed()
    rows = list(Attempt.objects.order_by("id"))
    assert [row.outcome for row in rows] == ["provider_down", "ok"]
    assert reply.tokens_out == sum(row.tokens_out for row in rows) > rows[1].tokens_out
    assert reply.cost_usd == rows[1].cost_usd == paid(rows[1].tokens_in, rows[1].tokens_out)


# 16: an error inside a 200 --------------------------------------------------------------------------------


@BOTH
def test_16_an_error_inside_a_200_is_no_answer(sim, two_tiers, ask):
    break_groq(sim, b.error_in_200(502, "Provider returned error"))
    reply = ask()
    assert reply.provider == "deepseek"
    assert "Provider returned error" not in reply.text
    assert {outcome for who, outcome in told(reply) if who != "deepseek"} == {"provider_down"}


@BOTH
def test_16_its_code_says_what_it_was(sim, two_tiers, ask):
    break_groq(sim, b.error_in_200(429, "Rate limit exceeded: free-models-per-min."))
    assert told(ask()) == [(f"groq{n}", "rate_limited_key") for n in (1, 2, 3)] + [("deepseek", "ok")]


# -- beyond the sixteen ------------------------------------------------------------------------------------


def events_of(*pieces, usage=None):
    """A stream as it goes over the wire; half characters travel as JSON's escapes."""
    chunks = [{"index": 0, "delta": {"content": piece}, "finish_reason": None} for piece in pieces]
    chunks.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    lines = [
        json.dumps({"choices": [chunk], "usage": usage if chunk is chunks[-1] else None}) for chunk in chunks
    ]
    body = "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"])
    return b.http(200, body, {"content-type": "text/event-stream"})


def answer_of(text, usage=None):
    """The same as a plain answer."""
    message = {"role": "assistant", "content": text}
    return b.http(
        200, {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
    )


def test_a_character_in_two_halves_is_whole_again(sim, two_tiers):
    sim.script("key-of-groq1", events_of("Well done \ud83d", "\ude00, go on."))
    reply = streamed()
    assert (reply.provider, reply.text) == ("groq1", "Well done \U0001f600, go on.")
    assert Call.objects.get().text == reply.text


@pytest.mark.parametrize("text", ["half \ud83d a character", "\x00 nothing", "x \udfff"])
def test_letters_that_no_database_takes_do_no_harm(sim, two_tiers, text):
    sim.script("key-of-groq1", answer_of(text))
    assert plain().provider == "groq1"
    sim.script("key-of-groq1", events_of(text))
    assert streamed().provider == "groq1"
    break_groq(sim, b.http(503, {"error": {"message": text}}))
    assert [ask().provider for ask in (plain, streamed)] == ["deepseek"] * 2
    assert Call.objects.filter(outcome="ok").count() == 4


@pytest.mark.parametrize("prompt", ["half \ud83d a character", "\x00 nothing"])
@pytest.mark.parametrize(
    "run", [complete, lambda **more: list(stream(**more))[-1].reply], ids=["plain", "streamed"]
)
def test_a_strange_prompt_pauses_nobody(sim, two_tiers, prompt, run):
    assert run(user=prompt).provider == "groq1"
    assert run(messages=[{"role": "user", "content": prompt}]).provider == "groq1"
    assert not Pause.objects.exists()


def test_parameters_that_are_no_json_are_the_callers_fault(sim, two_tiers):
    with pytest.raises((ValueError, TypeError)):
        complete(user="hi", params={"x": object()})
    assert not Pause.objects.exists()
    assert not sim.requests


@pytest.mark.parametrize("count", [10**30, 2**63, -5, "many", 1.5, True, None, [1]])
def test_counts_that_cannot_be_are_not_believed(sim, two_tiers, count):
    usage = {"prompt_tokens": count, "completion_tokens": count}
    sim.script("key-of-groq1", answer_of("Fine.", usage))
    assert plain().provider == "groq1"
    sim.script("key-of-groq1", events_of("Fine.", usage=usage))
    assert streamed().provider == "groq1"
    for row in Attempt.objects.all():
        assert 0 < row.tokens_in < 2000
        assert 0 < row.tokens_out < 2000


@pytest.mark.parametrize("limit", ["9223372036854775807", "²", "9" * 5000])
def test_limits_that_cannot_be_do_no_harm(sim, two_tiers, limit):
    headers = {"x-ratelimit-limit-tokens": limit, "x-ratelimit-remaining-tokens": limit}
    body = '{"choices":[{"message":{"content":"Fine."},"finish_reason":"stop"}]}'
    sim.script("key-of-groq1", b.http(200, body, headers))
    assert told(plain()) == [("groq1", "ok")]


@BOTH
@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_key_that_is_quoted_back_is_not_kept(sim, two_tiers, ask, status):
    error = {"error": {"message": "no such key: key-of-groq1", "code": 401}}
    sim.script("key-of-groq1", b.http(status, error))
    reply = ask()
    assert "key-of-groq1" not in json.dumps(reply.attempts)
    assert "***" in reply.attempts[0]["detail"]
    for row in (*Attempt.objects.all(), *Pause.objects.all()):
        assert "key-of-groq1" not in row.detail


@pytest.mark.exhaustive
def test_06_with_the_real_times_a_stream_answers_after_one_wait(sim):
    make_groq(sim, first_byte_s=10, timeout_s=20)
    make_deepseek(sim, first_byte_s=10, timeout_s=20)
    for n in range(1, 6):
        sim.script(f"key-of-groq{n}", b.hang())
    began = time.monotonic()
    first = next(time.monotonic() - began for event in stream(user=PROMPT) if isinstance(event, Delta))
    assert 9.5 < first < 25  # the rest is what this machine does besides
    began = time.monotonic()
    assert told(streamed()) == [("deepseek", "ok")]
    assert time.monotonic() - began < 9  # nobody is waited for again
