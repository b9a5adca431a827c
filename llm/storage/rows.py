"""Writes and finds rows with SQL that is worded once: for the ledger, which is written four times a call.

Django words a statement anew for every save(), which takes longer than the database needs to run it.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC
from decimal import Decimal
from functools import cache, partial
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, connections, models
from django.db.models.base import ModelState

from llm.storage import faults, sql
from llm.storage.transactions import Shared, shared
from llm.text import mend

M = TypeVar("M", bound=models.Model)
PLAIN = (models.BooleanField, models.CharField, models.FloatField, models.IntegerField, models.TextField)


class Fields(NamedTuple):
    """Of the columns of a statement, in their order: the place of the primary key, how to have their values of a row,
    which of them are bounded, by their places and names, and which the database is told in another way than they are.
    """

    key: int
    of: Callable[[models.Model], tuple[Any, ...]]
    texts: tuple[tuple[int, str, int], ...]  # the most characters
    numbers: tuple[tuple[int, str, Any, Any], ...]  # the largest and the smallest
    told: tuple[tuple[int, type | None, Callable[[Any], Any]], ...]  # unless it is of this type already


def new(model: type[M], /, **fields: Any) -> M:
    """A row that is not in the database yet: what `model(**fields)` makes in several times as long.

    Made as Django makes a row that was pickled. fields: by the names of attributes. Raises TypeError for another name.
    """
    plain, made = _defaults(model)
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
        statement, fields = _insert(type(row), connection.vendor)
        row.pk = sql.run(statement, _values(row, fields)).fetchone()[0]
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
        statement, fields = _update(type(row), names, tuple(still), connection.vendor)
        sql.run(statement, [*_values(row, fields), *still.values()])
    else:
        _leave(unit, row, names)


def pk_of(model: type[models.Model], column: str, value: str) -> int | None:
    """The primary key of the row with that value in a unique column; None if there is none."""
    found = sql.run(_select(model, column, connection.vendor), [value]).fetchone()
    return found[0] if found else None


# -- rows that are written together ------------------------------------------------------------------------

UNWRITABLE = (*faults.UNSTORABLE, IntegrityError)
_AT_MOST = 16  # primary keys that are asked of PostgreSQL at a time


class _Late(NamedTuple):
    """A row to be inserted or, with names, fields to be updated; and what the transaction has left before it.

    Of one row the last values of the same fields count; fields that are updated together are updated in no other
    company.
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
        database = _database()
        if not answered_for or self.before is None:
            _write_all(left, database)
        elif database.vendor == "sqlite":  # where a statement that fails undoes itself alone
            try:
                _write_all(left, database)
            except UNWRITABLE:
                _write_each(left)
        else:
            try:
                with sql.part():
                    _write_all([group.copy() for group in left], database)
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
    fields = _one(type(row), names, unit.database.vendor)[1]
    values = _values(row, fields)
    unit.late[_Late] = _Late(_left(unit), type(row), names, values[fields.key], values, unit.told)


def _left(unit: Shared) -> _Late | None:
    """The last row that the transaction has left."""
    return unit.late.get(_Late)  # type: ignore[return-value]


def _write_all(groups: Iterable[list[_Late]], database: Any) -> None:
    """Takes from each group what it has written."""
    for group in groups:
        model, names = group[0].model, group[0].names
        rows = [late.values for late in group]
        try:
            sql.run_together(_one(model, names, database.vendor)[0], partial(_many, model, names), rows)
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
                _write_all([[late]], _database())
        except UNWRITABLE as error:
            if late.told is None:
                raise
            late.told(error)
            failed.append(late.told)


def _database() -> Any:
    """This thread's."""
    unit = shared()
    return connections[DEFAULT_DB_ALIAS] if unit is None else unit.database


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


def _values(row: models.Model, fields: Fields) -> list[Any]:
    """What the database is told of a row, in the order of the fields. What is too long is cut in the row, too."""
    values = [*fields.of(row)]
    for place, name, most in fields.texts:
        text = values[place]
        if text and (not isinstance(text, str) or len(text) > most or not text.isascii() or "\0" in text):
            values[place] = _cut(row, name, text, most)
    for place, name, most, least in fields.numbers:
        number = values[place]
        if number is not None and not least <= number <= most:
            values[place] = _cut(row, name, number, most)
    for place, plain, told in fields.told:
        value = values[place]
        if value is not None and type(value) is not plain:
            values[place] = told(value)
    return values


def _cut(row: models.Model, name: str, value: Any, most: Any) -> Any:
    bounded = _bounded(value, most)
    if bounded is not value:
        setattr(row, name, bounded)
    return bounded


def _bounded(value: Any, most: Any) -> Any:
    """The value as its column takes it: not too long or large, without NUL and half characters.

    SQLite would take them; PostgreSQL would raise in the middle of a call.
    """
    if isinstance(value, str):
        if not value.isascii() or "\0" in value:
            value = mend(value)
        return value if len(value) <= most else value[:most]
    if isinstance(value, bool) or -most <= value <= most:
        return value
    return most if value > 0 else -most


def _most(field: models.Field[Any, Any]) -> Any:
    """The most characters, or the largest number, that a column takes; None where it takes all that comes."""
    if isinstance(field, models.CharField | models.TextField):
        return field.max_length or sys.maxsize
    if isinstance(field, models.DecimalField):
        return Decimal(10**field.max_digits - 1).scaleb(-field.decimal_places)
    if isinstance(field, models.PositiveSmallIntegerField):
        return 2**15 - 1
    return 2**31 - 1 if isinstance(field, models.PositiveIntegerField) else None


def _telling(fields: Iterable[models.Field[Any, Any]]) -> Fields:
    fields = list(fields)
    bounded = [(place, field.attname, _most(field)) for place, field in enumerate(fields)]
    texts = (models.CharField, models.TextField)
    return Fields(
        key=next((place for place, field in enumerate(fields) if field.primary_key), -1),
        of=attrgetter(*[field.attname for field in fields]),
        texts=tuple(each for each in bounded if isinstance(fields[each[0]], texts)),
        numbers=tuple(
            (place, name, most, -most)
            for place, name, most in bounded
            if most is not None and not isinstance(fields[place], texts)
        ),
        told=tuple((place, *told) for place, field in enumerate(fields) if (told := _told(field))),
    )


def _told(field: models.Field[Any, Any]) -> tuple[type | None, Callable[[Any], Any]] | None:
    """How a value goes to the database, unless it is of a type that its driver takes. Most go as they are, and need no
    words with Django."""
    database = connections[DEFAULT_DB_ALIAS]
    if isinstance(field, models.CharField) and field.choices:
        return str, str
    if isinstance(field, PLAIN) and not field.choices:
        return None
    if isinstance(field, models.DateTimeField):
        adapted = database.ops.adapt_datetimefield_value
        if database.vendor != "sqlite" or database.timezone is not UTC:
            return None, adapted
        offset = len("+00:00")
        return None, lambda value: value.isoformat(" ")[:-offset] if value.tzinfo is UTC else adapted(value)
    if isinstance(field, models.DecimalField):
        exact = str if database.vendor == "sqlite" else Decimal
        return Decimal, lambda value: exact(field.get_db_prep_save(value, database))
    if isinstance(field, models.JSONField):
        return None, lambda value: database.ops.adapt_json_value(value, field.encoder)
    if isinstance(field, models.ForeignKey) and isinstance(field.target_field, models.IntegerField):
        return None
    return None, lambda value: field.get_db_prep_save(value, connection)


@cache
def _defaults(model: type[models.Model]) -> tuple[dict[str, Any], dict[str, Callable[[], Any]]]:
    """What each attribute of a new row has, in the order of the columns; and those that are made anew for each row."""
    fields = [field for field in model._meta.concrete_fields if isinstance(field, models.Field)]
    made = {
        field.attname: field.default for field in fields if field.has_default() and callable(field.default)
    }
    return {field.attname: None if field.attname in made else field.get_default() for field in fields}, made


@cache
def _insert(model: type[models.Model], vendor: str) -> tuple[str, Fields]:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns, places = ", ".join(map(_column, fields)), ", ".join(["%s"] * len(fields))
    returning = f"RETURNING {_column(model._meta.pk)}"
    return f"INSERT INTO {_table(model)} ({columns}) VALUES ({places}) {returning}", _telling(fields)  # noqa: S608  # our names


@cache
def _one(model: type[models.Model], names: tuple[str, ...], vendor: str) -> tuple[str, Fields]:
    """Writes a late row, with its values in this order."""
    if names:
        return _update(model, names, (), vendor)
    fields = list(model._meta.concrete_fields)
    columns, places = ", ".join(map(_column, fields)), ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {_table(model)} ({columns}) VALUES ({places})", _telling(fields)  # noqa: S608  # our names


@cache
def _many(model: type[models.Model], names: tuple[str, ...], count: int) -> str:
    """Writes so many late rows at once, with the same values, in SQLite's words."""
    fields = [*_named(model, names), model._meta.pk] if names else list(model._meta.concrete_fields)
    rows = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * count)
    columns = ", ".join(map(_column, fields))
    if not names:
        return f"INSERT INTO {_table(model)} ({columns}) VALUES {rows}"  # noqa: S608  # our names
    pk = _column(model._meta.pk)
    changes = ", ".join(f"{name} = late.{name}" for name in map(_column, fields[:-1]))
    return (
        f"WITH late ({columns}) AS (VALUES {rows}) UPDATE {_table(model)} SET {changes} FROM late"  # noqa: S608
        f" WHERE {_table(model)}.{pk} = late.{pk}"
    )


@cache
def _update(
    model: type[models.Model], names: tuple[str, ...], still: tuple[str, ...], vendor: str
) -> tuple[str, Fields]:
    fields = _named(model, names)
    columns = ", ".join(f"{_column(field)} = %s" for field in fields)
    where = " AND ".join(f"{_column(field)} = %s" for field in [model._meta.pk, *_named(model, still)])
    return f"UPDATE {_table(model)} SET {columns} WHERE {where}", _telling([*fields, model._meta.pk])  # noqa: S608  # our names


@cache
def _select(model: type[models.Model], name: str, vendor: str) -> str:
    (field,) = _named(model, [name])
    return f"SELECT {_column(model._meta.pk)} FROM {_table(model)} WHERE {_column(field)} = %s"  # noqa: S608  # our names


def _named(model: type[models.Model], names: Iterable[str]) -> list[models.Field[Any, Any]]:
    found = (model._meta.get_field(name) for name in names)
    return [field for field in found if isinstance(field, models.Field)]


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _column(field: models.Field[Any, Any]) -> str:
    return connection.ops.quote_name(str(field.column))
