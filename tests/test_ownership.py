"""Whose failure it is: only what a provider did or said pauses anything, and nobody else's call pays for mine."""

import logging

import pytest

from llm.adapters import Timing, base
from llm.chain import ChainExhausted, complete, stream
from llm.chain import run as chain
from llm.failures import ownership
from llm.failures.kinds import Failure, Kind, Owner
from llm.models import Attempt, Pause
from llm.simulator import behaviours as b
from tests.chain_setup import make_deepseek, make_groq, make_vertex

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(chain, "sleep", lambda seconds: None)


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
    monkeypatch.setattr(base, "time", made)
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
    clock.now = streamed.next_event(started=False)
    assert streamed.ran_out(streamed=True).kind == Kind.PROVIDER_DOWN
    clock.now = plain.end
    assert plain.ran_out(streamed=False).kind == Kind.PROVIDER_DOWN


@pytest.mark.parametrize("left_s", [0.3, 5, 9.5])
def test_an_attempt_that_had_less_was_cut_short(clock, left_s):
    streamed, plain = timing(clock, left_s=left_s), timing(clock, left_s=left_s)
    clock.now = streamed.next_event(started=False)
    assert streamed.ran_out(streamed=True).kind == Kind.CUT_SHORT
    clock.now = plain.end
    assert plain.ran_out(streamed=False).kind == Kind.CUT_SHORT


def test_words_that_still_flow_are_no_silence(clock):
    limits = timing(clock, left_s=45)
    for _ in range(19):
        clock.now += 1
        limits.next_event(started=True)
    clock.now += 1
    assert limits.ran_out(streamed=True).kind == Kind.CUT_SHORT


def test_a_stream_that_fell_silent_is_the_providers_failure(clock):
    limits = timing(clock, left_s=300)
    limits.end = clock.now + 300
    clock.now += 3
    clock.now = limits.next_event(started=True)
    assert limits.ran_out(streamed=True).kind == Kind.PROVIDER_DOWN


def test_a_connection_that_is_not_made_in_its_own_time_is_the_providers_failure(clock):
    limits = timing(clock, left_s=45)
    clock.now += 5
    assert limits.ran_out(streamed=True, connecting=True).kind == Kind.PROVIDER_DOWN
    limits = timing(clock, left_s=2)
    clock.now += 2
    assert limits.ran_out(streamed=True, connecting=True).kind == Kind.CUT_SHORT


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_one_callers_short_deadline_changes_nothing_for_another(sim, streamed):
    make_groq(sim, keys=1, timeout_s=20, first_byte_s=10)
    sim.script("key-of-groq1", b.hang(), b.hang(), b.ok())
    for _ in range(2):
        (attempt,) = ask(streamed, deadline_s=0.3)
        assert attempt["outcome"] == "cut_short"
    assert not Pause.objects.exists()
    assert complete(user="hi").provider == "groq1"


def test_google_asked_with_a_short_deadline_is_not_paused_either(sim, tmp_path):
    make_vertex(sim, tmp_path, locations=["global"], timeout_s=20, first_byte_s=10)
    sim.script("vertex", b.hang(), b.ok())
    assert ask(False, deadline_s=0.4)[0]["outcome"] == "cut_short"
    assert not Pause.objects.exists()


def test_a_test_of_an_ended_pause_that_is_cut_short_leaves_it_to_the_next_call(sim):
    make_groq(sim, keys=1, timeout_s=20, first_byte_s=10)
    sim.script("key-of-groq1", b.http(503), b.hang(), b.ok())
    ask(False)
    pause = Pause.objects.get()
    Pause.objects.update(until=pause.since)  # its time is over
    assert ask(False, deadline_s=0.3)[0]["outcome"] == "cut_short"
    pause.refresh_from_db()
    assert (pause.closed_at, pause.probe_until, pause.streak) == (None, None, 1)
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
    from llm.failures import pauses
    from tests.test_pauses import deployment

    assert pauses.open_for(Failure(kind, owner=Owner.OURS, retry_after_s=60), deployment()) is None
    assert pauses.open_for(Failure(kind, owner=Owner.CALLER, retry_after_s=60), deployment()) is None


def test_the_ledger_keeps_what_was_cut_short(sim):
    make_groq(sim, keys=1, timeout_s=20)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.hang())
    ask(False, deadline_s=0.3, providers=["groq"])
    row = Attempt.objects.get()
    assert (row.outcome, row.status, row.retry_after_s) == ("cut_short", None, None)
    assert "time limit" in row.detail
