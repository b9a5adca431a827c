"""What budgets and credits rely on: counters of money, which say what the ledger says."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from llm.calls.deployment import Deployment
from llm.calls.spec import CallSpec
from llm.chain import ChainExhausted, complete, stream
from llm.configuration import snapshot
from llm.failures.kinds import Kind
from llm.ledger import bookkeeper, counters, meters, retention, spending
from llm.ledger.billing import Bill
from llm.limits.quota import LedgerMeter
from llm.models import Attempt, Call, Meter
from llm.simulator import behaviours as b
from llm.storage.transactions import chain_transaction, write_transaction
from tests.chain_setup import make_groq, make_provider
from tests.gateway_client import make_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_waiting")]

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BEFORE_MIDNIGHT = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
DOLLAR = {"name": "m", "price_in": Decimal(0), "price_out": Decimal(1000)}  # a thousand tokens of output
WANT = CallSpec(tokens_in=0, max_tokens=1000)  # at most a dollar


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def paid(sim, slug="paid", **fields):
    fields = {"daily_budget_usd": Decimal(100), "credit_usd": Decimal(1000)} | fields
    make_provider(sim, slug, models=[DOLLAR], keys={slug: ""}, **fields)
    (conf,) = [one for one in snapshot.providers() if one.slug == slug]
    return Deployment(conf, conf.keys[0], conf.models[0])


def begin(deployment, client=""):
    call = bookkeeper.open_call(deadline_s=45, messages=[], client=client)
    attempt = bookkeeper.attempt_for(deployment, WANT, reserved_tokens=1000)
    bookkeeper.begin(call, attempt)
    return call, attempt


def end(call, attempt, tokens_out, outcome="ok"):
    bookkeeper.finish(attempt, outcome=outcome, bill=Bill(tokens_out=tokens_out), latency_s=1)
    bookkeeper.conclude(call, outcome, attempts=[attempt], latency_s=1, paid_prices=[])
    bookkeeper.close_call(call, [attempt])


def spent(slug="paid"):
    """Today, of all time, and by all today: as a call looks, and as a page does."""
    with chain_transaction():
        found = look(slug)
    assert look(slug) == found
    return found


def look(slug="paid"):
    meter = LedgerMeter(datetime.now(tz=UTC))
    return meter.spent_today(slug), meter.spent_ever(slug), meter.spent_today("")


def by(client):
    with chain_transaction():
        return LedgerMeter(datetime.now(tz=UTC)).spent_by(client)


def differences():
    return list(spending.differences())


# -- counted as it is spent ------------------------------------------------------------------------------


def test_an_attempt_counts_at_its_worst_until_it_ends_and_then_with_its_cost(sim, clock):
    deployment = paid(sim)
    assert spent() == (0, 0, 0)
    running = begin(deployment, "shop")
    assert spent() == (1, 1, 1)
    assert by("shop") == 1
    end(*running, tokens_out=250)
    assert spent() == (Decimal("0.25"),) * 3
    assert (by("shop"), by("other")) == (Decimal("0.25"), 0)
    assert differences() == []


def test_saying_twice_how_an_attempt_ended_counts_once(sim, clock):
    deployment = paid(sim)
    spent()
    call, attempt = begin(deployment)
    end(call, attempt, tokens_out=250)
    bookkeeper.close_call(call, [attempt])
    bookkeeper.save_attempt(call, attempt)
    assert spent() == (Decimal("0.25"),) * 3


def test_what_never_ended_keeps_what_was_reserved_unless_it_ends_after_all(sim, clock):
    running = begin(paid(sim))
    spent()
    clock.shift(300)
    assert bookkeeper.mark_abandoned() == 1
    assert spent() == (1, 1, 1)
    meters.forget()
    assert spent() == (1, 1, 1)
    end(*running, tokens_out=125)
    assert spent() == (Decimal("0.125"),) * 3
    assert differences() == []


def test_a_transaction_that_is_rolled_back_spends_nothing(sim, clock):
    deployment = paid(sim)
    spent()
    with write_transaction():
        begin(deployment)
        transaction.set_rollback(True)
    assert spent() == (0, 0, 0)
    with suppress(ZeroDivisionError), chain_transaction():
        begin(deployment)
        1 / 0  # noqa: B018
    assert spent() == (0, 0, 0)
    assert differences() == []


def test_a_page_that_looks_writes_nothing(sim, clock):
    deployment = paid(sim)
    end(*begin(deployment), tokens_out=250)
    assert look() == (Decimal("0.25"),) * 3
    assert not Meter.objects.exists()
    spent()
    before = list(Meter.objects.values_list())
    clock.move_to(NOW + timedelta(days=1))
    assert look() == (0, Decimal("0.25"), 0)
    assert list(Meter.objects.values_list()) == before


def test_what_costs_nothing_keeps_no_counter(sim):
    make_groq(sim, keys=1)
    complete(user="hi")
    assert not Meter.objects.filter(provider__startswith=":usd").exists()


def test_a_free_provider_whose_models_have_a_price_spends_of_a_clients_budget_alone(sim, clock):
    deployment = paid(sim, free=True, daily_budget_usd=None, credit_usd=None)
    spent()
    by("shop")
    end(*begin(deployment, "shop"), tokens_out=500)
    assert spent() == (0, 0, 0)
    assert by("shop") == Decimal("0.5")
    assert differences() == []


def test_nobody_sums_up_the_ledger_for_a_call(sim):
    client, _ = make_client("shop", daily_budget_usd=Decimal(50))
    paid(sim)
    complete(user="hi", max_tokens=50, client=client)  # the first look of the day
    with CaptureQueriesContext(connection) as asked:
        complete(user="hi", max_tokens=50, client=client)
    assert [query["sql"] for query in asked.captured_queries if "SUM(" in query["sql"].upper()] == []
    assert differences() == []


@pytest.mark.parametrize(
    ("summed", "micros"), [("12.3456779999999", 12_345_678), ("0.3", 300_000), (None, 0)]
)
def test_a_sum_that_sqlite_made_of_floats_is_the_nearest_millionth(summed, micros):
    assert spending.micros(summed and Decimal(summed)) == micros


# -- days ------------------------------------------------------------------------------------------------


def test_a_day_begins_with_nothing_spent_and_credits_go_on(sim, clock):
    deployment = paid(sim)
    spent()
    end(*begin(deployment), tokens_out=250)
    clock.move_to(NOW + timedelta(days=1))
    assert spent() == (0, Decimal("0.25"), 0)
    end(*begin(deployment), tokens_out=500)
    assert spent() == (Decimal("0.5"), Decimal("0.75"), Decimal("0.5"))
    assert differences() == []


@pytest.mark.parametrize("looks", [True, False])
def test_what_began_before_midnight_is_of_the_day_before(sim, clock, looks):
    deployment = paid(sim)
    clock.move_to(BEFORE_MIDNIGHT)
    spent()
    by("shop")
    running = begin(deployment, "shop")
    clock.shift(2)
    if looks:
        assert spent() == (0, 1, 0)
    end(*begin(deployment, "shop"), tokens_out=100)
    end(*running, tokens_out=250)
    assert spent() == (Decimal("0.1"), Decimal("0.35"), Decimal("0.1"))
    assert by("shop") == Decimal("0.1")
    assert differences() == []


def test_a_clock_that_goes_back_over_midnight_loses_nothing(sim, clock):
    deployment = paid(sim)
    clock.move_to(BEFORE_MIDNIGHT)
    spent()
    end(*begin(deployment), tokens_out=100)
    clock.shift(2)
    running = begin(deployment)
    end(*begin(deployment), tokens_out=200)
    clock.shift(-2)
    assert spent() == (Decimal("1.3"),) * 3
    end(*running, tokens_out=50)
    assert spent() == (Decimal("0.35"),) * 3
    clock.shift(2)
    assert spent() == (Decimal("0.25"), Decimal("0.35"), Decimal("0.25"))
    assert differences() == []


def test_the_first_look_of_a_day_finds_what_nobody_counted(sim, clock):
    """As what a worker of the version before has written, while this one was started beside it."""
    deployment = paid(sim)
    spent()
    call, attempt = begin(deployment)
    end(call, attempt, tokens_out=100)
    clock.move_to(NOW + timedelta(days=1))
    Attempt.objects.create(
        call=call, provider="paid", credential="paid", account="paid", model="m", tier=2, free=False,
        started_at=NOW + timedelta(days=1), finished_at=NOW + timedelta(days=1), outcome="ok", cost_usd=Decimal("0.4"),
    )  # fmt: skip
    assert spent() == (Decimal("0.4"), Decimal("0.5"), Decimal("0.4"))


def test_a_credit_is_the_same_whether_counted_pruned_or_made_anew(sim, clock):
    deployment = paid(sim)
    spent()
    for day in range(4):
        clock.move_to(NOW + timedelta(days=day))
        end(*begin(deployment), tokens_out=100 * (day + 1))
    for keep_days in (3, 2, 2, 1):
        retention.prune(NOW + timedelta(days=4 - keep_days))
        assert spent()[1] == 1
        assert differences() == []
        meters.forget()
        assert spent()[1] == 1


# -- whatever happens ------------------------------------------------------------------------------------


def test_the_counters_of_a_chain_that_meets_all_kinds_of_failure_are_the_ledger(sim):
    one, _ = make_client("one", daily_budget_usd=Decimal(50))
    two, _ = make_client("two", daily_budget_usd=Decimal("0.01"))
    for slug in ("first", "second"):
        paid(sim, slug)
    sim.script(
        "key-of-first", b.http(500, {}), b.ok("Hello."), b.ok(""), b.http(429, {}), b.ok("word " * 40), b.reset()
    )  # fmt: skip
    running = []
    for number, client in enumerate([one, two, None] * 8):
        try:
            if number % 4 == 3:
                running.append(stream(user=f"hi {number}", max_tokens=400, client=client))
                next(running[-1])
            else:
                complete(user=f"hi {number}", max_tokens=400, client=client)
        except ChainExhausted:
            pass
    assert differences() == []
    for number, events in enumerate(running):
        events.close() if number % 2 else list(events)
    assert differences() == []
    rows = Attempt.objects.exclude(finished_at=None)
    assert rows.filter(cost_usd__gt=0).exists()
    assert Meter.objects.filter(provider__in=(":usd", ":clients-usd")).count() >= 4
    assert LedgerMeter(datetime.now(tz=UTC)).spent_today("") == sum(row.cost_usd or 0 for row in rows)


@pytest.mark.parametrize("seed", range(8))
def test_any_order_of_begins_ends_deaths_looks_days_and_prunings_keeps_the_sum(sim, clock, seed):
    dice, running = Random(seed), []
    doors = [
        paid(sim), paid(sim, "other"),
        paid(sim, "free", free=True, daily_budget_usd=None, credit_usd=None),
    ]  # fmt: skip
    moves = ["begin", "end", "end", "twice", "die", "look", "time", "prune", "forget", "roll back"]
    for _ in range(60):
        match dice.choice(moves):
            case "begin":
                running.append(begin(dice.choice(doors), dice.choice(["", "shop", "other"])))
            case "end" | "twice" as how if running:
                call, attempt = running.pop(dice.randrange(len(running)))
                outcome = dice.choice(["ok", "cancelled", Kind.EMPTY_OUTPUT])
                end(call, attempt, dice.randrange(1000), outcome)
                if how == "twice":
                    bookkeeper.close_call(call, [attempt])
            case "die":
                bookkeeper.mark_abandoned(datetime.now(tz=UTC) + timedelta(minutes=5))
            case "look":
                spent(dice.choice(["paid", "other"]))
                by(dice.choice(["shop", "other"]))
            case "time":
                clock.shift(dice.choice([1, 3600, 6 * 3600]))
                old = datetime.now(tz=UTC) - timedelta(days=1)  # what has not ended by then never will
                running = [one for one in running if one[1].started_at >= old]
            case "prune":
                retention.prune(datetime.now(tz=UTC) - timedelta(days=2))
            case "forget":
                counters.forget()
            case "roll back":
                with write_transaction():
                    begin(doors[0], "shop")
                    spent()
                    transaction.set_rollback(True)
        assert differences() == []
    midnight = datetime.now(tz=UTC).replace(hour=0, minute=0)
    today = Attempt.objects.filter(free=False, started_at__gte=midnight)
    true = sum((row.cost_usd if row.finished_at else row.reserved_usd) or 0 for row in today)
    assert spent()[2] == true
    assert Call.objects.exists()
