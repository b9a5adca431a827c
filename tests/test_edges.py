"""A blocked provider's edge is asked without a key; a long block demotes the provider until it opens."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from llm.chain import complete
from llm.configuration import snapshot
from llm.failures.kinds import Kind
from llm.models import Attempt, Notice, Pause
from llm.pauses import breaker, probes
from llm.simulator import behaviours as b
from tests.chain_setup import make_deepseek, make_groq, make_provider, make_vertex

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def _no_chance(monkeypatch):
    monkeypatch.setattr("llm.clock.sleep", lambda seconds: None)
    monkeypatch.setattr(breaker.random, "uniform", lambda low, high: 1.0)


def groq():
    return next(provider for provider in snapshot.providers() if provider.slug == "groq")


def blocked(sim, slug="groq", *, ago, ended=1):
    """A block that began so long ago and has had its time."""
    now = datetime.now(tz=UTC)
    return Pause.objects.create(
        provider=slug,
        kind=Kind.BLOCKED_PROVIDER,
        source="guess",
        since=now - ago,
        until=now - timedelta(seconds=ended),
    )


# -- the question itself -----------------------------------------------------------------------------------


def test_an_edge_that_asks_for_a_key_is_open(sim):
    make_groq(sim, keys=1)
    assert probes.probe(groq()) is None
    (asked,) = sim.requests
    assert (asked.endpoint, asked.credential, asked.status) == ("models", "", 401)
    assert "authorization" not in asked.headers
    assert asked.user_agent.startswith("GuardLabs/")


def test_an_edge_that_needs_no_key_is_open(sim):
    make_provider(sim, "ollama", models=["llama"], keys={}, free=True, keyless=True)
    assert probes.probe(snapshot.providers()[0]) is None
    assert sim.requests[0].status == 200


@pytest.mark.parametrize("payload", ["cf-1010-plain", "cf-1010-json", "cf-1010-html", "cf-blocked-html"])
def test_an_edge_with_cloudflares_marks_is_still_blocked(sim, payload):
    make_groq(sim, keys=1)
    sim.block_edge("groq", payload)
    assert probes.probe(groq()).kind == Kind.BLOCKED_PROVIDER


def test_an_edge_that_is_down_or_silent_is_not_open(sim):
    make_groq(sim, keys=1)
    sim.block_edge("groq", "groq-503-over-capacity")
    assert probes.probe(groq()).kind == Kind.PROVIDER_DOWN
    sim.unblock_edge("groq")
    sim.keyless = frozenset({"groq"})
    sim.script("", b.hang(), endpoint="models")
    failure = probes.probe(groq(), timeout_s=0.2)
    assert (failure.kind, failure.silent) == (Kind.PROVIDER_DOWN, True)


# -- in the background -------------------------------------------------------------------------------------


def test_an_open_edge_closes_the_block_and_serves_the_next_call(sim, clock):
    make_groq(sim, keys=2)
    make_deepseek(sim)
    sim.block_edge("groq")
    assert complete(user="hi").provider == "deepseek"
    sim.unblock_edge("groq")
    clock.shift(200)
    assert probes.run_due() == 0
    assert complete(user="hi").provider == "deepseek"
    assert sim.count(endpoint="models") == 0  # not before its time, and never within a call
    clock.shift(95)
    assert probes.run_due() == 1
    assert complete(user="hi").provider == "groq1"
    assert (sim.count(endpoint="models"), sim.count(provider="groq")) == (1, 2)
    row = Pause.objects.get()
    assert (row.closed_by, row.closed_at) == ("edge probe", datetime.now(tz=UTC))
    assert "groq: lets us through again, back in its place" in Notice.objects.values_list(
        "subject", flat=True
    )


def test_an_edge_that_is_still_shut_lengthens_the_block_and_costs_no_attempt(sim, clock):
    make_groq(sim, keys=5)
    make_deepseek(sim)
    sim.block_edge("groq")
    complete(user="hi")
    for streak, wait in ((2, 600), (3, 1200), (4, 2400)):
        clock.move_to(Pause.objects.get().until - timedelta(seconds=2))
        probes.run_due()
        reply = complete(user="hi")
        assert [attempt["credential"] for attempt in reply.attempts] == ["deepseek"]
        row = Pause.objects.get()
        assert (row.streak, row.until - datetime.now(tz=UTC)) == (streak, timedelta(seconds=wait))
        assert sim.count(provider="groq", endpoint="models") == streak - 1
    assert Attempt.objects.filter(provider="groq").count() == 1
    assert sim.count(provider="groq") == 1
    assert all(r.credential == "" for r in sim.requests if r.endpoint == "models")


def test_a_block_that_ends_early_is_noticed_within_minutes(sim, clock):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    row = blocked(sim, ago=timedelta(hours=20), ended=-5 * 3600)
    assert probes.run_due() == 1
    row.refresh_from_db()
    assert row.closed_by == "edge probe"
    sim.block_edge("groq")
    blocked(sim, ago=timedelta(hours=20), ended=-5 * 3600)
    for minute in range(1, 61):
        clock.shift(60)
        probes.run_due()
        if minute == 50:
            sim.unblock_edge("groq")
    assert not Pause.objects.filter(closed_at=None).exists()
    assert 9 <= sim.count(endpoint="models") <= 13


@pytest.mark.parametrize("kind", [Kind.BLOCKED_PROVIDER, Kind.PROVIDER_DOWN])
def test_a_time_that_was_stated_and_staffs_own_are_not_probed(sim, clock, kind):
    make_groq(sim, keys=1)
    for source in ("provider", "staff"):
        row = blocked(sim, ago=timedelta(hours=1), ended=-3)
        Pause.objects.filter(pk=row.pk).update(source=source, kind=kind)
        clock.shift(600)
        assert probes.run_due() == 0
        row.delete()
    assert sim.requests == []


def test_a_provider_that_is_down_comes_back_before_a_call_has_to_find_out(sim, clock):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.block_edge("groq", "groq-503-over-capacity")
    down(sim)
    for _ in range(20):  # 80 seconds
        clock.shift(4)
        probes.run_due()
        assert complete(user="hi").provider == "deepseek"
    assert sim.count(provider="groq") == 0
    sim.unblock_edge("groq")
    for _ in range(4):
        clock.shift(4)
        probes.run_due()
    assert complete(user="hi").provider == "groq1"


def test_that_models_are_listed_does_not_end_a_silence(sim, clock):
    make_groq(sim, keys=1)
    row = down(sim, silent=True)
    for _ in range(5):
        clock.shift(4)
        assert probes.run_due() == 0
    row.refresh_from_db()
    assert (row.closed_at, row.probe_until) == (None, None)
    assert complete(user="hi").provider == "groq1"  # one call tests it


def down(sim, **fields):
    now = datetime.now(tz=UTC)
    return Pause.objects.create(
        provider="groq",
        kind=Kind.PROVIDER_DOWN,
        source="guess",
        since=now,
        until=now + timedelta(seconds=15),
        **fields,
    )


def test_what_speaks_of_a_model_or_a_key_is_not_asked_at_the_edge(sim, clock):
    make_groq(sim, keys=1)
    for scope in ({"model": "m"}, {"credential": "groq1"}, {"account": "groq1"}):
        row = down(sim, **scope)
        clock.shift(400)
        assert probes.run_due() == 0
        row.delete()
    assert sim.requests == []


def test_vertex_has_no_edge_to_ask_and_is_tried_by_one_call(sim, tmp_path, clock):
    make_vertex(sim, tmp_path, locations=["global"])
    row = blocked(sim, "vertex", ago=timedelta(hours=1))
    assert complete(user="hi").provider == "vertex:global"
    row.refresh_from_db()
    assert row.closed_by == "answered again"
    assert sim.count(endpoint="models") == 0


def test_googles_front_is_asked_without_a_key(sim, tmp_path, clock):
    make_vertex(sim, tmp_path, locations=["eu"])
    now = datetime.now(tz=UTC)
    row = Pause.objects.create(
        provider="vertex", location="eu", kind=Kind.PROVIDER_DOWN, source="guess", since=now,
        until=now + timedelta(seconds=5),
    )  # fmt: skip
    assert probes.run_due() == 1
    row.refresh_from_db()
    assert row.closed_by == "edge probe"
    assert all("authorization" not in request.headers for request in sim.requests)


def test_of_many_processes_one_asks_at_the_edge(sim):
    make_groq(sim, keys=1, timeout_s=20)
    sim.block_edge("groq")
    blocked(sim, ago=timedelta(hours=1))
    snapshot.providers()
    barrier = threading.Barrier(6)

    def look(n):
        try:
            barrier.wait(60)
            return probes.run_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(look, range(6))) == [0] * 6
    assert sim.count(provider="groq", endpoint="models") == 1


def test_a_call_asks_no_edge(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    blocked(sim, ago=timedelta(hours=1))
    assert complete(user="hi").provider == "groq1"  # its pause is over: one call tests it
    assert sim.count(endpoint="models") == 0


# -- rank --------------------------------------------------------------------------------------------------


def three_tiers(sim, **fields):
    make_groq(sim, keys=1, **fields)
    make_provider(sim, "openrouter", models=["m"], keys={"openrouter": ""}, free=True, tier="1.5")
    make_deepseek(sim)


def order():
    from llm.pauses.demotion import in_order

    current = datetime.now(tz=UTC)
    return [p.slug for p in in_order(snapshot.providers(), snapshot.open_pauses(), current)]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(23.9, ["groq", "openrouter", "deepseek"]), (24.1, ["openrouter", "groq", "deepseek"])],
)
def test_a_block_that_lasts_demotes_behind_the_next_healthy_tier(sim, clock, hours, expected):
    three_tiers(sim)
    blocked(sim, ago=timedelta(hours=hours))
    assert order() == expected


def test_staff_choose_after_how_long(sim, clock):
    three_tiers(sim, demote_after_h=2)
    blocked(sim, ago=timedelta(hours=3))
    assert order()[0] == "openrouter"


def test_the_next_tier_that_is_blocked_for_long_itself_is_passed_over(sim, clock):
    three_tiers(sim)
    for slug in ("groq", "openrouter"):
        blocked(sim, slug, ago=timedelta(hours=30))
    assert order()[0] == "deepseek"


def test_demotion_is_told_once_and_ends_with_the_first_good_probe(sim, clock):
    three_tiers(sim)
    sim.block_edge("groq")
    assert complete(user="hi").provider == "openrouter"
    for _ in range(20):  # blocked for a day and more
        clock.move_to(max(Pause.objects.get().until - timedelta(seconds=1), datetime.now(tz=UTC)))
        probes.run_due()
        complete(user="hi")
        clock.shift(3600)
    assert order() == ["openrouter", "groq", "deepseek"]
    demoted = Notice.objects.filter(kind="demoted")
    days = (datetime.now(tz=UTC) - NOW).days
    assert 1 <= demoted.count() <= days
    assert demoted.first().subject == "groq: blocked for over 24 hours, ranked below the next tier"
    sim.unblock_edge("groq")
    clock.shift(600)
    probes.run_due()
    assert complete(user="hi").provider == "groq1"
    assert order() == ["groq", "openrouter", "deepseek"]
    assert Attempt.objects.filter(provider="groq").count() == 2  # the first failure, and the answer
    assert Notice.objects.filter(kind="unblocked").count() == 1


def test_being_down_for_long_does_not_demote(sim, clock):
    three_tiers(sim)
    row = blocked(sim, ago=timedelta(hours=48))
    Pause.objects.filter(pk=row.pk).update(kind=Kind.PROVIDER_DOWN)
    assert order()[0] == "groq"


def test_a_block_is_as_old_as_the_block_not_as_what_went_before(sim, clock):
    three_tiers(sim)
    row = blocked(sim, ago=timedelta(hours=48))
    Pause.objects.filter(pk=row.pk).update(kind=Kind.PROVIDER_DOWN)
    sim.block_edge("groq")
    assert complete(user="hi").provider == "openrouter"
    assert Pause.objects.get().kind == Kind.BLOCKED_PROVIDER
    assert order()[0] == "groq"
