"""Another model reads a report before it is shown; its own troubles hold nothing up."""

import json

import pytest

from audit.models import Report
from audit.report import jobs, second_reader
from llm.models import Call, Model
from llm.simulator import behaviours as b
from tests.chain_setup import make_deepseek, make_groq
from tests.factories import load_bank, make_scan

pytestmark = pytest.mark.django_db(transaction=True)
PATIENT = {"first_byte_s": 20, "timeout_s": 30}
NO = json.dumps(dict.fromkeys(second_reader.FAULTS, "no"))
YES = json.dumps({**json.loads(NO), "advises": "yes"})


@pytest.fixture(autouse=True)
def _bank():
    load_bank()


@pytest.fixture
def two(sim):
    """Two free providers: the first writes, the other reads."""
    make_groq(sim, keys=1, **PATIENT)
    make_deepseek(sim, free=True, **PATIENT)
    Model.objects.filter(provider__slug="deepseek").update(price_in=0, price_out=0)


def test_a_report_is_read_by_a_model_of_another_provider_and_the_ledger_knows(two):
    row = jobs.write_report_now(make_scan())
    reading = Call.objects.get(purpose=second_reader.PURPOSE)
    assert row.provider == "groq1"
    assert reading.provider.startswith("deepseek")
    assert (reading.text, reading.messages) == ("", [])
    assert reading.cost_usd == 0


def test_with_nobody_else_to_read_nobody_is_asked(sim):
    make_groq(sim, keys=1, **PATIENT)
    assert jobs.write_report_now(make_scan()).provider == "groq1"
    assert sim.count() == 1


def test_switched_off_nobody_reads(two, sim, settings):
    settings.REPORT_SECOND_READER = "off"
    jobs.write_report_now(make_scan())
    assert sim.count() == 1


def test_a_yes_sends_the_report_back_once_with_the_reason_and_then_to_the_next(two, sim):
    sim.script("key-of-deepseek", b.ok(YES), b.ok(YES), b.ok())
    row = jobs.write_report_now(make_scan())
    outcomes = [(line["provider"], line["outcome"]) for line in row.progress]
    assert outcomes[:2] == [("groq1", "rejected_output")] * 2
    assert outcomes[-1][0].startswith("deepseek")
    assert outcomes[-1][1] == "ok"
    assert "advice that is not in the plan" in row.call.attempts.first().detail


@pytest.mark.parametrize("trouble", [b.ok("I think it is fine."), b.http(500), b.empty()])
def test_its_own_troubles_hold_no_report_up(two, sim, trouble):
    sim.script("key-of-deepseek", trouble, trouble, trouble)
    row = jobs.write_report_now(make_scan())
    assert (row.provider, row.status) == ("groq1", Report.Status.READY)
