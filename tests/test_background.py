"""The background worker: a task is a nudge, two workers do nothing twice, and a worker that dies is started again."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from django.core.cache import caches
from huey import SqliteHuey
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from audit.models import Mail
from audit.orders import outbox
from guardlabs.operations import background, chores
from llm.pauses import probes
from tests.factories import make_order
from tests.test_many_nodes import redis  # noqa: F401  # a fixture

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.django_db


@pytest.fixture
def tasks(tmp_path, settings, monkeypatch):
    """The tasks on a queue of the test's own."""
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(background.connections, "close_all", lambda: None)  # the test's own
    made = background.on(SqliteHuey("test", filename=str(tmp_path / "tasks.sqlite3"), results=False))
    monkeypatch.setattr(background, "tasks", lambda: made)
    yield made
    made.queue.storage.close()


def work(tasks):
    """Does what is in the queue, as a worker does; returns the names of the tasks."""
    names = []
    while task := tasks.queue.dequeue():
        names.append(task.name)
        tasks.queue.execute(task)
    return names


def tick(tasks):
    (periodic,) = tasks.queue._registry.periodic_tasks
    tasks.queue.enqueue(periodic)


def test_a_mail_is_sent_as_soon_as_its_transaction_is_over(
    tasks, monkeypatch, mailoutbox, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(outbox, "wake", background.nudge_mails)
    with django_capture_on_commit_callbacks(execute=True):
        make_order(email="a@example.org")
    assert set(work(tasks)) == {"mails"}
    assert [mail.to for mail in mailoutbox] == [["a@example.org"]]
    assert not Mail.objects.filter(state="queued").exists()


def test_one_nudge_sends_more_than_a_batch(tasks, monkeypatch, mailoutbox):
    monkeypatch.setattr(outbox, "BATCH", 2)
    for number in range(5):
        make_order(email=f"{number}@example.org")
    background.nudge_mails()
    work(tasks)
    assert len(mailoutbox) == 5


def test_a_queue_that_cannot_be_written_loses_no_mail_and_raises_nothing(monkeypatch, caplog):
    def broken():
        raise OSError("disk full")

    monkeypatch.setattr(background, "tasks", broken)
    background.nudge_mails()
    make_order()
    assert "looks every minute" in caplog.text
    assert Mail.objects.filter(state="queued").count() == 1


def test_two_workers_do_everything_once(tasks, monkeypatch):
    done = []
    monkeypatch.setattr(
        chores, "chores", lambda: tuple(chores.Chore(name, 60, lambda name=name: done.append(name)) for name in "abc")
    )  # fmt: skip
    tick(tasks)
    tick(tasks)  # the other worker's clock
    assert work(tasks).count("chore") == 6
    assert done == ["a", "b", "c"]
    assert chores.last_seen() is not None


def test_providers_that_are_down_are_looked_at_every_few_seconds(tasks, monkeypatch):
    looks = []
    monkeypatch.setattr(probes, "run_due", lambda: looks.append(1))
    listed = [chore for chore in chores.chores() if chore.name == "probes"]
    monkeypatch.setattr(chores, "chores", lambda: tuple(listed))
    tick(tasks)
    work(tasks)
    assert looks == [1]
    waiting = tasks.queue.scheduled()
    assert len(waiting) + len(looks) == 60 // chores.PROBE_EVERY_S
    tasks.queue.execute(waiting[0], waiting[0].eta)
    assert looks == [1]  # somebody has looked just now
    caches["chores"].clear()  # seconds later
    tasks.queue.execute(waiting[1], waiting[1].eta)
    assert looks == [1, 1]
    tick(tasks)  # another worker's clock: what is planned is not planned twice
    assert len(tasks.queue.scheduled()) == len(waiting)


def test_a_task_that_fails_is_logged_and_harms_no_other(tasks, monkeypatch, caplog):
    def broken():
        raise RuntimeError("no such luck")

    monkeypatch.setattr(
        chores, "chores", lambda: (chores.Chore("broken", 60, broken), chores.Chore("sound", 60, list))
    )
    tick(tasks)
    assert work(tasks).count("chore") == 2
    assert "chore broken failed" in caplog.text


def test_a_task_that_somebody_else_wrote_is_not_run(settings, tmp_path):
    settings.VAR_DIR, settings.REDIS_URL = tmp_path, ""
    ours = background._queue()
    ours.storage.enqueue(b"cos\nsystem\n(S'touch /tmp/owned'\ntR.:" + b"0" * 40)
    with pytest.raises(ValueError, match=r"[Ss]ignature"):
        ours.dequeue()
    ours.storage.close()


def test_mails_are_sent_and_the_log_is_short_while_the_queue_is_out_of_reach(
    tasks, mailoutbox, caplog, monkeypatch
):
    make_order(email="a@example.org")

    def gone():
        raise RedisError("nobody there")

    assert background.stand_in(False) is False
    assert mailoutbox == []  # the queue's own affair
    with monkeypatch.context() as broken:
        broken.setattr(tasks.queue.storage, "queue_size", gone)
        assert background.stand_in(False) is True
        assert background.stand_in(True) is True
    assert [mail.to for mail in mailoutbox] == [["a@example.org"]]
    assert background.stand_in(True) is False
    said = [record.getMessage() for record in caplog.records if record.name == background.log.name]
    assert said == [
        "the queue is out of reach (RedisError): what is due is done once a minute", "the queue is back",
    ]  # fmt: skip


def test_what_a_thread_of_the_worker_cannot_read_is_no_news():
    def line(message):
        return logging.LogRecord("huey.consumer.Worker", logging.ERROR, "", 0, message, (), None)

    assert not background._is_news(line("Error reading from queue"))
    assert background._is_news(line("Unhandled error during execution of task %s."))


def up(url):
    """Returns once Redis answers."""
    client = Redis.from_url(url, retry=Retry(ConstantBackoff(0.05), 200))
    assert client.ping()
    client.close()


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")
def test_tasks_from_before_a_change_of_the_secret_key_are_done_after_it(settings, tmp_path):
    settings.VAR_DIR, settings.REDIS_URL = tmp_path, ""
    settings.SECRET_KEY = "old" * 20
    before = background.on(background._queue())
    for name in ("first", "second"):
        before.chore(name)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, ["old" * 20]
    after = background.on(background._queue())
    after.chore("third")
    assert [after.queue.dequeue().args for _ in range(2)] == [("first",), ("second",)]
    settings.SECRET_KEY_FALLBACKS = []
    assert background.on(background._queue()).queue.dequeue().args == ("third",)


def test_a_task_that_somebody_else_signed_is_not_read(settings, tmp_path):
    settings.VAR_DIR, settings.REDIS_URL = tmp_path, ""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "theirs" * 10, []
    background.on(background._queue()).chore("first")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, ["old" * 20]
    with pytest.raises(ValueError, match="mismatch"):
        background.on(background._queue()).queue.dequeue()


def test_the_queue_is_redis_where_there_is_one_and_its_absence_loses_nothing(settings, redis, caplog):  # noqa: F811
    up(redis.url)
    settings.REDIS_URL = redis.url
    found = background.on(background._queue())
    found.mails()
    assert work(found) == ["mails"]
    redis.terminate()
    redis.wait(60)
    background.tasks.cache_clear()
    background.nudge_mails()
    assert "looks every minute" in caplog.text
    background.tasks.cache_clear()


WORKER = """
import sys
import django; django.setup()
from django.conf import settings
import pathlib
settings.VAR_DIR = pathlib.Path(sys.argv[1])
from guardlabs.operations import background, chores
import signal, time
def look():
    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # huey begins to work before it listens
        time.sleep(0.01)
    print("looked", flush=True)
chores.chores = lambda: (chores.Chore("look", 60, look),)
chores.caches["chores"].clear()
from django.core.management import call_command
call_command("worker", skip_checks=True)
"""


def test_the_worker_looks_at_its_start_and_ends_at_sigterm(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )  # fmt: skip
    assert process.stdout.readline() == "looked\n"
    process.terminate()
    assert process.wait(60) == 0


PAIR = """
import sys, time
from guardlabs import serve
serve.FIRST_PAUSE_S = serve.LOOK_EVERY_S = 0.01
worker = [sys.executable, "-c", "import os, time; print('worker', os.getpid(), flush=True); time.sleep(300)"]
server = [sys.executable, "-c", sys.argv[1]]
sys.exit(serve.Pair(server, worker).run())
"""
SERVER = "import time; time.sleep(300)"


def pair(server=SERVER):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PAIR), server], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def test_a_worker_that_is_killed_is_started_again_and_stops_with_the_server():
    both = pair()
    first = int(both.stdout.readline().split()[1])
    os.kill(first, signal.SIGKILL)
    second = int(both.stdout.readline().split()[1])
    assert second != first
    both.terminate()
    assert both.wait(60) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


def test_when_the_server_ends_so_does_all_of_it_with_its_exit_code():
    both = pair("import sys, time; time.sleep(1); sys.exit(3)")
    worker = int(both.stdout.readline().split()[1])
    assert both.wait(60) == 3
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
