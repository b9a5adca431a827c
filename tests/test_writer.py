"""Who writes a report, and when: one call whatever happens to tabs, workers and the database."""

import asyncio
import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DatabaseError, connections
from django.utils import timezone, translation

from audit.models import Report, Scan
from audit.report import generate, tasks
from audit.report import jobs as writer
from audit.scans import service as scans
from llm import chain, loop
from llm.failures.kinds import Kind
from llm.models import Call
from llm.simulator.stories import STORY
from tests.factories import load_bank, make_scan
from tests.fake_chain import FakeChain, a_reply, inline


@pytest.fixture
def _bank(db):
    load_bank()
    with translation.override("en"):
        yield


@pytest.fixture
def at_once(monkeypatch):
    """Reports are written at once, by the test's own thread."""
    monkeypatch.setattr(writer.tasks, "spawn", inline)


@pytest.mark.usefixtures("_bank", "at_once")
def test_starting_twice_makes_one_call(monkeypatch):
    fake = FakeChain(monkeypatch)
    scan = make_scan()
    first, second = writer.start_report(scan), writer.start_report(scan)
    assert len(fake.calls) == 1
    assert first == second == writer.write_report_now(scan)
    assert (first.status, first.provider) == (Report.Status.READY, "groq1")
    assert (first.draft, first.finished_at is not None) == ("", True)


@pytest.mark.usefixtures("_bank")
def test_a_second_tab_while_it_is_being_written_does_not_start_another(monkeypatch):
    scan, jobs = make_scan(), []
    monkeypatch.setattr(writer.tasks, "spawn", lambda claim, job: jobs.append(async_to_sync(job)))
    assert writer.start_report(scan).status == Report.Status.WRITING
    assert writer.start_report(scan).status == Report.Status.WRITING
    assert len(jobs) == 1


def silent_for(scan: Scan, seconds: float) -> None:
    Report.objects.filter(scan=scan).update(heartbeat_at=timezone.now() - timedelta(seconds=seconds))


@pytest.mark.usefixtures("_bank")
def test_a_dead_workers_report_is_taken_over(monkeypatch):
    FakeChain(monkeypatch)
    scan, jobs = make_scan(), []
    monkeypatch.setattr(writer.tasks, "spawn", lambda claim, job: jobs.append(async_to_sync(job)))
    writer.start_report(scan)
    assert not writer.is_stalled(writer.current(scan))
    silent_for(scan, writer.claims.STALE_S + 1)
    assert writer.is_stalled(writer.current(scan))
    writer.start_report(scan)
    dead, alive = jobs
    alive()
    ready = writer.current(scan)
    assert ready.status == Report.Status.READY
    dead()  # it was only slow: what it wrote is void
    assert writer.current(scan).finished_at == ready.finished_at
    assert Report.objects.filter(scan=scan).count() == 1


@pytest.mark.usefixtures("_bank")
def test_looking_at_a_report_starts_nothing(monkeypatch):
    fake = FakeChain(monkeypatch)
    scan = make_scan()
    silent_for(scan, 1000)
    assert writer.current(scan).status == Report.Status.PENDING
    assert fake.calls == []


@pytest.mark.usefixtures("_bank", "at_once")
def test_a_report_that_cannot_be_saved_is_free_again(monkeypatch):
    scan = make_scan()
    monkeypatch.setattr(generate, "write", lambda *args: 1 / 0)
    assert writer.start_report(scan).status == Report.Status.PENDING
    monkeypatch.undo()
    FakeChain(monkeypatch)
    assert writer.write_report_now(scan).status == Report.Status.READY


@pytest.mark.usefixtures("_bank", "at_once")
def test_a_scan_whose_reports_were_removed_gets_a_new_one(monkeypatch):
    FakeChain(monkeypatch)
    scan = make_scan()
    scan.reports.all().delete()
    assert writer.start_report(scan).status == Report.Status.READY


@pytest.mark.usefixtures("_bank", "at_once")
def test_earlier_versions_stay_and_the_newest_is_shown(monkeypatch):
    FakeChain(monkeypatch)
    scan = make_scan(ai=False)
    again = Report.objects.create(scan=scan)
    assert writer.current(scan) != again
    Scan.objects.filter(pk=scan.pk).update(ai=True)
    scan.refresh_from_db()
    writer.start_report(scan)
    assert writer.current(scan) == again
    assert scan.reports.count() == 2


@pytest.mark.usefixtures("_bank")
def test_progress_shows_attempts_and_text_and_voids_what_failed(monkeypatch):
    seen = []
    scan = make_scan()

    def look():
        row = Report.objects.get(scan=scan)
        seen.append(("He looks for the door" in row.draft, [line["outcome"] for line in row.progress]))
        assert "{" not in row.draft

    monkeypatch.setattr(writer, "DRAFT_EVERY_S", 0)
    names = {"provider": "groq", "credential": "groq1", "model": "llama", "location": ""}
    start = f"## The likeliest way you lose it\n\n{STORY['en'][0]} {STORY['en'][1]} And th"
    FakeChain(
        monkeypatch,
        chain.AttemptStarted(**names), look,
        chain.Delta(start[:50]), chain.Delta(start[50:]), look,
        chain.AttemptFailed(kind=Kind.PROVIDER_DOWN, detail="secret detail", **names), look,
        chain.AttemptStarted(**{**names, "credential": "groq2"}), look,
        chain.Delta(start), look,
        chain.Completed(a_reply()),
    )  # fmt: skip
    monkeypatch.setattr(writer.tasks, "spawn", inline)
    row = writer.start_report(scan)
    assert seen == [
        (False, ["trying"]),
        (True, ["trying"]),
        (False, ["provider_down"]),
        (False, ["provider_down", "trying"]),
        (True, ["provider_down", "trying"]),
    ]
    assert "secret" not in str(row.progress)


@pytest.mark.usefixtures("_bank", "at_once")
def test_the_draft_is_not_saved_for_every_token(monkeypatch, django_assert_max_num_queries):
    scan = make_scan()
    words = [chain.Delta("word ")] * 500
    FakeChain(monkeypatch, *words, chain.Completed(a_reply()))
    with django_assert_max_num_queries(20):
        writer.start_report(scan)


@pytest.mark.usefixtures("_bank", "at_once")
def test_characters_that_no_database_takes_do_not_cost_the_report(monkeypatch):
    text = "Half an emoji \ud83d and a NUL \0 here."
    FakeChain(monkeypatch, chain.Delta(text), chain.Completed(a_reply(text)))
    row = writer.start_report(make_scan())
    assert (row.provider, row.markdown) == ("groq1", "Half an emoji ? and a NUL  here.\n")


def test_trouble_with_the_progress_does_not_cost_the_report(monkeypatch):
    def locked(**fields):
        raise DatabaseError("database is locked")

    monkeypatch.setattr(writer.claims, "own", lambda claim: SimpleNamespace(update=locked))
    progress = writer._Progress("claim", 1)
    progress(chain.Delta("text"), str)()
    assert progress.text == "text"


@pytest.mark.usefixtures("_bank", "at_once")
def test_deleting_while_it_is_written_leaves_no_wording_behind(monkeypatch):
    call = Call.objects.create(
        started_at=timezone.now(),
        deadline_s=45,
        messages=[{"role": "user", "content": "metal"}],
        text="Report",
    )
    scan = make_scan()
    gone = Scan.objects.get(pk=scan.pk)
    FakeChain(monkeypatch, lambda: scans.delete_scan(gone), chain.Completed(a_reply(call_id=call.pk)))
    writer.start_report(scan)
    call.refresh_from_db()
    assert (call.messages, call.text) == ([], "")
    assert not Report.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_tabs_at_once_make_one_call(monkeypatch):
    load_bank()
    scan, gate, calls = make_scan(), threading.Barrier(8), []
    monkeypatch.setattr(writer.tasks, "spawn", lambda claim, job: calls.append(claim))

    def tab():
        from django.db import connection

        gate.wait()
        try:
            writer.start_report(scan)
        finally:
            connection.close()

    tabs = [threading.Thread(target=tab) for _ in range(8)]
    for each in tabs:
        each.start()
    for each in tabs:
        each.join()
    assert len(calls) == 1


def over():
    """Whether the tasks of this process are done."""
    return not tasks._claims


@pytest.fixture
def _tasks(transactional_db):
    load_bank()
    yield
    wait_for(over)
    loop.run(sync_to_async(connections.close_all)())


def wait_for(condition):
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)  # for a loop in another thread
    raise AssertionError("it did not come about")


@pytest.mark.usefixtures("_tasks")
def test_a_task_writes_the_report_and_the_heartbeat_keeps_it(monkeypatch):
    monkeypatch.setattr(tasks, "EVERY_S", 0.01)
    scan, beaten = make_scan(), threading.Event()

    def until_beaten():
        start = Report.objects.get(scan=scan).heartbeat_at
        wait_for(lambda: Report.objects.get(scan=scan).heartbeat_at != start)
        beaten.set()

    async def patient():
        await asyncio.to_thread(until_beaten)
        await asyncio.to_thread(connections.close_all)

    fake = FakeChain(monkeypatch, patient, chain.Delta("text"), chain.Completed(a_reply()))
    writer.start_report(scan)
    row = writer.write_report_now(scan)  # waits for the task instead of asking again
    assert beaten.is_set()
    assert (row.status, row.provider, len(fake.calls)) == (Report.Status.READY, "groq1", 1)


@pytest.mark.usefixtures("_tasks")
def test_at_shutdown_unfinished_reports_are_free_for_others(monkeypatch):
    monkeypatch.setattr(tasks, "SHUTDOWN_GRACE_S", 0.05)
    scan, begun = make_scan(), threading.Event()

    async def for_ever():
        begun.set()
        await asyncio.Event().wait()

    FakeChain(monkeypatch, for_ever, chain.Completed(a_reply()))
    writer.start_report(scan)
    assert begun.wait(60)
    loop.run(tasks.leave())
    assert writer.current(scan).status == Report.Status.PENDING


@pytest.mark.usefixtures("_tasks")
def test_more_reports_than_a_process_writes_at_once_wait_and_are_begun_in_turn(monkeypatch):
    monkeypatch.setattr(tasks, "AT_ONCE", 2)
    go, at_once, most = asyncio.Event(), [], []

    async def wait():
        at_once.append(1)
        most.append(len(at_once))
        await go.wait()
        at_once.pop()

    fake = FakeChain(monkeypatch, wait, chain.Completed(a_reply()))
    made = [make_scan() for _ in range(6)]
    states = [writer.start_report(scan).status for scan in made]
    states += [writer.start_report(scan).status for scan in made]  # their pages ask again
    assert states == (["writing"] * 2 + ["pending"] * 4) * 2
    wait_for(lambda: len(at_once) == 2)
    loop.running().call_soon_threadsafe(go.set)
    wait_for(lambda: all(writer.current(scan).status == Report.Status.READY for scan in made))
    assert (len(fake.calls), max(most)) == (6, 2)


def test_the_heartbeat_outlives_the_request_that_began_it(monkeypatch):
    """The JSON API begins reports from a thread, which is gone when its answer is."""
    monkeypatch.setattr(tasks, "EVERY_S", 0.01)
    monkeypatch.setattr(tasks, "_heart", None)
    monkeypatch.setattr(tasks.connections, "close_all", lambda: None)

    async def begin():
        tasks._listen()

    async def request():
        await sync_to_async(async_to_sync(begin))()
        await tasks._heart

    asyncio.run(request())
