"""The plan: which deployments a call would try, in which order, and what it passes over and why."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from llm.calls.deployment import CallSkips, Deployment, Skipped
from llm.calls.spec import CallSpec
from llm.chain.plan import Planner
from llm.configuration.prices import FREE, UNKNOWN, Price
from llm.configuration.snapshot import KeyConf, ModelConf, PauseView, ProviderConf
from llm.failures.kinds import Kind

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PAID = Price(Decimal(1), Decimal(2), "staff")


class Meter:
    """A meter that says what it is told to."""

    def __init__(self, *, full=(), today=0, ever=0):
        self.full, self.today, self.ever = full, Decimal(today), Decimal(ever)

    def room(self, deployment, want):
        if deployment.key.account in self.full:
            return Skipped(
                deployment.provider.slug, "quota of the minute", deployment.key.label, deployment.model.name
            )
        return None

    def spent_today(self, provider):
        return self.today

    def spent_ever(self, provider):
        return self.ever


def provider(slug="groq", *, tier=1, keys=("a",), models=("m1",), free=True, price=None, **more):
    """A provider; a key is "label" or "label@account"."""
    split = [key.partition("@") for key in keys]
    return ProviderConf(
        **{
            "slug": slug, "kind": "openai", "base_url": "", "tier": Decimal(str(tier)), "free": free,
            "keyless": False, "first_byte_s": 10, "timeout_s": 20, "daily_budget_usd": None, "credit_usd": None,
            "credit_until": None, "demote_after_h": 24, "day_reset": "utc", "project": "", "locations": (),
            "keys": tuple(KeyConf(label, account or label, f"key-{label}") for label, _, account in split),
            "models": tuple(ModelConf(name, {}, 0, price or (FREE if free else PAID)) for name in models),
        }
        | more
    )  # fmt: skip


def pause(provider="groq", kind=Kind.PROVIDER_DOWN, *, seconds=60, since=NOW, probe_until=None, **names):
    blank = {"credential": "", "account": "", "model": "", "location": ""}
    return PauseView(
        id=1, provider=provider, kind=kind, source="guess", since=since, streak=1, detail="", probe_until=probe_until,
        until=None if seconds is None else NOW + timedelta(seconds=seconds), **(blank | names),
    )  # fmt: skip


def steps(*providers, pauses=(), meter=None, skips=None, **want):
    by_provider = {}
    for row in pauses:
        by_provider.setdefault(row.provider, []).append(row)
    planner = Planner(
        providers, by_provider, meter or Meter(), CallSpec(**{"tokens_in": 100, "max_tokens": 100} | want),
        skips or CallSkips(), NOW,
    )  # fmt: skip
    return list(planner.steps())


def told(found):
    return [
        f"{s.key.label} {s.model.name} {s.location}".strip() if isinstance(s, Deployment) else f"- {s.why}"
        for s in found
    ]


def test_within_a_provider_accounts_come_first_then_models_then_locations():
    found = steps(provider(keys=("a", "b"), models=("m1", "m2"), locations=("eu", "us")))
    assert told(found) == [
        "a m1 eu", "a m1 us", "a m2 eu", "a m2 us", "b m1 eu", "b m1 us", "b m2 eu", "b m2 us",
    ]  # fmt: skip


def test_keys_of_one_account_are_one_deployment():
    assert told(steps(provider(keys=("a@org", "b@org", "c@other")))) == ["a m1", "c m1"]


def test_a_disabled_key_is_replaced_by_the_next_key_of_its_account():
    invalid = pause(kind=Kind.KEY_INVALID, seconds=None, credential="a")
    assert told(steps(provider(keys=("a@org", "b@org")), pauses=[invalid])) == ["- key_invalid", "b m1"]


def test_a_provider_wide_pause_is_told_once_and_covers_every_key():
    found = steps(provider(keys=("a", "b")), provider("next", tier=2), pauses=[pause()])
    assert told(found) == ["- provider_down", "a m1"]
    assert found[0].until == NOW + timedelta(seconds=60)
    assert found[0].credential is None


def test_a_pause_of_account_and_model_leaves_the_accounts_other_models():
    limited = pause(kind=Kind.RATE_LIMITED_KEY, account="a", model="m1")
    assert told(steps(provider(models=("m1", "m2")), pauses=[limited])) == ["- rate_limited_key", "a m2"]


def test_a_pause_of_one_location_leaves_the_others():
    down = pause(location="global")
    assert told(steps(provider(locations=("global", "eu")), pauses=[down])) == ["- provider_down", "a m1 eu"]


def test_an_ended_pause_is_handed_on_to_be_probed():
    (step,) = steps(provider(), pauses=[pause(seconds=-1)])
    assert isinstance(step, Deployment)
    assert [p.kind for p in step.probes] == [Kind.PROVIDER_DOWN]


def test_what_another_call_is_probing_is_passed_over():
    probing = pause(seconds=-1, probe_until=NOW + timedelta(seconds=5))
    assert told(steps(provider(), pauses=[probing])) == ["- provider_down"]


def test_an_ended_rate_limit_needs_no_probe():
    limited = pause(
        kind=Kind.RATE_LIMITED_KEY, seconds=-1, account="a", probe_until=NOW + timedelta(seconds=5)
    )
    assert told(steps(provider(), pauses=[limited])) == ["a m1"]


def test_free_only_never_reaches_a_paid_model():
    found = steps(provider(), provider("paid", tier=2, free=False), max_usd=Decimal(0))
    assert told(found) == ["a m1", "- free only"]


def test_a_paid_model_without_a_price_is_passed_over():
    assert told(steps(provider("paid", free=False, price=UNKNOWN))) == ["- price unknown"]


def test_the_worst_case_must_fit_into_what_the_call_and_the_day_may_cost():
    paid = provider("paid", free=False, daily_budget_usd=Decimal("0.001"))
    worst = Decimal("0.000300")  # 100 tokens in at $1 and 100 out at $2 a million
    assert told(steps(paid, max_usd=worst)) == ["a m1"]
    assert told(steps(paid, max_usd=worst - Decimal("0.000001"))) == ["- over max_usd"]
    assert told(steps(paid, meter=Meter(today="0.0007"))) == ["a m1"]
    assert told(steps(paid, meter=Meter(today="0.000701"))) == ["- daily budget spent"]


def test_a_trial_credit_ends_by_day_and_by_money():
    over = provider("paid", free=False, credit_until=(NOW - timedelta(days=1)).date())
    assert told(steps(over)) == ["- trial credit has ended"]
    spent = provider("paid", free=False, credit_usd=Decimal(5))
    assert told(steps(spent, meter=Meter(ever=5))) == ["- trial credit is spent"]


def test_a_full_account_gives_way_to_the_next_without_trying_its_other_keys():
    found = steps(provider(keys=("a@org", "b@org", "c")), meter=Meter(full=("org",)))
    assert told(found) == ["- quota of the minute", "c m1"]


def test_what_the_call_itself_has_learned_is_not_tried_again():
    skips = CallSkips(providers={"one"}, models={("two", "m1")}, deployments={("c", "m1", "")})
    found = steps(
        provider("one"),
        provider("two", keys=("b",), models=("m1", "m2")),
        provider("three", keys=("c", "d")),
        skips=skips,
    )
    assert told(found) == ["b m2", "d m1"]


def test_providers_and_tiers_can_be_chosen():
    three = (
        provider("one"),
        provider("two", tier="1.5", keys=("b",)),
        provider("three", tier=2, keys=("c",)),
    )
    assert told(steps(*three, providers=frozenset({"two"}))) == ["b m1"]
    assert told(steps(*three, tiers=frozenset({Decimal(1), Decimal(2)}))) == ["a m1", "c m1"]


def test_a_provider_without_a_key_is_told_and_passed_over():
    assert told(steps(provider(keys=()), provider("next", tier=2))) == ["- no key", "a m1"]


def blocked_for(hours):
    return pause(kind=Kind.BLOCKED_PROVIDER, seconds=-1, since=NOW - timedelta(hours=hours))


def test_a_provider_blocked_for_long_stands_behind_the_next_healthy_tier():
    three = (
        provider("groq", keys=("g",)),
        provider("openrouter", tier="1.5", keys=("o",)),
        provider("deepseek", tier=2, keys=("d",)),
    )
    assert told(steps(*three, pauses=[blocked_for(23)])) == ["g m1", "o m1", "d m1"]
    assert told(steps(*three, pauses=[blocked_for(25)])) == ["o m1", "g m1", "d m1"]


def ending(day, **more):
    models = (ModelConf("old", {}, 0, FREE, shutdown_on=day), ModelConf("new", {}, 0, FREE))
    return provider(**more) if not day else replace(provider(**more), models=models)


def test_a_model_is_passed_over_from_the_day_on_which_its_provider_ends_it():
    assert told(steps(ending(date(2026, 11, 24)))) == ["a old", "a new"]
    assert told(steps(ending(date(2026, 11, 23)))) == ["- ended on 2026-11-23", "a new"]
    assert told(steps(ending(date(2026, 11, 15)))) == ["- ended on 2026-11-15", "a new"]


def test_the_day_of_the_end_is_the_providers_own():
    early = NOW.replace(hour=5)  # 21:00 of the day before, in Pacific time
    planner = Planner(
        (ending(date(2026, 11, 23), day_reset="pacific"),), {}, Meter(),
        CallSpec(tokens_in=1, max_tokens=1), CallSkips(),
        early,
    )  # fmt: skip
    assert told(planner.steps()) == ["a old", "a new"]
    deployment, skipped = next(iter(replace(planner, now=NOW).survey()))
    assert (deployment.model.name, skipped.why) == ("old", "ended on 2026-11-23")
