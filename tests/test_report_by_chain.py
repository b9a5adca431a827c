"""A scan's report through the real chain, its adapters and SDKs, against the simulator."""

from decimal import Decimal

import pytest
from django.utils import translation

from audit.bank.findings import details
from audit.models import Report
from audit.report import generate, jobs, prompts
from llm.gates import all_of
from llm.models import Call
from llm.simulator import behaviours
from tests.chain_setup import make_deepseek, make_groq
from tests.factories import load_bank, make_scan
from tests.fake_chain import inline

PATIENT = {"first_byte_s": 20, "timeout_s": 30}  # the first call imports the SDK

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _bank():
    load_bank()


@pytest.mark.parametrize("lang", ["en", "ru", "es"])
@pytest.mark.parametrize("streamed", [True, False])
def test_the_first_provider_writes_in_the_scans_language(sim, lang, streamed, monkeypatch):
    monkeypatch.setattr(jobs.tasks, "spawn", inline)
    make_groq(sim, **PATIENT)
    scan = make_scan("worst", lang=lang)
    row = jobs.start_report(scan) if streamed else jobs.write_report_now(scan)
    assert (row.status, row.provider, row.cost_usd) == (Report.Status.READY, "groq1", Decimal(0))
    with translation.override(lang):
        prompt = prompts.build(details(scan), lang)
        assert all_of(generate.gates_of(prompt, lang))(row.call.text) is None
    who = "Groq (gpt-oss-120b)"
    assert row.progress == [
        {"who": who, "provider": "groq1", "model": "openai/gpt-oss-120b", "outcome": "ok"}
    ]
    assert row.call == Call.objects.get()
    assert (row.call.purpose, row.call.lang) == ("audit-report", lang)


def test_the_cases_that_were_cited_are_listed_with_their_sources(sim):
    make_groq(sim, **PATIENT)
    row = jobs.write_report_now(make_scan("worst"))
    assert "## Cases and sources" in row.markdown
    assert "](<https://" in row.markdown


def test_with_no_provider_at_all_the_template_is_the_report():
    row = jobs.write_report_now(make_scan())
    assert (row.provider, row.status) == ("fallback-template", Report.Status.READY)


def test_the_next_provider_takes_over_and_its_price_is_kept(sim):
    make_groq(sim, keys=1, **PATIENT)
    make_deepseek(sim, **PATIENT)
    sim.script("key-of-groq1", behaviours.payload("groq-401-invalid-key"))
    row = jobs.write_report_now(make_scan())
    assert row.provider == "deepseek"
    assert [line["outcome"] for line in row.progress] == ["key_invalid", "ok"]
    assert row.cost_usd == row.call.cost_usd > 0


def test_another_version_is_no_kept_reply(sim, settings, monkeypatch):
    settings.LLM_CACHE = "on"
    monkeypatch.setattr(jobs.tasks, "spawn", inline)
    make_groq(sim, **PATIENT)
    scan = make_scan("worst")
    jobs.start_report(scan)
    assert jobs.start_report(make_scan("worst")).call.cached  # the same answers, asked by somebody else
    assert sim.count() == 1
    assert not jobs.start_new_version(scan).call.cached
    assert sim.count() == 2
