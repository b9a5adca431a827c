"""Statements about rows, worded once, and the values that they are given: bounded, in the database's own way."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import UTC
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

from llm.text import mend

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


def values(row: models.Model, fields: Fields) -> list[Any]:
    """What the database is told of a row, in the order of the fields. What is too long is cut in the row, too."""
    values = [*fields.of(row)]
    for place, name, most in fields.texts:
        text = values[place]
        is_text = type(text) is str or isinstance(text, str)
        if text and (not is_text or len(text) > most or not text.isascii() or "\0" in text):
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
def defaults(model: type[models.Model]) -> tuple[dict[str, Any], dict[str, Callable[[], Any]]]:
    """What each attribute of a new row has, in the order of the columns; and those that are made anew for each row."""
    fields = [field for field in model._meta.concrete_fields if isinstance(field, models.Field)]
    made = {
        field.attname: field.default for field in fields if field.has_default() and callable(field.default)
    }
    return {field.attname: None if field.attname in made else field.get_default() for field in fields}, made


@cache
def insert(model: type[models.Model], vendor: str) -> tuple[str, Fields]:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns, places = ", ".join(map(_column, fields)), ", ".join(["%s"] * len(fields))
    returning = f"RETURNING {_column(model._meta.pk)}"
    return f"INSERT INTO {_table(model)} ({columns}) VALUES ({places}) {returning}", _telling(fields)  # noqa: S608  # our names


@cache
def one(model: type[models.Model], names: tuple[str, ...], vendor: str) -> tuple[str, Fields]:
    """Writes a late row, with its values in this order."""
    if names:
        return update(model, names, (), vendor)
    fields = list(model._meta.concrete_fields)
    columns, places = ", ".join(map(_column, fields)), ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {_table(model)} ({columns}) VALUES ({places})", _telling(fields)  # noqa: S608  # our names


@cache
def many(model: type[models.Model], names: tuple[str, ...], count: int) -> str:
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
def update(
    model: type[models.Model], names: tuple[str, ...], still: tuple[str, ...], vendor: str
) -> tuple[str, Fields]:
    fields = _named(model, names)
    columns = ", ".join(f"{_column(field)} = %s" for field in fields)
    where = " AND ".join(f"{_column(field)} = %s" for field in [model._meta.pk, *_named(model, still)])
    return f"UPDATE {_table(model)} SET {columns} WHERE {where}", _telling([*fields, model._meta.pk])  # noqa: S608  # our names


@cache
def select(model: type[models.Model], name: str, vendor: str) -> str:
    (field,) = _named(model, [name])
    return f"SELECT {_column(model._meta.pk)} FROM {_table(model)} WHERE {_column(field)} = %s"  # noqa: S608  # our names


def _named(model: type[models.Model], names: Iterable[str]) -> list[models.Field[Any, Any]]:
    found = (model._meta.get_field(name) for name in names)
    return [field for field in found if isinstance(field, models.Field)]


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _column(field: models.Field[Any, Any]) -> str:
    return connection.ops.quote_name(str(field.column))
