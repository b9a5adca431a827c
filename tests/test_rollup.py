"""Kept sums are the sums: of each hour and day, at any time of the day, whoever looks first."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from llm.calls.deployment import Deployment
from llm.configuration.snapshot import KeyConf
from llm.models import Attempt, Call, Credential, Provider, Rollup
from llm.pauses import breaker
from llm.status import usage
from llm.storage import rollup

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def attempt(at, outcome="ok", **fields):
    call = Call.objects.create(started_at=at, deadline_s=45)
    values = {
        "call": call, "provider": "groq", "credential": "groq1", "account": "groq1", "model": "m", "free": False,
        "tier": Decimal(1), "started_at": at, "finished_at": at, "outcome": outcome, "tokens_in": 10, "tokens_out": 5,
        "cost_usd": Decimal("0.000003"),
    }  # fmt: skip
    return Attempt.objects.create(**(values | fields))


def numbers(sums):
    return {day: sum(line.number for line in usage.tried(lines)) for day, lines in sums.days.items() if lines}


def test_days_hold_what_began_in_them_and_nothing_older():
    for back in (0, 1, 5, 29, 30):
        attempt(NOON - timedelta(days=back))
    sums = rollup.read(usage.ATTEMPTS, NOON)
    assert numbers(sums) == {(NOON - timedelta(days=back)).date(): 1 for back in (29, 5, 1, 0)}
    assert len(sums.days) == 30


@pytest.mark.parametrize("minutes", [0, 5, 15, 65, 12 * 60, 23 * 60 + 59])
def test_at_every_time_of_the_day_each_attempt_counts_once(minutes):
    now = NOON.replace(hour=0, minute=0) + timedelta(minutes=minutes)
    for back in range(0, 72 * 60, 50):
        attempt(now - timedelta(minutes=back, seconds=1))
    expected = {}
    for at in Attempt.objects.values_list("started_at", flat=True):
        expected[at.date()] = expected.get(at.date(), 0) + 1
    assert numbers(rollup.read(usage.ATTEMPTS, now)) == expected
    assert numbers(rollup.read(usage.ATTEMPTS, now)) == expected  # from what the first look kept


def test_what_ended_lately_is_read_anew():
    rollup.read(usage.ATTEMPTS, NOON)
    late = attempt(NOON - timedelta(minutes=31))  # the hour before is over for 30 minutes: kept
    assert numbers(rollup.read(usage.ATTEMPTS, NOON)) == {}
    attempt(NOON)
    assert numbers(rollup.read(usage.ATTEMPTS, NOON)) == {NOON.date(): 1}
    late.delete()


def test_a_kept_day_outlives_its_rows():
    attempt(NOON - timedelta(days=3))
    rollup.read(usage.ATTEMPTS, NOON)
    Attempt.objects.all().delete()
    assert sum(numbers(rollup.read(usage.ATTEMPTS, NOON)).values()) == 1


def test_thrown_away_sums_are_made_again():
    attempt(NOON - timedelta(days=3))
    before = rollup.read(usage.ATTEMPTS, NOON)
    Rollup.objects.all().delete()
    assert rollup.read(usage.ATTEMPTS, NOON) == before


def test_two_workers_may_keep_the_same_period(monkeypatch):
    attempt(NOON - timedelta(days=3))
    real = rollup._keep

    def twice(*args, **kwargs):
        real(*args, **kwargs)
        return real(*args, **kwargs)

    monkeypatch.setattr(rollup, "_keep", twice)
    assert sum(numbers(rollup.read(usage.ATTEMPTS, NOON)).values()) == 1
    assert Rollup.objects.filter(grain="day").count() == 29


def test_a_second_look_asks_two_or_three_questions():
    attempt(NOON)
    rollup.read(usage.ATTEMPTS, NOON)
    with CaptureQueriesContext(connection) as asked:
        rollup.read(usage.ATTEMPTS, NOON)
    assert len(asked) == 2


def test_hours_that_nobody_needs_are_dropped():
    rollup.read(usage.ATTEMPTS, NOON)
    rollup.read(usage.ATTEMPTS, NOON + timedelta(days=3))
    assert Rollup.objects.filter(grain="hour", start__lt=NOON + timedelta(days=1)).count() == 0


def test_a_learned_organisation_moves_the_hours_too():
    provider = Provider.objects.create(slug="groq", kind="groq", name="Groq")
    Credential.objects.create(provider=provider, label="groq1", secret="k")
    now = datetime.now(UTC)
    attempt(now - timedelta(hours=3))
    rollup.read(usage.ATTEMPTS, now)

    class Known:
        slug = "groq"

    breaker.learn_organisation(Deployment(Known, KeyConf("groq1", "groq1", "k"), None), "org_x")
    hours = [line for lines in rollup.read(usage.ATTEMPTS, now).hours.values() for line in usage.tried(lines)]
    assert {line.account for line in hours} == {"org_x"}


def test_money_is_exact_and_failures_are_counted_by_kind():
    attempt(NOON)
    attempt(NOON, "provider_down", cost_usd=Decimal("0.000001"))
    attempt(NOON, "cancelled", cost_usd=None)
    lines = usage.tried(rollup.read(usage.ATTEMPTS, NOON).today)
    assert usage.cost(lines) == Decimal("0.000004")
    assert usage.failures(lines) == {"provider_down": 1}


def test_percentiles_are_right_within_nine_percent():
    values = [50 + 37 * n for n in range(400)]
    for ms in values:
        Call.objects.create(started_at=NOON, deadline_s=45, outcome="ok", latency_ms=ms)
    Call.objects.create(started_at=NOON, deadline_s=45, outcome="ok", latency_ms=1, cached=True)
    Call.objects.create(started_at=NOON, deadline_s=45, outcome="exhausted", latency_ms=90_000)
    lines = usage.called(rollup.read(usage.CALLS, NOON).today)
    for share in (0.5, 0.95):
        exact = values[int(share * len(values)) - 1] / 1000
        assert usage.latency_s(lines, share) == pytest.approx(exact, rel=0.1)
    assert usage.latency_s([], 0.5) is None
