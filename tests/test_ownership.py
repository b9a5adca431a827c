"""Whose failure it is: only what a provider did or said pauses anything, and nobody else's call pays for mine."""

import json
import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from llm.adapters import Timing, base, groq
from llm.chain import ChainExhausted, complete, stream
from llm.failures import ownership
from llm.failures.kinds import Failure, Kind, Owner
from llm.models import Attempt, Call, Pause, Quota
from llm.simulator import behaviours as b
from tests.chain_setup import make_deepseek, make_groq, make_vertex

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_waiting")]


PATIENT = {"timeout_s": 20, "first_byte_s": 20}


def ask(streamed, **arguments):
    """The attempts of a call, whether or not somebody answered."""
    try:
        if not streamed:
            return complete(user="hi", **arguments).attempts
        return list(stream(user="hi", **arguments))[-1].reply.attempts
    except ChainExhausted as exhausted:
        return exhausted.attempts


# -- time ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("silent_s", "patience_s", "kind", "owner"),
    [
        (10.0, 10, Kind.PROVIDER_DOWN, Owner.PROVIDER),
        (9.99, 10, Kind.PROVIDER_DOWN, Owner.PROVIDER),  # a timer may be early
        (12.0, 10, Kind.PROVIDER_DOWN, Owner.PROVIDER),
        (9.5, 10, Kind.CUT_SHORT, Owner.CALLER),
        (0.3, 10, Kind.CUT_SHORT, Owner.CALLER),
        (0.0, 10, Kind.CUT_SHORT, Owner.CALLER),
    ],
)
def test_silence_is_the_providers_failure_once_it_lasted_as_long_as_it_may(silent_s, patience_s, kind, owner):
    failure = ownership.out_of_time(silent_s=silent_s, patience_s=patience_s)
    assert (failure.kind, failure.owner) == (kind, owner)


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    made = Clock()
    monkeypatch.setattr(base, "clock", made)
    return made


def timing(clock, *, left_s):
    """Of a provider that may take 10 s to its first word and 20 s in all, when the call has `left_s`."""
    now = clock.now
    return Timing(
        first_token=min(now + 10, now + left_s), end=min(now + 20, now + left_s), heard=now,
        first_byte_s=10, timeout_s=20,
    )  # fmt: skip


def test_an_attempt_that_had_its_full_time_is_the_providers_failure(clock):
    streamed, plain = timing(clock, left_s=45), timing(clock, left_s=45)
    clock.now = streamed.next_event()
    assert streamed.ran_out(streamed=True).kind == Kind.PROVIDER_DOWN
    clock.now = plain.end
    assert plain.ran_out(streamed=False).kind == Kind.PROVIDER_DOWN


@pytest.mark.parametrize("left_s", [0.3, 5, 9.5])
def test_an_attempt_that_had_less_was_cut_short(clock, left_s):
    streamed, plain = timing(clock, left_s=left_s), timing(clock, left_s=left_s)
    clock.now = streamed.next_event()
    assert streamed.ran_out(streamed=True).kind == Kind.CUT_SHORT
    clock.now = plain.end
    assert plain.ran_out(streamed=False).kind == Kind.CUT_SHORT


def test_words_that_still_flow_are_no_silence(clock):
    limits = timing(clock, left_s=45)
    for _ in range(19):
        clock.now += 1
        limits.alive()
    clock.now += 1
    assert limits.ran_out(streamed=True).kind == Kind.CUT_SHORT


def test_a_stream_that_fell_silent_is_the_providers_failure(clock):
    limits = timing(clock, left_s=300)
    limits.end = clock.now + 300
    clock.now += 3
    limits.alive()
    clock.now = limits.next_event()
    assert limits.ran_out(streamed=True).kind == Kind.PROVIDER_DOWN


def test_a_connection_that_is_not_made_in_its_own_time_is_the_providers_failure(clock):
    limits = timing(clock, left_s=45)
    clock.now += 5
    assert limits.ran_out(streamed=True, connecting=True).kind == Kind.PROVIDER_DOWN
    limits = timing(clock, left_s=2)
    clock.now += 2
    assert limits.ran_out(streamed=True, connecting=True).kind == Kind.CUT_SHORT


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_one_callers_short_deadline_changes_nothing_for_another(sim, virtual, streamed):
    make_groq(sim, keys=1, timeout_s=20, first_byte_s=10)
    sim.script("key-of-groq1", b.hang(), b.hang(), b.ok())
    for _ in range(2):
        (attempt,) = ask(streamed, deadline_s=8)
        assert attempt["outcome"] == "cut_short"
    assert not Pause.objects.exists()
    assert complete(user="hi").provider == "groq1"


def test_google_asked_with_a_short_deadline_is_not_paused_either(sim, virtual, tmp_path):
    make_vertex(sim, tmp_path, locations=["global"], timeout_s=20, first_byte_s=10)
    sim.script("vertex", b.hang(), b.ok())
    assert ask(False, deadline_s=8)[0]["outcome"] == "cut_short"
    assert not Pause.objects.exists()


def test_a_test_of_an_ended_pause_that_is_cut_short_leaves_it_to_the_next_call(sim, virtual):
    make_groq(sim, keys=1, timeout_s=20, first_byte_s=10)
    sim.script(
        "key-of-groq1", b.http(503), b.http(503), b.hang(), b.ok()
    )  # with nobody else, it is asked twice
    ask(False)
    pause = Pause.objects.get()
    streak = pause.streak
    Pause.objects.update(until=pause.since)  # its time is over
    assert ask(False, deadline_s=8)[0]["outcome"] == "cut_short"
    pause.refresh_from_db()
    assert (pause.closed_at, pause.probe_until, pause.streak) == (None, None, streak)
    assert complete(user="hi").provider == "groq1"


# -- bugs ----------------------------------------------------------------------------------------------------


def test_an_error_of_our_own_is_logged_with_its_traceback(caplog):
    with caplog.at_level(logging.ERROR):
        try:
            {}["usage"]
        except KeyError as error:
            failure = ownership.of_ours(error)
    assert (failure.owner, failure.kind) == (Owner.OURS, Kind.REQUEST_REJECTED)
    assert "KeyError" in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("kind", Kind)
def test_only_a_providers_failure_pauses(kind):
    from llm.pauses import breaker
    from tests.test_pauses import deployment

    assert breaker.open_for(Failure(kind, owner=Owner.OURS, retry_after_s=60), deployment()) is None
    assert breaker.open_for(Failure(kind, owner=Owner.CALLER, retry_after_s=60), deployment()) is None


def test_the_ledger_keeps_what_was_cut_short(sim, virtual):
    make_groq(sim, keys=1, timeout_s=20)
    make_deepseek(sim, **PATIENT)
    sim.script("key-of-groq1", b.hang())
    ask(False, deadline_s=8, providers=["groq"])
    row = Attempt.objects.get()
    assert (row.outcome, row.status, row.retry_after_s) == ("cut_short", None, None)
    assert "time limit" in row.detail


# -- what our own side refuses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        {"params": {"top_p": float("nan")}},
        {"params": {"top_p": Decimal("0.5")}},
        {"params": {"stop": b"x"}},
        {
            "params": {
                "tools": [{"type": "function", "function": {"name": "f", "parameters": {"a": float("inf")}}}]
            }
        },
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "weight": float("nan")}]}]},
        {"messages": [{"role": "user", "content": "a", "at": datetime(2026, 1, 1, tzinfo=UTC)}]},
    ],
)
def test_what_is_no_json_is_refused_before_anything_is_written(sim, arguments):
    make_groq(sim, keys=1, **PATIENT)
    with pytest.raises(ValueError, match="JSON"):
        complete(**({"user": "hi"} | arguments))
    assert (sim.count(), Call.objects.count()) == (0, 0)


@pytest.mark.parametrize("make", ["groq", "vertex"])
def test_half_characters_are_mended_wherever_they_stand(sim, tmp_path, make):
    make_groq(sim, keys=1) if make == "groq" else make_vertex(sim, tmp_path, **PATIENT)
    half = "a\ud83d"
    tool = {
        "type": "function",
        "function": {"name": "f", "description": half, "parameters": {"type": "object"}},
    }
    messages = [
        {"role": "user", "content": [{"type": "text", "text": half}]},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": json.dumps({"a": "b"}) + half}}
        ]},
        {"role": "tool", "tool_call_id": "call_1", "content": half},
    ]  # fmt: skip
    assert complete(messages=messages, params={"tools": [tool]}).text
    assert not Pause.objects.exists()


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    "arguments",
    [
        {"messages": [{"role": "system", "content": "be brief"}]},
        {"user": "hi", "params": {"no_such_parameter": 1}},
        {"user": "hi", "params": {"response_modalities": 5}},
    ],
)
def test_what_googles_library_refuses_is_our_requests_fault(sim, tmp_path, arguments, streamed):
    make_vertex(sim, tmp_path, **PATIENT)
    with pytest.raises(ChainExhausted) as caught:
        list(stream(**arguments)) if streamed else complete(**arguments)
    assert [attempt["outcome"] for attempt in caught.value.attempts] == ["request_rejected"]
    assert not Pause.objects.exists()
    assert sim.count(provider="vertex") == 0


@pytest.mark.parametrize("error", [KeyError("usage"), RuntimeError("x"), AttributeError("x"), TypeError("x")])
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_a_bug_in_an_adapter_pauses_nothing_and_is_logged(sim, monkeypatch, caplog, error, streamed):
    make_groq(sim, keys=1, **PATIENT)
    make_deepseek(sim, **PATIENT)

    def broken(self, *arguments):
        raise error

    monkeypatch.setattr(groq.Groq, "_body", broken)
    attempts = ask(streamed)
    assert [attempt["outcome"] for attempt in attempts] == ["request_rejected", "ok"]
    assert not Pause.objects.exists()
    assert type(error).__name__ in caplog.text


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_an_adapter_that_cannot_be_made_pauses_nothing(sim, monkeypatch, caplog, streamed):
    make_groq(sim, keys=1, **PATIENT)

    def missing(**options):
        raise ModuleNotFoundError("No module named 'groq'")

    monkeypatch.setattr("llm.chain.attempt.adapter_for", missing)
    assert [attempt["outcome"] for attempt in ask(streamed)] == ["request_rejected"]
    assert not Pause.objects.exists()
    assert "ModuleNotFoundError" in caplog.text


@pytest.mark.parametrize(
    "reason",
    [
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "OTHER",
        "MALFORMED_RESPONSE",
        "TOO_MANY_TOOL_CALLS",
        "NEW_ONE",
    ],
)
@pytest.mark.filterwarnings("ignore:.* is not a valid FinishReason")
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_an_answer_that_gemini_spoilt_concerns_this_call_alone(sim, tmp_path, reason, streamed):
    make_vertex(sim, tmp_path, **PATIENT)
    make_deepseek(sim, tier=4, **PATIENT)
    body = {"candidates": [{"content": {"role": "model"}, "finishReason": reason, "index": 0}]}
    sim.script("vertex", b.http(200, body) if not streamed else b.http(
        200, f"data: {json.dumps(body)}\n\n", {"content-type": "text/event-stream"}
    ))  # fmt: skip
    outcomes = [attempt["outcome"] for attempt in ask(streamed)]
    assert outcomes == ["empty_output", "ok"]  # one location: another would say the same
    assert not Pause.objects.exists()


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_a_prompt_that_a_bridge_to_gemini_blocked_is_content_blocked(sim, streamed):
    make_groq(sim, keys=1, **PATIENT)
    body = {"choices": [], "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
    sim.script("key-of-groq1", b.http(200, body) if not streamed else b.http(
        200, f"data: {json.dumps(body)}\n\ndata: [DONE]\n\n", {"content-type": "text/event-stream"}
    ))  # fmt: skip
    assert [attempt["outcome"] for attempt in ask(streamed)] == ["content_blocked"]
    assert not Pause.objects.exists()


# -- what others have nothing to do with ---------------------------------------------------------------------

OTHER_MODEL = "openai/gpt-oss-20b"


def test_a_model_that_is_over_capacity_leaves_its_sibling_and_keys_in_use(sim):
    make_groq(sim, keys=2, models=("openai/gpt-oss-120b", OTHER_MODEL), **PATIENT)
    body = {"error": {"message": "openai/gpt-oss-120b is over capacity", "type": "internal_server_error"}}
    for n in (1, 2):
        sim.script(f"key-of-groq{n}", b.http(503, body), model="openai/gpt-oss-120b")
    reply = complete(user="hi")
    assert (reply.provider, reply.model) == ("groq1", OTHER_MODEL)
    row = Pause.objects.get()
    assert (row.model, row.account, row.credential) == ("openai/gpt-oss-120b", "", "")


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
LACKING = [
    ("No endpoints found that support tool use. To learn more: https://openrouter.ai/docs", {"tools": [TOOL]}, "tools"),
    ("registry.ollama.ai/library/gemma:2b does not support tools", {"tools": [TOOL]}, "tools"),
    ("No endpoints found that support the provided 'tool_choice' value.",
     {"tools": [TOOL], "tool_choice": "required"}, "tool_choice"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "params", "needs"), LACKING)
def test_a_model_that_lacks_an_ability_is_spared_the_calls_that_need_it_for_a_day(sim, text, params, needs):
    make_groq(sim, keys=1, models=("openai/gpt-oss-120b", OTHER_MODEL), **PATIENT)
    body = {"error": {"message": text, "code": 404}}
    sim.script("key-of-groq1", b.http(404, body), b.ok(), model="openai/gpt-oss-120b")
    assert complete(user="hi", params=params).model == OTHER_MODEL
    row = Pause.objects.get()
    assert (row.model, row.needs, row.credential, row.account) == ("openai/gpt-oss-120b", needs, "", "")
    asked = len(sim.requests)
    again = complete(user="hi", params=params)
    assert again.model == OTHER_MODEL
    assert len(sim.requests) == asked + 1
    assert again.skipped[0]["why"] == f"takes no {needs.replace('_', ' ')}"
    assert complete(user="hi").model == "openai/gpt-oss-120b"
    Pause.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert complete(user="hi", params=params).model == "openai/gpt-oss-120b"
    assert not Pause.objects.filter(closed_at=None).exists()


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "tools[0].function.parameters: unsupported keyword 'x-order'"),
        (400, "This model does not support tools[0].function.strict"),
        (422, "images are not supported in the system role with tools"),
        (404, "No endpoints found that support the provided 'tool_choice' value."),
    ],
)
def test_one_requests_own_tools_take_nothing_from_others(sim, status, text):
    make_groq(sim, keys=1, **PATIENT)
    sim.script("key-of-groq1", b.http(status, {"error": {"message": text}}), b.ok())
    with pytest.raises(ChainExhausted):
        complete(user="hi", params={"tools": [TOOL], "tool_choice": "auto"})
    assert not Pause.objects.exists()
    assert complete(user="hi", params={"tools": [TOOL]}).provider == "groq1"


def test_a_missing_ability_skips_the_model_for_this_call_alone(sim):
    make_groq(sim, keys=1, models=("openai/gpt-oss-120b", OTHER_MODEL), **PATIENT)
    body = {"error": {"message": "No endpoints found that support tool use.", "code": 404}}
    sim.script("key-of-groq1", b.http(404, body), b.ok(), model="openai/gpt-oss-120b")
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    assert complete(user="hi", params={"tools": [tool]}).model == OTHER_MODEL
    assert complete(user="hi").model == "openai/gpt-oss-120b"


def test_a_400_that_quotes_the_callers_own_names_pauses_nobody(sim):
    make_groq(sim, keys=1, **PATIENT)
    tool = {"type": "function", "function": {"name": "delete_model", "parameters": {
        "type": "object", "properties": {"access_token": {"type": "string"}, "billing_cycle": {"enum": ["monthly"]}},
    }}}  # fmt: skip
    texts = [
        "Invalid schema for function delete_model: access_token is missing",
        "'billing_cycle' must be one of monthly", "tool delete_model not found", "billing_cycle is unsupported",
    ]  # fmt: skip
    bodies = [b.http(400, {"error": {"message": text, "type": "invalid_request_error"}}) for text in texts]
    sim.script("key-of-groq1", *bodies, b.ok())
    for _ in texts:
        with pytest.raises(ChainExhausted) as caught:
            complete(user="hi", params={"tools": [tool]})
        assert caught.value.attempts[0]["outcome"] == "request_rejected"
    assert not Pause.objects.exists()
    assert complete(user="hi").provider == "groq1"


def test_a_limit_that_a_refusal_only_quotes_is_not_learnt(sim):
    make_groq(sim, keys=1, **PATIENT)
    prompt = "What does tokens per minute (TPM): Limit 5, Used 5 mean?"
    sim.script("key-of-groq1", b.http(400, {"error": {"message": f"Cannot read {prompt}"}}), b.ok())
    with pytest.raises(ChainExhausted):
        complete(user=prompt)
    assert not Quota.objects.exclude(tpm=None).exists()
    assert complete(user="hi").provider == "groq1"
