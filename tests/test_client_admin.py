"""Clients in the admin: a key is shown once, limits are checked, usage is read from the ledger."""

import re
from decimal import Decimal

import pytest
from django.urls import reverse

from llm.models import Call, Client
from tests.chain_setup import make_groq
from tests.gateway_client import Gateway, make_client

pytestmark = pytest.mark.django_db
LIST = "admin:llm_client_changelist"


def form(**changed):
    empty = dict.fromkeys(
        ("expires_at_0", "expires_at_1", "rpm", "concurrency", "daily_calls", "daily_budget_usd", "max_usd", "tiers",
         "regions"), ""
    )  # fmt: skip
    return {
        **empty,
        "name": "shop",
        "cache": "default",
        "data_class": "public",
        "commercial": "on",
        **changed,
    }


def test_a_new_client_shows_its_key_once_and_nowhere_else(admin_client, sim):
    make_groq(sim, keys=1)
    page = admin_client.post(reverse("admin:llm_client_add"), form(rpm="9", tiers="1, 1.5", regions="eea"))
    assert "no-store" in page["Cache-Control"]
    key = re.search(r"sk-gl-[\w-]{40,}", page.content.decode())[0]
    assert Gateway(key).ask().status_code == 200
    row = Client.objects.get()
    assert (row.rpm, row.tiers, row.regions) == (9, ["1", "1.5"], ["EEA"])
    for path in (reverse(LIST), reverse("admin:llm_client_change", args=[row.pk]), reverse("admin:index")):
        assert key not in admin_client.get(path).content.decode()


@pytest.mark.parametrize(
    "wrong", [{"name": "Bad Name"}, {"tiers": "one"}, {"regions": "e?"}, {"max_usd": "-1"}, {"rpm": "-1"}]
)
def test_a_wrong_value_makes_no_client(admin_client, wrong):
    page = admin_client.post(reverse("admin:llm_client_add"), form(**wrong))
    assert page.status_code == 200
    assert "sk-gl-" not in page.content.decode()
    assert not Client.objects.exists()


def test_a_change_keeps_the_key_and_the_name(admin_client):
    client, key = make_client()
    admin_client.post(reverse("admin:llm_client_change", args=[client.pk]), form(name="other", rpm="3"))
    client.refresh_from_db()
    assert (client.name, client.rpm) == ("shop", 3)
    assert Gateway(key).get("/v1/models").status_code == 200


def test_staff_can_revoke_a_key_and_give_another(admin_client):
    client, key = make_client()
    admin_client.post(reverse(LIST), {"action": "revoke", "_selected_action": client.pk})
    assert Gateway(key).get("/v1/models").status_code == 401
    page = admin_client.post(reverse(LIST), {"action": "renew", "_selected_action": client.pk})
    renewed = re.search(r"sk-gl-[\w-]{40,}", page.content.decode())[0]
    assert Gateway(renewed).get("/v1/models").status_code == 200


def test_the_usage_page_sums_the_ledger(admin_client, sim, django_assert_max_num_queries):
    make_groq(sim, keys=1)
    client, key = make_client(daily_budget_usd=Decimal("1.25"), daily_calls=50)
    make_client("other")
    for _ in range(3):
        Gateway(key).ask()
    address = reverse("admin:llm_client_usage", args=[client.pk])
    with django_assert_max_num_queries(8):
        page = admin_client.get(address).content.decode()
    assert "1.25" in page
    assert "openai/gpt-oss-120b" in page
    assert re.search(r"<td>3</td>\s*<td>50</td>", page)
    assert str(Call.objects.first().tokens_out * 3) in page
    assert address in admin_client.get(reverse(LIST)).content.decode()


def test_the_usage_page_is_for_staff_who_may_see_clients(client, django_user_model):
    row, _ = make_client()
    address = reverse("admin:llm_client_usage", args=[row.pk])
    assert client.get(address).status_code == 302
    client.force_login(django_user_model.objects.create_user("s", password="x", is_staff=True))
    assert "Usage of shop" not in client.get(address).content.decode()
