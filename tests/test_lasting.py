"""What a chain transaction has read holds for the next one, until anybody has changed the database."""

import threading
from contextlib import suppress

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from llm.configuration import snapshot
from llm.ledger import meters
from llm.models import Meter, Pause, Provider
from llm.storage.transactions import chain_transaction, lasting
from tests.test_books import Said, note, say

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="only SQLite tells for less than a query"),
]


@pytest.fixture(autouse=True)
def kept():
    """What one transaction has read."""
    with chain_transaction():
        assert said() == {}
        snapshot.read()


def said():
    return {names[0]: state.text for names, state in meters.select("p", None, None, load).items()}


def load(text, found):
    return Said(text)


def reads(look):
    """How many queries a transaction takes that looks, and what it finds."""
    with CaptureQueriesContext(connection) as asked, chain_transaction():
        found = look()
    return sum(each["sql"].startswith("SELECT") for each in asked), found


def elsewhere(work):
    """Another connection's doing."""

    def run():
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_nothing_is_read_again_while_nobody_writes():
    with chain_transaction():
        say("a", "one")
    assert reads(said) == (0, {"a": "one"})
    assert reads(snapshot.read)[0] == 0


@pytest.mark.parametrize("where", [lambda work: work(), elsewhere])
def test_what_another_has_written_is_read(where):
    where(lambda: Meter.objects.create(provider="p", account="a", model="", version=1, state="theirs"))
    assert reads(said) == (1, {"a": "theirs"})
    where(lambda: Meter.objects.update(version=2, state="newer"))
    assert reads(said) == (1, {"a": "newer"})
    where(lambda: Meter.objects.all().delete())
    assert reads(said) == (1, {})
    where(lambda: Provider.objects.create(slug="new", kind="openai", tier=1))
    assert [each.slug for each in reads(snapshot.providers)[1]] == ["new"]


def test_another_chain_transaction_of_another_connection_counts_as_well():
    def theirs():
        with chain_transaction():
            say("a", "theirs")

    elsewhere(theirs)
    assert reads(said) == (1, {"a": "theirs"})
    with chain_transaction():
        say("a", "ours")
    elsewhere(theirs)
    assert reads(said) == (1, {"a": "theirs"})


def test_nothing_that_was_undone_is_kept():
    with suppress(ValueError), chain_transaction():
        say("a", "never")
        raise ValueError
    assert reads(said) == (1, {})
    with chain_transaction():
        with suppress(ValueError), transaction.atomic():
            note("never")
            raise ValueError
        say("b", "kept")
    assert said() == {"b": "kept"}
    with suppress(ValueError), transaction.atomic():
        with chain_transaction():
            say("c", "never")
        raise ValueError
    assert reads(said)[1] == {"b": "kept"}


def test_what_a_transaction_writes_by_djangos_ways_is_read_by_the_next():
    with chain_transaction():
        snapshot.read()
        Provider.objects.create(slug="p", kind="openai", tier=1)
    assert [each.slug for each in reads(snapshot.providers)[1]] == ["p"]


def test_a_pause_counts_at_once_whoever_opens_it():
    def pause():
        Pause.objects.create(provider="p", kind="provider_down", source="guess", since=timezone.now())

    elsewhere(pause)
    assert list(reads(snapshot.read)[1].pauses) == ["p"]
    assert reads(snapshot.read)[0] == 0
    elsewhere(lambda: Pause.objects.all().delete())
    assert reads(snapshot.read)[1].pauses == {}


def test_another_connection_of_the_same_thread_keeps_nothing():
    connection.close()
    assert reads(said) == (1, {})


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr("llm.storage.transactions.MOST_LASTING", 1)
    with chain_transaction():
        for number in range(3):
            lasting(number, lambda: 1)
    assert reads(said) == (1, {})
