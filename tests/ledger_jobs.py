"""Jobs for whoever does the ledger's, and a database that is not there for them."""

from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from llm.models import Notice


def note(subject):
    """A job that writes a row and returns its subject."""
    now = timezone.now()
    Notice.objects.create(at=now, day=now.date(), kind="test", subject=subject)
    return subject


def subjects():
    """Of the rows that such jobs have written."""
    return sorted(Notice.objects.values_list("subject", flat=True))


@contextmanager
def database_away(monkeypatch):
    """Within the block no transaction begins. Gives a list that grows with each that is tried."""
    times = []

    def away(*arguments, **more):
        times.append(1)
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(transaction.Atomic, "__enter__", away)
        yield times


def break_commits(monkeypatch):
    """From now on no commit succeeds."""

    def broken(self):
        raise OperationalError("disk full")

    monkeypatch.setattr(type(connection._connections["default"]), "_commit", broken, raising=True)
