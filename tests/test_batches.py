"""Threads that write at the same moment: one of them does the jobs of all, and each is told of its own."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from llm.ledger import batches
from llm.models import Notice
from llm.storage.transactions import chain_transaction
from tests.ledger_jobs import break_commits, database_away, note, subjects

pytestmark = pytest.mark.django_db(transaction=True)


class Interrupted(BaseException):
    pass


@pytest.fixture
def threads():
    return batches.Threads()


def until(condition):
    waits = threading.Event()
    for _ in range(6000):
        if condition():
            return
        waits.wait(0.01)
    raise AssertionError("it does not come")


def run(threads, job):
    """What a job comes to in a thread of its own: its result or what it raises."""
    try:
        return threads.run(job)
    except BaseException as error:
        return error
    finally:
        connection.close()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(16) as pool:
        yield pool


class Held:
    """A thread that has its turn, and keeps it until it is let go."""

    def __init__(self, threads, pool, end=lambda: None):
        self.threads, self.end = threads, end
        self.begun, self.gate = threading.Event(), threading.Event()
        self.told = pool.submit(run, threads, self.hold)
        assert self.begun.wait(60)

    def hold(self):
        self.begun.set()
        assert self.gate.wait(60)
        return self.end()

    def let_go(self):
        self.gate.set()
        return self.told.result(60)


def together(threads, pool, *jobs, end=lambda: None):
    """What the first job comes to, and what those do that have waited behind it."""
    held = Held(threads, pool, end)
    told = []
    for number, job in enumerate(jobs, 1):
        told.append(pool.submit(run, threads, job))
        until(lambda number=number: threads.stats().waiting == number)
    return [held.let_go(), *[each.result(60) for each in told]]


def test_a_thread_alone_does_its_own_job(threads):
    here = threading.get_ident()
    assert threads.run(lambda: (note("a"), threading.get_ident())) == ("a", here)
    assert subjects() == ["a"]
    assert not connection.in_atomic_block


def test_jobs_that_wait_together_share_one_commit(threads, pool):
    told = together(threads, pool, *[lambda n=n: note(f"{n}") for n in range(9)])
    assert told == [None, *[f"{n}" for n in range(9)]]
    stats = threads.stats()
    assert (stats.jobs, stats.batches, stats.largest, stats.waiting) == (10, 2, 9, 0)
    assert len(subjects()) == 9


def test_a_batch_is_bounded_and_the_next_of_the_line_goes_on(threads, pool, monkeypatch):
    monkeypatch.setattr(batches, "MAX_BATCH", 4)
    assert together(threads, pool, *[lambda n=n: note(f"{n}") for n in range(9)])[1:] == list("012345678")
    assert (threads.stats().largest, threads.stats().batches) == (4, 4)


def test_a_job_that_fails_undoes_only_itself(threads, pool):
    def breaks():
        note("gone")
        raise ValueError("mine")

    def collides():
        Notice.objects.create(
            id=Notice.objects.get(subject="a").id, at=timezone.now(), day=timezone.now().date()
        )

    told = together(threads, pool, lambda: note("a"), breaks, collides, lambda: note("b"))
    assert (str(told[2]), type(told[3])) == ("mine", IntegrityError)
    assert (told[1], told[4], subjects()) == ("a", "b", ["a", "b"])


def test_a_commit_that_fails_is_told_to_all_of_the_batch(threads, pool, monkeypatch):
    told = together(threads, pool, lambda: note("a"), lambda: break_commits(monkeypatch))
    monkeypatch.undo()
    assert [str(each) for each in told] == ["None", "disk full", "disk full"]
    assert subjects() == []
    assert threads.run(lambda: note("c")) == "c"


def test_a_database_that_is_away_is_told_and_asked_again_by_the_next(threads, monkeypatch):
    with database_away(monkeypatch) as times, pytest.raises(OperationalError, match="away"):
        threads.run(lambda: note("a"))
    assert len(times) == 2  # a connection that the database has ended is worth a second look
    assert threads.run(lambda: note("b")) == "b"


def test_a_job_has_the_context_of_its_own_thread(threads, pool):
    name = ContextVar("name", default="")

    def named(value):
        name.set(value)
        return run(threads, name.get)

    held = Held(threads, pool)
    told = [pool.submit(named, value) for value in ("a", "b")]
    until(lambda: threads.stats().waiting == 2)
    held.let_go()
    assert [each.result(60) for each in told] == ["a", "b"]


def test_in_a_transaction_of_its_own_a_thread_does_its_job_there(threads):
    def undone():
        with transaction.atomic():
            assert threads.run(lambda: note("a")) == "a"
            raise KeyError

    with pytest.raises(KeyError):
        undone()
    assert subjects() == []
    assert threads.stats().jobs == 0


@pytest.fixture
def interrupt():
    """Interrupts this thread, as Ctrl-C would."""

    def interrupted(*_):
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, interrupted)
    me = threading.get_ident()
    yield lambda: signal.pthread_kill(me, signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


def test_a_thread_that_is_interrupted_while_it_waits_withdraws_its_job(threads, pool, interrupt):
    held = Held(threads, pool)

    def soon():
        until(lambda: threads.stats().waiting == 1)
        interrupt()

    pool.submit(soon)
    with pytest.raises(Interrupted):
        threads.run(lambda: note("withdrawn"))
    assert threads.stats().waiting == 0
    held.let_go()
    assert threads.run(lambda: note("b")) == "b"
    assert subjects() == ["b"]


def test_a_thread_that_is_interrupted_while_its_job_is_done_leaves_when_that_is_over(
    threads, pool, interrupt
):
    begun, gate = threading.Event(), threading.Event()

    def slow():
        begun.set()
        assert gate.wait(60)
        return note("a")

    held = Held(threads, pool)
    first = pool.submit(run, threads, lambda: note("0"))  # whose thread does both
    until(lambda: threads.stats().waiting == 1)

    def soon():
        until(lambda: threads.stats().waiting == 2)
        held.let_go()
        assert begun.wait(60)
        interrupt()
        gate.set()

    pool.submit(soon)
    with pytest.raises(Interrupted):
        threads.run(slow)
    assert subjects() == ["0", "a"]
    assert first.result(60) == "0"


def test_a_thread_may_be_interrupted_just_when_its_job_is_over(threads, pool, monkeypatch):
    class Late(batches._Waiting):
        """Is interrupted once, when it has been told."""

        def __init__(self, *arguments):
            super().__init__(*arguments)
            wait = self.told.wait

            def late():
                wait()
                self.told.wait = wait
                raise Interrupted

            self.told.wait = late

    held = Held(threads, pool)
    first = pool.submit(run, threads, lambda: note("0"))  # whose thread does both
    until(lambda: threads.stats().waiting == 1)
    monkeypatch.setattr(batches, "_Waiting", Late)
    second = pool.submit(run, threads, lambda: note("a"))
    until(lambda: threads.stats().waiting == 2)
    held.let_go()
    assert first.result(60) == "0"
    assert isinstance(second.result(60), Interrupted)
    assert subjects() == ["0", "a"]


def test_a_thread_that_is_interrupted_while_it_writes_tells_those_whose_jobs_it_did(threads, pool, interrupt):
    begun = threading.Event()

    def never():
        begun.set()
        threading.Event().wait(60)

    held = Held(threads, pool)
    other, last = [], []

    def soon():
        until(lambda: threads.stats().waiting == 1)
        other.append(pool.submit(run, threads, lambda: note("undone")))
        until(lambda: threads.stats().waiting == 2)
        held.let_go()
        assert begun.wait(60)
        last.append(pool.submit(run, threads, lambda: note("b")))
        until(lambda: threads.stats().waiting == 1)
        interrupt()

    pool.submit(soon)
    with pytest.raises(Interrupted):
        threads.run(never)
    assert "Interrupted" in str(other[0].result(60))
    assert last[0].result(60) == "b"  # the turn was passed on
    assert subjects() == ["b"]


def test_a_thread_that_is_interrupted_before_it_writes_leaves_the_others_alone(threads, pool, interrupt):
    begun, gate = threading.Event(), threading.Event()

    def writes():
        with chain_transaction():
            begun.set()
            assert gate.wait(60)
        connection.close()

    writer = pool.submit(writes)
    assert begun.wait(60)
    other = []

    def soon():
        until(lambda: threads.stats().waiting == 1)
        other.append(pool.submit(run, threads, lambda: note("b")))
        until(lambda: threads.stats().waiting == 2)
        interrupt()

    pool.submit(soon)
    with pytest.raises(Interrupted):
        threads.run(lambda: note("never"))
    gate.set()
    writer.result(60)
    assert other[0].result(60) == "b"
    assert subjects() == ["b"]


def test_a_storm_of_threads_loses_nothing(threads, pool):
    told = list(pool.map(lambda n: run(threads, lambda: note(f"{n:03}")), range(200)))
    assert told == subjects() == [f"{n:03}" for n in range(200)]
    assert threads.stats().jobs == 200
    assert (threads.stats().waiting, threads._busy) == (0, False)
