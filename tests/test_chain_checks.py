"""`manage.py check` knows bad chains: each id is triggered here, and says what to do."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import openai
import pytest
import time_machine
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from llm.adapters.openai import OpenAICompatible
from llm.configuration import snapshot
from llm.models import Attempt, Call, Credential, Model, Pause, Provider, Quota
from llm.status import checks
from llm.status.checks import RETIRED
from tests.chain_setup import OSS, make_deepseek, make_groq, make_provider, make_vertex

pytestmark = pytest.mark.django_db


@pytest.fixture
def good(sim):
    """A chain without fault: free, and paid behind it."""
    make_groq(sim, keys=2, models=[{"name": OSS, "tpm": 8000, "reasoning_reserve": 500}])
    make_deepseek(sim)


def found(id=""):
    snapshot.forget()
    messages = [m for m in run_checks(databases=["default"]) if (m.id or "").startswith(id or "llm.")]
    assert all(message.hint for message in messages)
    return [message.msg for message in messages]


def test_a_good_chain_passes(good):
    assert found() == []


# -- W001 ------------------------------------------------------------------------------------------


def test_a_model_whose_last_day_has_come_is_dead(good):
    Model.objects.filter(name=OSS).update(shutdown_on="2026-11-26")
    with time_machine.travel(datetime(2026, 11, 25, 23, tzinfo=UTC), tick=False):
        assert found() == []
    with time_machine.travel(datetime(2026, 11, 26, tzinfo=UTC), tick=False):
        assert found("llm.W001") == [f"groq: the model {OSS} is retired."]
        Model.objects.filter(name=OSS).update(enabled=False)
        assert found("llm.W001") == []


@pytest.mark.parametrize("name", RETIRED["groq"])
def test_an_id_that_its_provider_has_ended_is_dead(good, name):
    Model.objects.filter(name=OSS).update(name=name)
    assert found("llm.W001") == [f"groq: the model {name} is retired."]


def test_a_model_that_the_provider_says_is_gone_is_dead(good):
    Pause.objects.create(
        provider="groq", account="groq1", model=OSS, kind="model_gone", source="guess", since=timezone.now(),
        until=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    assert found("llm.W001") == [f"groq: the model {OSS} is retired."]


# -- W002 ------------------------------------------------------------------------------------------


def test_the_same_key_as_two_accounts_is_one_account_counted_twice(good):
    Credential.objects.filter(label="groq2").update(secret="key-of-groq1")
    assert found("llm.W002") == ["groq: groq1 and groq2 are the same key, but counted as two accounts."]
    Credential.objects.filter(provider__slug="groq").update(account="one")
    assert found("llm.W002") == []


def test_two_names_of_one_organisation_are_one_account_counted_twice(good):
    for label, account in (("groq1", "anna"), ("groq2", "boris")):
        Credential.objects.filter(label=label).update(account=account, organisation="org_1")
    assert found("llm.W002") == ["groq: the accounts anna and boris are one, org_1."]
    Credential.objects.filter(label="groq2").update(account="anna")
    assert found("llm.W002") == []


# -- W003 ------------------------------------------------------------------------------------------


def test_a_paid_model_without_a_price_is_told(good):
    Model.objects.filter(provider__slug="deepseek").update(price_in=None, price_out=None, name="unheard-of")
    assert found("llm.W003") == ["deepseek: the price of unheard-of is unknown, so it is always skipped."]


# -- W004 ------------------------------------------------------------------------------------------


def test_a_prompt_above_the_limit_of_a_minute_is_told(good):
    Model.objects.filter(name=OSS).update(tpm=2700)  # assumed are 900 + 1400, and 500 in reserve
    assert found("llm.W004") == [f"groq: {OSS} allows 2700 tokens, and calls need 2800."]
    Model.objects.filter(name=OSS).update(tpm=2800)
    assert found("llm.W004") == []


def test_the_size_of_a_prompt_is_measured(good):
    call = Call.objects.create(started_at=timezone.now(), deadline_s=1, outcome="ok", purpose="letters")
    for _ in range(40):
        Attempt.objects.create(
            call=call, provider="groq", credential="groq1", account="groq1", model=OSS, tier=1, free=True,
            started_at=timezone.now(), outcome="ok", tokens_in=9000, estimated_in=9000, tokens_out=10,
            reserved_tokens=9600,
        )  # fmt: skip
    assert found("llm.W004") == [f"groq: {OSS} allows 8000 tokens, and calls need 9600."]


def test_a_limit_that_the_provider_taught_counts(good):
    Quota.objects.create(provider="groq", account="groq2", model=OSS, tpm=1000)
    assert found("llm.W004") == [f"groq: {OSS} allows 1000 tokens, and calls need 2800."]


# -- E001 ------------------------------------------------------------------------------------------


def test_a_client_that_retries_by_itself_is_an_error(good, monkeypatch):
    def retrying(self, **options):
        return openai.AsyncOpenAI(**options | {"max_retries": 2})

    monkeypatch.setattr(OpenAICompatible, "_client", retrying)
    Credential.objects.filter(label="deepseek").update(secret="a key that no client is kept for")
    assert found("llm.E001") == ["The client of openai providers retries up to 2 times by itself."]


def test_no_client_retries_as_shipped(sim, tmp_path, good):
    make_vertex(sim, tmp_path)
    assert found("llm.E001") == []


def test_a_key_that_is_no_service_account_is_not_the_checks_trouble(sim, tmp_path, good):
    make_vertex(sim, tmp_path)
    Credential.objects.filter(label="vertex").update(secret="nonsense")
    assert found("llm.E001") == []


# -- W005 ------------------------------------------------------------------------------------------


def test_a_chain_of_nobody_one_or_free_ones_only_has_no_last_link(sim):
    assert found("llm.W005") == ["No provider can be called: every call fails at once."]
    make_groq(sim, keys=1)
    assert found("llm.W005") == ["groq is the only link: when it fails, every call fails."]
    make_provider(sim, "other", models=["m"], keys={"other": ""}, free=True)
    assert found("llm.W005") == [
        "The chain has no last link: when the free quotas are spent, every call fails."
    ]
    make_provider(sim, "limited", models=[{"name": "m", "rpm": 2}], keys={}, free=True, keyless=True)
    assert len(found("llm.W005")) == 1
    make_provider(sim, "own", models=["m"], keys={}, free=True, keyless=True)
    assert found("llm.W005") == []


def test_a_paid_provider_without_a_key_is_no_link(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    Credential.objects.filter(label="deepseek").update(secret="env:NOT_SET_ANYWHERE")
    assert found("llm.W005") == ["groq is the only link: when it fails, every call fails."]


# -- when they run ---------------------------------------------------------------------------------


def test_the_command_looks_into_the_database():
    errors = StringIO()
    call_command("check", stdout=StringIO(), stderr=errors)
    assert "llm.W005" in errors.getvalue()


def test_without_a_database_named_nothing_is_asked(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert not [m for m in run_checks() if (m.id or "").startswith("llm.")]


@pytest.mark.django_db(transaction=True)
def test_before_the_first_migration_they_are_silent():
    tables = connection.introspection.table_names
    name = Provider._meta.db_table
    with connection.schema_editor() as editor:
        editor.alter_db_table(Provider, name, "not_here_yet")
    try:
        assert name not in tables()
        assert found() == []
    finally:
        with connection.schema_editor() as editor:
            editor.alter_db_table(Provider, "not_here_yet", name)


@pytest.mark.django_db
def test_a_proxy_that_is_not_used_is_said(monkeypatch):
    for name in checks.PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    assert not [message for message in checks.check_chain(databases=["default"]) if message.id == "llm.W007"]
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    assert [
        message.msg for message in checks.check_chain(databases=["default"]) if message.id == "llm.W007"
    ] == ["HTTPS_PROXY is set, but providers are called directly."]
