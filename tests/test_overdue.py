"""An answer that is paid for is given, even when the database is away at that moment; the ledger follows."""

import asyncio
import logging

import pytest
from django.db import OperationalError, connection

from llm.chain import Completed, Delta, acomplete, aftermath, astream, complete
from llm.ledger import books, counters
from llm.models import Attempt, Call, Meter, Notice
from llm.operations import overdue
from tests.chain_setup import make_groq

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _bookkeeper(settings, monkeypatch):
    settings.LLM_BOOKS = "bookkeeper"
    monkeypatch.setattr(overdue, "WAITS_S", (0.001,))
    yield
    books.bookkeeper.stop()


@pytest.fixture
def away(monkeypatch):
    """A gate, after which no transaction is committed until the patch is undone."""

    def broken(self):
        raise OperationalError("the disk is full")

    with monkeypatch.context() as patch:

        def accept(text):
            patch.setattr(type(connection._connections["default"]), "_commit", broken)

        accept.back = patch.undo
        yield accept


def asked(accept):
    return asyncio.run(acomplete(user="hi", purpose="test", accept=accept))


def told(accept):
    async def all_of(events):
        return [event async for event in events]

    *events, last = asyncio.run(all_of(astream(user="hi", purpose="test", accept=accept)))
    assert isinstance(last, Completed)
    assert "".join(event.text for event in events if isinstance(event, Delta)) == last.reply.text
    return last.reply


def waited(accept):
    return complete(user="hi", purpose="test", accept=accept)


@pytest.mark.parametrize("cache", ["on", "off"])
@pytest.mark.parametrize("way", [asked, told, waited])
def test_an_answer_is_given_though_its_end_cannot_be_written(sim, away, way, cache, settings):
    settings.LLM_CACHE = cache
    make_groq(sim, keys=1, models=[{"name": "openai/gpt-oss-120b", "rpm": 100}])
    reply = way(away)
    assert reply.text
    assert (reply.provider, reply.tokens_out > 0, reply.attempts[0]["outcome"]) == ("groq1", True, "ok")
    away.back()
    assert overdue.wait(60)
    row, attempt = Call.objects.get(pk=reply.call_id), Attempt.objects.get()
    assert (row.outcome, row.text, row.cost_usd) == ("ok", reply.text, reply.cost_usd)
    assert (attempt.outcome, attempt.tokens_out) == ("ok", reply.tokens_out)
    assert Notice.objects.filter(kind="ledger").count() == 1
    (tally,) = counters.tallies("groq", day_reset="utc", per={"minute"}, now=attempt.finished_at).values()
    assert tally.used("minute", attempt.finished_at)[0] == 1
    assert not tally.flights
    assert Meter.objects.exists()


def test_the_next_call_is_as_ever(sim, away):
    make_groq(sim, keys=1)
    asked(away)
    away.back()
    assert overdue.wait(60)
    assert asked(None).text
    assert set(Call.objects.values_list("outcome", flat=True)) == {"ok"}


def test_what_can_never_be_written_is_dropped_and_the_rest_written(sim, monkeypatch, caplog):
    make_groq(sim, keys=1)
    done = []

    def wrong():
        raise ValueError("a bug")

    with caplog.at_level(logging.ERROR):
        overdue.keep(wrong)
        overdue.keep(lambda: done.append(1))
        assert overdue.wait(60)
    assert done == [1]
    assert "cannot be written" in caplog.text


def test_a_bug_in_what_others_learn_costs_no_answer(sim, monkeypatch):
    make_groq(sim, keys=1)

    def wrong(*arguments):
        raise ValueError("a bug")

    monkeypatch.setattr(aftermath, "_learn", wrong)
    assert asked(None).text
    assert overdue.wait(60)
    assert Call.objects.get().outcome == "ok"


def test_no_more_is_kept_than_memory_is_for(monkeypatch, caplog):
    monkeypatch.setattr(overdue, "MOST", 0)
    overdue.keep(lambda: None)
    assert "too many" in caplog.text
