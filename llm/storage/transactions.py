"""Short write transactions that wait for each other in turn."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import RLock

from django.db import connection, transaction

_writer = RLock()  # of this process's threads; beyond it, a lock on a file for all processes


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
    outermost = not connection.in_atomic_block
    with write_transaction():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                if outermost and not durable:
                    cursor.execute("SET LOCAL synchronous_commit TO off")
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('llm chain', 0))")
        yield


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
