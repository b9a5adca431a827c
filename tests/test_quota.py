"""Quotas and budgets: what has room is sent, what has none is not, whoever else is calling."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from llm.calls.deployment import Deployment
from llm.calls.spec import CallSpec
from llm.chain import AttemptStarted, ChainExhausted, Completed, complete, stream
from llm.configuration import snapshot
from llm.failures.kinds import Kind
from llm.ledger import counters
from llm.limits import quota
from llm.limits.headers import Observed
from llm.limits.quota import LedgerMeter
from llm.models import Attempt, Call, Model, Quota
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, SMALL, make_deepseek, make_groq, make_provider

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_waiting")]

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WANT = CallSpec(tokens_in=100, max_tokens=400)  # needs 500


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def limited(sim, *, keys=1, **limits):
    """The deployment of Groq's first key, whose model has these limits."""
    more = {name: limits.pop(name) for name in ("day_reset",) if name in limits}
    make_groq(sim, keys=keys, models=[{"name": OSS, **limits}], timeout_s=20, first_byte_s=10, **more)
    return first_deployment()


def first_deployment():
    provider = snapshot.providers()[0]
    return Deployment(provider, provider.keys[0], provider.models[0])


def used(deployment, *, ago=0.0, tokens=0, reserved=0, outcome="ok", free=True, cost=None, **fields):
    """An attempt of some worker that began `ago` seconds before now; in flight when `reserved` is given."""
    began = datetime.now(tz=UTC) - timedelta(seconds=ago)
    finished = (
        {} if reserved else {"finished_at": began, "outcome": outcome, "tokens_in": tokens, "cost_usd": cost}
    )
    names = {
        "provider": deployment.provider.slug, "credential": deployment.key.label, "account": deployment.key.account,
        "model": deployment.model.name, "tier": deployment.provider.tier,
    }  # fmt: skip
    call = Call.objects.create(started_at=began, deadline_s=45)
    counters.forget()  # the past does not change, but for us
    return Attempt.objects.create(
        **{
            "call": call,
            "started_at": began,
            "free": free,
            "reserved_tokens": reserved,
            **names,
            **finished,
            **fields,
        }
    )


def why(deployment, want=WANT):
    skipped = LedgerMeter(datetime.now(tz=UTC)).room(deployment, want)
    return skipped and skipped.why


# -- room --------------------------------------------------------------------------------------------------


def test_requests_of_the_minute(sim, clock):
    deployment = limited(sim, rpm=3)
    for ago in (50, 40):
        used(deployment, ago=ago)
    assert why(deployment) is None
    used(deployment, ago=30)
    skipped = LedgerMeter(NOW).room(deployment, WANT)
    assert (skipped.why, skipped.until) == ("quota of the minute", NOW + timedelta(seconds=10))
    clock.shift(11)
    assert why(deployment) is None


def test_tokens_of_the_minute_with_what_the_call_itself_may_use(sim, clock):
    deployment = limited(sim, tpm=1000)
    used(deployment, tokens=500)
    assert why(deployment) is None
    used(deployment, tokens=1)
    assert why(deployment) == "quota of the minute"


def test_requests_of_the_day(sim, clock):
    deployment = limited(sim, rpd=2)
    used(deployment, ago=3 * 3600)
    assert why(deployment) is None
    used(deployment, ago=2 * 3600)
    skipped = LedgerMeter(NOW).room(deployment, WANT)
    assert (skipped.why, skipped.until) == ("quota of the day", datetime(2026, 11, 24, tzinfo=UTC))


def test_tokens_of_the_day(sim, clock):
    deployment = limited(sim, tpd=10_000)
    used(deployment, ago=3600, tokens=9500)
    assert why(deployment) is None
    used(deployment, ago=3600, tokens=1)
    assert why(deployment) == "quota of the day"


def test_a_model_without_limits_always_has_room(sim, clock):
    deployment = limited(sim)
    for _ in range(3):
        used(deployment, reserved=10**6)
    assert why(deployment) is None


def test_hidden_reasoning_needs_room_too(sim, clock):
    assert why(limited(sim, tpm=1000, reasoning_reserve=500)) is None
    assert why(first_deployment(), CallSpec(tokens_in=300, max_tokens=400)) == "request above limit"


@pytest.mark.parametrize(
    ("day_reset", "counts", "does_not"),
    [
        ("utc", "2026-11-23 00:00", "2026-11-22 23:59"),
        ("pacific", "2026-11-23 08:00", "2026-11-23 07:59"),
        ("rolling", "2026-11-22 12:30", "2026-11-22 11:59"),
    ],
)
def test_the_day_begins_where_the_provider_says(sim, clock, day_reset, counts, does_not):
    deployment = limited(sim, rpd=1, day_reset=day_reset)
    ago = {name: NOW - datetime.fromisoformat(name).replace(tzinfo=UTC) for name in (counts, does_not)}
    used(deployment, ago=ago[does_not].total_seconds())
    assert why(deployment) is None
    used(deployment, ago=ago[counts].total_seconds())
    assert why(deployment) == "quota of the day"


def test_every_account_and_model_has_a_quota_of_its_own(sim, clock):
    make_provider(
        sim, "p", models=[{"name": "m", "rpm": 1}, {"name": "n", "rpm": 1}], free=True,
        keys={"a": "org", "b": "org", "c": ""},
    )  # fmt: skip
    (provider,) = snapshot.providers()
    a, b_, c = provider.keys
    m, n = provider.models
    used(Deployment(provider, a, m))
    assert why(Deployment(provider, b_, m)) == "quota of the minute"
    assert why(Deployment(provider, c, m)) is None
    assert why(Deployment(provider, a, n)) is None


# -- what counts -------------------------------------------------------------------------------------------


def test_a_call_in_flight_counts_with_what_it_reserved_until_it_ends(sim, clock):
    deployment = limited(sim, tpm=1000)
    row = used(deployment, ago=70, reserved=600)  # longer than the window
    assert why(deployment) == "quota of the minute"
    row.tokens_in, row.tokens_out, row.finished_at, row.outcome = 20, 30, datetime.now(tz=UTC), "ok"
    row.save()
    counters.forget()
    assert why(deployment) is None


def test_a_call_in_flight_counts_with_its_request(sim, clock):
    deployment = limited(sim, rpm=1)
    used(deployment, ago=70, reserved=1)
    assert why(deployment) == "quota of the minute"


@pytest.mark.parametrize("outcome", [*Kind, "ok", "cancelled", "abandoned"])
def test_what_a_provider_refuses_at_the_door_uses_nothing(sim, clock, outcome):
    counted = {
        "ok", "cancelled", Kind.CUT_SHORT, Kind.PROVIDER_DOWN, Kind.EMPTY_OUTPUT, Kind.REJECTED_OUTPUT,
        Kind.CONTENT_BLOCKED,
    }  # fmt: skip
    deployment = limited(sim, rpm=1)
    used(deployment, outcome=outcome)
    assert (why(deployment) == "quota of the minute") == (outcome in counted)


def looked_at(deployment, now):
    """What is used at a moment, as this process finds it."""
    return LedgerMeter(now).used(deployment)


def test_no_attempt_is_read_to_know_what_is_used(sim, clock):
    deployment = limited(sim, rpd=100, day_reset="utc")
    for minutes in range(600, 0, -10):
        used(deployment, ago=60 * minutes, tokens=10)
    assert looked_at(deployment, NOW).day_requests == 60
    assert complete(user="hi").provider == "groq1"
    with CaptureQueriesContext(connection) as asked:
        found = looked_at(first_deployment(), NOW)
    assert (found.day_requests, found.minute_requests) == (61, 1)
    assert not [query for query in asked.captured_queries if "llm_attempt" in query["sql"]]


def test_a_call_in_flight_counts_until_it_ends_and_then_with_what_it_used(sim, clock):
    deployment = limited(sim, rpd=100, tpd=100_000, day_reset="utc")
    running = stream(user="hi", max_tokens=900)
    next(running)
    reserved = Attempt.objects.get().reserved_tokens
    for minutes in (2, 4):
        clock.move_to(later := NOW + timedelta(minutes=minutes))
        found = looked_at(deployment, later)
        assert (found.minute_tokens, found.day_tokens) == (reserved, reserved)
    list(running)
    row = Attempt.objects.get()
    for minutes in (4.1, 5, 6, 7):
        clock.move_to(later := NOW + timedelta(minutes=minutes))
        assert looked_at(deployment, later).day_tokens == row.tokens_in + row.tokens_out < reserved
    assert looked_at(deployment, later).minute_tokens == 0


def test_the_end_of_a_day_is_not_counted_for_the_next(sim, clock):
    clock.move_to(midnight := datetime(2026, 11, 24, tzinfo=UTC))
    deployment = limited(sim, rpd=100, day_reset="utc")
    for ago in (600, 30, 3, -2, -4):
        used(deployment, ago=ago, tokens=10)
    for seconds in (5, 12, 40, 70, 300, 3600):
        clock.move_to(now := midnight + timedelta(seconds=seconds))
        assert looked_at(deployment, now).day_requests == 2


def test_what_has_lost_its_worker_stops_counting(sim, clock):
    deployment = limited(sim, tpm=1000)
    used(deployment, ago=601, reserved=600)
    assert why(deployment) is None


def test_a_request_above_the_limit_is_never_sent_by_any_key(sim):
    limited(sim, keys=3, tpm=1000)
    with pytest.raises(ChainExhausted) as caught:
        complete(user="four " * 1000, max_tokens=1000)
    assert {(s["credential"], s["why"], s["until"]) for s in caught.value.skipped} == {
        (f"groq{n}", "request above limit", None) for n in (1, 2, 3)
    }
    assert not sim.requests


def test_a_reservation_is_freed_when_the_call_ends(sim):
    limited(sim, tpm=1000)
    running = stream(user="hi", max_tokens=600)
    assert isinstance(next(running), AttemptStarted)
    with pytest.raises(ChainExhausted) as caught:
        complete(user="hi", max_tokens=600)
    assert [skip["why"] for skip in caught.value.skipped] == ["quota of the minute"]
    assert isinstance(list(running)[-1], Completed)
    assert complete(user="hi", max_tokens=600).provider == "groq1"


def test_a_reservation_is_freed_when_the_caller_leaves(sim):
    limited(sim, tpm=1000)
    running = stream(user="hi", max_tokens=600)
    next(running)
    running.close()
    assert complete(user="hi", max_tokens=600).provider == "groq1"


def test_a_full_account_gives_way_to_the_next_model_and_account(sim):
    make_groq(sim, keys=2, models=[{"name": OSS, "rpm": 1}, {"name": SMALL, "rpm": 1}])
    served = [(reply.provider, reply.model) for reply in (complete(user="hi") for _ in range(4))]
    assert served == [("groq1", OSS), ("groq1", SMALL), ("groq2", OSS), ("groq2", SMALL)]
    assert all(record.status == 200 for record in sim.requests)


def test_room_that_comes_back_in_a_moment_is_waited_for_rather_than_paying(sim, clock, monkeypatch):
    deployment = limited(sim, rpm=1)
    make_deepseek(sim)
    used(deployment, ago=57.5)
    waited = []
    monkeypatch.setattr(
        "llm.clock.sleep", lambda seconds: (waited.append(seconds), clock.shift(seconds + 0.001))
    )
    assert complete(user="hi").provider == "groq1"
    assert waited == [2.5]
    clock.shift(30)
    assert complete(user="hi").provider == "deepseek"  # 30 seconds are too long


# -- many at once ------------------------------------------------------------------------------------------


def in_threads(count, work):
    """The results of `count` calls of `work(n)` that start together; ChainExhausted becomes a result."""
    barrier = threading.Barrier(count)

    def run(n):
        try:
            barrier.wait(60)
            return work(n)
        except ChainExhausted as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def reserved_at_once(count, **arguments):
    """[(provider, how many)] of so many calls that begin together and are all in flight at the end."""

    def begin(n):
        events = stream(user="hi", **{name: value(n) for name, value in arguments.items()})
        assert isinstance(next(events), AttemptStarted)
        return events

    running = [found for found in in_threads(count, begin) if not isinstance(found, ChainExhausted)]
    rows = Counter(Attempt.objects.filter(finished_at=None).values_list("provider", flat=True))
    assert len(running) == rows.total()
    for events in running:
        events.close()
    return sorted(rows.items())


def test_of_twenty_threads_exactly_as_many_as_the_limit_allows_are_sent(sim):
    limited(sim, rpm=5)
    sim.limit("groq1", OSS, rpm=5)  # the provider would refuse a sixth
    found = in_threads(20, lambda n: complete(user="hi"))
    assert sim.count() == 5
    assert [record.status for record in sim.requests] == [200] * 5
    refused = [error for error in found if isinstance(error, ChainExhausted)]
    assert len(refused) == 15
    assert {skip["why"] for error in refused for skip in error.skipped} == {"quota of the minute"}
    assert all(error.attempts == [] for error in refused)


def test_of_twenty_threads_no_two_reserve_the_same_tokens(sim):
    limited(sim, tpm=2000)
    assert reserved_at_once(20, max_tokens=lambda n: 600) == [("groq", 3)]


def test_threads_spread_over_all_accounts_without_a_refusal(sim):
    make_groq(sim, keys=3, models=[{"name": OSS, "rpm": 2}], timeout_s=20)
    make_deepseek(sim, timeout_s=20)
    for n in (1, 2, 3):
        sim.limit(f"groq{n}", OSS, rpm=2)
    found = in_threads(10, lambda n: complete(user="hi").provider)
    assert sorted(found) == ["deepseek"] * 4 + ["groq1"] * 2 + ["groq2"] * 2 + ["groq3"] * 2
    assert all(record.status == 200 for record in sim.requests)


# -- learning ----------------------------------------------------------------------------------------------


def learn(deployment, *seen, now=None):
    meter = LedgerMeter(now or datetime.now(tz=UTC))
    row = Attempt(account=deployment.key.account, reserved_tokens=0)
    meter.learn(deployment, list(seen), row)
    return LedgerMeter(datetime.now(tz=UTC)).limits(deployment)


def test_an_unknown_limit_is_learned(sim, clock):
    deployment = limited(sim)
    assert learn(deployment, Observed("tpm", 6000), Observed("rpd", 250)) == {"tpm": 6000, "rpd": 250}


def test_a_configured_limit_is_lowered_to_what_the_provider_last_stated(sim, clock):
    deployment = limited(sim, tpm=8000, rpd=1000)
    assert learn(deployment, Observed("tpm", 30_000), Observed("rpd", 14_400)) == {"tpm": 8000, "rpd": 1000}
    assert not Quota.objects.exists()
    assert learn(deployment, Observed("tpm", 6000)) == {"tpm": 6000, "rpd": 1000}
    assert learn(deployment, Observed("tpm", 7000)) == {
        "tpm": 7000,
        "rpd": 1000,
    }  # the newest statement holds
    assert learn(deployment, Observed("tpm", 30_000)) == {
        "tpm": 8000,
        "rpd": 1000,
    }  # never above what staff allow


def test_of_several_statements_in_one_answer_the_lowest_counts(sim, clock):
    assert learn(limited(sim), Observed("tpm", 9000), Observed("tpm", 6000)) == {"tpm": 6000}


def test_a_limit_that_was_wrong_once_is_forgotten_after_a_day(sim, clock):
    deployment = limited(sim, tpm=8000)
    assert learn(deployment, Observed("tpm", 100)) == {"tpm": 100}
    assert why(deployment, CallSpec(tokens_in=0, max_tokens=1000)) == "request above limit"
    clock.shift(timedelta(hours=23))
    assert LedgerMeter(datetime.now(tz=UTC)).limits(deployment) == {"tpm": 100}
    clock.shift(timedelta(hours=2))
    assert LedgerMeter(datetime.now(tz=UTC)).limits(deployment) == {"tpm": 8000}
    assert why(deployment, CallSpec(tokens_in=0, max_tokens=1000)) is None


def test_a_limit_that_is_stated_again_and_again_stays(sim, clock):
    deployment = limited(sim)
    for _ in range(30):
        assert learn(deployment, Observed("tpm", 6000)) == {"tpm": 6000}
        clock.shift(timedelta(hours=2))
    assert LedgerMeter(datetime.now(tz=UTC)).limits(deployment) == {"tpm": 6000}


def test_what_every_answer_states_is_not_written_with_every_answer(sim, clock, django_assert_num_queries):
    deployment = limited(sim)
    learn(deployment, Observed("tpm", 6000))
    meter = LedgerMeter(datetime.now(tz=UTC))
    with django_assert_num_queries(0):
        meter.learn(deployment, [Observed("tpm", 6000)], Attempt(reserved_tokens=0))


def test_what_staff_configure_later_holds_until_the_provider_states_another_limit(sim, clock):
    deployment = limited(sim, tpm=8000)
    assert learn(deployment, Observed("tpm", 100)) == {"tpm": 100}
    clock.shift(60)
    row = Model.objects.get()
    row.tpm = 12_000
    row.save()
    provider = snapshot.providers()[0]
    edited = Deployment(provider, provider.keys[0], provider.models[0])
    assert LedgerMeter(datetime.now(tz=UTC)).limits(edited) == {"tpm": 12_000}
    clock.shift(60)
    assert learn(edited, Observed("tpm", 9000)) == {"tpm": 9000}


def test_what_staff_enter_for_an_account_holds_whatever_is_stated(sim, clock):
    deployment = limited(sim, tpm=8000)
    learn(deployment, Observed("tpm", 100))
    Quota.objects.update(tpm=20_000, by_staff=True)
    assert learn(deployment, Observed("tpm", 50), Observed("rpd", 10)) == {"tpm": 20_000}
    clock.shift(timedelta(days=30))
    assert LedgerMeter(datetime.now(tz=UTC)).limits(deployment) == {"tpm": 20_000}


def test_one_wrong_header_does_not_shut_a_model_for_ever(sim, monkeypatch):
    make_groq(sim, keys=1, models=[{"name": OSS, "tpm": 8000}], timeout_s=20)
    wrong = {
        "x-ratelimit-limit-tokens": "100",
        "x-ratelimit-remaining-tokens": "90",
        "x-ratelimit-reset-tokens": "1s",
    }
    sim.script(
        "key-of-groq1",
        b.http(429, {"error": {"message": "slow down"}}, {**wrong, "retry-after": "1"}),
        b.ok(),
    )
    with pytest.raises(ChainExhausted):
        complete(user="hi", max_tokens=1000)
    assert Quota.objects.get().tpm == 100
    later = datetime.now(tz=UTC) + timedelta(hours=25)
    with time_machine.travel(later, tick=True):
        assert complete(user="hi", max_tokens=1000).provider == "groq1"


def test_a_limit_of_nothing_is_no_limit_to_learn(sim, clock):
    assert learn(limited(sim, rpm=30), Observed("rpm", 0)) == {"rpm": 30}


def test_a_lesson_is_of_one_account_and_model(sim, clock):
    make_groq(sim, keys=2)
    provider = snapshot.providers()[0]
    one, two = (Deployment(provider, key, provider.models[0]) for key in provider.keys)
    learn(one, Observed("rpm", 3))
    assert LedgerMeter(NOW).limits(two) == {}


def test_tokens_that_others_of_the_account_use_take_room_until_the_reset(sim, clock):
    deployment = limited(sim, tpm=10_000)
    used(deployment, tokens=2000)
    learn(deployment, Observed("tpm", 10_000, used=9000, reset=20))
    assert Quota.objects.get().foreign_tokens == 7000
    assert why(deployment, CallSpec(tokens_in=0, max_tokens=1000)) is None
    assert why(deployment, CallSpec(tokens_in=1, max_tokens=1000)) == "quota of the minute"
    clock.shift(21)
    assert why(deployment, CallSpec(tokens_in=1, max_tokens=1000)) is None


def test_a_small_difference_is_nobody_elses(sim, clock):
    deployment = limited(sim, tpm=10_000)
    used(deployment, tokens=2000)
    learn(deployment, Observed("tpm", 10_000, used=2900, reset=20))
    assert not Quota.objects.exists()


def test_our_own_calls_are_not_taken_for_somebody_elses(sim):
    make_groq(sim, keys=1, models=[{"name": OSS, "tpm": 5000}])
    sim.limit("groq1", OSS, tpm=5000, rpd=1000)
    for _ in range(3):
        complete(user="hi", max_tokens=1000)
    assert not Quota.objects.filter(foreign_tokens__gt=0).exists()


def test_a_refusal_teaches_the_limit_that_it_names(sim):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.payload("groq-429-tpm-1"))  # Limit 12000
    with pytest.raises(ChainExhausted):
        complete(user="hi")
    assert Quota.objects.get().tpm == 12_000


# -- money -------------------------------------------------------------------------------------------------

DOLLAR = {"name": "m", "price_in": Decimal(0), "price_out": Decimal(1000)}  # a thousand tokens of output


def paid(sim, slug="paid", **fields):
    return make_provider(sim, slug, models=[DOLLAR], keys={slug: ""}, **fields)


def test_a_budget_counts_the_worst_case_of_calls_in_flight(sim):
    paid(sim, daily_budget_usd=Decimal("2.5"))
    running = [stream(user="hi", max_tokens=1000) for _ in range(2)]
    for events in running:
        next(events)
    with pytest.raises(ChainExhausted) as caught:
        complete(user="hi", max_tokens=1000)
    assert [skip["why"] for skip in caught.value.skipped] == ["daily budget spent"]
    for events in running:
        list(events)
    assert complete(user="hi", max_tokens=1000).provider == "paid"  # they cost far less than they might have


def test_a_budget_is_never_exceeded_by_callers_at_once(sim):
    paid(sim, daily_budget_usd=Decimal("3.5"))
    assert reserved_at_once(12, max_tokens=lambda n: 1000) == [("paid", 3)]


def test_the_sites_budget_is_never_exceeded_by_callers_of_two_providers(sim, settings):
    settings.LLM_DAILY_BUDGET_USD = "3.5"
    paid(sim, "one", daily_budget_usd=Decimal(2))
    paid(sim, "two")
    assert reserved_at_once(12, max_tokens=lambda n: 1000) == [("one", 2), ("two", 1)]
    Attempt.objects.update(outcome="ok", cost_usd=Decimal(1))
    counters.forget()
    with pytest.raises(ChainExhausted) as caught:
        complete(user="hi", max_tokens=1000)
    assert {(skip["provider"], skip["why"]) for skip in caught.value.skipped} == {
        ("one", "daily budget spent"),
        ("two", "daily budget of the site spent"),
    }


def test_the_sites_budget_holds_when_providers_are_asked_side_by_side(sim, settings):
    settings.LLM_DAILY_BUDGET_USD = "1.5"
    slugs = ["one", "two", "three", "four"]
    for slug in slugs:
        paid(sim, slug)
    found = reserved_at_once(16, max_tokens=lambda n: 1000, providers=lambda n: [slugs[n % 4]])
    assert [count for _, count in found] == [1]


def test_what_was_billed_counts_however_it_ended(sim, clock):
    paid(sim, daily_budget_usd=Decimal("1.5"))
    deployment = first_deployment()
    used(deployment, free=False, outcome=Kind.EMPTY_OUTPUT, cost=Decimal("0.4"))
    assert LedgerMeter(NOW).spent_today("paid") == Decimal("0.4")
    used(deployment, free=False, outcome="cancelled", cost=Decimal("0.2"))
    with pytest.raises(ChainExhausted):
        complete(user="hi", max_tokens=1000)


def test_a_budget_starts_anew_at_midnight_utc(sim, clock):
    paid(sim, daily_budget_usd=Decimal(1), day_reset="pacific")
    used(first_deployment(), free=False, cost=Decimal(1))
    clock.move_to(datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC))
    with pytest.raises(ChainExhausted):
        complete(user="hi", max_tokens=100)
    clock.move_to(datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC))
    assert complete(user="hi", max_tokens=100).provider == "paid"


def test_free_calls_spend_no_budget(sim, clock):
    make_groq(sim, keys=1)
    used(first_deployment(), cost=Decimal(0))
    assert LedgerMeter(NOW).spent_today("") == 0


def test_a_trial_credit_is_counted_over_all_days(sim, clock):
    paid(sim, credit_usd=Decimal(5))
    used(first_deployment(), ago=40 * 86400, free=False, cost=Decimal("4.5"))
    assert complete(user="hi", max_tokens=500).provider == "paid"
    with pytest.raises(ChainExhausted) as caught:
        complete(user="hi", max_tokens=500)
    assert [skip["why"] for skip in caught.value.skipped] == ["trial credit is spent"]


def test_a_spent_provider_gives_way_to_the_next_and_the_reply_says_so(sim, clock):
    paid(sim, daily_budget_usd=Decimal("0.5"))
    make_deepseek(sim)
    reply = complete(user="hi", max_tokens=1000)
    assert reply.provider == "deepseek"
    assert ("paid", "daily budget spent") in {(skip["provider"], skip["why"]) for skip in reply.skipped}


def test_what_a_call_reserves_is_its_input_and_all_it_may_write(sim, clock):
    deployment = limited(sim, reasoning_reserve=50)
    assert quota.reserved_tokens(deployment, WANT) == 550


# -- cached tokens -----------------------------------------------------------------------------------------
def long_prompt(turn):
    return [
        {"role": "system", "content": "some words " * 1_000},
        {"role": "user", "content": f"Turn {turn}."},
    ]


@pytest.mark.parametrize(("kind", "turns"), [("groq", 4), ("openai", 2)])
def test_cached_tokens_are_given_back_where_the_provider_does_not_count_them(sim, kind, turns):
    """Groq: https://console.groq.com/docs/prompt-caching. Its stand-in enforces the same rule."""
    sim.cache_prompts()
    models = [{"name": OSS, "tpm": 8_000}]
    make_provider(
        sim, kind, kind=kind, models=models, keys={"one": ""}, free=True, timeout_s=20, first_byte_s=10
    )
    sim.limit("key-of-one", OSS, tpm=8_000)
    for turn in range(turns):
        complete(messages=long_prompt(turn), max_tokens=300)
    if kind == "openai":
        with pytest.raises(ChainExhausted) as full:
            complete(messages=long_prompt(turns), max_tokens=300, deadline_s=2)
        assert {skip["why"] for skip in full.value.skipped} == {"quota of the minute"}
    assert {record.status for record in sim.requests} == {200}
    assert len(sim.requests) == turns
    cached = sum(attempt.tokens_cached for attempt in Attempt.objects.all())
    counted = sum(record.prompt_tokens + record.completion_tokens for record in sim.requests)
    assert cached > 2_000 * (turns - 1)
    expected = counted - cached if kind == "groq" else counted
    for _ in ("as counted", "as made anew from the ledger"):
        snapshot.forget()
        assert LedgerMeter(datetime.now(tz=UTC)).used(first_deployment()).minute_tokens == expected
        counters.forget()
