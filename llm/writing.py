"""Short write transactions that wait for each other in turn."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

from django.db import connection, transaction

_writer = RLock()


@contextmanager
def write_transaction() -> Iterator[None]:
    """A transaction. With SQLite the threads of this process take turns before they ask for the file's lock:

    its own way of waiting is to sleep and try again, by which one unlucky thread can wait for seconds.
    """
    if connection.vendor != "sqlite":
        with transaction.atomic():
            yield
        return
    with _writer, transaction.atomic():
        yield
