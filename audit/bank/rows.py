"""The bank's rows: read anew each time, made into objects only when they hold something new.

Every look at a scan needs most of the bank, and whoever waits for a report looks several times a second. Its 140 rows
are read in a millisecond; the JSON and the words in them took ten.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models

M = TypeVar("M", bound=models.Model)
Rows = tuple[tuple[Any, ...], ...]


def read(model: type[models.Model]) -> Rows:
    """All rows in the model's order, as the database holds them, JSON as text: equal as long as nothing has changed.

    One query.
    """
    with connection.cursor() as cursor:
        cursor.execute(*_select(model, connection.vendor))
        return tuple(map(tuple, cursor.fetchall()))


@cache
def _select(model: type[models.Model], vendor: str) -> tuple[str, tuple[Any, ...]]:
    return model._default_manager.all().query.sql_with_params()


def objects(model: type[M], rows: Rows) -> Iterator[M]:
    """The rows as objects, to be read only."""
    fields = model._meta.concrete_fields
    for row in rows:
        values = (
            json.loads(value)
            if isinstance(field, models.JSONField) and value is not None
            else field.to_python(value)
            for field, value in zip(fields, row, strict=True)
        )
        yield model.from_db(connection.alias, [field.attname for field in fields], list(values))
