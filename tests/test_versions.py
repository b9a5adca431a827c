"""Further versions of a report: the earlier ones stay, and nobody pays twice."""

import threading
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from audit.models import Report
from audit.report import generate
from audit.report import jobs as writer
from llm import chain
from tests.factories import load_bank, make_scan
from tests.fake_chain import FakeChain, a_reply

EXHAUSTED = chain.ChainExhausted(attempts=[], skipped=[], call_id=None, content_blocked=False)


@pytest.fixture
def _bank(db):
    load_bank()


@pytest.fixture
def jobs(monkeypatch):
    """What would be written by threads, for the test to run."""
    waiting = []
    monkeypatch.setattr(writer.tasks, "spawn", lambda claim, job: waiting.append(async_to_sync(job)))
    return waiting


def versions(scan):
    return [(row.status, row.provider) for row in scan.reports.order_by("pk")]


@pytest.mark.usefixtures("_bank")
def test_the_old_version_is_shown_until_the_new_one_is_ready(monkeypatch, jobs):
    FakeChain(monkeypatch, EXHAUSTED)
    scan = make_scan()
    old = writer.write_report_now(scan)
    FakeChain(monkeypatch)
    new = writer.start_new_version(scan)
    assert (new.status, writer.current(scan), writer.unfinished(scan)) == ("writing", old, new)
    jobs.pop()()
    assert writer.current(scan) == new
    assert writer.unfinished(scan) is None
    assert versions(scan) == [("ready", "fallback-template"), ("ready", "groq1")]


@pytest.mark.usefixtures("_bank")
def test_a_second_tab_leaves_the_version_to_whoever_writes_it(monkeypatch, jobs):
    fake = FakeChain(monkeypatch)
    scan = make_scan()
    old = writer.write_report_now(scan)
    first, second = writer.start_new_version(scan, after=old), writer.start_new_version(scan, after=old)
    assert first == second
    jobs.pop()()
    assert jobs == []
    writer.start_new_version(scan, after=old)  # a page that was left open
    assert jobs == []
    assert len(fake.calls) == 2
    writer.start_new_version(scan)
    assert len(jobs) == 1


@pytest.mark.usefixtures("_bank")
def test_a_version_whose_writer_died_is_taken_up(monkeypatch, jobs):
    FakeChain(monkeypatch)
    scan = make_scan()
    writer.write_report_now(scan)
    left = writer.start_new_version(scan)
    Report.objects.filter(pk=left.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=1))
    assert writer.start_new_version(scan) == left
    jobs.pop()()
    assert writer.current(scan) == left


@pytest.mark.usefixtures("_bank")
def test_a_template_does_not_replace_a_models_report(monkeypatch, jobs):
    FakeChain(monkeypatch)
    scan = make_scan()
    good = writer.write_report_now(scan)
    FakeChain(monkeypatch, EXHAUSTED)
    writer.start_new_version(scan)
    jobs.pop()()
    assert writer.current(scan) == good
    assert versions(scan) == [("ready", "groq1"), ("shelved", "fallback-template")]


@pytest.mark.usefixtures("_bank")
def test_staff_may_replace_a_models_report_with_the_template(monkeypatch):
    fake = FakeChain(monkeypatch)
    scan = make_scan()
    writer.write_report_now(scan)
    assert writer.put_together_version(scan).provider == generate.FALLBACK
    assert len(fake.calls) == 1
    assert writer.current(scan).markdown.startswith("## ")


@pytest.mark.usefixtures("_bank")
def test_the_template_takes_the_place_of_a_report_that_waits(monkeypatch):
    fake = FakeChain(monkeypatch)
    scan = make_scan()
    writer.put_together_version(scan)
    assert versions(scan) == [("ready", "fallback-template")]
    writer.start_report(scan)
    assert fake.calls == []


@pytest.mark.usefixtures("_bank")
def test_the_template_stays_when_a_slower_version_is_ready(monkeypatch, jobs):
    FakeChain(monkeypatch)
    scan = make_scan()
    writer.start_report(scan)
    template = writer.put_together_version(scan)
    jobs.pop()()
    assert writer.current(scan) == template
    assert versions(scan) == [("ready", "groq1"), ("ready", "fallback-template")]


@pytest.mark.usefixtures("_bank")
def test_a_further_version_without_consent_calls_nobody(monkeypatch):
    fake = FakeChain(monkeypatch)
    scan = make_scan(ai=False)
    assert writer.start_new_version(scan).status == "ready"
    assert fake.calls == []


@pytest.mark.usefixtures("_bank")
def test_a_deleted_scan_gets_no_version(monkeypatch, jobs):
    FakeChain(monkeypatch)
    scan = make_scan()
    type(scan).objects.filter(pk=scan.pk).delete()
    writer.start_new_version(scan)
    assert jobs == []
    assert not Report.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_tabs_that_ask_for_a_version_at_once_make_one_call(monkeypatch):
    load_bank()
    FakeChain(monkeypatch, chain.Completed(a_reply()))
    scan, barrier, calls = make_scan(), threading.Barrier(8), []
    old = writer.write_report_now(scan)
    monkeypatch.setattr(writer.tasks, "spawn", lambda claim, job: calls.append(claim))

    def tab():
        from django.db import connection

        barrier.wait()
        try:
            writer.start_new_version(scan, after=old)
        finally:
            connection.close()

    tabs = [threading.Thread(target=tab) for _ in range(8)]
    for each in tabs:
        each.start()
    for each in tabs:
        each.join()
    assert len(calls) == 1
    assert scan.reports.count() == 2
