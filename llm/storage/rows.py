"""Writes and finds rows with SQL that is worded once: for the ledger, which is written four times a call.

Django words a statement anew for every save(), which takes longer than the database needs to run it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, models
from django.db.models.base import ModelState

from llm.storage import faults, sql, statements
from llm.storage.transactions import Shared, current_database, shared

M = TypeVar("M", bound=models.Model)


def new(model: type[M], /, **fields: Any) -> M:
    """A row that is not in the database yet: what `model(**fields)` makes in several times as long.

    Made as Django makes a row that was pickled. fields: by the names of attributes. Raises TypeError for another name.
    """
    plain, made = statements.defaults(model)
    if not fields.keys() <= plain.keys():
        raise TypeError(f"{model.__name__} has no {', '.join(sorted(fields.keys() - plain.keys()))}")
    row = model.__new__(model)
    row._state = ModelState()
    row.__dict__.update(plain)
    for name, make in made.items():
        row.__dict__[name] = make()
    row.__dict__.update(fields)
    return row


def insert(row: models.Model, *, late: bool = False) -> None:
    """Inserts a new row and sets its primary key, as `save(force_insert=True)` does, without signals.

    late: within a chain transaction it is written at its end, together with others of its kind
    """
    unit = shared() if late else None
    if unit is None:
        statement, fields = statements.insert(type(row), connection.vendor)
        row.pk = sql.run(statement, statements.values(row, fields)).fetchone()[0]
    else:
        setattr(row, row._meta.pk.attname, _new_pk(unit, type(row)))
        _leave(unit, row, ())
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def update(row: models.Model, names: Iterable[str], **still: str) -> None:
    """Writes these fields of a row, as `save(update_fields=names)` does, without signals. A deleted row stays so.

    Within a chain transaction it is written at its end, together with others of its kind.

    still: fields that must have these values in the database, or nothing is written; then it is written at once
    """
    unit, names = shared(), tuple(names)
    if unit is None or still:
        statement, fields = statements.update(type(row), names, tuple(still), connection.vendor)
        sql.run(statement, [*statements.values(row, fields), *still.values()])
    else:
        _leave(unit, row, names)


def pk_of(model: type[models.Model], column: str, value: str) -> int | None:
    """The primary key of the row with that value in a unique column; None if there is none."""
    found = sql.run(statements.select(model, column, connection.vendor), [value]).fetchone()
    return found[0] if found else None


# -- rows that are written together ------------------------------------------------------------------------

UNWRITABLE = (*faults.UNSTORABLE, IntegrityError)
_AT_MOST = 16  # primary keys that are asked of PostgreSQL at a time


@dataclass(slots=True, eq=False, repr=False)
class _Late:
    """A row to be inserted or, with names, fields to be updated; and what the transaction has left before it.

    Of one row the last values of the same fields count; fields that are updated together are updated in no other
    company. Not changed once it is made.
    """

    before: _Late | None
    model: type[models.Model]
    names: tuple[str, ...]
    pk: int
    values: list[Any]
    told: Callable[[Exception], object] | None  # of an error that is this row's

    def __call__(self) -> None:
        """Writes all that was left: new rows first."""
        groups: dict[Any, dict[int, _Late]] = {}
        answered_for = False
        for late in _all(self):
            groups.setdefault((late.model, late.names), {})[late.pk] = late
            answered_for = answered_for or late.told is not None
        left = [[*group.values()] for (_, names), group in groups.items() if not names]
        left += [[*group.values()] for (_, names), group in groups.items() if names]
        vendor = current_database().vendor
        if not answered_for or self.before is None:
            _write_all(left, vendor)
        elif vendor == "sqlite":  # where a statement that fails undoes itself alone
            try:
                _write_all(left, vendor)
            except UNWRITABLE:
                _write_each(left)
        else:
            try:
                with sql.part():
                    _write_all([group.copy() for group in left], vendor)
            except UNWRITABLE:
                _write_each(left)


def _all(last: _Late | None) -> list[_Late]:
    """In the order in which they were left."""
    found = []
    while last is not None:
        found.append(last)
        last = last.before
    found.reverse()
    return found


def _leave(unit: Shared, row: models.Model, names: tuple[str, ...]) -> None:
    fields = statements.one(type(row), names, unit.database.vendor)[1]
    values = statements.values(row, fields)
    unit.late[_Late] = _Late(_left(unit), type(row), names, values[fields.key], values, unit.told)


def _left(unit: Shared) -> _Late | None:
    """The last row that the transaction has left."""
    return unit.late.get(_Late)  # type: ignore[return-value]


def _write_all(groups: Iterable[list[_Late]], vendor: str) -> None:
    """Takes from each group what it has written."""
    for group in groups:
        model, names = group[0].model, group[0].names
        rows = [late.values for late in group]
        try:
            sql.run_together(
                statements.one(model, names, vendor)[0], partial(statements.many, model, names), rows
            )
        finally:
            del group[: len(group) - len(rows)]


def _write_each(groups: Iterable[list[_Late]]) -> None:
    """One of these is no row; the others are, but for what its job has left beside it."""
    failed: list[Callable[[Exception], object]] = []
    for late in (late for group in groups for late in group):
        if late.told is not None and late.told in failed:
            continue
        try:
            with sql.part():
                _write_all([[late]], current_database().vendor)
        except UNWRITABLE as error:
            if late.told is None:
                raise
            late.told(error)
            failed.append(late.told)


def _new_pk(unit: Shared, model: type[models.Model]) -> int:
    """A primary key that nobody else has had or will have, above all of transactions that have ended.

    PostgreSQL is asked for as many more as it was before in this transaction. What is left of them is not kept: a row
    would be newer than others with higher keys, and who reads what came after a key would miss it.
    """
    table = model._meta.db_table
    if unit.database.vendor == "sqlite":  # whose sequences nobody else uses meanwhile
        if table not in unit.last:
            unit.last = dict(sql.run("SELECT name, seq FROM sqlite_sequence").fetchall())
            for late in _all(_left(unit)):
                name = late.model._meta.db_table
                unit.last[name] = max(unit.last.get(name, 0), late.pk)
        unit.last[table] = unit.last.get(table, 0) + 1
        return unit.last[table]
    asked, kept = unit.keys.get(table, (0, deque()))
    if not kept:
        more = min(asked, _AT_MOST) or 1
        kept.extend(row[0] for row in sql.run(_NEXT, [table, model._meta.pk.column, more]).fetchall())
        unit.keys[table] = asked + more, kept
    return kept.popleft()


_NEXT = "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"
