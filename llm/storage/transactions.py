"""Short write transactions that wait for each other in turn, and what the work within one of them shares."""

import fcntl
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

T = TypeVar("T")
_writer = threading.RLock()  # of this process's threads; beyond it, a lock on a file for all processes
_here = threading.local()


class Shared:
    """What the jobs of one chain transaction have in common. Nobody else of the chain writes meanwhile.

    read: what was read for one of them, which holds for the others until something is written that may change it
    late: what is written at the end, by what it is about: the newest only. Whoever asks the database before by Django's
        own ways finds it written; who asks by `llm.storage.sql` must not ask for these rows
    last: the last primary key that is taken, by table, as far as somebody has looked
    keys: of a database that others take keys of meanwhile: how many were asked for, and those that are left, by table
    """

    def __init__(self) -> None:
        self.read: dict[Any, Any] = {}
        self.late: dict[Any, Callable[[], object]] = {}
        self.last: dict[str, int] = {}
        self.keys: dict[str, tuple[int, deque[int]]] = {}
        self.told: Callable[[Exception], object] | None = None  # of an error of what is left late from now on
        self.is_bare = False  # while a job has run no statement, and needs no savepoint yet
        self.unwatched = False  # while a statement of `llm.storage.sql` runs
        self.database: Any = connections[DEFAULT_DB_ALIAS]  # this thread's, which takes long to look up

    def undo(self, late: dict[Any, Callable[[], object]]) -> None:
        """The database has undone what came after a moment. late: as it was then.

        What of it was written meanwhile may have been undone with the rest; written twice, it is the same.
        """
        self.late = late
        self.read.clear()

    def save(self) -> None:
        """Before a statement: the first of a job (`llm.storage.sql.part`) comes after its savepoint."""
        if self.is_bare:
            self.is_bare = False
            with self.database.wrap_database_errors:
                self.database.connection.execute("SAVEPOINT part")

    def settle(self) -> None:
        """Writes what is late."""
        while self.late:
            late, self.late = self.late, {}
            for write in late.values():
                write()

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Around the statements of everybody else, as Django has it: `connection.execute_wrapper`."""
        if not self.unwatched:
            self.save()
            self.settle()
            if not str(sql).startswith(("SELECT", "SAVEPOINT", "RELEASE")):
                self.read.clear()
                self.last.clear()
        return execute(sql, params, many, context)


def shared() -> Shared | None:
    """Of this thread's chain transaction; None outside of one."""
    return getattr(_here, "shared", None)


def once(key: Any, read: Callable[[], T]) -> T:
    """What `read` returns; asked once in a chain transaction, as long as nothing is written that may change it."""
    unit = shared()
    if unit is None:
        return read()
    if key not in unit.read:
        unit.read[key] = read()
    return unit.read[key]  # type: ignore[no-any-return]


@contextmanager
def write_transaction() -> Iterator[None]:
    """A transaction. With SQLite all writers of the chain take turns before they ask for the database's own lock:

    its way of waiting is to sleep and try again, ever longer, by which one unlucky writer can wait for seconds.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    with _writer, _turn(str(connection.settings_dict["NAME"])), transaction.atomic():
        yield


@contextmanager
def chain_transaction(*, durable: bool = True) -> Iterator[None]:
    """A transaction that plans and writes: from its first statement on no other call plans, on any node.

    durable: whether it waits for the disk. A row that says "about to be sent" may be lost with the machine, like the
    request; what ends a call waits, and saves that row too. SQLite's file decides that for itself.
    """
    if (outer := shared()) is not None:
        outer.settle()
        try:
            with transaction.atomic():
                yield
        except BaseException:
            outer.undo({})
            raise
        return
    outermost = not connection.in_atomic_block
    with write_transaction():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                if outermost and not durable:
                    cursor.execute("SET LOCAL synchronous_commit TO off")
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('llm chain', 0))")
        _here.shared = Shared()
        try:
            with connection.execute_wrapper(_here.shared):
                yield
                _here.shared.settle()
        finally:
            _here.shared = None


@contextmanager
def _turn(database: str) -> Iterator[None]:
    """This process's turn to write. A database in memory has no other processes."""
    if ":memory:" in database or "mode=memory" in database:
        yield
        return
    file = _open(f"{database}-turn", os.getpid())
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


@cache
def _open(path: str, process: int) -> int:
    """A descriptor of the process's own: one that a fork has copied would share the lock with its parent."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
