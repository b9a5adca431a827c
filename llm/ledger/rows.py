"""Writes and finds one row with SQL that is worded once: for the ledger, which is written four times a call.

Django words a statement anew for every save(), which takes longer than the database needs to run it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models import Case, F, When

from llm.storage import sql
from llm.text import mend

if TYPE_CHECKING:
    # Attribute, the most that its column takes, and how its value is told to the database: as it is (None), or by that.
    Fields = tuple[tuple[str, Any, Callable[[Any], Any] | None], ...]
PLAIN = (models.BooleanField, models.CharField, models.FloatField, models.IntegerField, models.TextField)


def insert(row: models.Model) -> None:
    """Inserts a new row and sets its primary key, as `save(force_insert=True)` does, without signals."""
    statement, fields = _insert(type(row), connection.vendor)
    row.pk = sql.run(statement, _values(row, fields)).fetchone()[0]
    row._state.adding, row._state.db = False, connection.alias


def update(row: models.Model, names: Iterable[str], **still: str) -> None:
    """Writes these fields of a row, as `save(update_fields=names)` does, without signals. A deleted row stays so.

    still: fields that must have these values in the database, or nothing is written.
    """
    statement, fields = _update(type(row), tuple(names), tuple(still), connection.vendor)
    sql.run(statement, [*_values(row, fields), row.pk, *still.values()])


def pk_of(model: type[models.Model], column: str, value: str) -> int | None:
    """The primary key of the row with that value in a unique column; None if there is none."""
    found = sql.run(_select(model, column, connection.vendor), [value]).fetchone()
    return found[0] if found else None


def bound(row: models.Model) -> None:
    """Cuts the values of a row that its columns do not take: too long, too large, with NUL or half a character.

    SQLite would take them; PostgreSQL would raise in the middle of a call.
    """
    for field in row._meta.concrete_fields:
        if (value := getattr(row, field.attname)) is not None:
            setattr(row, field.attname, _bounded(value, _most(field)))


def _values(row: models.Model, fields: Fields) -> list[Any]:
    found = []
    for name, most, told in fields:
        value = getattr(row, name)
        if value is not None:
            if (bounded := _bounded(value, most)) is not value:
                setattr(row, name, bounded)
                value = bounded
            if told is not None:
                value = told(value)
        found.append(value)
    return found


def _bounded(value: Any, most: Any) -> Any:
    if isinstance(value, str):
        if not value.isascii() or "\0" in value:
            value = mend(value)
        return value if most is None or len(value) <= most else value[:most]
    if most is None or isinstance(value, bool) or -most <= value <= most:
        return value
    return most if value > 0 else -most


@cache
def _most(field: models.Field[Any, Any]) -> Any:
    """The most characters, or the largest number, that a column takes; None where it takes all that comes."""
    if isinstance(field, models.CharField):
        return field.max_length
    if isinstance(field, models.DecimalField):
        return Decimal(10**field.max_digits - 1).scaleb(-field.decimal_places)
    if isinstance(field, models.PositiveSmallIntegerField):
        return 2**15 - 1
    return 2**31 - 1 if isinstance(field, models.PositiveIntegerField) else None


def _telling(fields: Iterable[models.Field[Any, Any]]) -> Fields:
    return tuple((field.attname, _most(field), _told(field)) for field in fields)


def _told(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    """How a value goes to the database. Most go as they are, and need no words with Django."""
    if isinstance(field, models.CharField) and field.choices:
        return str
    if isinstance(field, PLAIN) and not field.choices:
        return None
    if isinstance(field, models.DateTimeField):
        return connections[DEFAULT_DB_ALIAS].ops.adapt_datetimefield_value
    if isinstance(field, models.DecimalField):
        return lambda value: value if type(value) is Decimal else field.get_db_prep_save(value, connection)
    if isinstance(field, models.ForeignKey) and isinstance(field.target_field, models.IntegerField):
        return None
    return lambda value: field.get_db_prep_save(value, connection)


@cache
def _insert(model: type[models.Model], vendor: str) -> tuple[str, Fields]:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns, places = ", ".join(map(_column, fields)), ", ".join(["%s"] * len(fields))
    returning = f"RETURNING {_column(model._meta.pk)}"
    return f"INSERT INTO {_table(model)} ({columns}) VALUES ({places}) {returning}", _telling(fields)  # noqa: S608  # our names


@cache
def _update(
    model: type[models.Model], names: tuple[str, ...], still: tuple[str, ...], vendor: str
) -> tuple[str, Fields]:
    fields = _named(model, names)
    columns = ", ".join(f"{_column(field)} = %s" for field in fields)
    where = " AND ".join(f"{_column(field)} = %s" for field in [model._meta.pk, *_named(model, still)])
    return f"UPDATE {_table(model)} SET {columns} WHERE {where}", _telling(fields)  # noqa: S608  # our names


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


# What an attempt costs, as far as is known: one that is still under way, the most that it can.
MONEY = Case(When(finished_at=None, then=F("reserved_usd")), default=F("cost_usd"))
