"""GET /v1/quota: what a client has left, door by door, and until when."""

from decimal import Decimal

import pytest

from llm.simulator import behaviours as b
from tests.chain_setup import OSS, make_deepseek, make_groq
from tests.gateway_client import Gateway, make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def sized(sim):
    return make_groq(sim, keys=2, models=[{"name": OSS, "rpd": 100, "tpm": 8_000}])


def quota(gateway):
    response = gateway.get("/v1/quota")
    assert response.status_code == 200
    return response.json()


def test_each_limit_is_told_with_what_is_left_of_it(sim, sized):
    gateway = Gateway(make_client()[1])
    before = quota(gateway)["limits"]
    names = ("provider", "account", "model", "per", "limit", "left")
    assert {tuple(one[name] for name in names) for one in before} == {
        ("groq", account, OSS, per, limit, limit)
        for account in (1, 2) for per, limit in (("day", 100), ("minute", 8_000))
    }  # fmt: skip
    assert gateway.ask().status_code == 200
    day = next(one for one in quota(gateway)["limits"] if one["account"] == 1 and one["per"] == "day")
    assert (day["used"], day["left"]) == (1, 99)
    assert day["until"] > quota(gateway)["at"]


def test_the_clients_own_limits_are_told(sim, sized):
    make_deepseek(sim)
    gateway = Gateway(make_client(daily_calls=5, rpm=10, daily_budget_usd=Decimal("0.5"))[1])
    gateway.ask(model="deepseek")
    own = quota(gateway)["client"]
    assert own["requests_a_day"] == {"limit": 5, "used": 1, "left": 4}
    assert own["requests_per_minute"] == 10
    assert Decimal(own["usd_a_day"]["left"]) < Decimal(own["usd_a_day"]["limit"]) == Decimal("0.5")
    assert quota(gateway)["until_midnight"]["seconds"] <= 86_400


def test_what_a_client_may_not_use_is_not_its_business(sim, sized):
    make_deepseek(sim)
    first_tier = quota(Gateway(make_client(tiers=["2"])[1]))
    assert first_tier["limits"] == []
    text = str(quota(Gateway(make_client("other")[1])))
    assert "key-of" not in text


def test_pauses_are_told_with_their_end(sim, sized):
    gateway = Gateway(make_client()[1])
    sim.script("key-of-groq1", b.http(429, headers={"retry-after": "300"}))
    gateway.ask()
    (paused,) = quota(gateway)["paused"]
    assert (paused["provider"], paused["why"]) == ("groq", "rate_limited_key")
    assert paused["until"]


def test_it_needs_a_key(client):
    assert client.get("/v1/quota").status_code == 401
