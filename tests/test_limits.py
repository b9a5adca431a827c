"""Limits of every shape: who shares them, which windows they count, in which unit, and that counters are the ledger."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from llm import windows
from llm.calls.deployment import Deployment
from llm.calls.spec import CallSpec
from llm.chain import AttemptStarted, ChainExhausted, complete, stream
from llm.configuration import file as config
from llm.configuration import snapshot
from llm.ledger import bookkeeper, counters
from llm.ledger.tally import Tally
from llm.limits.left import quota_left
from llm.limits.quota import LedgerMeter
from llm.models import Attempt, Call, Limit, Meter, Provider
from llm.storage.transactions import write_transaction
from tests.chain_setup import make_provider

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
WANT = CallSpec(tokens_in=100, max_tokens=400)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def door(sim, *limits, models=("m",), keys=("k",), **fields):
    """A free provider with these limits (fields of Limit), and its deployments by (key, model)."""
    make_provider(sim, "p", models=list(models), keys=dict.fromkeys(keys, ""), free=True, **fields)
    row = Provider.objects.get(slug="p")
    for limit in limits:
        Limit.objects.create(provider=row, **limit)
    (provider,) = snapshot.providers()
    return {
        (key.label, model.name): Deployment(provider, key, model)
        for key in provider.keys
        for model in provider.models
    }


def used(deployment, *, ago=0.0, tokens_in=0, tokens_out=0, outcome="ok"):
    """A finished attempt that began so many seconds ago; counters are made anew from it."""
    began = datetime.now(tz=UTC) - timedelta(seconds=ago)
    call = Call.objects.create(started_at=began, deadline_s=45)
    Attempt.objects.create(
        call=call, provider="p", credential=deployment.key.label, account=deployment.key.account,
        model=deployment.model.name, tier=1, free=True, started_at=began, finished_at=began, outcome=outcome,
        tokens_in=tokens_in, tokens_out=tokens_out,
    )  # fmt: skip
    counters.forget()


def skipped(deployment, want=WANT):
    return LedgerMeter(datetime.now(tz=UTC)).room(deployment, want)


def why(deployment, want=WANT):
    found = skipped(deployment, want)
    return found and found.why


# -- who shares a limit ----------------------------------------------------------------------------------


def test_a_limit_of_the_model_is_of_each_account_and_model(sim, clock):
    doors = door(sim, {"scope": "model", "per": "hour", "amount": 1}, models=("m", "n"), keys=("k", "l"))
    used(doors["k", "m"], ago=60)
    assert {name for name, each in doors.items() if why(each)} == {("k", "m")}


def test_a_limit_of_the_account_is_shared_by_its_models(sim, clock):
    doors = door(sim, {"scope": "account", "per": "day", "amount": 2}, models=("m", "n"), keys=("k", "l"))
    used(doors["k", "m"], ago=60)
    assert not any(why(each) for each in doors.values())
    used(doors["k", "n"], ago=60)
    assert {name for name, each in doors.items() if why(each)} == {("k", "m"), ("k", "n")}


def test_a_limit_of_the_provider_is_shared_by_all_accounts(sim, clock):
    doors = door(sim, {"scope": "provider", "per": "hour", "amount": 2}, keys=("k", "l"))
    for each in doors.values():
        used(each, ago=60)
    assert {why(each) for each in doors.values()} == {"quota of the hour"}


def test_a_limit_is_about_the_models_that_its_patterns_name(sim, clock):
    doors = door(
        sim, {"scope": "account", "patterns": ["*:free"], "per": "day", "amount": 1},
        models=("a:free", "b:free", "c"),
    )  # fmt: skip
    used(doors["k", "c"])
    assert why(doors["k", "a:free"]) is None
    used(doors["k", "a:free"])
    assert why(doors["k", "b:free"]) == "quota of the day"
    assert why(doors["k", "c"]) is None


def test_what_a_model_used_that_is_no_longer_configured_counts_for_its_account(sim, clock):
    doors = door(sim, {"scope": "account", "per": "day", "amount": 1}, models=("m", "n"))
    used(doors["k", "n"])
    Provider.objects.get().models.filter(name="n").delete()
    (provider,) = snapshot.providers()
    assert why(Deployment(provider, provider.keys[0], provider.models[0])) == "quota of the day"


def test_all_limits_that_match_hold_and_the_longest_wait_is_told(sim, clock):
    doors = door(
        sim,
        {"scope": "model", "per": "minute", "amount": 1},
        {"scope": "account", "per": "month", "amount": 1},
    )
    used(doors["k", "m"])
    found = skipped(doors["k", "m"])
    assert (found.why, found.until) == ("quota of the month", datetime(2026, 12, 1, tzinfo=UTC))


# -- windows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("per", "inside", "outside"),
    [
        ("second", 0.9, 1.1),
        ("minute", 59, 61),
        ("hour", 3590, 3610),
        ("day", 12 * 3600 - 1, 12 * 3600 + 1),  # since midnight
        ("week", 12 * 3600 - 1, 12 * 3600 + 1),  # since Monday
        ("month", 22.5 * 86400 - 1, 22.5 * 86400 + 1),  # since the first
    ],
)
def test_what_was_used_in_the_window_counts(sim, clock, per, inside, outside):
    doors = door(sim, {"per": per, "amount": 1}, day_reset="utc")
    used(doors["k", "m"], ago=outside)
    assert why(doors["k", "m"]) is None
    used(doors["k", "m"], ago=inside)
    assert why(doors["k", "m"]) == f"quota of the {per}"


@pytest.mark.parametrize(("per", "days"), [("day", 1), ("week", 7), ("month", 31)])
def test_a_window_may_roll(sim, clock, per, days):
    doors = door(sim, {"per": per, "amount": 1}, day_reset="rolling")
    used(doors["k", "m"], ago=days * 86400 - 60)
    found = skipped(doors["k", "m"])
    assert (found.why, found.until) == (f"quota of the {per}", NOW + timedelta(seconds=60))
    clock.shift(61)
    assert why(doors["k", "m"]) is None


def test_a_month_begins_where_the_provider_is(sim, clock):
    doors = door(sim, {"per": "month", "amount": 1}, day_reset="pacific")
    clock.move_to(datetime(2026, 12, 1, 7, 59, tzinfo=UTC))
    used(doors["k", "m"])
    assert skipped(doors["k", "m"]).until == datetime(2026, 12, 1, 8, tzinfo=UTC)
    clock.move_to(datetime(2026, 12, 1, 8, tzinfo=UTC))
    assert why(doors["k", "m"]) is None


def test_until_is_when_enough_has_left_the_window(sim, clock):
    doors = door(sim, {"per": "hour", "unit": "tokens", "amount": 1000})
    for ago, tokens in ((3000, 100), (2000, 500), (1000, 300)):
        used(doors["k", "m"], ago=ago, tokens_in=tokens)
    assert skipped(doors["k", "m"]).until == NOW + timedelta(seconds=1600)


# -- units -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "amount"),
    [("tokens", 1000), ("tokens_in", 600), ("tokens_out", 900), ("requests", 2), ("units", 700)],
)
def test_each_unit_is_counted_with_what_the_call_may_use(sim, clock, unit, amount):
    prices = {"units_in": 1_000_000, "units_out": 1_000_000} if unit == "units" else {}
    if unit == "units":
        amount = 1000
    doors = door(sim, {"per": "day", "unit": unit, "amount": amount, **prices})
    used(doors["k", "m"], tokens_in=500, tokens_out=500 if unit == "tokens_out" else 0)
    assert why(doors["k", "m"]) is None  # exactly so much
    used(doors["k", "m"], tokens_in=1, tokens_out=1)
    assert why(doors["k", "m"]) == "quota of the day"


def test_one_pool_of_units_is_spent_at_each_models_own_price(sim, clock):
    models = [
        {"name": "dear", "units_in": Decimal(100_000), "units_out": Decimal(1_000_000)},
        {"name": "cheap", "units_in": Decimal(1000), "units_out": Decimal(2000)},
    ]
    doors = door(sim, {"scope": "account", "per": "day", "unit": "units", "amount": 1000}, models=models)
    used(doors["k", "dear"], tokens_in=1000, tokens_out=899)  # 999 units
    assert why(doors["k", "dear"]) == "quota of the day"
    assert why(doors["k", "cheap"]) is None  # 0.9 units
    used(doors["k", "cheap"], tokens_in=200)
    assert why(doors["k", "cheap"]) == "quota of the day"


def test_so_many_calls_at_a_time(sim):
    door(sim, {"per": "", "unit": "concurrent", "amount": 1})
    running = stream(user="hi")
    assert isinstance(next(running), AttemptStarted)
    with pytest.raises(ChainExhausted) as caught:
        complete(user="hi", deadline_s=2)
    assert {skip["why"] for skip in caught.value.skipped} == {"calls at a time"}
    list(running)
    assert complete(user="hi").provider == "k"


def test_an_input_above_a_limit_of_input_is_never_sent(sim):
    door(sim, {"per": "minute", "unit": "tokens_in", "amount": 50})
    with pytest.raises(ChainExhausted) as caught:
        complete(user="four " * 200)
    assert [(skip["why"], skip["until"]) for skip in caught.value.skipped] == [("request above limit", None)]
    assert not sim.requests


def test_an_answer_is_shortened_to_what_units_allow(sim):
    door(sim, {"per": "day", "unit": "units", "amount": 100, "units_in": 0, "units_out": 100_000})
    complete(user="hi", max_tokens=5000)
    assert sim.requests[-1].body["max_tokens"] == 1000


# -- counters are the ledger -----------------------------------------------------------------------------


def audit(provider="p"):
    """The counters as they are kept, and as the ledger says that they should be, summed up by window."""
    now = datetime.now(tz=UTC)
    (conf,) = [one for one in snapshot.providers() if one.slug == provider]
    kept = LedgerMeter(now).tallies(conf)
    per = counters.ALWAYS | {limit.per for model in conf.models for limit in model.limits if limit.per}
    true = counters.from_ledger(provider, day_reset=conf.day_reset, per=per, now=now)

    def sums(tallies):
        return {
            (names, window): (tally.used(window, now), tally.in_flight(now))
            for names, tally in tallies.items()
            for window in per
            if any(tally.used(window, now)) or any(tally.in_flight(now))
        }

    return sums(kept), sums(true)


def test_counters_say_what_the_ledger_says(sim):
    door(
        sim,
        {"per": "hour", "amount": 10_000},
        {"scope": "account", "per": "month", "unit": "tokens_in", "amount": 10**9},
        models=("m", "n"),
        keys=("k", "l"),
    )
    LedgerMeter(datetime.now(tz=UTC)).tallies(snapshot.providers()[0])
    for number in range(12):
        complete(user="hi " * (number + 1), max_tokens=300)
    running = stream(user="hi", max_tokens=700)
    next(running)
    kept, true = audit()
    assert kept == true
    assert kept[("k", "m"), "month"][0][0] == 12
    running.close()
    kept, true = audit()
    assert kept == true


def test_a_provider_without_limits_is_not_counted(sim):
    door(sim)
    complete(user="hi")
    assert not Meter.objects.exists()


def test_a_limit_that_is_new_finds_what_was_used_before(sim):
    doors = door(sim)
    for _ in range(3):
        complete(user="hi")
    Limit.objects.create(provider=Provider.objects.get(), per="hour", amount=3)
    with pytest.raises(ChainExhausted):
        complete(user="hi")
    assert len(doors) == 1


def test_a_worker_that_died_uses_nothing_unless_it_ends_after_all(sim, clock):
    doors = door(sim, {"per": "day", "unit": "tokens", "amount": 10_000})
    running = stream(user="hi", max_tokens=9000)
    next(running)
    assert why(doors["k", "m"], CallSpec(tokens_in=0, max_tokens=5000)) == "quota of the day"
    clock.shift(300)
    assert bookkeeper.mark_abandoned() == 1
    assert why(doors["k", "m"], CallSpec(tokens_in=0, max_tokens=5000)) is None
    list(running)
    row = Attempt.objects.get()
    tokens = LedgerMeter(datetime.now(tz=UTC)).used(doors["k", "m"]).day_tokens
    assert tokens == (row.tokens_in + row.tokens_out if row.outcome == "ok" else 0)


def test_an_account_that_the_provider_names_takes_over_what_is_in_flight(sim, clock):
    doors = door(sim, {"per": "day", "amount": 10})
    LedgerMeter(NOW).used(doors["k", "m"])
    call = bookkeeper.open_call(deadline_s=45, messages=[])
    attempt = bookkeeper.attempt_for(doors["k", "m"], WANT, reserved_tokens=500)
    bookkeeper.begin(call, attempt)
    attempt.account = "org-1"
    bookkeeper.finish(attempt, outcome="ok", latency_s=1)
    bookkeeper.save_attempt(call, attempt)
    bookkeeper.save_attempt(call, attempt)  # saying it twice counts once
    rows = counters.tallies("p", day_reset="utc", per={"day"}, now=NOW)
    assert {names: tally.used("day", NOW)[0] for names, tally in rows.items()} == {
        ("k", "m"): 0, ("org-1", "m"): 1,
    }  # fmt: skip
    assert not any(any(tally.in_flight(NOW)) for tally in rows.values())


@pytest.mark.skipif(
    "connection.vendor != 'sqlite'", reason="a server's clock does not travel, and has the last word"
)
def test_a_clock_that_was_ahead_shuts_nobody_out(sim, clock):
    door(sim, {"per": "day", "amount": 2}, day_reset="utc")
    complete(user="hi")
    clock.move_to(NOW + timedelta(days=3))
    complete(user="hi")
    clock.move_to(NOW + timedelta(seconds=1))
    (provider,) = snapshot.providers()
    deployment = Deployment(provider, provider.keys[0], provider.models[0])
    found = LedgerMeter(datetime.now(tz=UTC)).used(deployment)
    assert found.day_requests == 2
    kept, true = audit()
    assert kept == true


def test_a_clock_that_steps_back_a_little_forgets_nothing(sim, clock):
    doors = door(sim, {"per": "minute", "amount": 2})
    complete(user="hi")
    clock.shift(30)
    complete(user="hi")
    clock.shift(-20)
    assert why(doors["k", "m"]) == "quota of the minute"


def test_a_transaction_that_is_rolled_back_counts_nothing(sim, clock):
    doors = door(sim, {"per": "minute", "amount": 5})
    LedgerMeter(NOW).used(doors["k", "m"])
    call = bookkeeper.open_call(deadline_s=45, messages=[])
    attempt = bookkeeper.attempt_for(doors["k", "m"], WANT, reserved_tokens=500)
    with write_transaction():
        bookkeeper.begin(call, attempt)
        transaction.set_rollback(True)
    assert LedgerMeter(NOW).used(doors["k", "m"]).minute_requests == 0


# -- pure ------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 400_000), st.integers(0, 50)), max_size=80), st.integers(0, 100_000))
def test_a_rolling_window_never_counts_too_little_and_hardly_too_much(moves, later):
    """Against a count of every single one: none may be missing; one grain too many may still count."""
    tally, now, true = Tally("rolling", ["minute", "hour"]), NOW, []
    for step_ms, tokens in moves:
        now += timedelta(milliseconds=step_ms)
        tally.add(now, now, (1, tokens, 0))
        true.append((now, tokens))
    now += timedelta(milliseconds=later)
    tally = Tally.load(tally.dump(), "rolling")
    for per in ("minute", "hour"):
        edge = now - windows.LENGTH[per]
        exact = sum(tokens for at, tokens in true if at > edge)
        loose = sum(tokens for at, tokens in true if at > edge - windows.GRAIN[per])
        assert exact <= tally.used(per, now)[1] <= loose


# -- told ------------------------------------------------------------------------------------------------


def test_what_is_left_is_told_door_by_door_and_each_shared_limit_once(sim, clock):
    doors = door(
        sim,
        {
            "scope": "account",
            "per": "day",
            "amount": 50,
            "source": "https://p.example",
            "method": "documented",
        },
        models=({"name": "m", "rpm": 30}, "n"),
    )
    used(doors["k", "m"], ago=10)
    lines = quota_left(snapshot.providers(), NOW)
    assert [
        (line.account, line.model, line.unit, line.per, line.limit, line.used, line.left) for line in lines
    ] == [
        ("k", "m", "requests", "minute", 30, 1, 29),
        ("k", "", "requests", "day", 50, 1, 49),
    ]
    assert lines[0].until == NOW + timedelta(seconds=50)
    assert (lines[1].until, lines[1].source) == (datetime(2026, 11, 24, tzinfo=UTC), "https://p.example")


# -- the providers file ----------------------------------------------------------------------------------

FILE = """
[[provider]]
slug = "router"
kind = "openai"
base_url = "https://router.example/v1"
[[provider.model]]
id = "a:free"
[[provider.limit]]
scope = "account"
models = ["*:free"]
per = "day"
requests = 50
source = "https://router.example/limits"
seen = 2026-11-28
method = "documented"
[[provider.limit]]
scope = "account"
concurrent = 2
[[provider.limit]]
scope = "provider"
per = "month"
units = 10000
units_in = "31818"
units_out = "68182.5"
"""


def test_limits_load_export_and_load_again():
    config.load(FILE)
    day, at_a_time, month = Limit.objects.all()
    assert (day.scope, day.patterns, day.per, day.unit, day.amount) == (
        "account",
        ["*:free"],
        "day",
        "requests",
        50,
    )
    assert (at_a_time.unit, at_a_time.per, at_a_time.amount) == ("concurrent", "", 2)
    assert (month.units_in, month.units_out) == (Decimal(31818), Decimal("68182.5"))
    text = config.export()
    summary = config.load(text)
    assert (summary.created, summary.changed) == ([], [])
    Provider.objects.all().delete()
    config.load(text)
    assert config.export() == text


def test_a_limit_that_changes_is_the_same_limit():
    config.load(FILE)
    config.load(
        '[[provider]]\nslug = "router"\n[[provider.limit]]\nscope = "account"\nmodels = ["*:free"]\nper = "day"\n'
        "requests = 1000"
    )
    assert Limit.objects.count() == 3
    limit = Limit.objects.get(per="day")
    assert (limit.amount, limit.source) == (1000, "https://router.example/limits")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ('per = "day"\nrequests = 1', "scope is missing"),
        ('scope = "planet"\nper = "day"\nrequests = 1', "scope must be one of model, account, provider"),
        ('scope = "account"\nper = "day"', "must have one of requests, tokens, tokens_in"),
        ('scope = "account"\nper = "day"\nrequests = 1\ntokens = 5', "must have one of"),
        ('scope = "account"\nrequests = 1', "per is missing"),
        ('scope = "account"\nper = "fortnight"\nrequests = 1', "per must be one of second, minute, hour"),
        ('scope = "account"\nper = "day"\nrequests = 0', "requests must be a whole number above 0"),
        ('scope = "account"\nper = "day"\nconcurrent = 1', "per is not for concurrent"),
        ('scope = "account"\nper = "day"\nrequests = 1\nunits_in = 5', "units_in is for units only"),
        (
            'scope = "account"\nmodels = "*:free"\nper = "day"\nrequests = 1',
            "models must be a list of patterns",
        ),
        ('scope = "account"\nmodels = ["a b"]\nper = "day"\nrequests = 1', "models must hold patterns"),
        ('scope = "account"\nper = "day"\nrequests = 1\nwindow = 5', 'unknown field "window"'),
    ],
)
def test_a_bad_limit_is_refused_with_its_place(fields, reason):
    text = f'[[provider]]\nslug = "router"\nkind = "openai"\n[[provider.limit]]\n{fields}'
    with pytest.raises(config.ConfigError) as caught:
        config.load(text)
    assert any(f'provider 1 ("router"), limit 1: {reason}' in error for error in caught.value.errors)
    assert not Limit.objects.exists()


def test_two_limits_that_say_the_same_are_refused():
    row = '[[provider.limit]]\nscope = "account"\nper = "day"\nrequests = {}\n'
    with pytest.raises(config.ConfigError, match="limit 2: says the same as limit 1"):
        config.load(f'[[provider]]\nslug = "r"\nkind = "openai"\n{row.format(1)}{row.format(2)}')


# -- what it costs ---------------------------------------------------------------------------------------


def shapes(count):
    """So many limits of all scopes, windows and units, none of which is ever reached."""
    every = [
        (scope, per, unit)
        for scope in ("model", "account", "provider")
        for per in windows.LENGTH
        for unit in ("requests", "tokens", "tokens_in", "tokens_out")
    ]
    return [{"scope": scope, "per": per, "unit": unit, "amount": 10**9} for scope, per, unit in every[:count]]


def looks():
    """How often a call asks for the counters, once they are there."""
    complete(user="hi")
    with CaptureQueriesContext(connection) as asked:
        complete(user="hi")
    return len([query for query in asked.captured_queries if "llm_meter" in query["sql"]])


def test_a_call_asks_the_database_as_often_with_three_limits_as_with_sixty(sim):
    door(sim, *shapes(3))
    with_three = looks()
    for limit in shapes(60)[3:]:
        Limit.objects.create(provider=Provider.objects.get(), **limit)
    assert looks() == with_three <= 6  # a look, a read and a write as the call begins, and as it ends
