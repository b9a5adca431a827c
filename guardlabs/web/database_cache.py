"""The cache as a database table, with counters and marks that hold between processes.

Django's own reads, then writes: two processes that count at once count once, two that claim an expired mark both get
it, and counting sets a counter's time to live to five minutes. Here each is one statement that says what it expects.
"""

import base64
import pickle
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import connections, router
from django.utils import timezone

LOOK_AT_SIZE = 1 / 50  # of all new rows: counting a large table takes longer than writing to it
FAR = datetime.max.replace(tzinfo=UTC, microsecond=0)


class AtomicDatabaseCache(DatabaseCache):
    """Django's database cache; `add` and `incr` are atomic, and `incr` leaves the time to live as it is.

    For SQLite and PostgreSQL. What fails raises the database's error; the callers know what a lost count means.
    """

    _table: str
    _cull: Callable[..., None]

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """True when the key was not there, or no longer: of all who try at once, one gets that."""
        lives_until = self.get_backend_timeout(timeout)
        expires = FAR if lives_until is None else datetime.fromtimestamp(lives_until, UTC)
        now = timezone.now()
        if random.random() < LOOK_AT_SIZE:
            self._make_room(now)
        claimed = self._execute(
            "INSERT INTO {table} (cache_key, value, expires) VALUES (%s, %s, %s) ON CONFLICT (cache_key) "
            "DO UPDATE SET value = excluded.value, expires = excluded.expires WHERE {table}.expires <= %s",
            [
                self.make_and_validate_key(key, version),
                _packed(value),
                self._moment(expires),
                self._moment(now),
            ],
        )
        return bool(claimed)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """The new value. Raises ValueError when the key is not there, like every cache of Django's."""
        row = self.make_and_validate_key(key, version)
        while (value := self.get(key, version=version)) is not None:
            new: int = value + delta
            if self._execute(
                "UPDATE {table} SET value = %s WHERE cache_key = %s AND value = %s",
                [_packed(new), row, _packed(value)],
            ):
                return new
        raise ValueError(f"Key {key!r} not found")

    def _make_room(self, now: datetime) -> None:
        connection = connections[router.db_for_write(self.cache_model_class)]
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(self._table)}")  # noqa: S608
            number = cursor.fetchone()[0]
            if number > self._max_entries:
                self._cull(connection.alias, cursor, now, number)

    def _execute(self, statement: str, parameters: list[Any]) -> int:
        """How many rows it changed."""
        connection = connections[router.db_for_write(self.cache_model_class)]
        with connection.cursor() as cursor:
            cursor.execute(statement.format(table=connection.ops.quote_name(self._table)), parameters)
            return int(cursor.rowcount)

    def _moment(self, moment: datetime) -> Any:
        connection = connections[router.db_for_write(self.cache_model_class)]
        return connection.ops.adapt_datetimefield_value(moment.replace(microsecond=0))


def _packed(value: Any) -> str:
    """As Django's backend writes it, which reads it too."""
    return base64.b64encode(pickle.dumps(value, pickle.HIGHEST_PROTOCOL)).decode("latin1")
