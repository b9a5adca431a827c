"""Presets: what ships, which keys the environment gives, and that staff's edits survive every start."""

import json
import os
import textwrap
import tomllib
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone

from llm.configuration import file as config
from llm.configuration import presets, snapshot
from llm.models import Attempt, Call, Credential, Limit, Model, Pause, Provider, Quota

pytestmark = pytest.mark.django_db
ON = {"groq", "openrouter", "huggingface", "deepseek", "vertex"}


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    prefixes = [v for one in presets.ENVIRONMENT.values() for v in vars(one).values() if v]
    for name in list(os.environ):
        if name.startswith(tuple(prefixes)):
            monkeypatch.delenv(name)


def keys(slug="groq"):
    rows = Credential.objects.filter(provider__slug=slug).order_by("position", "id")
    return [(row.label, row.secret) for row in rows]


def restart(monkeypatch, **variables):
    """Another start with exactly these variables."""
    for name in list(os.environ):
        if name.startswith(("GROQ_", "GOOGLE_", "HF_TOKEN")):
            monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return presets.install()


# -- what ships ------------------------------------------------------------------------------------


def test_five_providers_are_on_and_the_others_wait_for_staff():
    presets.install()
    rows = Provider.objects.all()
    assert {row.slug for row in rows if row.enabled} == ON
    assert {row.slug for row in rows if not row.enabled} == {
        "gemini", "cloudflare", "mistral", "nvidia", "zai", "cerebras", "ollama", "ovhcloud", "kilo",
        "ollama-cloud", "llm7", "cohere",
    }  # fmt: skip
    assert all(row.models.exists() for row in rows)


def test_every_provider_that_is_off_says_why():
    text = presets.FILE.read_text()
    for table in text.split("[[provider]]")[1:]:
        if "enabled = false" in table:
            assert "# Off: " in table, table.splitlines()[1]


def test_tiers_put_free_providers_first():
    presets.install()
    enabled = Provider.objects.filter(enabled=True)
    assert [(row.slug, row.tier, row.free) for row in enabled] == [
        ("groq", 1, True), ("openrouter", Decimal("1.5"), True), ("huggingface", Decimal("1.5"), True),
        ("deepseek", 2, False), ("vertex", 3, False),
    ]  # fmt: skip


def test_no_model_that_is_known_to_be_gone_ships():
    presets.install()
    gone = {
        "llama-3.3-70b-versatile", "llama-3.1-8b-instant", "deepseek-chat", "deepseek-reasoner",
        "gemini-2.5-pro", "gemini-2.5-flash", "qwen/qwen3-32b", "qwen/qwen3.6-27b", "gemini-3.6-flash",
    }  # fmt: skip
    assert not Model.objects.filter(name__in=gone).exists()


def test_paid_models_have_a_price_and_a_budget():
    presets.install()
    for row in snapshot.providers():
        for model in row.models:
            assert model.price.known, model.name
        assert row.free or row.daily_budget_usd == 1


def test_deepseek_is_counted_at_its_peak_price():
    presets.install()
    flash = Model.objects.get(name="deepseek-flash")
    assert (flash.price_in, flash.price_out) == (Decimal("0.30"), Decimal("1.20"))


def test_reasoning_is_kept_low_and_has_room():
    presets.install()
    for model in Model.objects.filter(provider__slug="vertex"):
        assert model.params == {"thinking_config": {"thinking_level": "MINIMAL"}}
        assert model.reasoning_reserve >= 4096
    for model in Model.objects.filter(provider__slug="deepseek"):
        assert model.params == {"thinking": {"type": "disabled"}}
    groq = {m.name: m for m in Model.objects.filter(provider__slug="groq")}
    assert groq["qwen/qwen3.8-27b"].params == {"reasoning_effort": "none"}
    for name in ("openai/gpt-oss-120b", "openai/gpt-oss-20b"):
        assert groq[name].params == {"reasoning_effort": "low", "include_reasoning": False}
        assert 1400 + groq[name].reasoning_reserve <= 2000


def test_groq_limits_are_those_of_a_free_organisation():
    presets.install()
    for model in Model.objects.filter(provider__slug="groq"):
        assert (model.rpm, model.rpd, model.tpm, model.tpd) == (30, 1000, 8000, 200_000)


def test_what_is_free_and_shared_is_counted_once_for_all_who_share_it():
    presets.install()
    shared = {(row.provider.slug, row.scope, row.per, row.unit): row.amount for row in Limit.objects.all()}
    assert shared["openrouter", "account", "day", "requests"] == 50
    assert shared["kilo", "provider", "hour", "requests"] == 200
    assert shared["nvidia", "account", "minute", "requests"] == 40
    assert shared["cohere", "account", "month", "requests"] == 1000
    assert shared["cloudflare", "account", "day", "units"] == 10_000
    assert shared["groq", "model", "minute", "tokens_in"] == 7000
    assert not Model.objects.filter(provider__slug="openrouter").exclude(rpd=None)


def test_every_model_and_limit_says_where_it_stands_and_who_looked_when():
    presets.install()
    local = {"ollama"}  # of which staff name the model
    for row in [*Model.objects.exclude(provider__slug__in=local), *Limit.objects.all()]:
        assert row.source, row
        assert row.seen, row
        assert row.method, row


def test_every_pattern_of_a_limit_matches_a_model():
    assert not [note for note in presets.install().notes if "no model matches" in note]


def test_what_has_only_been_reported_is_off():
    """On are only those whose limits the provider itself has published, or stated."""
    presets.install()
    for model in Model.objects.filter(provider__enabled=True, enabled=True):
        assert model.method != "reported", model


def test_the_file_of_presets_is_a_providers_file():
    presets.install()
    before = config.export()
    summary = config.load_file(presets.FILE)
    assert (summary.created, summary.changed) == ([], [])
    assert config.export() == before


# -- keys of the environment -----------------------------------------------------------------------


def test_one_key_is_called_like_its_provider(monkeypatch):
    restart(monkeypatch, GROQ_API_KEY="gsk_a")
    assert keys() == [("groq", "env:GROQ_API_KEY")]
    assert snapshot.providers()[0].keys[0].key == "gsk_a"


def test_several_keys_are_numbered(monkeypatch):
    restart(monkeypatch, GROQ_API_KEY_2="b", GROQ_API_KEY_10="c", GROQ_API_KEY_1="a")
    assert keys() == [
        ("groq1", "env:GROQ_API_KEY_1"), ("groq2", "env:GROQ_API_KEY_2"), ("groq3", "env:GROQ_API_KEY_10"),
    ]  # fmt: skip


def test_a_list_of_keys_is_referred_to_by_place(monkeypatch):
    restart(monkeypatch, GROQ_API_KEYS=" a, ,b ,c,")
    assert keys() == [(f"groq{n}", f"env:GROQ_API_KEYS[{n}]") for n in (1, 2, 3)]
    assert [key.key for key in snapshot.providers()[0].keys] == ["a", "b", "c"]


def test_a_list_in_the_variable_for_one_key_is_understood(monkeypatch):
    restart(monkeypatch, GROQ_API_KEY="a,b")
    assert keys() == [("groq1", "env:GROQ_API_KEY[1]"), ("groq2", "env:GROQ_API_KEY[2]")]


def test_a_key_may_come_from_a_file(monkeypatch, tmp_path):
    (tmp_path / "one").write_text("gsk_one\n")
    (tmp_path / "two").write_text("gsk_two\n")
    restart(
        monkeypatch, GROQ_API_KEY_FILE=str(tmp_path / "one"), GROQ_API_KEY_2_FILE=str(tmp_path / "two"),
        GROQ_API_KEY_3="gsk_one",
    )  # fmt: skip
    assert keys() == [("groq1", f"file:{tmp_path}/one"), ("groq2", f"file:{tmp_path}/two")]
    restart(monkeypatch, GROQ_API_KEY_FILE=str(tmp_path / "one"))
    assert len(keys()) == 2


def test_the_same_key_twice_counts_once(monkeypatch):
    restart(monkeypatch, GROQ_API_KEYS="a,b,a", GROQ_API_KEY="b", GROQ_API_KEY_1="a", GROQ_API_KEY_2="c")
    assert [secret for _, secret in keys()] == [
        "env:GROQ_API_KEYS[1]", "env:GROQ_API_KEYS[2]", "env:GROQ_API_KEY_2",
    ]  # fmt: skip


def test_no_key_is_stored(monkeypatch):
    restart(monkeypatch, GROQ_API_KEYS="gsk_very_secret,gsk_other_secret")
    assert "secret" not in "".join(Credential.objects.values_list("secret", flat=True))


def test_every_service_has_its_variable(monkeypatch, tmp_path):
    account = tmp_path / "account.json"
    account.write_text(json.dumps({"project_id": "p"}))
    for slug, variables in presets.ENVIRONMENT.items():
        monkeypatch.setenv(variables.key or variables.file, str(account) if variables.file else f"key-{slug}")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "my-project")
    presets.install()
    assert {slug: keys(slug) for slug in ("huggingface", "openrouter", "deepseek")} == {
        "huggingface": [("huggingface", "env:HF_TOKEN")],
        "openrouter": [("openrouter", "env:OPENROUTER_API_KEY")],
        "deepseek": [("deepseek", "env:DEEPSEEK_API_KEY")],
    }
    assert keys("vertex") == [("vertex", f"file:{account}")]
    assert Provider.objects.get(slug="vertex").project == "my-project"
    assert Credential.objects.count() == len(presets.ENVIRONMENT)


def test_a_relative_path_of_a_service_account_becomes_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    restart(monkeypatch, GOOGLE_APPLICATION_CREDENTIALS="sa.json")
    assert keys("vertex") == [("vertex", f"file:{tmp_path}/sa.json")]


def test_the_account_of_cloudflare_goes_into_its_address(monkeypatch):
    presets.install()
    assert "/accounts/ACCOUNT_ID/" in Provider.objects.get(slug="cloudflare").base_url
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "0123abcd")
    presets.install()
    assert Provider.objects.get(slug="cloudflare").base_url.endswith("/accounts/0123abcd/ai/v1")


# -- starts ----------------------------------------------------------------------------------------


def test_another_start_changes_nothing(monkeypatch):
    restart(monkeypatch, GROQ_API_KEYS="a,b", GOOGLE_CLOUD_PROJECT="p")
    before = config.export()
    summary = presets.install()
    assert (summary.created, summary.changed) == ([], [])
    assert config.export() == before


def test_edits_of_staff_survive_a_start():
    presets.install()
    Provider.objects.filter(slug="groq").update(tier=4, enabled=False, timeout_s=99)
    Provider.objects.filter(slug="vertex").update(project="ours")
    Model.objects.filter(name="openai/gpt-oss-20b").delete()
    Model.objects.filter(name="qwen/qwen3.8-27b").update(enabled=False, rpm=1)
    before = config.export()
    presets.install()
    assert config.export() == before


def test_edits_of_keys_survive_a_start(monkeypatch):
    restart(monkeypatch, GROQ_API_KEYS="a,b")
    Credential.objects.filter(label="groq1").update(label="firma", account="org-a", enabled=False)
    before = config.export()
    presets.install()
    assert config.export() == before


def test_a_key_that_staff_stored_is_not_added_again(monkeypatch):
    presets.install()
    config.load('[[provider]]\nslug = "groq"\n[[provider.key]]\nlabel = "ours"\nsecret = "gsk_same"')
    restart(monkeypatch, GROQ_API_KEY="gsk_same")
    assert [label for label, _ in keys()] == ["ours"]
    restart(monkeypatch, GROQ_API_KEY="gsk_another")
    assert [label for label, _ in keys()] == ["ours", "groq1"]


def test_a_label_of_another_provider_is_left_to_it(monkeypatch):
    config.load(
        '[[provider]]\nslug = "mine"\nkind = "openai"\n'
        '[[provider.key]]\nlabel = "groq"\nsecret = "env:MY_KEY"'
    )
    restart(monkeypatch, GROQ_API_KEY="a")
    assert keys() == [("groq1", "env:GROQ_API_KEY")]


def test_a_second_key_numbers_the_first(monkeypatch):
    restart(monkeypatch, GROQ_API_KEY="a")
    now = timezone.now()
    hour = now + timedelta(hours=1)
    for scope in ({"credential": "groq"}, {"account": "groq", "model": "m"}):
        Pause.objects.create(
            provider="groq", kind="rate_limited_key", source="guess", since=now, until=hour, **scope
        )
    call = Call.objects.create(started_at=now, deadline_s=5)
    Attempt.objects.create(
        call=call, provider="groq", credential="groq", account="groq", model="m", tier=1, free=True,
        started_at=now,
    )  # fmt: skip
    Quota.objects.create(provider="groq", account="groq", model="m", rpm=5)
    restart(monkeypatch, GROQ_API_KEY="a", GROQ_API_KEY_2="b")
    assert keys() == [("groq1", "env:GROQ_API_KEY"), ("groq2", "env:GROQ_API_KEY_2")]
    assert {(p.credential, p.account) for p in Pause.objects.all()} == {("groq1", ""), ("", "groq1")}
    assert Attempt.objects.get().account == "groq1"
    assert Attempt.objects.get().credential == "groq"  # history stays as it was told
    assert Quota.objects.get().account == "groq1"


def test_a_key_that_moves_to_another_variable_keeps_its_row(monkeypatch):
    restart(monkeypatch, GROQ_API_KEY="a")
    restart(monkeypatch, GROQ_API_KEYS="a,b")
    assert keys() == [("groq1", "env:GROQ_API_KEYS[1]"), ("groq2", "env:GROQ_API_KEYS[2]")]


def test_a_key_whose_variable_is_gone_stays_without_a_key(monkeypatch):
    restart(monkeypatch, GROQ_API_KEYS="a,b,c")
    restart(monkeypatch, GROQ_API_KEYS="a,b")
    assert [label for label, _ in keys()] == ["groq1", "groq2", "groq3"]
    assert [bool(row.key()) for row in Credential.objects.all()] == [True, True, False]
    restart(monkeypatch, GROQ_API_KEYS="a,b,d")
    assert [label for label, _ in keys()] == ["groq1", "groq2", "groq3"]


def test_a_key_that_appears_under_two_variables_later_counts_once(monkeypatch):
    restart(monkeypatch, GROQ_API_KEYS="b", GROQ_API_KEY_1="a")
    restart(monkeypatch, GROQ_API_KEYS="a,b", GROQ_API_KEY_1="a")
    assert sorted(row.key() for row in Credential.objects.all()) == ["a", "b"]


def test_a_project_of_staff_is_kept_and_the_difference_told(monkeypatch):
    restart(monkeypatch, GOOGLE_CLOUD_PROJECT="first")
    summary = restart(monkeypatch, GOOGLE_CLOUD_PROJECT="second")
    assert Provider.objects.get(slug="vertex").project == "first"
    assert any("keeps its project" in note for note in summary.notes)


def test_a_missing_variable_is_named_to_staff():
    shipped = {table["slug"] for table in tomllib.loads(presets.FILE.read_text())["provider"]}
    assert set(presets.ENVIRONMENT) <= shipped
    assert presets.key_hint("groq") == "GROQ_API_KEY"
    assert presets.key_hint("vertex") == "GOOGLE_APPLICATION_CREDENTIALS and GOOGLE_CLOUD_PROJECT"
    assert presets.key_hint("mine") == ""


@pytest.mark.django_db
def test_the_readmes_file_for_gemini_2_5_leaves_nothing_newer_on():
    presets.install()
    readme = (Path(__file__).resolve().parent.parent / "README.md").read_text()
    block = readme[readme.index('    [[provider]]\n    slug = "vertex"') :].split("\n\n")[0]
    config.load(textwrap.dedent(block))
    vertex = Provider.objects.get(slug="vertex")
    assert list(vertex.models.filter(enabled=True).values_list("name", flat=True)) == ["gemini-2.5-flash"]
    assert vertex.locations == ["us-central1", "europe-west1", "europe-west4"]


def test_embedding_models_come_along_and_none_of_them_answers_before_somebody_decides():
    presets.install()
    rows = Model.objects.filter(kind=Model.Kind.EMBEDDING)
    assert {row.provider.slug for row in rows} == {"gemini", "cloudflare", "nvidia", "ollama"}
    assert not rows.filter(provider__enabled=True).exists()
    lengths = {}
    for row in rows:
        assert lengths.setdefault(row.family, row.dimensions) == row.dimensions
