"""Clients of the gateway: their keys, their limits and what their data may be sent to."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from llm.calls import terms
from llm.clients import access as clients
from llm.configuration.snapshot import providers
from llm.models import Attempt, Call, Client, Provider
from llm.simulator import behaviours as b
from tests.chain_setup import make_deepseek, make_groq, make_provider
from tests.factories import mistyped
from tests.gateway_client import Gateway, error_of, make_client

pytestmark = pytest.mark.django_db


def clients_command(*arguments):
    out = io.StringIO()
    call_command("clients", *arguments, stdout=out)
    return out.getvalue()


# -- keys ------------------------------------------------------------------------------------------------


def test_add_prints_the_key_alone_and_keeps_only_its_hash(sim):
    make_groq(sim, keys=1)
    key = clients_command("add", "shop", "--rpm", "5").strip()
    assert key.startswith("sk-gl-")
    assert Gateway(key).ask().status_code == 200
    row = Client.objects.get()
    assert row.rpm == 5
    assert key not in str(vars(row))
    assert key.split("-", 3)[3] not in str(vars(row))


@pytest.mark.parametrize("arguments", [("add", "Bad Name"), ("add", "shop"), ("revoke", "nobody")])
def test_a_mistake_is_told_in_one_line(arguments):
    make_client("shop")
    with pytest.raises(CommandError):
        clients_command(*arguments)


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "-Infinity", "Infinity", "1e999", "-1", "x"])
def test_a_budget_that_is_no_amount_is_refused(amount):
    with pytest.raises(CommandError, match=r"not a number|at least 0"):
        call_command("clients", "add", "shop", f"--daily-budget-usd={amount}")


def test_the_list_tells_the_state_of_each_and_no_key():
    _, key = make_client("shop", daily_budget_usd=Decimal("1.50"), tiers=["1", "1.5"])
    make_client("old")
    clients_command("revoke", "old")
    text = clients_command("list")
    assert text == clients_command()
    shop = next(line for line in text.splitlines() if line.startswith("shop"))
    assert "active" in shop
    assert "1.5" in shop
    assert "never" in shop
    assert "revoked" in next(line for line in text.splitlines() if line.startswith("old"))
    assert key not in text


@pytest.mark.parametrize(
    "key", ["", "x", "sk-gl-", "sk-gl-a-b", "sk-gl-0123456789-wrong", "sk-gl-\udcff-x", "sk-gl-%00-x", "ключ"]
)
def test_a_wrong_key_is_refused(sim, key):
    make_groq(sim, keys=1)
    make_client()
    response = Gateway("unset").browser.get(
        "/v1/models", HTTP_AUTHORIZATION=f"Bearer {key}".encode("utf-8", "surrogateescape").decode("latin-1")
    )
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert error_of(response)["code"] == "invalid_api_key"


def test_the_right_id_with_another_secret_is_refused(monkeypatch):
    _, key = make_client()
    compared = []
    real = clients.hmac.compare_digest
    monkeypatch.setattr(clients.hmac, "compare_digest", lambda a, b: compared.append((a, b)) or real(a, b))
    assert Gateway(mistyped(key)).get("/v1/models").status_code == 401
    assert Gateway("sk-gl-0000000000-x").get("/v1/models").status_code == 401
    assert len(compared) == 2  # also for an id that nobody has: it takes as long


def test_a_revoked_or_expired_key_is_refused_at_once_and_a_renewed_one_is_not():
    _, key = make_client(expires_at=timezone.now() + timedelta(days=1))
    assert Gateway(key).get("/v1/models").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert "expired" in error_of(Gateway(key).get("/v1/models"))["message"]
    clients.revoke(Client.objects.all())
    assert "revoked" in error_of(Gateway(key).get("/v1/models"))["message"]
    renewed = clients_command("renew", "shop").strip()
    assert Gateway(renewed).get("/v1/models").status_code == 200
    assert Gateway(key).get("/v1/models").status_code == 401


def test_over_plain_http_no_key_is_taken_where_the_site_is_https(settings):
    _, key = make_client()
    settings.SECURE_SSL_REDIRECT = True
    response = Gateway(key).get("/v1/models")
    assert (response.status_code, error_of(response)["code"]) == (403, "https_required")


# -- limits ----------------------------------------------------------------------------------------------


def test_requests_a_minute_are_counted_in_the_ledger(sim):
    make_groq(sim, keys=1)
    _, key = make_client(rpm=2)
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        assert [Gateway(key).ask().status_code for _ in range(2)] == [200, 200]
        clock.shift(20)
        response = Gateway(key).ask()
        assert (response.status_code, response["Retry-After"]) == (429, "40")
        assert error_of(response)["code"] == "rate_limit_exceeded"
        assert Call.objects.count() == 2  # what was refused is no call
        clock.shift(41)
        assert Gateway(key).ask().status_code == 200


def test_requests_a_day_end_at_midnight_utc(sim):
    make_groq(sim, keys=1)
    _, key = make_client(daily_calls=1)
    with time_machine.travel("2026-11-20T23:00:00Z", tick=False) as clock:
        assert Gateway(key).ask().status_code == 200
        response = Gateway(key).ask()
        assert (response.status_code, response["Retry-After"]) == (429, "3600")
        assert error_of(response)["type"] == "insufficient_quota"
        clock.shift(3601)
        assert Gateway(key).ask().status_code == 200


def test_a_call_that_nobody_could_serve_counts_too(sim):
    make_groq(sim, keys=0)
    _, key = make_client(rpm=1)
    assert Gateway(key).ask().status_code == 503
    assert Gateway(key).ask().status_code == 429
    assert Call.objects.get().outcome == Call.Outcome.EXHAUSTED


@pytest.mark.django_db(transaction=True)
def test_limits_hold_exactly_however_many_ask_at_the_same_moment(sim, held):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.ok(), b.slow_first_token(0.3))
    refused = []
    _, key = make_client(concurrency=3)
    assert Gateway(key).ask().status_code == 200  # so that nobody waits to see whether the provider is there

    def ask(_):
        try:
            status = Gateway(key).ask().status_code
        finally:
            connection.close()
        if status == 429:
            refused.append(status)
            if len(refused) == 9:
                held.set()
        return status

    with ThreadPoolExecutor(12) as pool:
        statuses = sorted(pool.map(ask, range(12)))
    assert statuses == [200] * 3 + [429] * 9
    assert sim.count() == 4
    assert Gateway(key).ask().status_code == 200


def test_the_daily_budget_stops_paid_providers_only(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    _, key = make_client(daily_budget_usd=Decimal("0.01"))
    call = Call.objects.create(started_at=timezone.now(), deadline_s=1, client="shop", outcome="ok")
    Attempt.objects.create(
        call=call, provider="deepseek", credential="deepseek", account="deepseek", model="m", tier=2, free=False,
        started_at=timezone.now(), finished_at=timezone.now(), cost_usd=Decimal("0.0099"), outcome="ok",
    )  # fmt: skip
    assert Gateway(key).ask().status_code == 200  # free
    response = Gateway(key).ask(model="deepseek")
    assert (response.status_code, error_of(response)["code"]) == (429, "insufficient_quota")
    assert sim.count(provider="deepseek") == 0
    _, other = make_client("other", daily_budget_usd=Decimal("0.01"))
    assert Gateway(other).ask(model="deepseek").status_code == 200


def test_max_usd_of_a_client_cannot_be_raised_by_a_request(sim):
    make_deepseek(sim)
    _, key = make_client(max_usd=Decimal(0))
    assert "free only" in error_of(Gateway(key).ask(max_usd=5))["message"]
    _, rich = make_client("rich")
    assert Gateway(rich).ask(max_usd=0).status_code == 503
    assert Gateway(rich).ask(max_usd=1).status_code == 200


def test_tiers_bound_the_chain_and_what_is_listed(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    _, key = make_client(tiers=["2"])
    gateway = Gateway(key)
    assert gateway.ask()["x-guardlabs-provider"] == "deepseek"
    assert [e["id"] for e in gateway.get("/v1/models").json()["data"]] == [
        "auto", "deepseek", "deepseek/deepseek-flash",
    ]  # fmt: skip
    assert gateway.ask(model="groq").status_code == 404


def test_last_used_is_known_to_the_minute(sim):
    make_groq(sim, keys=1)
    _, key = make_client()
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False) as clock:
        Gateway(key).ask()
        clock.shift(30)
        Gateway(key).ask()
        assert Client.objects.get().last_used_at == timezone.now() - timedelta(seconds=30)


# -- data and terms --------------------------------------------------------------------------------------


def conf(**fields):
    Provider.objects.all().delete()
    from llm.configuration import snapshot

    snapshot.forget()
    Provider.objects.create(slug="p", kind="openai", name="P", base_url="http://127.0.0.1:1", **fields)
    return providers()[0]


@pytest.mark.parametrize(
    ("fields", "use", "why"),
    [
        ({}, {}, ""),
        ({"commercial_use": False}, {}, "no commercial use"),
        ({"commercial_use": False}, {"commercial": False}, ""),
        ({"barred_regions": ["EEA"]}, {}, "bars users of some regions"),
        ({"barred_regions": ["EEA"]}, {"regions": frozenset({"US"})}, ""),
        (
            {"barred_regions": ["EEA"]},
            {"regions": frozenset({"US", "EEA"})},
            "users of that region are barred",
        ),
        ({"trains_on_prompts": True}, {}, ""),
        ({"trains_on_prompts": True}, {"data_class": "internal"}, "trains on prompts"),
        ({}, {"data_class": "internal"}, "may train on prompts"),
        ({"trains_on_prompts": False}, {"data_class": "internal"}, ""),
        ({"trains_on_prompts": False}, {"data_class": "personal"}, "no personal data"),
        ({"trains_on_prompts": False, "personal_data": True}, {"data_class": "personal"}, ""),
        ({"personal_data": True}, {"data_class": "personal"}, "may train on prompts"),
    ],
)
def test_terms_decide_where_data_may_go(fields, use, why):
    assert terms.forbidden(conf(**fields), terms.DataPolicy(**use)).removeprefix("terms: ") == why


def test_personal_data_goes_only_where_it_may_and_is_not_kept(sim):
    make_groq(sim, keys=1, trains_on_prompts=False)
    make_provider(
        sim, "own", models=["m"], keys={"own": ""}, free=True, trains_on_prompts=False, personal_data=True
    )
    _, key = make_client(data_class="personal")
    response = Gateway(key).ask([{"role": "user", "content": "Jane Doe, born 1970"}])
    assert response["x-guardlabs-provider"] == "own"
    assert sim.count(provider="groq") == 0
    call = Call.objects.get()
    assert (call.messages, call.text) == ([], "")
    assert call.tokens_out > 0


def test_when_every_providers_terms_forbid_it_the_error_says_so(sim):
    make_groq(sim, keys=1, trains_on_prompts=True)
    _, key = make_client(data_class="internal")
    response = Gateway(key).ask()
    assert (response.status_code, error_of(response)["code"]) == (403, "terms_forbid")
    assert "trains on prompts" in error_of(response)["message"]
    assert sim.count() == 0
