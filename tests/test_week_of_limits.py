"""Days of the chain against a simulator that enforces the same limits exactly: none refused, hardly any left over."""

import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from llm import secrets
from llm.chain import ChainExhausted, complete
from llm.configuration import presets, snapshot
from llm.foresight import forecast, workload
from llm.foresight.load import Ask, Load
from llm.ledger import counters
from llm.limits.quota import LedgerMeter
from llm.models import Attempt, Credential, Limit, Provider
from llm.simulator import Simulator
from llm.simulator import behaviours as b
from tests.chain_setup import make_provider

pytestmark = pytest.mark.django_db(transaction=True)

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
MODELS = {  # of each provider, and its limits: (scope, patterns, per, unit, amount)
    "hourly": (["m"], [("provider", [], "hour", "requests", 3)]),  # first: its hours pass
    "pool": (["a:free", "b:free", "c"], [("account", ["*:free"], "day", "requests", 40)]),
    "monthly": (["m"], [("account", [], "month", "requests", 60)]),
    "input": (["m"], [("model", [], "minute", "tokens_in", 400), ("model", [], "day", "tokens_in", 6000)]),
    "units": (["dear", "cheap"], [("account", [], "day", "units", 4000)]),
    "weekly": (["m"], [("account", [], "week", "tokens", 15_000)]),
}
PRICES = {"dear": (100_000, 200_000), "cheap": (50_000, 100_000)}
ACCOUNTS = {"pool": 2, "hourly": 2}
PROMPT, MAX_TOKENS = "word" * 90, 60  # about 90 tokens in, 60 out


def build(sim):
    for slug, (models, limits) in MODELS.items():
        fields = [
            {"name": name} | (
                {"units_in": Decimal(PRICES[name][0]), "units_out": Decimal(PRICES[name][1])} if name in PRICES else {}
            )
            for name in models
        ]  # fmt: skip
        # Without a limit of its own, what is no ":free" would serve everybody.
        fields = [{**one, "enabled": one["name"] != "c"} for one in fields]
        keys = {f"{slug}{n}": "" for n in range(ACCOUNTS.get(slug, 1))}
        row = make_provider(sim, slug, models=fields, keys=keys, free=True, day_reset="utc", timeout_s=20)
        for scope, patterns, per, unit, amount in limits:
            prices = {"units_in": 100_000, "units_out": 200_000} if unit == "units" else {}
            Limit.objects.create(
                provider=row, scope=scope, patterns=patterns, per=per, unit=unit, amount=amount, **prices
            )
            sim.share(
                provider=slug, scope=scope, models=patterns, per=per, unit=unit, amount=amount, prices=PRICES,
                **prices,
            )  # fmt: skip


def play(sim, traveller, *, days, every):
    """Calls at fixed intervals, more than all together can serve. Returns how many were served."""
    served, end = 0, MONDAY + timedelta(days=days)
    moment = MONDAY
    while moment < end:
        if moment.timestamp() > time.time():
            traveller.move_to(moment)
        with suppress(ChainExhausted):
            complete(user=PROMPT, max_tokens=MAX_TOKENS, deadline_s=20)
            served += 1
        moment += every
    return served


def used_of_each():
    """(provider, unit, window, account): what was used of what could be, in the whole time."""
    found = {}
    for row in Attempt.objects.filter(outcome="ok"):
        price_in, price_out = PRICES.get(row.model, (0, 0))
        found.setdefault((row.provider, row.account), Counter()).update(
            requests=1, tokens=row.tokens_in + row.tokens_out, tokens_in=row.tokens_in,
            units=(row.tokens_in * price_in + row.tokens_out * price_out) / 1_000_000,
        )  # fmt: skip
    return found


def most_calls(arrivals, amount):
    """How many of these calls an hour that rolls can take, when each is taken that can be."""
    taken = []
    for moment in arrivals:
        taken = [each for each in taken if each > moment - timedelta(hours=1)]
        if len(taken) < amount:
            taken.append(moment)
            yield moment


def check(sim, *, days, every):
    refused = [record for record in sim.requests if record.status != 200]
    assert refused == []
    found = used_of_each()
    for slug, (_, limits) in MODELS.items():
        times = {"day": days, "week": -(-days // 7), "month": 1}
        for scope, _, per, unit, amount in limits:
            used = sum(each[unit] for (provider, _), each in found.items() if provider == slug)
            if per == "hour":  # what nobody needed at first is gone
                first = Attempt.objects.filter(provider=slug).earliest("started_at").started_at
                left = (MONDAY + timedelta(days=days) - first) // every
                whole = len(list(most_calls([first + every * n for n in range(left + 1)], amount)))
            elif per in times:
                whole = amount * times[per] * (1 if scope == "provider" else ACCOUNTS.get(slug, 1))
            else:
                continue
            assert 0.98 * whole <= used <= whole, (slug, unit, per, used, whole)


def check_books():
    now = datetime.now(tz=UTC)
    for provider in snapshot.providers():
        kept = LedgerMeter(now).tallies(provider)
        per = {limit.per for model in provider.models for limit in model.limits}
        true = counters.from_ledger(provider.slug, day_reset="utc", per=per, now=now)
        for names, tally in true.items():
            for window in per:
                assert kept[names].used(window, now) == tally.used(window, now), (
                    provider.slug,
                    names,
                    window,
                )


def simulated(monkeypatch, *, days, every):
    with time_machine.travel(MONDAY, tick=False) as traveller, Simulator(clock=time.time) as sim:
        monkeypatch.setattr("llm.clock.sleep", lambda seconds: traveller.shift(seconds))
        build(sim)
        sim.default(b.ok("word" * 60))
        start = MONDAY
        chain = workload.chain()
        served = play(sim, traveller, days=days, every=every)
        check(sim, days=days, every=every)
        check_books()
        row = Attempt.objects.filter(outcome="ok").first()
        ask = Ask(row.tokens_in, MAX_TOKENS, row.tokens_out, row.latency_ms / 1000)
        seconds = every.total_seconds()
        load = Load(round(86_400 / seconds), [ask])
        expected = forecast.play(chain, load, start=start, end=start + timedelta(days=days))
        answered = expected.calls - expected.unserved
        by_provider = Counter(Attempt.objects.filter(outcome="ok").values_list("provider", flat=True))
        told = {slug: share.calls for slug, share in expected.shares.items()}
        assert abs(answered - served) <= 0.05 * served, (told, by_provider)
        return served


@pytest.mark.exhaustive
def test_a_week_of_shared_hourly_monthly_input_and_unit_limits(monkeypatch):
    simulated(monkeypatch, days=7, every=timedelta(minutes=3))


def test_a_day_of_shared_hourly_monthly_input_and_unit_limits(monkeypatch):
    simulated(monkeypatch, days=1, every=timedelta(minutes=2))
    assert Provider.objects.count() == len(MODELS)


def from_presets(sim):
    """The free providers that ship switched on, each with a key, at the simulator, which enforces their limits."""
    presets.install()
    Provider.objects.exclude(free=True, enabled=True).update(enabled=False)
    for row in Provider.objects.filter(enabled=True):
        Provider.objects.filter(pk=row.pk).update(
            base_url=f"{sim.url}/{row.slug}{'' if row.kind == 'groq' else '/v1'}"
        )
        row.refresh_from_db()
        secret = secrets.seal(f"key-of-{row.slug}")
        Credential.objects.create(provider=row, label=row.slug, secret=secret, entered_for=row.origin)
        prices = {
            model.name: (float(model.units_in or 0), float(model.units_out or 0))
            for model in row.models.all()
        }
        for model in row.models.filter(enabled=True):
            quotas = {name: getattr(model, name) for name in ("rpm", "rpd", "tpm", "tpd")}
            if any(quotas.values()):
                sim.limit(f"key-of-{row.slug}", model.name, **quotas)
        for limit in row.limits.filter(enabled=True):
            units = {"units_in": float(limit.units_in or 0), "units_out": float(limit.units_out or 0)}
            sim.share(
                provider=row.slug, scope=limit.scope, models=limit.patterns, per=limit.per, unit=limit.unit,
                amount=limit.amount, prices=prices if limit.unit == "units" else {}, **units,
            )  # fmt: skip
    snapshot.forget()


@pytest.mark.exhaustive
def test_the_forecast_of_the_shipped_presets_is_that_of_a_simulated_day(monkeypatch):
    every, out = timedelta(seconds=100), 600
    with time_machine.travel(MONDAY, tick=False) as traveller, Simulator(clock=time.time) as sim:
        monkeypatch.setattr("llm.clock.sleep", lambda seconds: traveller.shift(seconds))
        from_presets(sim)
        sim.default(b.ok("word" * out))
        chain, served, moment = workload.chain(), 0, MONDAY
        while moment < MONDAY + timedelta(days=1):
            if moment.timestamp() > time.time():
                traveller.move_to(moment)
            with suppress(ChainExhausted):
                complete(user="word" * 900, max_tokens=1400, max_usd=0, deadline_s=20)
                served += 1
            moment += every
        refused = [record for record in sim.requests if record.status != 200]
        row = Attempt.objects.filter(outcome="ok").first()
        ask = Ask(row.tokens_in, 1400, row.tokens_out, row.latency_ms / 1000)
        day = forecast.play(chain, Load(86_400 // 100, [ask]), start=MONDAY)
        by_provider = Counter(Attempt.objects.filter(outcome="ok").values_list("provider", flat=True))
        told = {slug: share.calls for slug, share in day.shares.items()}
        assert refused == []
        assert set(by_provider) == {"groq", "openrouter", "huggingface"}
        assert abs(day.calls - day.unserved - served) <= 0.05 * served, (told, by_provider)
