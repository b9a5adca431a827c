"""Pauses: what each failure pauses and for how long, how they grow, are probed, end and are shared."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection

from llm.calls.deployment import Deployment
from llm.chain import ChainExhausted, complete
from llm.configuration import snapshot
from llm.configuration.prices import FREE
from llm.configuration.snapshot import KeyConf, ModelConf, ProviderConf
from llm.failures.kinds import Failure, Kind, Scope
from llm.models import Attempt, Call, Credential, Pause, Provider
from llm.pauses import breaker
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, SMALL, make_deepseek, make_groq, make_provider

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_waiting")]

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = 60, 3600, 86400
ORG = "org_01aaaaaaaaaaaaaaaaaaaaaaaa"


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def no_jitter(monkeypatch):
    monkeypatch.setattr(breaker.random, "uniform", lambda low, high: 1.0)


def deployment(*, key="k", account="acc", model="m", location="", day_reset="utc"):
    provider = ProviderConf(
        slug="p", kind="openai", base_url="", tier=Decimal(1), free=True, keyless=False, first_byte_s=1, timeout_s=2,
        daily_budget_usd=None, credit_usd=None, credit_until=None, demote_after_h=24, day_reset=day_reset,
        project="", locations=(), models=(), keys=(),
    )  # fmt: skip
    return Deployment(
        provider, KeyConf(label=key, account=account, key="x"), ModelConf(model, {}, 0, FREE), location
    )


def opened(kind, *, at=None, **failure):
    return breaker.open_for(Failure(kind, "what it said", **failure), at or deployment())


def scope_of(row):
    names = {name: getattr(row, name) for name in ("credential", "account", "model", "location")}
    return {name: value for name, value in names.items() if value}


def seconds_of(row):
    return (row.until - row.since).total_seconds()


# -- what is paused, and for how long ----------------------------------------------------------------------

IN_EU = {"at": deployment(location="eu")}


@pytest.mark.parametrize(
    ("kind", "failure", "scope", "seconds"),
    [
        (Kind.RATE_LIMITED_KEY, {}, {"account": "acc", "model": "m"}, 30),
        (Kind.RATE_LIMITED_KEY, IN_EU, {"account": "acc", "model": "m", "location": "eu"}, 30),
        (Kind.RATE_LIMITED_KEY, {"window": "minute"}, {"account": "acc", "model": "m"}, MINUTE),
        (Kind.RATE_LIMITED_KEY, {"scope": Scope.ACCOUNT}, {"account": "acc"}, 30),
        (Kind.RATE_LIMITED_PROVIDER, {}, {"model": "m"}, 20),
        (Kind.RATE_LIMITED_PROVIDER, IN_EU, {"model": "m", "location": "eu"}, 20),
        (Kind.RATE_LIMITED_PROVIDER, {"scope": Scope.PROVIDER}, {}, 20),
        (Kind.BLOCKED_PROVIDER, {}, {}, 5 * MINUTE),
        (Kind.BLOCKED_PROVIDER, IN_EU, {}, 5 * MINUTE),
        (Kind.CREDITS_DEPLETED, {}, {"account": "acc"}, 6 * HOUR),
        (Kind.MODEL_GONE, {}, {"account": "acc", "model": "m"}, DAY),
        (Kind.MODEL_GONE, IN_EU, {"account": "acc", "model": "m", "location": "eu"}, DAY),
        (Kind.PROVIDER_DOWN, {}, {}, 15),
        (Kind.PROVIDER_DOWN, IN_EU, {"location": "eu"}, 15),
        (Kind.PROVIDER_DOWN, {"silent": True} | IN_EU, {}, 15),
        (Kind.PROVIDER_DOWN, {"scope": Scope.MODEL}, {"model": "m"}, 15),
    ],
)
def test_a_failure_pauses_its_scope_for_our_guess(clock, no_jitter, kind, failure, scope, seconds):
    row = opened(kind, **failure)
    assert scope_of(row) == scope
    assert (row.provider, row.kind, row.source, row.detail) == ("p", kind, "guess", "what it said")
    assert seconds_of(row) == pytest.approx(seconds, abs=0.001)
    assert Pause.objects.count() == 1


@pytest.mark.parametrize(
    "kind",
    [
        Kind.RATE_LIMITED_KEY, Kind.RATE_LIMITED_PROVIDER, Kind.BLOCKED_PROVIDER, Kind.CREDITS_DEPLETED,
        Kind.MODEL_GONE, Kind.PROVIDER_DOWN,
    ],
)  # fmt: skip
@pytest.mark.parametrize("seconds", [0.5, 7.66, 767, 5 * HOUR])
def test_a_stated_time_is_kept_to_the_letter(clock, kind, seconds):
    row = opened(kind, retry_after_s=seconds)
    assert row.source == "provider"
    assert seconds_of(row) == pytest.approx(seconds, abs=0.001)


@pytest.mark.parametrize(
    ("kind", "window", "seconds"),
    [
        (Kind.RATE_LIMITED_KEY, "minute", 2 * HOUR), (Kind.RATE_LIMITED_KEY, "day", 3 * DAY),
        (Kind.RATE_LIMITED_KEY, None, 1e9), (Kind.RATE_LIMITED_PROVIDER, None, 31 * DAY),
        (Kind.PROVIDER_DOWN, None, DAY), (Kind.BLOCKED_PROVIDER, None, 1e12), (Kind.CREDITS_DEPLETED, None, 1e9),
        (Kind.MODEL_GONE, None, 365 * DAY),
    ],
)  # fmt: skip
def test_a_time_that_its_kind_cannot_mean_gives_way_to_our_guess(clock, kind, window, seconds):
    row = opened(kind, window=window, retry_after_s=seconds)
    assert row.source == "guess"
    assert row.until < NOW + timedelta(days=2)


@pytest.mark.parametrize(
    "kind",
    [
        Kind.REQUEST_TOO_LARGE, Kind.REQUEST_REJECTED, Kind.CONTENT_BLOCKED, Kind.REJECTED_OUTPUT, Kind.EMPTY_OUTPUT,
        Kind.CUT_SHORT,
    ],
)  # fmt: skip
def test_what_concerns_one_call_pauses_nobody(kind):
    assert opened(kind, retry_after_s=60) is None
    assert not Pause.objects.exists()


def test_every_kind_is_covered_here():
    assert len(Kind) == 13


# -- days --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "day_reset", "until"),
    [
        ("2026-11-23 23:30", "utc", "2026-11-24 00:00"),
        ("2026-11-23 00:00", "utc", "2026-11-24 00:00"),
        ("2026-11-23 23:30", "pacific", "2026-11-24 08:00"),
        ("2026-11-23 07:59", "pacific", "2026-11-23 08:00"),
        ("2026-07-01 06:30", "pacific", "2026-07-01 07:00"),  # daylight saving time
        ("2026-11-23 12:00", "rolling", "2026-11-23 13:00"),  # looked at again in an hour
    ],
)
def test_a_limit_of_the_day_ends_at_the_providers_midnight(now, day_reset, until):
    with time_machine.travel(datetime.fromisoformat(now).replace(tzinfo=UTC), tick=False):
        row = opened(Kind.RATE_LIMITED_KEY, window="day", at=deployment(day_reset=day_reset))
    assert row.until.astimezone(UTC) == datetime.fromisoformat(until).replace(tzinfo=UTC)
    assert row.source == "guess"


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-01 07:30", "2026-11-02 08:00"),  # 00:30 on the day that has 25 hours
        ("2027-03-14 07:30", "2027-03-14 08:00"),  # 23:30, and the next day has 23
    ],
)
def test_midnight_is_right_when_the_clocks_change(now, until):
    now, until = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, until))
    assert breaker.next_day("pacific", now).astimezone(UTC) == until


def test_a_stated_time_counts_more_than_the_day(clock):
    assert seconds_of(opened(Kind.RATE_LIMITED_KEY, window="day", retry_after_s=767)) == 767


# -- longer, never shorter ---------------------------------------------------------------------------------


def test_a_later_failure_never_shortens_a_pause(clock):
    first = opened(Kind.RATE_LIMITED_KEY, retry_after_s=600)
    clock.shift(10)
    opened(Kind.RATE_LIMITED_KEY, retry_after_s=5)
    opened(Kind.RATE_LIMITED_KEY)
    row = Pause.objects.get()
    assert (row.until, row.source, row.streak) == (first.until, "provider", 1)


def test_a_longer_time_lengthens_it_and_says_who_said_so(clock):
    opened(Kind.RATE_LIMITED_KEY)
    opened(Kind.RATE_LIMITED_KEY, retry_after_s=600)
    row = Pause.objects.get()
    assert (seconds_of(row), row.source) == (600, "provider")


def test_another_kind_of_failure_does_not_shorten_it_either(clock):
    blocked = opened(Kind.BLOCKED_PROVIDER)
    opened(Kind.PROVIDER_DOWN)
    row = Pause.objects.get()
    assert (row.kind, row.until) == (Kind.BLOCKED_PROVIDER, blocked.until)
    row = opened(Kind.BLOCKED_PROVIDER, retry_after_s=HOUR)
    assert seconds_of(row) == HOUR


def test_scopes_do_not_shadow_each_other(clock):
    opened(Kind.RATE_LIMITED_KEY)
    opened(Kind.RATE_LIMITED_KEY, at=deployment(account="other"))
    opened(Kind.RATE_LIMITED_KEY, at=deployment(model="n"))
    opened(Kind.PROVIDER_DOWN)
    assert Pause.objects.count() == 4


# -- growth ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "first", "most"),
    [
        (Kind.RATE_LIMITED_KEY, 30, 15 * MINUTE),
        (Kind.RATE_LIMITED_PROVIDER, 20, 15 * MINUTE),
        (Kind.BLOCKED_PROVIDER, 5 * MINUTE, 6 * HOUR),
        (Kind.CREDITS_DEPLETED, 6 * HOUR, DAY),
        (Kind.MODEL_GONE, DAY, 7 * DAY),
    ],
)
def test_a_guess_doubles_with_every_failure_in_a_row_up_to_a_limit(clock, no_jitter, kind, first, most):
    for streak in range(1, 13):
        row = opened(kind)
        assert row.streak == streak
        wait = row.until - datetime.now(tz=UTC)
        assert wait.total_seconds() == pytest.approx(min(first * 2 ** (streak - 1), most), abs=0.001)
        clock.shift(wait + timedelta(seconds=1))
    assert Pause.objects.count() == 1


def test_failures_while_it_holds_are_one_failure(clock, no_jitter):
    for _ in range(5):
        row = opened(Kind.PROVIDER_DOWN)  # five calls that were under way at once
    assert (row.streak, seconds_of(row)) == (1, 15)


def left_of(row):
    return (row.until - datetime.now(tz=UTC)).total_seconds()


def test_a_provider_that_refuses_at_once_is_tried_every_few_seconds_however_often_it_does(clock, no_jitter):
    for streak in range(1, 30):
        row = opened(Kind.PROVIDER_DOWN)
        assert (row.streak, left_of(row)) == (streak, 15)
        clock.shift(16)


def test_a_pause_grows_with_the_failures_of_its_probes_after_the_first_minutes(clock, no_jitter):
    waits = []
    opened(Kind.PROVIDER_DOWN)
    for _ in range(25):
        row = breaker.open_for(Failure(Kind.PROVIDER_DOWN), deployment(), by_probe=True)
        waits.append(left_of(row))
        clock.move_to(row.until)
    assert waits[:11] == [15] * 11  # some three minutes
    assert waits[11:] == sorted(waits[11:])
    assert waits[-1] == 10 * MINUTE


@pytest.mark.parametrize("cost_s", [1, 10, 20, 60, 600])
def test_a_silent_provider_is_left_alone_for_longer_than_what_it_cost_and_longer_every_time(clock, cost_s):
    wait = cost_s
    for _ in range(3):
        row = breaker.open_for(Failure(Kind.PROVIDER_DOWN, silent=True), deployment(), cost_s=cost_s)
        assert left_of(row) > wait
        wait = min(left_of(row), 9 * MINUTE) if cost_s < 300 else cost_s
        clock.move_to(row.until + timedelta(seconds=1))


def test_jitter_keeps_workers_apart(clock):
    waits = [seconds_of(opened(Kind.PROVIDER_DOWN, at=deployment(location=f"l{n}"))) for n in range(60)]
    assert len(set(waits)) > 50
    assert 12 <= min(waits) < 13
    assert 14 < max(waits) <= 15
    waits = [seconds_of(opened(Kind.RATE_LIMITED_KEY, at=deployment(account=f"a{n}"))) for n in range(60)]
    assert 27 <= min(waits) < 29
    assert 31 < max(waits) <= 33


def test_a_stated_time_that_was_not_true_is_stretched_by_our_guess(clock, no_jitter):
    opened(Kind.RATE_LIMITED_KEY, retry_after_s=1)
    clock.shift(2)
    row = opened(Kind.RATE_LIMITED_KEY, retry_after_s=1)
    assert (row.until - datetime.now(tz=UTC)).total_seconds() == pytest.approx(60, abs=0.001)


# -- empties, keys -----------------------------------------------------------------------------------------


def test_only_three_empties_in_a_row_pause_the_model_and_for_ten_minutes(sim, clock, no_jitter):
    make_groq(sim, keys=1, models=(OSS, SMALL))
    empty, ok = b.empty(), b.ok()
    sim.script("key-of-groq1", empty, empty, ok, empty, empty, empty, ok, model=OSS)
    for _ in range(5):
        complete(user="hi")
        assert not Pause.objects.exists()
    assert complete(user="hi").model == SMALL  # the third empty in a row
    row = Pause.objects.get()
    assert scope_of(row) == {"model": OSS}  # of every account: what it says is no account's fault
    assert (row.kind, seconds_of(row)) == ("empty_output", 600)
    before = sim.count(model=OSS)
    assert complete(user="hi").model == SMALL
    assert sim.count(model=OSS) == before
    clock.shift(601)
    assert complete(user="hi").model == OSS


def test_a_key_that_is_invalid_stays_out_until_staff_act(sim, clock):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.payload("groq-401-invalid-key"), b.ok())
    assert complete(user="hi").provider == "deepseek"
    row = Pause.objects.get()
    assert (scope_of(row), row.until, row.source) == ({"credential": "groq1"}, None, "provider")
    clock.shift(3650 * DAY)
    assert complete(user="hi").provider == "deepseek"
    assert opened_again(row) is None
    assert breaker.close([row], by="staff") == 1
    assert complete(user="hi").provider == "groq1"
    row.refresh_from_db()
    assert (row.closed_by, row.closed_at is not None) == ("staff", True)


def opened_again(row):
    """The end of the pause after another failure of its key."""
    at = deployment(key=row.credential)
    breaker.open_for(Failure(Kind.KEY_INVALID), at)
    row.refresh_from_db()
    return row.until


# -- closing, and trying again -----------------------------------------------------------------------------


def test_a_closed_pause_is_history_and_the_next_one_starts_anew(clock, no_jitter):
    first = opened(Kind.PROVIDER_DOWN)
    clock.shift(20)
    second = opened(Kind.PROVIDER_DOWN)
    assert (second.pk, second.streak) == (first.pk, 2)
    assert breaker.close([second], by="answered again") == 1
    assert breaker.close([second], by="somebody else") == 0
    third = opened(Kind.PROVIDER_DOWN)
    assert (third.streak, seconds_of(third)) == (1, 15)
    assert list(Pause.objects.order_by("id").values_list("closed_by", flat=True)) == ["answered again", ""]


def test_an_answer_closes_every_ended_pause_that_covered_it(sim, clock):
    make_groq(sim, keys=1)
    at = deployment(key="groq1", account="groq1", model=OSS)
    provider = snapshot.providers()[0]
    at = Deployment(provider, provider.keys[0], at.model)
    for kind in (
        Kind.PROVIDER_DOWN,
        Kind.RATE_LIMITED_KEY,
        Kind.RATE_LIMITED_PROVIDER,
        Kind.CREDITS_DEPLETED,
    ):
        opened(kind, at=at, retry_after_s=10)
    other = opened(Kind.MODEL_GONE, at=deployment(account="else"), retry_after_s=10)
    clock.shift(11)
    assert complete(user="hi").provider == "groq1"
    assert list(Pause.objects.filter(closed_at=None)) == [other]
    assert set(Pause.objects.exclude(pk=other.pk).values_list("closed_by", flat=True)) == {"answered again"}


def test_a_failure_on_trying_again_pauses_again(sim, clock, no_jitter):
    make_groq(sim, keys=2)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.http(503))
    for streak, wait in ((1, 15), (2, 15), (3, 15)):
        assert complete(user="hi").provider == "deepseek"
        row = Pause.objects.get()
        assert row.streak == streak
        assert (row.until - datetime.now(tz=UTC)).total_seconds() == pytest.approx(wait, abs=0.001)
        assert sim.count(provider="groq") == streak
        clock.shift(wait + 1)


def test_a_stated_time_is_never_probed_early(sim, clock):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.http(503, headers={"retry-after": "600"}), b.ok())
    assert complete(user="hi").provider == "deepseek"
    clock.shift(599)
    assert complete(user="hi").provider == "deepseek"
    assert sim.count(provider="groq") == 1
    clock.shift(2)
    assert complete(user="hi").provider == "groq1"


def in_threads(count, work):
    """The results of `count` calls of `work(n)` that start together."""
    barrier = threading.Barrier(count)

    def run(n):
        try:
            barrier.wait(60)
            return work(n)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.parametrize(
    ("answer", "served_by_groq", "closed"),
    [(b.slow_first_token(0.8), 1, True), (b.http(503), 0, False)],
    ids=["it is back", "it is not"],
)
def test_of_many_callers_one_tries_what_was_paused(sim, held, answer, served_by_groq, closed):
    make_groq(sim, keys=3, timeout_s=20)
    make_deepseek(sim, timeout_s=20)
    for n in (1, 2, 3):
        sim.script(f"key-of-groq{n}", answer)
    snapshot.providers()
    ended = datetime.now(tz=UTC) - timedelta(seconds=1)
    row = Pause.objects.create(
        provider="groq",
        kind=Kind.PROVIDER_DOWN,
        source="guess",
        since=ended - timedelta(minutes=1),
        until=ended,
    )
    by_others = []

    def ask(n):
        provider = complete(user="hi").provider
        if provider == "deepseek":
            by_others.append(n)
            if len(by_others) == 5:
                held.set()
        return provider

    served = in_threads(6, ask)
    assert sim.count(provider="groq") == 1
    assert sorted(served) == ["deepseek"] * (6 - served_by_groq) + ["groq1"] * served_by_groq
    row.refresh_from_db()
    assert (row.closed_at is not None) == closed
    assert row.streak == (1 if closed else 2)


def test_a_probe_whose_caller_vanished_can_be_claimed_again(clock):
    opened(Kind.PROVIDER_DOWN, retry_after_s=10)
    clock.shift(11)
    (pause,) = snapshot.open_pauses()["p"]
    until = NOW + timedelta(seconds=11 + 20)
    assert breaker.claim_probes([pause], until)
    assert not breaker.claim_probes([pause], until)
    clock.shift(21)
    assert breaker.claim_probes([pause], until + timedelta(seconds=60))


def test_a_pause_that_holds_cannot_be_claimed(clock):
    opened(Kind.PROVIDER_DOWN, retry_after_s=10)
    (pause,) = snapshot.open_pauses()["p"]
    assert not breaker.claim_probes([pause], NOW + timedelta(seconds=20))


def test_workers_that_fail_at_once_leave_one_open_pause():
    stated = [10 + n for n in range(12)]
    in_threads(12, lambda n: opened(Kind.PROVIDER_DOWN, retry_after_s=stated[n]).pk)
    row = Pause.objects.get()
    assert (row.closed_at, row.streak) == (None, 1)
    assert seconds_of(row) == pytest.approx(max(stated), abs=3)


# -- accounts are learned ----------------------------------------------------------------------------------


def attempt(label, account, **fields):
    call = Call.objects.create(started_at=datetime.now(tz=UTC), deadline_s=45)
    return Attempt.objects.create(
        call=call, provider="p", credential=label, account=account, model="m", tier=1, free=True,
        started_at=datetime.now(tz=UTC), **fields,
    )  # fmt: skip


def make_keys(sim, **accounts):
    make_provider(sim, "p", models=["m"], keys=accounts, free=True)


def test_a_named_organisation_takes_over_pauses_and_todays_attempts(sim, clock):
    make_keys(sim, k="", other="")
    clock.shift(-2 * DAY)
    old = attempt("k", "k")
    clock.shift(2 * DAY)
    today, others = attempt("k", "k"), attempt("other", "other")
    opened(Kind.RATE_LIMITED_KEY, at=deployment(account="k"), retry_after_s=60)
    breaker.learn_organisation(deployment(account="k"), ORG)
    assert Credential.objects.get(label="k").effective_account == ORG
    assert Pause.objects.get().account == ORG
    for row, account in ((old, "k"), (today, ORG), (others, "other")):
        row.refresh_from_db()
        assert row.account == account
    assert [key.account for key in snapshot.providers()[0].keys] == [ORG, "other"]


def test_a_pause_that_the_organisation_has_already_is_not_doubled(sim, clock):
    make_keys(sim, k="", other="")
    opened(Kind.RATE_LIMITED_KEY, at=deployment(account=ORG), retry_after_s=60)
    opened(Kind.RATE_LIMITED_KEY, at=deployment(account="other"), retry_after_s=60)
    breaker.learn_organisation(deployment(key="other", account="other"), ORG)
    assert [row.account for row in Pause.objects.filter(closed_at=None)] == [ORG]
    assert Pause.objects.exclude(closed_at=None).get().closed_by == "account learned"


def test_of_two_pauses_that_become_one_the_longer_remains(sim, clock):
    make_keys(sim, k="", other="")
    opened(Kind.RATE_LIMITED_KEY, at=deployment(account=ORG), retry_after_s=60)
    opened(Kind.RATE_LIMITED_KEY, at=deployment(account="other"), retry_after_s=3600)
    breaker.learn_organisation(deployment(key="other", account="other"), ORG)
    assert seconds_of(Pause.objects.get(closed_at=None)) == 3600


def test_keys_that_were_declared_one_account_stay_one(sim, clock):
    make_keys(sim, k="declared", sibling="declared", other="")
    breaker.learn_organisation(deployment(account="declared"), ORG)
    accounts = {key.label: key.account for key in snapshot.providers()[0].keys}
    assert accounts["k"] == accounts["sibling"] == "declared"
    assert accounts["other"] == "other"


def test_two_keys_of_one_organisation_share_what_either_learns(sim, clock):
    make_groq(sim, keys=3)
    for n in (1, 2):
        sim.script(f"key-of-groq{n}", b.payload("groq-429-tpm-1"), b.ok())
    assert complete(user="hi").provider == "groq3"
    assert Pause.objects.filter(closed_at=None).count() == 1
    clock.shift(30)
    assert complete(user="hi").provider == "groq1"
    sim.script("key-of-groq1", b.payload("groq-429-tpm-1"))
    assert complete(user="hi").provider == "groq3"
    assert sim.count("key-of-groq2") == 1  # groq1's refusal speaks for it


def test_nothing_left_tells_until_when(sim, clock):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.http(429, headers={"retry-after": "600"}))
    with pytest.raises(ChainExhausted):
        complete(user="hi")
    with pytest.raises(ChainExhausted) as caught:
        complete(user="hi")
    assert caught.value.attempts == []
    (skip,) = caught.value.skipped
    assert (skip["why"], skip["until"]) == ("rate_limited_key", (NOW + timedelta(seconds=600)).isoformat())


# -- a clock that was wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(days=1), timedelta(days=365)])
@pytest.mark.parametrize("stated", [None, "20"], ids=["guessed", "stated"])
@pytest.mark.parametrize("status", [503, 429, 402, 404])
def test_a_pause_of_a_clock_that_was_ahead_is_over_when_it_is_right_again(sim, ahead, stated, status):
    make_groq(sim, keys=1)
    failing = b.http(status, headers={"retry-after": stated} if stated else {})
    times = 2 if status == 503 and not stated else 1  # one that is only busy is asked twice
    sim.script("key-of-groq1", *[failing] * times, b.ok())
    with time_machine.travel(NOW + ahead, tick=False), pytest.raises(ChainExhausted):
        complete(user="hi")
    row = Pause.objects.get()
    with time_machine.travel(NOW, tick=False):
        snapshot.forget()
        assert complete(user="hi").provider == "groq1"
    row.refresh_from_db()
    assert row.closed_by == "answered again"


def test_a_pause_that_a_wrong_clock_lengthened_is_written_anew_at_the_next_failure(sim, clock, no_jitter):
    opened(Kind.PROVIDER_DOWN)
    clock.shift(DAY * 365)
    opened(Kind.PROVIDER_DOWN)
    clock.move_to(NOW + timedelta(seconds=20))
    row = opened(Kind.PROVIDER_DOWN)
    assert row.since <= NOW + timedelta(seconds=20)
    assert row.until - (NOW + timedelta(seconds=20)) <= timedelta(minutes=2)


def test_staff_may_pause_for_as_long_as_they_like(sim, clock):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    breaker.by_staff({"provider": "groq"}, until=NOW + timedelta(days=400), by="ada")
    assert complete(user="hi").provider == "deepseek"


# -- whose key, whose account ------------------------------------------------------------------------------


def rotated(sim, tmp_path):
    """A key file that is refused and then replaced, as a secrets manager does."""
    secret = tmp_path / "groq.key"
    secret.write_text("key-of-old\n")
    make_groq(sim, keys=1)
    Credential.objects.update(secret=f"file:{secret}")
    return secret


@pytest.mark.parametrize("payload", ["groq-401-invalid-key", "deepseek-402"])
def test_a_key_file_that_was_rotated_is_tried_at_once(sim, tmp_path, payload):
    secret = rotated(sim, tmp_path)
    sim.script("key-of-old", b.payload(payload))
    with pytest.raises(ChainExhausted):
        complete(user="hi")
    with pytest.raises(ChainExhausted):
        complete(user="hi")
    assert sim.count(provider="groq") == 1
    secret.write_text("key-of-new\n")
    assert complete(user="hi").provider == "groq1"


def test_a_new_key_that_is_refused_too_is_paused_in_its_turn(sim, tmp_path):
    secret = rotated(sim, tmp_path)
    for key in ("old", "new"):
        sim.script(f"key-of-{key}", b.payload("groq-401-invalid-key"))
        secret.write_text(f"key-of-{key}\n")
        for _ in range(3):
            with pytest.raises(ChainExhausted):
                complete(user="hi")
    assert sim.count(provider="groq") == 2
    assert Pause.objects.filter(closed_at=None).count() == 1


RELAYED = b.http(429, {"error": {"message": f"Rate limit reached for model `m` in organization `{ORG}` on tokens per "
                                            "minute (TPM): Limit 8000", "type": "tokens"}})  # fmt: skip


def test_an_organisation_that_a_relay_passes_on_is_not_ours(sim):
    make_provider(sim, "relay", models=["m"], keys={"a": "first", "b": "second", "c": ""}, free=True)
    for key in "abc":
        sim.script(f"key-of-{key}", RELAYED)
    with pytest.raises(ChainExhausted):
        complete(user="hi")
    assert not Credential.objects.exclude(organisation="").exists()
    assert {key.account for key in snapshot.providers()[0].keys} == {"first", "second", "c"}
    assert set(Attempt.objects.values_list("account", flat=True)) <= {"first", "second", "c"}


def test_a_declared_account_stays_whatever_the_provider_calls_it(sim):
    make_provider(sim, "groq", kind="groq", models=["m"], keys={"a": "first", "b": "second"}, free=True)
    for key in "ab":
        sim.script(f"key-of-{key}", RELAYED)
    with pytest.raises(ChainExhausted):
        complete(user="hi")
    assert {key.account for key in snapshot.providers()[0].keys} == {"first", "second"}
    assert set(Pause.objects.values_list("account", flat=True)) == {"first", "second"}
    assert set(Attempt.objects.values_list("account", flat=True)) == {"first", "second"}
    assert set(Credential.objects.values_list("organisation", flat=True)) == {
        ORG
    }  # for the check that tells staff


# -- what an answer, or another key, ends ------------------------------------------------------------------


def open_rows():
    return {(row.credential, row.model) for row in Pause.objects.filter(closed_at=None)}


@pytest.mark.parametrize(("answers", "left"), [("m", set()), ("other", {("", "m")})])
def test_an_answer_ends_a_providers_pause_or_leaves_it_to_the_model_that_brought_it_about(
    clock, answers, left
):
    opened(Kind.PROVIDER_DOWN)
    (pause,) = snapshot.open_pauses()["p"]
    breaker.answered(replace(deployment(model=answers), probes=(pause,)))
    assert open_rows() == left
    breaker.answered(replace(deployment(model="m"), probes=tuple(snapshot.open_pauses().get("p", ()))))
    assert open_rows() == set()


def test_a_key_that_was_replaced_is_asked_again_and_no_other(clock, monkeypatch):
    provider = Provider.objects.create(slug="p", kind="openai", name="P")
    for label, secret in (("new", "another-key"), ("same", "x"), ("unread", "env:NO_SUCH_KEY")):
        Credential.objects.create(provider=provider, label=label, secret=secret)
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    for label in ("new", "same", "unread", "gone"):  # each refused as the key "x"
        assert opened(Kind.KEY_INVALID, at=deployment(key=label)).fingerprint
    assert breaker.forgive_replaced_keys() == 1
    assert open_rows() == {("same", ""), ("unread", ""), ("gone", "")}
    assert Pause.objects.get(credential="new").closed_by == "key replaced"
