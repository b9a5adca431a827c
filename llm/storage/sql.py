"""Statements of the hot path, run without Django's layers around a cursor: those take longer than SQLite itself.

SQL is written with %s, and values are given as the database takes them: see `llm.ledger.rows`.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.transaction import TransactionManagementError

from llm.storage.transactions import shared


def run(sql: str, values: Sequence[Any] = ()) -> Any:
    """The cursor of a statement. Raises what Django's own would."""
    database = connections[DEFAULT_DB_ALIAS]
    if database.connection is None or database.queries_logged or _is_watched(database):
        return _watched(sql, values)
    if database.needs_rollback:
        raise TransactionManagementError("this transaction is broken: it can only be rolled back")
    with database.wrap_database_errors:
        if database.vendor == "sqlite":
            return database.connection.execute(_in_sqlites_words(sql), values)
        return database.connection.execute(sql, values)


def run_many(sql: str, rows: Iterable[Sequence[Any]]) -> None:
    """The same statement with several rows of values."""
    database = connections[DEFAULT_DB_ALIAS]
    if database.connection is None or database.queries_logged or _is_watched(database):
        for values in rows:
            _watched(sql, values)
        return
    with database.wrap_database_errors, database.connection.cursor() as cursor:
        cursor.executemany(_in_sqlites_words(sql) if database.vendor == "sqlite" else sql, list(rows))


@contextmanager
def part() -> Iterator[None]:
    """A part of a chain transaction that is undone, by itself, when it raises.

    Where not even that is possible, such as without the database, the transaction needs a rollback afterwards.
    """
    database, unit = connections[DEFAULT_DB_ALIAS], shared()
    late, hooks = dict(unit.late) if unit else {}, len(database.run_on_commit)
    run("SAVEPOINT part")
    try:
        yield
        if database.needs_rollback:
            raise TransactionManagementError("a statement failed, and nobody said so")
    except Exception:
        database.needs_rollback = False  # else nothing is run
        try:
            run("ROLLBACK TO SAVEPOINT part")
            run("RELEASE SAVEPOINT part")
        except DatabaseError:
            database.needs_rollback = True
        del database.run_on_commit[hooks:]
        if unit:
            unit.undo(late)
        raise
    run("RELEASE SAVEPOINT part")


def _is_watched(database: Any) -> bool:
    """Whether somebody but a chain transaction wants to see every statement: a test, a tracer."""
    return any(each is not shared() for each in database.execute_wrappers)


def _watched(sql: str, values: Sequence[Any]) -> Any:
    unit, cursor = shared(), connections[DEFAULT_DB_ALIAS].cursor()
    if unit is None:
        cursor.execute(sql, values)
        return cursor
    unit.unwatched = True
    try:
        cursor.execute(sql, values)
    finally:
        unit.unwatched = False
    return cursor


@lru_cache(256)
def _in_sqlites_words(sql: str) -> str:
    return sql.replace("%s", "?")
