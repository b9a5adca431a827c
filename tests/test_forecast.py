"""What N calls a day would cost and who would serve them: by hand, and against a day that was really played."""

import itertools
import json
import random
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from llm.calls import tokens
from llm.chain import ChainExhausted, complete
from llm.configuration import snapshot
from llm.configuration.prices import FREE, UNKNOWN, Price
from llm.configuration.snapshot import KeyConf, ModelConf, ProviderConf
from llm.foresight import forecast, workload
from llm.foresight.forecast import Chain
from llm.foresight.load import Ask, Load
from llm.foresight.meter import InMemoryMeter
from llm.ledger.tally import Tally
from llm.models import Attempt, Call, Pause
from llm.simulator import Simulator
from llm.simulator import behaviours as b
from tests.chain_setup import make_deepseek, make_groq, make_provider

MIDNIGHT = datetime(2027, 3, 1, tzinfo=UTC)
REPORT = Ask(tokens_in=900, max_tokens=1400, tokens_out=700, seconds=5)
CHEAP = Price(Decimal("0.30"), Decimal("1.20"), "staff")


def provider(slug, tier, *, price=FREE, accounts=1, models=1, reserve=0, quotas=None, **fields):
    return ProviderConf(
        **{
            "slug": slug, "kind": "openai", "base_url": "", "tier": Decimal(tier), "free": price == FREE,
            "keyless": False, "first_byte_s": 10, "timeout_s": 20, "daily_budget_usd": None, "credit_usd": None,
            "credit_until": None, "demote_after_h": 24, "day_reset": "utc", "project": "", "locations": (),
            "models": tuple(ModelConf(f"m{n}", {}, reserve, price, **(quotas or {})) for n in range(models)),
            "keys": tuple(KeyConf(f"{slug}{n}", f"{slug}{n}", "k") for n in range(accounts)),
        } | fields
    )  # fmt: skip


def play(*providers, calls, asks=(REPORT,), site_budget_usd=None, **options):
    chain = Chain(providers, site_budget_usd=site_budget_usd)
    return forecast.play(chain, Load(calls, asks), start=MIDNIGHT, **options)


def served(day):
    return {slug: share.calls for slug, share in day.shares.items()}


# -- by hand ---------------------------------------------------------------------------------------


def test_what_the_first_tier_has_no_room_for_the_next_one_serves_at_its_price():
    day = play(provider("free", 1, quotas={"rpd": 100}), provider("paid", 2, price=CHEAP), calls=150)
    assert served(day) == {"free": 100, "paid": 50}
    assert (day.unserved, day.tokens) == (0, 150 * 1600)
    assert day.cost_usd == 50 * Decimal("0.00111")  # 900 x $0.30 + 700 x $1.20 a million
    assert MIDNIGHT + timedelta(hours=14) < day.first_tier_out < MIDNIGHT + timedelta(hours=18)
    assert day.by_tier() == {Decimal(1): 100, Decimal(2): 50}


def test_tokens_of_the_day_run_out_as_well_as_requests():
    day = play(provider("free", 1, quotas={"tpd": 16_000}), calls=50)
    # Nine calls of 1600 were used when the tenth would reserve 2300.
    assert served(day) == {"free": 9}
    assert day.unserved == 41


def test_each_account_and_each_model_has_a_quota_of_its_own():
    day = play(provider("free", 1, accounts=3, models=2, quotas={"rpd": 10}), calls=100)
    assert served(day) == {"free": 60}


def test_keys_of_one_account_share_it():
    keys = tuple(KeyConf(f"k{n}", "one", "k") for n in range(5))
    day = play(provider("free", 1, quotas={"rpd": 10}, keys=keys), calls=100)
    assert served(day) == {"free": 10}


def test_a_call_waits_a_moment_for_a_free_provider_and_no_longer():
    second = [(MIDNIGHT + timedelta(seconds=s), REPORT) for s in (0, 58, 62)]

    class Fixed(Load):
        def arrivals(self, start, end, dice):
            return second

    chain = Chain((provider("free", 1, quotas={"rpm": 1}), provider("paid", 2, price=CHEAP)))
    day = forecast.play(chain, Fixed(3, (REPORT,)), start=MIDNIGHT)
    assert served(day) == {
        "free": 2,
        "paid": 1,
    }  # the second waits two seconds, the third would wait a minute
    impatient = forecast.play(replace(chain, free_wait_s=0), Fixed(3, (REPORT,)), start=MIDNIGHT)
    assert served(impatient) == {"free": 2, "paid": 1}


def test_a_minutes_limit_that_is_full_is_not_called_the_end_of_the_day():
    day = play(provider("free", 1, quotas={"rpm": 1}), provider("paid", 2, price=CHEAP), calls=5000)
    assert day.shares["paid"].calls > 1000
    assert day.first_tier_out is None


def test_a_budget_ends_what_is_paid():
    day = play(provider("paid", 2, price=CHEAP, daily_budget_usd=Decimal("0.0111")), calls=100)
    assert day.cost_usd <= Decimal("0.0111")
    assert served(day)["paid"] in {9, 10}  # the tenth could have cost more than is left
    assert day.unserved == 100 - served(day)["paid"]


def test_the_budget_of_the_site_holds_for_all_providers_together():
    paid = [provider(slug, 2, price=CHEAP) for slug in ("one", "two")]
    day = play(*paid, calls=100, site_budget_usd=Decimal("0.0111"))
    assert day.cost_usd <= Decimal("0.0111")


def test_a_trial_credit_that_ran_out_is_over():
    day = play(provider("trial", 1, price=CHEAP, credit_usd=Decimal("0.0111")), calls=100)
    assert day.cost_usd <= Decimal("0.0111")


def test_who_has_no_price_serves_nobody():
    assert play(provider("paid", 2, price=UNKNOWN, free=False), calls=10).unserved == 10


def test_a_day_of_another_zone_begins_then():
    pacific = provider("free", 1, quotas={"rpd": 24}, day_reset="pacific")
    assert served(play(pacific, calls=240)) == {"free": 48}  # from an empty ledger: two days' worth
    chain = Chain((pacific,))
    assert served(forecast.typical(chain, Load(240, (REPORT,)), start=MIDNIGHT)) == {"free": 24}


def test_a_rolling_day_gives_back_what_was_used_a_day_ago():
    chain = Chain((provider("free", 1, quotas={"rpd": 24}, day_reset="rolling"),))
    day = forecast.typical(chain, Load(240, (REPORT,)), start=MIDNIGHT)
    assert served(day)["free"] in {23, 24, 25}


def test_what_is_used_already_is_gone_today():
    free = provider("free", 1, quotas={"rpd": 100})
    books = InMemoryMeter(MIDNIGHT, {})
    [deployment] = Chain((free,)).deployments()
    tally = Tally("utc", {"minute", "day"})
    tally.add(MIDNIGHT, MIDNIGHT, (90, 0, 0))
    books.begin(free, {(deployment.key.account, deployment.model.name): tally})
    assert served(play(free, calls=50, books=books)) == {"free": 10}


def test_calls_come_when_they_come():
    by_hour = [0.0] * 24
    by_hour[9] = 1.0
    arrivals = Load(100, (REPORT,), by_hour).arrivals(MIDNIGHT, MIDNIGHT + forecast.DAY, random.Random(1))
    assert len(arrivals) == 100
    assert {moment.hour for moment, _ in arrivals} == {9}


@pytest.mark.parametrize("calls", [1, 7, 100, 1001])
def test_no_call_is_lost_to_rounding(calls):
    load = Load(calls, (REPORT,), tuple(range(1, 25)))
    assert len(load.arrivals(MIDNIGHT, MIDNIGHT + forecast.DAY, random.Random(1))) == calls


def test_the_same_question_has_the_same_answer():
    both = [play(provider("free", 1, quotas={"rpm": 1}), calls=3000) for _ in range(2)]
    assert both[0] == both[1]


# -- one change ------------------------------------------------------------------------------------


def changes(*providers, calls, repeated=0.0):
    chain, load = Chain(providers), Load(calls, (REPORT,))
    plain = forecast.typical(chain, load, start=MIDNIGHT)
    found = forecast.changes(chain, load, plain, start=MIDNIGHT, repeated=repeated)
    return {(change.name, change.subject): change for change in found}, found


def test_each_change_is_worth_what_it_spares():
    by_name, ranked = changes(
        provider("free", 1, quotas={"rpd": 100}), provider("paid", 2, price=CHEAP), calls=300, repeated=0.5
    )
    call = Decimal("0.00111")
    assert by_name["account", "free"].saved_usd == 100 * call == by_name["model", "free"].saved_usd
    less = 200 * Decimal("0.0000675")  # 225 tokens at $0.30, but for the rounding of each call
    assert abs(by_name["prompt", ""].saved_usd - less) <= 200 * Decimal("0.000001")
    assert by_name["cache", ""].saved_usd == 150 * call
    assert ranked[0].name == "cache"
    assert ranked[-1].name == "prompt"


def test_where_nothing_is_paid_a_change_answers_more():
    by_name, _ = changes(provider("free", 1, quotas={"rpd": 100}), calls=150)
    assert by_name["account", "free"].more_answered == 50
    assert by_name["account", "free"].saved_usd == 0


# -- against a day that was played by the chain itself ---------------------------------------------

MIX = ((900, 1400, 700), (600, 1000, 500), (500, 900, 400))  # prompt, max_tokens, written
QUOTAS = {"rpm": 30, "rpd": 60, "tpm": 8000, "tpd": 40_000}
OTHER_QUOTAS = {"rpm": 20, "rpd": 40}


class Played:
    """A day of the chain against the simulator, on a clock that jumps from call to call."""

    def __init__(self, sim, traveller, monkeypatch):
        self.sim, self.traveller = sim, traveller
        monkeypatch.setattr("llm.clock.sleep", lambda seconds: traveller.shift(seconds))
        make_groq(
            sim, keys=2, models=[{"name": name, "reasoning_reserve": 200, **QUOTAS} for name in ("a", "b")]
        )
        make_provider(
            sim, "other", models=[{"name": "c", **OTHER_QUOTAS}], keys={"other": ""}, free=True, tier="1.5"
        )
        make_deepseek(sim, daily_budget_usd="0.06")
        for account in ("key-of-groq1", "key-of-groq2"):
            for model in ("a", "b"):
                sim.limit(account, model, **QUOTAS)
        sim.limit("key-of-other", "c", **OTHER_QUOTAS)
        sim.default(b.ok("word" * 700))

    def ask(self, moments):
        for moment, (prompt, max_tokens, _) in zip(moments, itertools.cycle(MIX), strict=False):
            if moment.timestamp() > time.time():
                self.traveller.move_to(moment)
            with suppress(ChainExhausted):
                complete(user="word" * prompt, max_tokens=max_tokens, lang="en", purpose="test")


def near(value, of):
    return abs(value - of) <= abs(of) * (Decimal("0.05") if isinstance(of, Decimal) else 0.05)


def compare_with_a_played_day(calls, monkeypatch):
    with (
        time_machine.travel(MIDNIGHT - forecast.DAY, tick=False) as traveller,
        Simulator(clock=time.time) as sim,
    ):
        played = Played(sim, traveller, monkeypatch)
        # The day before, a little of the same, evenly: what the forecast measures.
        played.ask([MIDNIGHT - forecast.DAY + timedelta(minutes=20 * n) for n in range(72)])
        traveller.move_to(MIDNIGHT)
        tokens.forget()
        found = workload.measure("test")
        assert found.samples == 72
        load = Load(calls, found.asks, found.by_hour)
        expected = forecast.play(workload.chain(), load, start=MIDNIGHT)
        dice = random.Random(99)
        played.ask(sorted(MIDNIGHT + timedelta(seconds=dice.random() * 86_400) for _ in range(calls)))
        day = Call.objects.filter(started_at__gte=MIDNIGHT)
        attempts = Attempt.objects.filter(call__in=day, outcome="ok")
        spent = sum(a.tokens_in + a.tokens_out for a in attempts)
        shares = {}
        for tier in day.filter(outcome="ok").values_list("tier", flat=True):
            shares[tier] = shares.get(tier, 0) + 1
        cost = sum((call.cost_usd for call in day), Decimal(0))
        unserved = day.exclude(outcome="ok").count()
    got = (expected.tokens, expected.by_tier(), expected.cost_usd, expected.unserved)
    assert near(expected.tokens, spent), (got, spent)
    assert expected.by_tier().keys() == shares.keys()
    assert all(near(served, shares[tier]) for tier, served in expected.by_tier().items()), (got, shares)
    assert near(expected.cost_usd, cost), (got, cost)
    assert abs(expected.unserved - unserved) <= 0.05 * calls, (got, unserved)
    return shares, unserved


@pytest.mark.django_db
def test_the_forecast_is_within_five_percent_of_a_simulated_day(monkeypatch):
    shares, unserved = compare_with_a_played_day(300, monkeypatch)
    assert len(shares) == 3  # the free ones run out, and so does the budget: all that can happen does
    assert unserved > 20


@pytest.mark.exhaustive
@pytest.mark.django_db
@pytest.mark.parametrize("calls", [100, 250, 700, 1500])
def test_the_forecast_is_within_five_percent_of_quiet_and_busy_days(monkeypatch, calls):
    compare_with_a_played_day(calls, monkeypatch)


# -- the command -----------------------------------------------------------------------------------


def run(*arguments):
    out = StringIO()
    call_command("forecast", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def shop(sim, db):
    make_groq(sim, keys=1, models=[{"name": "a", "rpd": 100}])
    make_deepseek(sim)
    snapshot.forget()
    with time_machine.travel(MIDNIGHT + timedelta(hours=12), tick=False):
        yield sim


def test_the_command_says_who_serves_what_it_costs_and_what_to_change(shop):
    lines = run("--scans-per-day", "160", "--days", "365").splitlines()
    assert lines[0].startswith("160 calls a day, 900 tokens in and 700 out each (assumed")
    table = {line.split()[1]: line.split() for line in lines[3:6]}
    assert table["groq"] == ["1", "groq", "100", "62.5%", "160,000", "0.0000"]
    assert table["deepseek"] == ["2", "deepseek", "60", "37.5%", "96,000", "0.0666"]
    assert table["template"][2] == "0"
    assert "Cost: $0.07 a day, $2.00 in 30 days, $24.31 in 365 days" in lines
    assert "Tier 1: lasts until midnight UTC" in lines  # half of the day is left, and all of the quota
    text = "\n".join(lines)
    assert "one more account of groq: saves $2.00 in 30 days" in text


def test_as_json_it_is_one_object(shop):
    found = json.loads(run("--scans-per-day", "150", "--json"))
    assert (found["calls"], found["samples"], found["template"]) == (150, 0, 0)
    assert found["served"][1] == {
        "provider": "deepseek", "tier": 2.0, "calls": 50, "tokens_in": 45_000, "tokens_out": 35_000,
        "cost_usd": "0.055500",
    }  # fmt: skip
    assert found["cost_usd_month"] == "1.665000"
    assert found["changes"][0]["saved_usd_month"] == "1.665000"
    assert found["first_tier_out_today"] is None


def test_what_is_used_today_brings_the_end_nearer(shop):
    call = Call.objects.create(started_at=MIDNIGHT, deadline_s=1)
    Attempt.objects.bulk_create(
        Attempt(
            call=call, provider="groq", credential="groq1", account="groq1", model="a", tier=1, free=True,
            started_at=MIDNIGHT + timedelta(hours=1), finished_at=MIDNIGHT + timedelta(hours=1), outcome="ok",
        )
        for _ in range(70)
    )  # fmt: skip
    text = run("--scans-per-day", "150")  # 30 are left: at six an hour for less than five hours
    hour = int(text.split("Tier 1: runs out today at ")[1][:2])
    assert 16 <= hour <= 18


def test_a_paused_provider_matters_today_and_a_dead_key_always(shop):
    now = MIDNIGHT + timedelta(hours=12)
    Pause.objects.create(
        provider="groq", kind="provider_down", source="guess", since=now, until=now + timedelta(days=2)
    )
    found = json.loads(run("--scans-per-day", "100", "--json"))
    assert found["served"][0]["provider"] == "groq"
    Pause.objects.update(until=None, kind="key_invalid", credential="groq1")
    found = json.loads(run("--scans-per-day", "100", "--json"))
    assert [one["provider"] for one in found["served"]] == ["deepseek"]


@pytest.mark.django_db
def test_without_any_key_the_template_serves_everybody():
    text = run("--scans-per-day", "10")
    assert "no provider can be called" in text
    assert "Cost: $0.00 a day" in text


def test_a_free_service_of_unknown_limits_is_not_believed(shop):
    make_provider(shop, "credits", models=["m"], keys={"credits": ""}, free=True, tier="1.5")
    assert "no limit of credits is configured or learned" in run("--scans-per-day", "160")
    found = json.loads(run("--scans-per-day", "160", "--json"))
    assert found["without_known_limit"] == ["credits"]
    assert run("--scans-per-day", "50").count("may serve far less") == 0  # it is not needed


def test_where_nothing_could_be_better_nothing_is_proposed(shop):
    assert "No single change would save anything." in run("--scans-per-day", "50")


@pytest.mark.parametrize("scans", ["0", "-1", "many", "1.5", "100001"])
def test_a_number_of_scans_is_a_number(scans):
    with pytest.raises(CommandError, match="scans-per-day"):
        run("--scans-per-day", scans)


def test_repeats_are_measured(shop):
    for number in range(40):
        complete(user=f"question {number % 10}")
    found = workload.measure()
    assert (found.samples, found.repeated) == (40, 0.75)
    assert len(found.by_hour) == 24
    assert max(found.by_hour) == found.by_hour[12]


@pytest.mark.parametrize("calls", [3, 7, 10, 25])
def test_sizes_are_drawn_evenly_also_where_there_are_fewer_calls_than_samples(calls):
    asks = [Ask(tokens_in=number, max_tokens=1, tokens_out=1) for number in range(10)]
    start = datetime(2026, 11, 23, tzinfo=UTC)
    drawn = Load(calls, asks).arrivals(start, start + timedelta(days=1), random.Random(1))
    sizes = [ask.tokens_in for _, ask in drawn]
    assert len(sizes) == calls
    assert abs(sum(sizes) / calls - 4.5) <= 1.5
    assert max(sizes) >= 6


@pytest.mark.django_db(transaction=True)
def test_scans_are_measured_on_reports_unless_another_purpose_is_said(sim, monkeypatch):
    asked, found = [], workload.Measured(workload.ASSUMED, 20, (1.0,) * 24, 0.0)
    monkeypatch.setattr(workload, "measure", lambda purpose, now: asked.append(purpose) or found)
    for arguments in ([], ["--purpose", "letters"]):
        call_command("forecast", "--scans-per-day", "5", *arguments, stdout=StringIO())
    assert asked == ["audit-report", "letters"]
