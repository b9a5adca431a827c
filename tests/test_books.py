"""The bookkeeper: jobs that wait together are committed together, and what fails undoes only itself."""

import asyncio
import os
import threading
from contextlib import suppress
from contextvars import ContextVar

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from llm.configuration import snapshot
from llm.ledger import batches, books, meters
from llm.models import Meter, Notice, Provider
from llm.storage.transactions import chain_transaction
from tests.ledger_jobs import break_commits, database_away, note, subjects

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bookkeeper():
    made = books.Bookkeeper()
    yield made
    made.stop()


async def together(bookkeeper, *jobs):
    """Has the jobs wait for the same batch, behind one that does not end before all are there."""
    gate, begun = threading.Event(), threading.Event()
    first = asyncio.ensure_future(bookkeeper.do(lambda: (begun.set(), gate.wait(60))))
    while not begun.is_set():
        await asyncio.sleep(0.001)
    waiting = [asyncio.ensure_future(bookkeeper.do(job)) for job in jobs]
    await asyncio.sleep(0)
    gate.set()
    await first
    return await asyncio.gather(*waiting, return_exceptions=True)


def test_a_job_returns_what_it_returns_once_it_is_committed(bookkeeper):
    assert asyncio.run(bookkeeper.do(lambda: note("a"))) == "a"
    assert subjects() == ["a"]


def test_jobs_that_wait_together_share_one_commit(bookkeeper):
    told = asyncio.run(together(bookkeeper, *[lambda n=n: note(f"{n}") for n in range(9)]))
    assert told == [f"{n}" for n in range(9)]
    stats = bookkeeper.stats()
    assert (stats.jobs, stats.batches, stats.largest, stats.waiting) == (10, 2, 9, 0)
    assert stats.waited_s > 0


def test_jobs_of_one_turn_of_the_loop_and_the_next_share_one_commit(bookkeeper):
    async def later(n):
        await asyncio.sleep(0)
        return await bookkeeper.do(lambda: note(n))

    async def main():
        return await asyncio.gather(
            bookkeeper.do(lambda: note("a")), bookkeeper.do(lambda: note("b")), later("c")
        )

    assert asyncio.run(main()) == ["a", "b", "c"]
    assert (bookkeeper.stats().jobs, bookkeeper.stats().batches) == (3, 1)


def test_a_job_whose_loop_ended_before_it_woke_the_bookkeeper_is_done_when_that_stops(bookkeeper):
    async def main():
        task = asyncio.ensure_future(bookkeeper.do(lambda: note("a")))
        await asyncio.sleep(0)
        return task

    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(main())
    loop.close()
    bookkeeper.stop()
    assert subjects() == ["a"]
    assert not task.done()


def test_a_batch_is_bounded(bookkeeper, monkeypatch):
    monkeypatch.setattr(batches, "MAX_BATCH", 4)
    asyncio.run(together(bookkeeper, *[lambda n=n: note(f"{n}") for n in range(9)]))
    assert (bookkeeper.stats().largest, bookkeeper.stats().batches) == (4, 4)
    assert len(subjects()) == 9


def test_jobs_that_come_while_others_have_their_turn_share_the_next_commit(bookkeeper):
    async def main():
        waiting = [asyncio.ensure_future(bookkeeper.do(lambda: note("a")))]
        await asyncio.sleep(0.01)  # in which the bookkeeper comes to wait for its turn
        waiting += [asyncio.ensure_future(bookkeeper.do(lambda n=n: note(f"{n}"))) for n in range(3)]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*waiting)

    def others():
        with chain_transaction():
            begun.set()
            gate.wait(60)
        connection.close()

    gate, begun = threading.Event(), threading.Event()
    thread = threading.Thread(target=others)
    thread.start()
    begun.wait(60)
    asyncio.run(main())
    thread.join()
    assert (bookkeeper.stats().jobs, bookkeeper.stats().batches) == (4, 1)
    assert subjects() == ["0", "1", "2", "a"]


def test_a_job_may_be_withdrawn_while_others_have_their_turn(bookkeeper):
    async def main():
        task = asyncio.ensure_future(bookkeeper.do(lambda: note("never"), withdraw=True))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with chain_transaction():
        asyncio.run(main())
    assert asyncio.run(bookkeeper.do(lambda: note("b"))) == "b"
    assert subjects() == ["b"]


def test_a_job_that_fails_undoes_only_itself(bookkeeper):
    def fails():
        note("never")
        raise ValueError("mine")

    told = asyncio.run(together(bookkeeper, lambda: note("a"), fails, lambda: note("b")))
    assert (told[0], str(told[1]), told[2]) == ("a", "mine", "b")
    assert subjects() == ["a", "b"]
    with pytest.raises(ValueError, match="mine"):
        asyncio.run(bookkeeper.do(fails))
    assert subjects() == ["a", "b"]


def test_a_statement_that_fails_leaves_the_others_of_its_batch_alone(bookkeeper):
    def wrong():
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM no_such_table")

    told = asyncio.run(together(bookkeeper, lambda: note("a"), wrong, lambda: note("b")))
    assert isinstance(told[1], Exception)
    assert subjects() == ["a", "b"]


def test_a_commit_that_fails_is_told_to_all_of_the_batch(bookkeeper, monkeypatch):
    told = asyncio.run(together(bookkeeper, lambda: note("a"), lambda: break_commits(monkeypatch)))
    monkeypatch.undo()
    assert [str(each) for each in told] == ["disk full"] * 2
    assert subjects() == []
    assert asyncio.run(bookkeeper.do(lambda: note("c"))) == "c"  # and the thread goes on


def test_a_database_that_is_away_is_told_and_asked_again_by_the_next(bookkeeper, monkeypatch):
    with database_away(monkeypatch) as times, pytest.raises(OperationalError, match="away"):
        asyncio.run(bookkeeper.do(lambda: note("a")))
    assert len(times) == 2  # a connection that the database has ended is worth a second look
    assert asyncio.run(bookkeeper.do(lambda: note("b"))) == "b"
    assert subjects() == ["b"]


def test_no_job_ends_the_thread(bookkeeper):
    def exits():
        raise SystemExit

    with pytest.raises(RuntimeError, match="SystemExit"):
        asyncio.run(bookkeeper.do(exits))
    assert asyncio.run(bookkeeper.do(lambda: note("a"))) == "a"


def test_a_job_has_its_callers_context(bookkeeper):
    name = ContextVar("name", default="")
    name.set("me")
    assert asyncio.run(bookkeeper.do(name.get)) == "me"


def test_a_job_that_has_begun_ends_even_if_nobody_waits_any_more(bookkeeper):
    async def main():
        begun, gate = threading.Event(), threading.Event()
        task = asyncio.create_task(
            bookkeeper.do(lambda: (begun.set(), gate.wait(60), note("a")), withdraw=True)
        )
        while not begun.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.sleep(0.01)
        assert not task.done()
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert subjects() == ["a"]


@pytest.mark.parametrize(("withdraw", "left"), [(True, []), (False, ["a"])])
def test_a_job_that_waits_may_be_withdrawn(bookkeeper, withdraw, left):
    async def main():
        begun, gate = threading.Event(), threading.Event()
        first = asyncio.create_task(bookkeeper.do(lambda: (begun.set(), gate.wait(60))))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        task = asyncio.create_task(bookkeeper.do(lambda: note("a"), withdraw=withdraw))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        await first

    asyncio.run(main())
    assert subjects() == left


def test_the_thread_ends_when_nothing_is_to_be_done_and_starts_again(bookkeeper, monkeypatch):
    monkeypatch.setattr(books, "IDLE_S", 0.01)
    for subject in ("a", "b"):
        asyncio.run(bookkeeper.do(lambda subject=subject: note(subject)))
        for _ in range(6000):
            if bookkeeper._thread is None:
                break
            threading.Event().wait(0.01)
        assert bookkeeper._thread is None
    assert subjects() == ["a", "b"]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_a_bookkeeper_of_its_own():
    asyncio.run(books.bookkeeper.do(lambda: note("parent")))
    child = os.fork()
    if child == 0:
        connection.connection = None
        try:
            asyncio.run(books.bookkeeper.do(lambda: note("child")))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    books.bookkeeper.stop()
    assert subjects() == ["child", "parent"]


# -- what the jobs of one transaction share ---------------------------------------------------------------


class Said:
    """A state of a counter's row."""

    def __init__(self, text):
        self.text = text

    def dump(self):
        return self.text


def say(account, text):
    meters.write("p", (account, ""), Said(text))


def said(account=None):
    """What the rows say, as a job finds them."""
    found = meters.select("p", account, "", lambda text, _: Said(text))
    return {names[0]: state.text for names, state in found.items()}


def test_a_counter_that_many_jobs_write_is_written_once(bookkeeper):
    def count():
        say("a", str(int(said("a").get("a", 0)) + 1))
        return said("a")["a"]

    told = asyncio.run(together(bookkeeper, *[count] * 9))
    assert told == [f"{n}" for n in range(1, 10)]
    assert Meter.objects.get().state == "9"


def test_a_job_that_fails_leaves_no_counter_of_its_own(bookkeeper):
    def fails():
        assert said("a") == {"a": "one"}
        say("a", "wrong")
        say("b", "wrong")
        assert Notice.objects.count() == 0  # by which what is late is written
        note("never")
        raise ValueError("mine")

    jobs = (lambda: say("a", "one"), fails, lambda: said(), lambda: say("c", "three"))
    told = asyncio.run(together(bookkeeper, *jobs))
    assert str(told[1]) == "mine"
    assert told[2] == {"a": "one"}
    assert dict(Meter.objects.values_list("account", "state")) == {"a": "one", "c": "three"}
    assert subjects() == []


def test_who_asks_the_database_finds_what_is_late(bookkeeper):
    def asks():
        say("a", "one")
        return Meter.objects.get().state

    told = asyncio.run(together(bookkeeper, asks, lambda: said()))
    assert told == ["one", {"a": "one"}]


def test_settings_that_a_job_changes_are_read_anew_by_the_next(bookkeeper):
    def slugs():
        return [provider.slug for provider in snapshot.providers()]

    def add():
        Provider.objects.create(slug="new", kind="openai", tier=1)

    told = asyncio.run(together(bookkeeper, slugs, add, slugs))
    assert (told[0], told[2]) == ([], ["new"])


def test_what_waits_for_a_commit_is_dropped_with_the_job_that_failed(bookkeeper):
    done = []

    def fails():
        transaction.on_commit(lambda: done.append("never"))
        raise ValueError

    asyncio.run(together(bookkeeper, fails, lambda: transaction.on_commit(lambda: done.append("yes"))))
    assert done == ["yes"]


def test_a_statement_that_failed_unsaid_fails_its_job(bookkeeper):
    def hides():
        with suppress(IntegrityError), transaction.atomic(savepoint=False):
            Meter.objects.create(provider=None, version=1)

    told = asyncio.run(together(bookkeeper, hides, lambda: note("b")))
    assert isinstance(told[0], transaction.TransactionManagementError)
    assert subjects() == ["b"]
