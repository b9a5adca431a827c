"""`providers check`: what we believe of every provider against what it says today."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from llm.adapters.base import stated_price
from llm.calls.deployment import Deployment
from llm.configuration import snapshot
from llm.configuration.prices import Price
from llm.failures.kinds import Failure, Kind
from llm.foresight import provider_check
from llm.models import Attempt, Call, Model, Notice, Pause, Provider
from llm.pauses import breaker
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, SMALL, make_deepseek, make_groq, make_provider, make_vertex

pytestmark = pytest.mark.django_db


def run(*arguments):
    """The exit status and the lines."""
    out = StringIO()
    try:
        call_command("providers", "check", *arguments, stdout=out, stderr=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def findings(slug, **options):
    snapshot.forget()
    [provider] = provider_check.providers(slug)
    return {(one.subject, str(one.word)): one for one in provider_check.check(provider, **options)}


def listing(sim, key, **prices):
    data = [
        {"id": name, "pricing": {"prompt": one, "completion": two}} for name, (one, two) in prices.items()
    ]
    sim.script(key, b.http(200, {"data": data}), endpoint="models")


def test_a_provider_in_order_costs_one_tiny_call_for_each_key_and_model(sim):
    make_groq(sim, keys=3, models=(OSS, SMALL))
    status, text = run()
    assert status == 0
    calls = Call.objects.filter(purpose="provider-check")
    assert calls.count() == 3 == sim.count()
    asked = Attempt.objects.values_list("credential", "model", "outcome").order_by("id")
    assert list(asked) == [("groq1", OSS, "ok"), ("groq2", SMALL, "ok"), ("groq3", OSS, "ok")]
    assert all(request.body["max_tokens"] <= 16 for request in sim.requests if request.endpoint == "chat")
    assert f"groq2 {SMALL}: ok" in text
    assert not Notice.objects.exists()


def test_an_id_that_is_gone_is_named_once_and_mailed(sim, settings):
    settings.ADMINS = [("staff", "staff@example.org")]
    make_groq(sim, keys=1, models=(OSS, SMALL))
    sim.offer("groq", SMALL)
    status, text = run()
    assert status == 1
    assert f"! groq         {OSS}: gone" in text
    assert f"! groq         {SMALL}" not in text
    run()
    assert Notice.objects.get().subject == f"groq: {OSS}: gone"
    assert [OSS in message.subject for message in mail.outbox] == [True]


def test_a_model_that_refuses_to_answer_is_paused_for_everybody(sim):
    make_groq(sim, keys=1, models=(OSS, SMALL))
    sim.script("key-of-groq1", b.payload("groq-404-model-not-found-1"), model=OSS)
    status, text = run("groq")
    assert status == 1
    assert "model_gone" in text
    assert Pause.objects.get(closed_at=None).model == OSS


def test_an_expired_key_is_told_from_a_good_one(sim):
    make_groq(sim, keys=2)
    sim.script("key-of-groq1", b.payload("groq-401-invalid-key"))
    sim.script("key-of-groq1", b.payload("groq-401-invalid-key"), endpoint="models")
    status, text = run()
    assert status == 1
    assert "groq1: key_invalid" in text
    assert "groq2 openai/gpt-oss-120b: ok" in text
    assert Pause.objects.get().credential == "groq1"


def test_what_passes_by_itself_needs_nobody(sim):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.payload("groq-429-tpm-1"))
    status, text = run()
    assert status == 0
    assert "rate_limited_key" in text


def test_what_answers_is_not_broken_any_more(sim):
    make_groq(sim, keys=1)
    key = snapshot.providers()[0].keys[0]
    deployment = Deployment(snapshot.providers()[0], key, snapshot.providers()[0].models[0])
    breaker.open_for(Failure(Kind.MODEL_GONE, "gone"), deployment)
    breaker.open_for(Failure(Kind.RATE_LIMITED_KEY, "full", retry_after_s=900), deployment)
    by_staff = Pause.objects.create(
        provider="groq", credential="groq1", kind=Kind.KEY_INVALID, source="staff", since=timezone.now()
    )
    assert run()[0] == 0
    assert set(Pause.objects.filter(closed_at=None)) == {by_staff}
    assert Pause.objects.get(kind=Kind.MODEL_GONE).closed_by == "answered again"


def test_a_paid_provider_without_any_budget_is_not_called_unasked(sim):
    make_deepseek(sim)
    assert run()[0] == 0
    assert sim.count() == 0
    assert run("deepseek", "--paid")[0] == 0
    assert sim.count() == 1
    assert Call.objects.get().cost_usd > 0


def test_a_budget_is_kept(sim):
    make_deepseek(sim, daily_budget_usd="0.000001")
    assert "skipped (daily budget spent)" in run()[1]
    assert sim.count() == 0


def test_a_price_above_ours_is_told(sim):
    make_deepseek(sim)
    listing(sim, "key-of-deepseek", **{"deepseek-flash": ("0.0000004", "0.0000012")})
    found = findings("deepseek")[("deepseek-flash", "price")]
    assert found.problem
    assert found.detail == "the provider asks $0.4 in, $1.2 out, we count $0.3 in, $1.2 out"
    listing(sim, "key-of-deepseek", **{"deepseek-flash": ("0.0000003", "0.0000012")})
    assert ("deepseek-flash", "price") not in findings("deepseek")


def test_a_free_model_that_is_no_longer_free_is_told(sim):
    make_provider(sim, "openrouter", models=["gemma:free"], keys={"openrouter": ""}, free=True)
    listing(sim, "key-of-openrouter", **{"gemma:free": ("0.0000001", "0")})
    assert findings("openrouter")[("gemma:free", "price")].problem


@pytest.mark.parametrize(
    ("pricing", "price"),
    [
        ({"prompt": "0.0000003", "completion": "0.0000012"}, (Decimal("0.3"), Decimal("1.2"))),
        ({"prompt": "-1", "completion": "-1"}, None),
        ({"prompt": "0.1"}, None),
        ({"prompt": "NaN", "completion": "0"}, None),
        ({"prompt": None, "completion": []}, None),
        ("free", None),
        (None, None),
    ],
)
def test_only_a_price_is_a_price(pricing, price):
    assert stated_price(pricing) == price


def test_a_price_that_moved_in_the_library_is_told(sim):
    provider = make_deepseek(sim)
    Model.objects.filter(provider=provider).update(price_in=None, price_out=None)
    price = snapshot.providers()[0].models[0].price
    assert price.source == "library"
    call = Call.objects.create(started_at=timezone.now(), deadline_s=1)
    attempt = Attempt.objects.create(
        call=call, provider="deepseek", credential="deepseek", account="deepseek", model="deepseek-flash",
        tier=2, free=False, started_at=timezone.now() - timedelta(days=1), price_source="library",
        price_in=price.per_million_in, price_out=price.per_million_out,
    )  # fmt: skip
    assert ("deepseek-flash", "price") not in findings("deepseek")
    Attempt.objects.filter(pk=attempt.pk).update(price_in=price.per_million_in * 2)
    assert "was" in findings("deepseek")[("deepseek-flash", "price")].detail


def test_a_staff_price_below_the_librarys_is_told(sim):
    make_deepseek(sim)
    [conf] = provider_check.providers("deepseek")
    model = replace(conf.models[0], price=Price(Decimal("0.01"), Decimal("1.20"), "staff"))
    [found] = provider_check._below_library(replace(conf, base_url="https://api.deepseek.com"), model)
    assert "the price library says" in found.detail
    assert list(provider_check._below_library(conf, model)) == []  # the stand-in's prices are its own
    dear = replace(model, price=Price(Decimal(9), Decimal(9), "staff"))
    assert list(provider_check._below_library(replace(conf, base_url="https://api.deepseek.com"), dear)) == []


@pytest.mark.parametrize(
    ("model", "listed", "found"),
    [
        ("a/b", ["a/b"], True),
        ("a/b:cheapest", ["a/b"], True),
        ("a/b:free", ["a/b"], False),
        ("gpt-oss:20b", ["gpt-oss:120b"], False),
        ("a/b", ["a/c"], False),
    ],
)
def test_a_routers_wish_is_no_id(model, listed, found):
    assert provider_check.offered(model, dict.fromkeys(listed)) is found


def test_vertex_is_asked_in_its_first_location(sim, tmp_path):
    make_vertex(sim, tmp_path, daily_budget_usd="1")
    assert run("vertex")[0] == 0
    assert Attempt.objects.get().location == "global"


def test_a_provider_that_cannot_be_listed_is_still_called(sim):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.http(500, {"error": "no"}), endpoint="models")
    status, text = run()
    assert status == 0
    assert "groq1: provider_down" in text
    assert "groq1 openai/gpt-oss-120b: ok" in text


def test_an_unknown_provider_is_an_error_of_its_own():
    Provider.objects.create(slug="off", kind="openai", name="Off", enabled=False)
    with pytest.raises(CommandError, match="no enabled provider") as refused:
        call_command("providers", "check", "off")
    assert refused.value.returncode == 2


def test_a_key_without_a_secret_is_said(sim):
    provider = make_groq(sim, keys=1)
    provider.credentials.update(secret="env:NOT_SET_ANYWHERE")
    assert ("groq1", "no key") in findings("groq")
    assert sim.count() == 0
