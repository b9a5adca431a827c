"""The receipt under a report, the page that verifies it, and the offer of a model's report."""

import json
import re
from decimal import Decimal

import pytest

from audit.presentation.receipts import GATES
from audit.report import generate, jobs, upgrade
from audit.scans import service as scans
from llm import chain, stats
from llm.failures.kinds import Kind
from llm.ledger import receipts
from tests.chain_setup import make_deepseek, make_groq
from tests.factories import load_bank, make_scan, mistyped, scan_body
from tests.fake_chain import FakeChain, a_reply, inline

LANGS = ["en", "ru", "es"]
LIMITED = {"credential": "groq1", "model": "gpt-oss", "location": None, "outcome": str(Kind.RATE_LIMITED_KEY)}
FAILED = chain.ChainExhausted(attempts=[LIMITED], skipped=[], call_id=None, content_blocked=False)


@pytest.fixture(autouse=True)
def _bank(db):
    load_bank()


@pytest.fixture
def healed(monkeypatch):
    """The chain can answer again."""
    monkeypatch.setattr(stats, "can_answer", lambda **size: True)
    monkeypatch.setattr(jobs.tasks, "spawn", inline)


def page_of(client, scan, what="result"):
    return client.get(f"/{scan.lang}/r/{scans.scan_token(scan)}/").content.decode()


def press(client, scan):
    return client.post(f"/{scan.lang}/r/{scans.scan_token(scan)}/new-version")


# -- the receipt ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGS)
def test_the_receipt_under_a_report_leads_to_its_own_verification(client, monkeypatch, lang):
    FakeChain(monkeypatch)
    scan = make_scan(lang=lang)
    row = jobs.write_report_now(scan)
    link = re.search(r'href="(/\w\w/receipt/\?receipt=[^"]+)"', page_of(client, scan))[1]
    page = client.get(link).content.decode()
    told = receipts.verify(row.receipt)
    assert told.belongs_to(row.markdown)
    assert {"length", "slots", "form", "voice", "figures"} <= set(told.gates)
    assert set(told.gates) <= GATES.keys(), "a visitor reads words, not names"
    assert told.fingerprint in page
    assert "groq1 (llama)" in page


def test_a_changed_receipt_is_not_genuine(client):
    issued = receipts.of_reply(a_reply())
    assert "Genuine: this site issued it" in client.get("/en/receipt/", {"receipt": issued}).content.decode()
    changed = mistyped(issued)
    page = client.get("/en/receipt/", {"receipt": changed}).content.decode()
    assert "Not genuine" in page
    assert changed in page


@pytest.mark.parametrize("pasted", ["<script>alert(1)</script>", "x" * 9000, "\0", "%", ""])
def test_whatever_is_pasted_the_page_answers(client, pasted):
    response = client.get("/en/receipt/", {"receipt": pasted})
    assert response.status_code == 200
    assert b"<script>alert" not in response.content
    assert not response.cookies


def test_the_receipt_of_a_template_says_what_failed_before(client, monkeypatch):
    FakeChain(monkeypatch, FAILED)
    row = jobs.write_report_now(make_scan())
    page = client.get("/en/receipt/", {"receipt": row.receipt}).content.decode()
    assert "Assembled from our own texts, without AI." in page
    assert "groq1 (gpt-oss) has used up its quota" in page


def test_a_report_without_consent_has_a_receipt_that_nobody_was_asked(client):
    scan = make_scan(ai=False)
    assert "Nobody was asked." in page_of(client, scan)
    assert receipts.verify(jobs.current(scan).receipt).cost_usd == Decimal(0)


def test_the_api_gives_the_receipt_with_the_report(client):
    answer = client.post("/api/v1/scans", json.dumps(scan_body()), content_type="application/json").json()
    told = receipts.verify(answer["receipt"])
    assert told.template
    assert told.belongs_to(answer["report_markdown"])


# -- the offer of a model's report ------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.usefixtures("healed")
def test_a_template_is_offered_a_models_report_and_one_press_writes_it(client, monkeypatch, lang):
    FakeChain(monkeypatch, FAILED)
    scan = make_scan(lang=lang)
    template = jobs.write_report_now(scan)
    assert "/new-version" in page_of(client, scan)
    fake = FakeChain(monkeypatch)
    response = press(client, scan)
    assert (response.status_code, response["Location"][-7:]) == (303, "#report")
    press(client, scan)  # from a page that was left open
    assert len(fake.calls) == 1
    assert jobs.current(scan).provider == "groq1"
    assert "/new-version" not in page_of(client, scan)
    assert scan.reports.filter(pk=template.pk, status="ready").exists()


@pytest.mark.usefixtures("healed")
def test_while_the_new_version_is_written_the_old_one_stays_and_says_so(client, monkeypatch):
    FakeChain(monkeypatch, FAILED)
    scan = make_scan()
    old = jobs.write_report_now(scan)
    monkeypatch.setattr(jobs.tasks, "spawn", lambda claim, job: None)
    press(client, scan)
    page = page_of(client, scan)
    assert "A language model is writing a new version." in page
    assert "/new-version" not in page
    assert jobs.current(scan) == old


@pytest.mark.usefixtures("healed")
def test_nothing_is_offered_to_those_who_chose_no_ai_or_have_a_models_report(client, monkeypatch):
    fake = FakeChain(monkeypatch)
    without = make_scan(ai=False)
    assert "/new-version" not in page_of(client, without)
    press(client, without)
    assert without.reports.count() == 1
    written = make_scan()
    jobs.write_report_now(written)
    press(client, written)
    assert len(fake.calls) == 1
    unwritten = make_scan()
    press(client, unwritten)
    assert len(fake.calls) == 1


@pytest.mark.usefixtures("healed")
def test_a_visitor_cannot_ask_for_ever(client, monkeypatch):
    fake = FakeChain(monkeypatch, FAILED)
    scan = make_scan()
    jobs.write_report_now(scan)
    for _ in range(20):
        press(client, scan)
    assert len(fake.calls) == upgrade.MOST_VERSIONS + 1


def test_with_a_get_nothing_is_written(client):
    scan = make_scan()
    assert client.get(f"/en/r/{scans.scan_token(scan)}/new-version").status_code == 405
    assert client.post("/en/r/forged/new-version").status_code == 404


# -- whether the chain has healed -------------------------------------------------------------------------
SIZE = {"tokens_in": 1000, "max_tokens": 900}


def test_without_a_provider_nobody_can_answer():
    assert not stats.can_answer(**SIZE)


@pytest.mark.django_db(transaction=True)
def test_a_report_is_offered_as_soon_as_a_paused_chain_is_back(sim, client):
    from datetime import timedelta

    from django.utils import timezone

    from llm.models import Pause

    load_bank()
    make_groq(sim, keys=1)
    pause = Pause.objects.create(
        provider="groq",
        kind=Kind.BLOCKED_PROVIDER,
        since=timezone.now(),
        until=timezone.now() + timedelta(hours=1),
    )
    scan = make_scan()
    assert jobs.write_report_now(scan).provider == generate.FALLBACK
    assert not stats.can_answer(**SIZE)
    assert "/new-version" not in page_of(client, scan)
    Pause.objects.filter(pk=pause.pk).update(until=timezone.now() - timedelta(seconds=1))
    assert stats.can_answer(**SIZE)
    assert "/new-version" in page_of(client, scan)


def test_a_budget_that_is_spent_keeps_a_paid_provider_out(sim):
    make_deepseek(sim, daily_budget_usd=Decimal("0.000001"))
    assert not stats.can_answer(**SIZE)
    make_groq(sim)
    assert stats.can_answer(**SIZE)


def test_the_cost_of_a_call_that_was_not_made_is_nothing():
    assert stats.cost_of(None) == 0
    assert stats.cost_of(4711) is None
