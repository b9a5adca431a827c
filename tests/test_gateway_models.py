"""What `model` may say, and what /v1/models tells of it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from llm.configuration import presets
from llm.models import Alias, Credential, Model, Provider
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, SMALL, make_deepseek, make_groq, make_provider
from tests.gateway_client import Gateway, make_client

pytestmark = pytest.mark.django_db
SIZED = {"name": OSS, "context": 131_072, "max_output": 65_536, "tpm": 8_000}


def listed(gateway):
    return {entry["id"]: entry for entry in gateway.get("/v1/models").json()["data"]}


def answered_by(response):
    assert response.status_code == 200, response.content
    return response.json()["model"]


def test_a_models_id_alone_is_whoever_serves_it(sim, gateway):
    make_provider(sim, "second", models=[SMALL, OSS], keys={"second": ""}, free=True, tier=1)
    make_groq(sim, keys=1, models=(OSS,), tier=2)
    assert answered_by(gateway.ask(model=OSS)) == f"second/{OSS}"
    sim.script("key-of-second", b.http(500))
    assert answered_by(gateway.ask(model=OSS)) == f"groq/{OSS}"
    assert gateway.get(f"/v1/models/{OSS}").json()["id"] == OSS
    assert gateway.ask(model="gpt-oss-120b").status_code == 404


def test_a_slug_goes_before_an_id_that_begins_like_it(sim, gateway):
    make_provider(sim, "openai", models=["gpt-oss-120b"], keys={"openai": ""}, free=True)
    make_groq(sim, keys=1, models=("openai/gpt-oss-120b",))
    assert answered_by(gateway.ask(model="openai/gpt-oss-120b")) == "openai/gpt-oss-120b"


def test_an_alias_is_what_it_stands_for(sim, gateway):
    make_groq(sim, keys=1, models=(OSS, SMALL))
    Alias.objects.create(name="gpt-4o-mini", to="auto")
    Alias.objects.create(name="small", to=f"groq/{SMALL}")
    Alias.objects.create(name="claude-*", to="free")
    Alias.objects.create(name="claude-haiku*", to=SMALL)
    assert answered_by(gateway.ask(model="gpt-4o-mini")) == f"groq/{OSS}"
    assert answered_by(gateway.ask(model="small")) == f"groq/{SMALL}"
    assert answered_by(gateway.ask(model="claude-opus-5")) == f"groq/{OSS}"
    assert answered_by(gateway.ask(model="claude-haiku-5")) == f"groq/{SMALL}"
    assert {"gpt-4o-mini", "small"} <= set(listed(gateway))
    assert "claude-*" not in listed(gateway)
    assert gateway.get("/v1/models/claude-opus-5").json()["id"] == "claude-opus-5"


def test_the_names_that_programs_ask_for_by_default_are_there_from_the_first_start(sim, gateway):
    make_groq(sim, keys=1)
    presets.install()
    assert not Alias.objects.exists()  # not the first start
    Provider.objects.all().delete()
    presets.install()
    make_provider(sim, "groq2", models=[OSS], keys={"groq2": ""}, free=True, tier=1)
    for name in ("claude-sonnet-5", "gpt-6-codex", "codex-mini-latest"):
        assert gateway.ask(model=name).status_code == 200
    Alias.objects.filter(name="gpt-*").delete()
    presets.install()
    assert gateway.ask(model="gpt-6").status_code == 404


def test_an_alias_to_what_is_not_there_is_a_404(sim, gateway):
    make_groq(sim, keys=1)
    Alias.objects.create(name="gone", to="nobody/model")
    assert gateway.ask(model="gone").status_code == 404
    assert "gone" not in listed(gateway)


def test_sizes_and_abilities_are_told(sim, gateway):
    make_groq(sim, keys=1, models=(SIZED,))
    make_provider(sim, "big", tier=2, free=True, keys={"big": ""}, models=[
        {"name": "m", "context": 200_000, "max_output": 8_192, "images": True, "tools": False}])  # fmt: skip
    found = listed(gateway)
    groq, big, auto = found[f"groq/{OSS}"], found["big/m"], found["auto"]
    assert (groq["context_length"], groq["max_output_tokens"]) == (
        8_000,
        8_000,
    )  # no request may have more a minute
    assert (big["context_length"], big["max_output_tokens"]) == (200_000, 8_192)
    assert big["abilities"] == ["json_schema", "images"]
    assert big["input_modalities"] == ["text", "image"]
    assert (auto["context_length"], set(auto["abilities"])) == (200_000, {"tools", "json_schema", "images"})
    assert found["groq"]["context_length"] == 8_000


def test_only_what_this_client_could_be_served_by_is_listed(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    make_provider(sim, "keyless", models=["m"], keys={"keyless": ""}, free=True)
    Credential.objects.filter(label="keyless").update(secret="env:NO_SUCH_VARIABLE")
    make_provider(sim, "over", keys={"over": ""}, free=True,
                  models=[{"name": "m", "shutdown_on": timezone.now().date() - timedelta(days=2)}])  # fmt: skip
    everybody, free = Gateway(make_client("a")[1]), Gateway(make_client("b", max_usd=Decimal(0))[1])
    first_tier = Gateway(make_client("c", tiers=["1"])[1])
    assert set(listed(everybody)) == {
        "auto", "free", "groq", f"groq/{OSS}", "deepseek", "deepseek/deepseek-flash",
    }  # fmt: skip
    assert set(listed(free)) == set(listed(first_tier)) == {"auto", "free", "groq", f"groq/{OSS}"}


def test_nothing_at_all_is_an_empty_list(db):
    gateway = Gateway(make_client()[1])
    assert gateway.get("/v1/models").json()["data"] == []


def test_an_embedding_model_is_listed_as_such_and_answers_no_chat(sim, gateway):
    row = make_groq(sim, keys=1)
    Model.objects.create(provider=row, name="embed", kind="embedding", dimensions=768, family="e5")
    entry = listed(gateway)["groq/embed"]
    assert (entry["kind"], entry["dimensions"], entry["family"]) == ("embedding", 768, "e5")
    assert gateway.ask(model="groq/embed").status_code == 404
