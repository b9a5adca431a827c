"""Back soon after an outage, at nobody's cost; a guess is no reason to ask nobody; many callers, one test."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from llm.chain import AttemptFailed, ChainExhausted, Completed, complete, slow_start, stream
from llm.configuration import snapshot
from llm.failures.kinds import Kind
from llm.models import Attempt, Call, Pause
from llm.pauses import breaker, probes
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, SMALL, make_deepseek, make_groq, make_provider
from tests.matrix import matrix

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def slept(clock, monkeypatch):
    """What the chain waited; the wall clock goes on by it, and nobody really waits."""
    seconds = []
    monkeypatch.setattr("llm.clock.sleep", lambda wait: (seconds.append(wait), clock.shift(wait + 0.001)))
    return seconds


def plain(**arguments):
    return complete(user="hi", **arguments)


def streamed(**arguments):
    *_, last = stream(user="hi", **arguments)
    assert isinstance(last, Completed)
    return last.reply


BOTH = pytest.mark.parametrize("ask", [plain, streamed])
DOWN = [b.http(503), b.http(500), b.http(502), b.reset(), b.error_in_200(502, "Provider returned error")]


def told(reply):
    return [(attempt["credential"], attempt["outcome"]) for attempt in reply.attempts]


def two_free(sim, **fields):
    make_groq(sim, keys=1, **fields)
    make_provider(sim, "second", models=["m"], keys={"second": ""}, free=True, tier=2, **fields)


# -- back soon ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "fault", "background"), matrix([plain, streamed], DOWN, [True, False], together=2)
)
def test_after_an_outage_of_a_minute_it_is_back_soon_and_everybody_was_served(
    sim, clock, slept, ask, fault, background
):
    two_free(sim)
    back_after, limit = None, 15 if background else 19  # the pause, and until somebody asks
    for second in range(0, 100):
        clock.move_to(NOW + timedelta(seconds=second))
        sim.script("key-of-groq1", b.ok() if second >= 60 else fault)
        if background and second % 4 == 3:
            probes.run_due()
        if second % 4 == 0 and ask().provider == "groq1" and second >= 60 and back_after is None:
            back_after = second - 60
    assert back_after <= limit
    assert set(Call.objects.values_list("outcome", flat=True)) == {"ok"}
    assert Attempt.objects.exclude(outcome="ok").count() <= 10


def test_a_guess_is_fifteen_seconds_at_first(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.http(503))
    plain()
    row = Pause.objects.get()
    assert 10 < (row.until - datetime.now(tz=UTC)).total_seconds() <= 15


# -- nobody is refused on a guess --------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("fault", DOWN)
def test_the_only_provider_is_asked_although_it_is_paused_on_a_guess(sim, slept, ask, fault):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", fault)
    with pytest.raises(ChainExhausted):
        ask()
    sim.script("key-of-groq1", b.ok())
    assert told(ask()) == [("groq1", "ok")]
    assert not Pause.objects.filter(closed_at=None).exists()


@BOTH
def test_one_503_is_tried_once_more_when_nothing_else_is_left(sim, slept, ask):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.http(503), b.ok())
    assert told(ask()) == [("groq1", "provider_down"), ("groq1", "ok")]
    assert max(slept) < 1


@BOTH
def test_when_all_are_down_each_is_asked_twice_at_most(sim, slept, ask):
    two_free(sim)
    for name in ("groq1", "second"):
        sim.script(f"key-of-{name}", b.http(503))
    with pytest.raises(ChainExhausted) as caught:
        ask()
    assert len(caught.value.attempts) == 4
    assert sum(slept) < 1


@pytest.mark.parametrize(
    ("ask", "fault", "turn"),
    matrix([plain, streamed], [b.http(503), b.http(500), b.reset()], [3, 2, 7], together=2),
)
def test_two_providers_that_alternate_leave_nobody_unanswered(sim, clock, slept, ask, fault, turn):
    two_free(sim)
    answered = 0
    for second in range(24):
        clock.move_to(NOW + timedelta(seconds=second))
        first_is_up = (second // turn) % 2 == 0
        sim.script("key-of-groq1", b.ok() if first_is_up else fault)
        sim.script("key-of-second", fault if first_is_up else b.ok())
        answered += ask().text != ""
    assert answered == 24
    assert sim.count() < 24 * 3


@BOTH
def test_three_that_take_turns_do_not_either(sim, clock, slept, ask):
    two_free(sim)
    make_deepseek(sim, tier=3)
    names = ("groq1", "second", "deepseek")
    for second in range(24):
        clock.move_to(NOW + timedelta(seconds=second))
        for n, name in enumerate(names):
            sim.script(f"key-of-{name}", b.ok() if (second // 3) % 3 == n else b.http(503))
        assert ask().text


@BOTH
@pytest.mark.parametrize("retry_after", ["5", "12", "30"])
def test_a_stated_time_is_waited_for_when_it_ends_in_time_and_never_cut(sim, slept, ask, retry_after):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.http(429, headers={"retry-after": retry_after}), b.ok())
    assert told(ask(deadline_s=45)) == [("groq1", "rate_limited_key"), ("groq1", "ok")]
    assert slept == [pytest.approx(float(retry_after), abs=0.1)]


def test_who_names_no_deadline_hears_until_when_rather_than_waiting_for_long(sim, slept):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.http(429, headers={"retry-after": "30"}), b.ok())
    with pytest.raises(ChainExhausted):
        plain()
    assert slept == []


@BOTH
def test_a_stated_time_that_does_not_end_in_time_is_not_waited_for(sim, slept, ask):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.http(429, headers={"retry-after": "77"}), b.ok())
    for _ in range(2):
        with pytest.raises(ChainExhausted):
            ask()
    assert (slept, sim.count()) == ([], 1)


@BOTH
@pytest.mark.parametrize(
    ("kind", "source", "seconds"),
    [
        (Kind.PROVIDER_DOWN, "provider", 300), (Kind.PROVIDER_DOWN, "staff", 300), (Kind.KEY_INVALID, "provider", None),
        (Kind.CREDITS_DEPLETED, "guess", 3600), (Kind.MODEL_GONE, "guess", 3600), (Kind.BLOCKED_PROVIDER, "guess", 300),
        (Kind.RATE_LIMITED_KEY, "guess", 7200),
    ],
)  # fmt: skip
def test_what_is_known_to_fail_is_not_asked(sim, clock, slept, ask, kind, source, seconds):
    make_groq(sim, keys=1)
    until = None if seconds is None else NOW + timedelta(seconds=seconds)
    Pause.objects.create(provider="groq", kind=kind, source=source, since=NOW, until=until)
    with pytest.raises(ChainExhausted):
        ask()
    assert sim.requests == []


def test_a_free_guess_is_asked_before_a_paid_one(sim, clock, slept):
    two_free(sim)
    make_deepseek(sim, tier=0)
    for slug, seconds in (("groq", 14), ("second", 10), ("deepseek", 7)):
        Pause.objects.create(
            provider=slug,
            kind=Kind.PROVIDER_DOWN,
            source="guess",
            since=NOW,
            until=NOW + timedelta(seconds=seconds),
        )
    assert told(plain()) == [("second", "ok")]


def test_a_guess_does_not_make_anybody_pay(sim, clock, slept):
    make_deepseek(sim)
    Pause.objects.create(
        provider="deepseek",
        kind=Kind.PROVIDER_DOWN,
        source="guess",
        since=NOW,
        until=NOW + timedelta(seconds=9),
    )
    with pytest.raises(ChainExhausted):
        plain(max_usd=0)
    assert sim.requests == []


# -- another model of the same provider --------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("fault", [*DOWN, b.hang()])
def test_another_model_of_a_provider_that_is_down_takes_over(sim, slept, ask, fault):
    patience = {"first_byte_s": 1.5, "timeout_s": 2} if fault.name == "hang" else {}
    make_groq(sim, keys=1, models=(OSS, SMALL), **patience)
    sim.script("key-of-groq1", fault, model=OSS)
    reply = ask()
    assert reply.model == SMALL
    (row,) = Pause.objects.filter(closed_at=None)
    assert row.model == OSS  # it was not the provider
    before = sim.count()
    assert ask().model == SMALL
    assert sim.count() == before + 1


# -- many callers ------------------------------------------------------------------------------------------


def in_threads(count, work):
    def run(n):
        try:
            return work(n)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


SILENT = {"hang", "blank_keepalive"}


def crowds(*faults):
    """All faults in both ways to ask; every day the first two alone, each in one of the ways."""
    rare = pytest.mark.exhaustive
    others = (pytest.param(ask, fault, marks=rare) for fault in faults[2:] for ask in (plain, streamed))
    return [*matrix([plain, streamed], list(faults[:2])), *others]


BROKEN = crowds(
    b.http(500), b.hang(), b.http(503), b.reset(), b.http(429), b.payload("groq-401-invalid-key"),
    b.payload("cf-1010-plain"), b.error_in_200(502, "down"),
)  # fmt: skip


@pytest.mark.parametrize(("ask", "fault"), BROKEN)
def test_fifty_callers_waste_five_requests_on_a_broken_first_tier(sim, ask, fault):
    make_groq(sim, keys=1, **({"first_byte_s": 2, "timeout_s": 3} if fault.name in SILENT else {}))
    make_deepseek(sim)
    sim.script("key-of-groq1", fault)
    snapshot.providers()
    served = in_threads(50, lambda n: ask().provider)
    assert served == ["deepseek"] * 50
    assert sim.count(provider="groq") <= 5
    assert sim.count(provider="deepseek") == 50


@pytest.mark.parametrize(
    ("ask", "fault"),
    crowds(b.http(500), b.hang(), b.http(503), b.reset(), b.blank_keepalive("forever")),
)
def test_fifty_callers_waste_five_requests_on_a_first_tier_that_has_just_answered(sim, ask, fault):
    make_groq(sim, keys=1, **({"first_byte_s": 2, "timeout_s": 3} if fault.name in SILENT else {}))
    make_deepseek(sim)
    for _ in range(3):
        assert ask().provider == "groq1"
    sim.script("key-of-groq1", fault)
    assert in_threads(50, lambda n: ask().provider) == ["deepseek"] * 50
    assert sim.count(provider="groq") - 3 <= 5


class Seconds:
    """A clock of slow_start's that stands still until it is told."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(slow_start, "clock", self)

    def monotonic(self):
        return self.now


def let_go(provider, attempts):
    """How many of these attempts may begin at once, one after another."""
    for attempt in attempts:
        if slow_start.is_full(provider, patience_s=20):
            return attempt - attempts.start
        slow_start.begun(provider.slug, attempt)
    return len(attempts)


def answer(provider, attempts):
    for attempt in attempts:
        slow_start.ended(provider.slug, attempt)
        slow_start.note(provider.slug, alive=True)


@pytest.fixture
def seconds(monkeypatch):
    return Seconds(monkeypatch)


@pytest.fixture
def sixteen(sim, seconds):
    """A provider that has just answered sixteen who asked together."""
    make_groq(sim, keys=1)
    (provider,) = snapshot.providers()
    answer(provider, range(1))
    assert let_go(provider, range(1, 18)) == 4
    answer(provider, range(1, 2))
    assert let_go(provider, range(5, 18)) == 13
    answer(provider, range(2, 18))
    return provider


@pytest.mark.parametrize(("quiet_s", "at_once"), [(1, 50), (15, 16), (55, 16)])
def test_as_many_as_a_provider_answered_together_may_ask_it_at_once_again(sixteen, seconds, quiet_s, at_once):
    seconds.now += quiet_s
    assert let_go(sixteen, range(100, 150)) == at_once


def test_long_ago_or_before_a_failure_is_no_sign(sixteen, seconds):
    seconds.now += 15
    slow_start.note("groq", alive=False)
    answer(sixteen, range(1))
    assert let_go(sixteen, range(100, 150)) == 4
    answer(sixteen, range(100, 104))
    seconds.now += 61
    answer(sixteen, range(1))
    assert let_go(sixteen, range(200, 250)) == 4


@pytest.mark.parametrize(("deadline_s", "counted"), [(3, 0), (40, 1)])
def test_who_has_less_time_than_a_verdict_takes_holds_nobody_back(sim, deadline_s, counted):
    make_groq(sim, keys=1, first_byte_s=10, timeout_s=20)
    plain()
    events = stream(user="hi", deadline_s=deadline_s)
    next(events)
    assert len(slow_start._unheard.get("groq", {})) == counted
    events.close()
    assert not slow_start._unheard.get("groq")


def test_a_sign_of_life_lets_all_who_wait_for_it_go(sim):
    make_groq(sim, keys=1, first_byte_s=20, timeout_s=20)
    make_deepseek(sim)
    plain()
    sim.script("key-of-groq1", b.slow_first_token(1.0))
    began = time.monotonic()
    assert in_threads(50, lambda n: plain().provider) == ["groq1"] * 50
    assert (
        time.monotonic() - began < 40
    )  # a second for the first four, one for the others, and what threads take


def test_fifty_callers_of_a_sound_provider_are_all_served_by_it(sim):
    make_groq(sim, keys=1, first_byte_s=20, timeout_s=20)
    make_deepseek(sim)
    snapshot.providers()
    began = time.monotonic()
    assert in_threads(50, lambda n: plain().provider) == ["groq1"] * 50
    assert time.monotonic() - began < 40


@pytest.mark.parametrize("fault", [b.http(503), b.hang()], ids=["503", "hang"])
def test_fifty_callers_of_a_suspect_are_one_test(sim, fault):
    make_groq(sim, keys=1, **({"first_byte_s": 2, "timeout_s": 2} if fault.name in SILENT else {}))
    make_deepseek(sim)
    sim.script("key-of-groq1", fault)
    now = datetime.now(tz=UTC)
    Pause.objects.create(
        provider="groq", kind=Kind.PROVIDER_DOWN, source="guess", since=now - timedelta(minutes=1), until=now
    )
    snapshot.providers()
    assert in_threads(50, lambda n: plain().provider) == ["deepseek"] * 50
    assert sim.count(provider="groq") == 1


@pytest.mark.parametrize("back", [True, False])
def test_fifty_callers_of_the_only_provider_wait_for_one_test(sim, back):
    make_groq(sim, keys=1, first_byte_s=20, timeout_s=20)
    sim.script("key-of-groq1", b.ok() if back else b.http(503))
    now = datetime.now(tz=UTC)
    Pause.objects.create(
        provider="groq", kind=Kind.PROVIDER_DOWN, source="guess", since=now, until=now + timedelta(seconds=14)
    )
    snapshot.providers()

    def ask(n):
        try:
            return plain().provider
        except ChainExhausted:
            return None

    served = in_threads(50, ask)
    assert served == (["groq1"] if back else [None]) * 50
    assert sim.count() <= (53 if back else 10)  # who comes after a verdict gets one of its own


def test_silent_providers_do_not_cost_everything_again_a_minute_later(sim, clock, slept):
    for n in range(6):
        make_provider(
            sim, f"p{n}", models=["m"], keys={f"p{n}": ""}, free=True, first_byte_s=0.3, timeout_s=0.3
        )
        sim.script(f"key-of-p{n}", b.hang())
    with pytest.raises(ChainExhausted) as caught:
        plain()
    assert len(caught.value.attempts) == 6
    clock.shift(60)
    with pytest.raises(ChainExhausted) as caught:
        plain()
    assert len(caught.value.attempts) <= 2


def test_a_caller_who_leaves_during_a_test_leaves_it_to_the_next(sim, clock, slept):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    Pause.objects.create(
        provider="groq", kind=Kind.PROVIDER_DOWN, source="guess", since=NOW, until=NOW - timedelta(seconds=1)
    )
    events = stream(user="hi")
    next(events)
    events.close()
    assert Pause.objects.get().probe_until is None
    assert plain().provider == "groq1"


def test_the_retry_of_a_hiccup_looks_whether_somebody_paused_it_meanwhile(sim, monkeypatch):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.http(500))

    def pause_it(seconds):
        now = datetime.now(tz=UTC)
        Pause.objects.create(
            provider="groq",
            kind=Kind.PROVIDER_DOWN,
            source="guess",
            since=now,
            until=now + timedelta(seconds=15),
        )

    monkeypatch.setattr("llm.clock.sleep", pause_it)
    assert told(plain()) == [("groq1", "provider_down"), ("deepseek", "ok")]


def test_events_still_tell_of_every_failure(sim, slept):
    two_free(sim)
    sim.script("key-of-groq1", b.http(503))
    failed = [event for event in stream(user="hi") if isinstance(event, AttemptFailed)]
    assert [(event.provider, event.kind) for event in failed] == [("groq", Kind.PROVIDER_DOWN)]
    assert failed[0].until is not None
    assert breaker.DOUBTFUL
