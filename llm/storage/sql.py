"""Statements of the hot path, run without Django's layers around a cursor: those take longer than SQLite itself.

SQL is written with %s, and values are given as the database takes them: see `llm.ledger.rows`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.transaction import TransactionManagementError

from llm.storage.transactions import Shared, shared


def run(sql: str, values: Sequence[Any] = ()) -> Any:
    """The cursor of a statement. Raises what Django's own would."""
    unit = shared()
    database = connections[DEFAULT_DB_ALIAS] if unit is None else unit.database
    watching = database.execute_wrappers
    if (
        database.connection is None
        or database.queries_logged
        or (watching and (len(watching) > 1 or watching[0] is not unit))
    ):
        return _watched(unit, database, sql, values)
    if database.needs_rollback:
        raise TransactionManagementError("this transaction is broken: it can only be rolled back")
    with database.wrap_database_errors:
        return database.connection.execute(
            _in_sqlites_words(sql) if database.vendor == "sqlite" else sql, values
        )


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


def _watched(unit: Shared | None, database: Any, sql: str, values: Sequence[Any]) -> Any:
    """The same by Django's own ways: there is no connection yet, or a test wants to see every statement."""
    cursor = database.cursor()
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
