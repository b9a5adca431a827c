"""Short write transactions that wait for each other in turn, and what the work within one of them shares."""

import fcntl
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, transaction

T = TypeVar("T")
MOST_LASTING = 10_000  # answers that are taken over
_writer = threading.RLock()  # of this process's threads; beyond it, a lock on a file for all processes


class Shared:
    """What the jobs of one chain transaction have in common. Nobody else of the chain writes meanwhile.

    read: what was read for one of them, which holds for the others until something is written that may change it
    lasting: the same, of what the database alone says: it holds beyond this transaction, until anybody writes
    durable: whether its commit waits for the disk; to be said before its end
    late: what is written at the end, by what it is about: the newest only. Whoever asks the database before by Django's
        own ways finds it written; who asks by `llm.storage.sql` must not ask for these rows
    last: the last primary key that is taken, by table, as far as somebody has looked
    keys: of a database that others take keys of meanwhile: how many were asked for, and those that are left, by table
    """

    def __init__(self, *, durable: bool = True) -> None:
        self.durable = durable
        self.state: tuple[Any, int, int] | None = None  # of the database: see `recall`
        self.read: dict[Any, Any] = {}
        self.lasting: dict[Any, Any] = {}
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
        self.forget_read()

    def forget_read(self) -> None:
        self.read.clear()
        self.lasting.clear()

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

    def recall(self, before: "Shared | None") -> None:
        """Takes over what this thread's transaction before has read, unless anybody has changed the database since.

        SQLite tells both at once: `data_version` whether another connection has, `total_changes` whether this one has.
        """
        if self.database.vendor == "sqlite":
            file = self.database.connection
            with self.database.wrap_database_errors:
                version = file.execute("PRAGMA data_version").fetchone()[0]
            self.state = file, version, file.total_changes
            if before is not None and before.state == self.state and len(before.lasting) < MOST_LASTING:
                self.lasting, self.last = before.lasting, before.last

    def end(self) -> None:
        """It is about to be committed, with all that it wrote."""
        if self.state is not None:
            self.state = *self.state[:2], self.state[0].total_changes

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Around the statements of everybody else, as Django has it: `connection.execute_wrapper`."""
        if not self.unwatched:
            self.save()
            self.settle()
            if not str(sql).startswith(("SELECT", "SAVEPOINT", "RELEASE")):
                self.forget_read()
                self.last.clear()
        return execute(sql, params, many, context)


class _Here(threading.local):
    """Of this thread: its chain transaction, if it is within one, and the last that has ended."""

    shared: Shared | None = None
    ended: Shared | None = None


_here = _Here()


def shared() -> Shared | None:
    """Of this thread's chain transaction; None outside of one."""
    return _here.shared


def current_database() -> Any:
    """This thread's: it takes long to look up, but within a chain transaction."""
    unit = _here.shared
    return connections[DEFAULT_DB_ALIAS] if unit is None else unit.database


def once(key: Any, read: Callable[[], T]) -> T:
    """What `read` returns; asked once in a chain transaction, as long as nothing is written that may change it."""
    unit = _here.shared
    return read() if unit is None else _kept(unit.read, key, read)


def lasting(key: Any, read: Callable[[], T]) -> T:
    """The same of what nothing but the database's content decides: asked again once anybody has written anything."""
    unit = _here.shared
    return read() if unit is None else _kept(unit.lasting, key, read)


def _kept(kept: dict[Any, Any], key: Any, read: Callable[[], T]) -> T:
    if key not in kept:
        kept[key] = read()
    return kept[key]  # type: ignore[no-any-return]


@contextmanager
def write_transaction() -> Iterator[None]:
    """A transaction. With SQLite all writers of the chain take turns before they ask for the database's own lock:

    its way of waiting is to sleep and try again, ever longer, by which one unlucky writer can wait for seconds.
    """
    with _Turn(connections[DEFAULT_DB_ALIAS]), transaction.atomic():
        yield


@contextmanager
def chain_transaction(*, durable: bool = True) -> Iterator[Shared]:
    """A transaction that plans and writes: from its first statement on no other call plans, on any node.

    durable: whether it waits for the disk. A row that says "about to be sent" may be lost with the machine, like the
    request; what ends a call waits, and saves that row too. SQLite's file decides that for itself.
    """
    if (outer := _here.shared) is not None:
        outer.settle()
        try:
            with transaction.atomic():
                yield outer
        except BaseException:
            outer.undo({})
            raise
        return
    unit = Shared(durable=durable)
    database = unit.database
    outermost = not database.in_atomic_block
    with _Turn(database), transaction.atomic():
        if is_postgresql := database.vendor == "postgresql":
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('llm chain', 0))")
        elif outermost:
            unit.recall(_here.ended)
        _here.shared, _here.ended = unit, None
        try:
            with database.execute_wrapper(unit):
                yield unit
                unit.settle()
                if is_postgresql and outermost and not unit.durable:
                    with database.cursor() as cursor:
                        cursor.execute("SET LOCAL synchronous_commit TO off")
        finally:
            _here.shared = None
        unit.end()
    _here.ended = unit


class _Turn:
    """This process's turn, and this thread's, to write to a file of SQLite. Whoever writes already has it."""

    __slots__ = ("file", "needed")

    def __init__(self, database: Any) -> None:
        self.needed = database.vendor == "sqlite" and not database.in_atomic_block
        self.file = _turns(database.settings_dict["NAME"], os.getpid()) if self.needed else None

    def __enter__(self) -> None:
        if self.needed:
            _writer.acquire()
        if self.file is not None:
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX)
            except BaseException:
                _writer.release()
                raise

    def __exit__(self, *error: object) -> None:
        if self.file is not None:
            fcntl.flock(self.file, fcntl.LOCK_UN)
        if self.needed:
            _writer.release()


@cache
def _turns(database: object, process: int) -> int | None:
    """The file whose lock is a process's turn; None of a database in memory, which has no other processes.

    A descriptor of the process's own: one that a fork has copied would share the lock with its parent.
    """
    path = str(database)
    if ":memory:" in path or "mode=memory" in path:
        return None
    return os.open(f"{path}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
