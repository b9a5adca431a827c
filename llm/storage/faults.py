"""Tells a database that is away, or a value that it can never store, from faults of our own, by the exception."""

import errno
from decimal import InvalidOperation

from django.db import DataError, InterfaceError, InternalError, OperationalError, connections

AWAY = (OperationalError, InterfaceError, InternalError)
NO_DISK = {errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EMFILE, errno.ENFILE}
UNSTORABLE = (DataError, OverflowError, InvalidOperation, UnicodeEncodeError, RecursionError)
# ValueErrors that say the same: of psycopg, of the C library's paths, and of int() beyond 4,300 digits.
UNSTORABLE_WORDS = ("NUL (0x00)", "null character", "null byte", "integer string conversion")


def is_away(error: BaseException | None) -> bool:
    """Whether an exception means that the database, or the disk below it, cannot be used now."""
    return isinstance(error, AWAY) or (isinstance(error, OSError) and error.errno in NO_DISK)


def is_unstorable(error: BaseException | None) -> bool:
    """Whether an exception means that somebody sent a value that no row can hold."""
    words = isinstance(error, ValueError) and any(each in str(error) for each in UNSTORABLE_WORDS)
    return words or isinstance(error, UNSTORABLE)


def reconnect() -> None:
    """Drops this thread's connections, so that the next request finds out anew: SQLite's stay read-only for ever."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
