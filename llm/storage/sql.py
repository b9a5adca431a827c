"""Statements of the hot path, run without Django's layers around a cursor: those take longer than SQLite itself.

SQL is written with %s, and values are given as the database takes them: see `llm.storage.statements`.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from django.db import DatabaseError
from django.db.transaction import TransactionManagementError

from llm.conf import conf
from llm.storage.transactions import Shared, current_database, shared


def run(sql: str, values: Sequence[Any] = ()) -> Any:
    """The cursor of a statement. Raises what Django's own would."""
    unit, database = _ready(sql)
    if _is_watched(unit, database):
        return _watched(unit, database, sql, values)
    with database.wrap_database_errors:
        return database.connection.execute(
            _in_sqlites_words(sql) if database.vendor == "sqlite" else sql, values
        )


def run_for_each(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """A statement for each of several rows of values, in one round trip. Raises what Django's own would."""
    unit, database = _ready(sql)
    if _is_watched(unit, database):
        for values in rows:
            run(sql, values)
        return
    with database.wrap_database_errors, database.connection.cursor() as cursor:
        cursor.executemany(sql, rows)


# Of a statement that has to wait for the interpreter each time it comes back from SQLite, one with many rows is as
# quick as one with a single row. Of these two suffice for as many as a batch has, and SQLite reads each of them once:
# for less than a step, and for so many steps.
_STEP, _MOST = 8, 64  # rows


def run_together(one: str, many: Callable[[int], str], rows: list[list[Any]]) -> None:
    """Runs a statement for several rows of values, and takes those that are written from the list.

    one: the statement for one row; many: the same for so many, in SQLite's words. Raises what Django's own would, with
    SQLite of the statement that failed, which has undone itself: the rows that are still listed are not written
    """
    if current_database().vendor != "sqlite":
        run_for_each(one, rows)
        rows.clear()
    while rows:
        count = min(len(rows) // _STEP * _STEP or len(rows), _MOST)
        run(one if count == 1 else many(count), [*chain.from_iterable(rows[:count])])
        del rows[:count]


class part:  # a context manager, as those of `contextlib` are named
    """A part of a chain transaction that is undone, by itself, when it raises.

    Its savepoint is made before its first statement: a part that has found in memory what it looked for, and leaves its
    rows to be written late, needs none. With SQLite, where a query that fails breaks nothing, nor does one that only
    asks. Where a part cannot be undone, such as without the database, the transaction
    needs a rollback afterwards.

    told: is told, after the part's end, of a row that it has left late and that cannot be written
    """

    __slots__ = ("hooks", "late", "outer", "told", "unit")

    def __init__(self, told: Callable[[Exception], object] | None = None) -> None:
        self.told = told

    def __enter__(self) -> None:
        unit = shared()
        if unit is None:
            raise TransactionManagementError("only a chain transaction has parts")
        self.unit, self.late, self.hooks = unit, unit.late.copy(), len(unit.database.run_on_commit)
        self.outer, unit.told, unit.is_bare = unit.told, self.told, True

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        unit = self.unit
        try:
            if isinstance(error, Exception):
                self._undo(unit.database)
            elif error is None and unit.database.needs_rollback:
                self._undo(unit.database)
                raise TransactionManagementError("a statement failed, and nobody said so")
            elif error is None and not unit.is_bare:
                run("RELEASE SAVEPOINT part")
        finally:
            unit.is_bare, unit.told = False, self.outer

    def _undo(self, database: Any) -> None:
        if not self.unit.is_bare:
            database.needs_rollback = False  # else nothing is run
            try:
                run("ROLLBACK TO SAVEPOINT part")
                run("RELEASE SAVEPOINT part")
            except DatabaseError:
                database.needs_rollback = True
        elif database.vendor == "sqlite" and not database.connection.in_transaction:
            database.needs_rollback = True  # the file cannot be read, and SQLite has given up all of it
        del database.run_on_commit[self.hooks :]
        self.unit.undo(self.late)


def _ready(sql: str) -> tuple[Shared | None, Any]:
    """This thread's chain transaction, if there is one, and its database, which may be asked now."""
    unit, database = shared(), current_database()
    if database.needs_rollback:
        raise TransactionManagementError("this transaction is broken: it can only be rolled back")
    if unit is not None and not (database.vendor == "sqlite" and sql.startswith("SELECT")):
        unit.save()
    return unit, database


def _is_watched(unit: Shared | None, database: Any) -> bool:
    """Whether there is no connection yet, or somebody else wants to see every statement."""
    others = len(database.execute_wrappers) - (unit is not None)
    logged = database.force_debug_cursor or conf.DEBUG
    return database.connection is None or logged or others > 0


def _watched(unit: Shared | None, database: Any, sql: str, values: Sequence[Any]) -> Any:
    """The same by Django's own ways."""
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


@lru_cache(1024)
def _in_sqlites_words(sql: str) -> str:
    return sql.replace("%s", "?")
