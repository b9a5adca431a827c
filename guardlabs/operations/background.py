"""Background work: a queue on huey, and one worker process beside the server, `manage.py worker`.

A task is a nudge and the row in the database is the truth: a task that is lost, or done twice, changes nothing, since
whoever does the work claims its row (or its mark, see `chores`) first. The queue is a SQLite file in var/, or Redis
with REDIS_URL. Several workers share the work.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, wraps
from threading import Event, Thread
from typing import Any

from django.conf import settings
from django.db import connections
from huey import Huey, RedisHuey, SqliteHuey, crontab
from huey.serializer import SignedSerializer
from redis import ConnectionPool

from audit.orders import outbox
from guardlabs.operations import chores
from guardlabs.web import correlation

log = logging.getLogger(__name__)

THREADS = 4  # so that a slow provider check or mail server keeps nothing else waiting
LAST_WORDS_S = (
    50.0  # for what is being done when the worker is told to stop; less than systemd's and compose's grace
)
MOST_BATCHES = 100  # in one go, so that a mail server that is never done keeps no thread for ever
LONGEST_SLEEP_S = 1.0  # of an idle worker, before it looks into the queue again
REDIS_TIMEOUTS = {"socket_connect_timeout": 2, "socket_timeout": 5}


@dataclass(frozen=True)
class Tasks:
    """The queue, and what can be put into it: calling one of these enqueues it."""

    queue: Huey
    chore: Any  # by its name
    mails: Callable[[], Any]


@cache
def tasks() -> Tasks:
    """The queue of this process."""
    return on(_queue())


class _Signed(SignedSerializer):  # type: ignore[misc]  # huey has no types
    """Signs tasks with SECRET_KEY, and also takes those that were signed with one of SECRET_KEY_FALLBACKS."""

    def __init__(self) -> None:
        super().__init__(secret=settings.SECRET_KEY, salt="tasks")
        self._older = [SignedSerializer(secret=key, salt="tasks") for key in settings.SECRET_KEY_FALLBACKS]

    def deserialize(self, data: bytes) -> Any:
        for older in self._older:
            with suppress(ValueError):  # not its signature
                return older.deserialize(data)
        return super().deserialize(data)


def _queue() -> Huey:
    common = {"results": False, "serializer": _Signed()}
    if settings.REDIS_URL:
        pool = ConnectionPool.from_url(settings.REDIS_URL, **REDIS_TIMEOUTS)
        return RedisHuey("guardlabs", connection_pool=pool, read_timeout=1, **common)
    file = settings.VAR_DIR / "tasks.sqlite3"
    file.parent.mkdir(
        parents=True, exist_ok=True
    )  # a server with keys from elsewhere may be the first to need it
    return SqliteHuey("guardlabs", filename=str(file), fsync=False, **common)


def on(queue: Huey) -> Tasks:
    """Registers every task with the queue."""
    found = Tasks(
        queue,
        chore=queue.task(name="chore")(_apart(do_chore)),
        mails=queue.task(name="mails")(_apart(send_mails)),
    )

    def tick() -> None:
        """Every minute, and when the worker starts."""
        chores.seen()
        planned = found.queue.scheduled_count() > 1  # by another worker, or by one that has just died
        for chore in chores.chores():
            found.chore(chore.name)
            for seconds in () if planned else range(chore.every_s, chores.MINUTE, chore.every_s):
                found.chore.schedule((chore.name,), delay=seconds)

    queue.periodic_task(crontab(), name="tick")(_apart(tick))
    return found


def do_chore(name: str) -> None:
    """Does one of the chores, if it is due."""
    for chore in chores.chores():
        if chore.name == name:
            chores.do(chore)


def send_mails() -> None:
    """Sends all that is due, not only the first batch."""
    for _ in range(MOST_BATCHES):
        if outbox.send_due() < outbox.BATCH:
            return


def nudge_mails() -> None:
    """Has what waits in the outbox sent now. Never raises: the next minute's look finds it in any case."""
    try:
        tasks().mails()
    except Exception:
        log.warning("the worker was not told of a mail; it looks every minute", exc_info=True)


def run() -> None:
    """Works until SIGTERM or SIGINT, then finishes what it is doing, for up to LAST_WORDS_S."""
    for name in ("Worker", "Scheduler"):
        logging.getLogger(f"huey.consumer.{name}").addFilter(_is_news)
    over = Event()
    Thread(target=_stand_in_every_minute, args=(over,), name="stand-in", daemon=True).start()
    try:
        tasks().queue.create_consumer(
            workers=THREADS, max_delay=LONGEST_SLEEP_S, graceful_signal="TERM", shutdown_timeout=LAST_WORDS_S
        ).run()
    finally:
        over.set()


def _is_news(record: logging.LogRecord) -> bool:
    """Each thread would say several times a second, with a traceback, that it cannot read the queue."""
    return not str(record.msg).startswith("Error reading")


def _stand_in_every_minute(over: Event) -> None:
    away = False
    while not over.wait(chores.MINUTE):
        away = stand_in(away)


def stand_in(away: bool) -> bool:
    """Does what is due by itself while the queue is out of reach, since nobody can be nudged then.

    `away`: whether it was out of reach when this was last asked. Returns whether it is now.
    """
    try:
        tasks().queue.pending_count()
    except Exception as error:
        if not away:
            log.warning(
                "the queue is out of reach (%s): what is due is done once a minute", type(error).__name__
            )
        _apart(chores.run_due)()
        return True
    if away:
        log.warning("the queue is back")
    return False


def _apart(work: Callable[..., object]) -> Callable[..., None]:
    """As a task: lines of the log that belong together have one id, and no database connection is left open."""

    @wraps(work)
    def task(*arguments: Any) -> None:
        correlation.begin("-".join(["task", work.__name__, *map(str, arguments)]))
        try:
            work(*arguments)
        finally:
            connections.close_all()

    return task
