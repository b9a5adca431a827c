"""Rows that the jobs of a batch leave to its end: written together, and each of them answered for by its own job."""

import asyncio
from contextlib import suppress

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from llm.ledger import bookkeeper as ledger
from llm.ledger import books
from llm.models import Attempt, Call
from llm.storage import rows, sql
from llm.storage.transactions import chain_transaction
from tests.test_books import bookkeeper, note, subjects, together  # noqa: F401  # one of them is a fixture

pytestmark = pytest.mark.django_db(transaction=True)


def a_call(**fields):
    return Call(started_at=timezone.now(), deadline_s=45, **fields)


def enter(**fields):
    call = a_call(**fields)
    rows.insert(call, late=True)
    return call


def attempt_of(call, **fields):
    attempt = Attempt(
        **{"call": call, "provider": "groq", "tier": 1, "free": True, "started_at": timezone.now(), **fields}
    )
    rows.insert(attempt, late=True)
    return attempt


@pytest.mark.parametrize("model", [Call, Attempt])
def test_a_new_row_is_what_its_model_makes(model):
    fields = {"model": "m", "cost_usd": None, "started_at": timezone.now()}
    mine, its = rows.new(model, **fields), model(**fields)
    mine._state, its._state = vars(mine._state), vars(its._state)
    assert vars(mine) == vars(its)
    with pytest.raises(TypeError, match="no nothing"):
        rows.new(model, nothing=1)


def test_new_rows_share_no_list():
    rows.new(Call).messages.append("mine")
    assert rows.new(Call).messages == []


def purposes():
    return sorted(Call.objects.values_list("purpose", flat=True))


def test_each_job_has_the_key_of_its_row_before_that_is_written(bookkeeper):  # noqa: F811
    calls = asyncio.run(
        together(bookkeeper, *[lambda n=n: attempt_of(enter(purpose=f"{n}")) for n in range(9)])
    )
    kept = {each.pk: each.call.purpose for each in Attempt.objects.select_related("call")}
    assert {each.pk: each.call.purpose for each in calls} == kept
    assert len(kept) == 9


def test_keys_go_on_after_rows_that_others_have_inserted(bookkeeper):  # noqa: F811
    def by_django():
        call = a_call(purpose="b")
        call.save()
        return call

    told = asyncio.run(
        together(bookkeeper, lambda: enter(purpose="a"), by_django, lambda: enter(purpose="c"))
    )
    told.append(asyncio.run(bookkeeper.do(lambda: enter(purpose="d"))))
    assert len({each.pk for each in told}) == 4
    assert {each.pk: each.purpose for each in told} == dict(Call.objects.values_list("pk", "purpose"))


def test_a_later_row_has_a_higher_key_whichever_process_wrote_it():
    one, other = books.Bookkeeper(), books.Bookkeeper()
    try:
        for number, writer in enumerate([one, other, one, other, one]):
            asyncio.run(together(writer, *[lambda n=number: enter(purpose=f"{n}") for _ in range(5)]))
    finally:
        one.stop()
        other.stop()
    assert list(Call.objects.order_by("pk").values_list("purpose", flat=True)) == [
        f"{number}" for number in range(5) for _ in range(5)
    ]


def test_a_job_that_fails_takes_its_own_rows_along_and_no_others(bookkeeper):  # noqa: F811
    def fails(how):
        enter(purpose="never")
        how()
        raise ValueError("mine")

    told = asyncio.run(
        together(
            bookkeeper,
            lambda: enter(purpose="a"),
            lambda: fails(lambda: None),
            lambda: enter(purpose="b"),
            lambda: fails(lambda: note("never")),  # has others' rows written before its own end
            lambda: fails(lambda: Call.objects.count()),
            lambda: enter(purpose="c"),
        )
    )
    assert [str(each) for each in told if isinstance(each, Exception)] == ["mine"] * 3
    assert purposes() == ["a", "b", "c"]
    assert subjects() == []
    assert {each.pk for each in told if isinstance(each, Call)} == set(
        Call.objects.values_list("pk", flat=True)
    )


def test_a_row_that_cannot_be_written_fails_its_own_job_alone(bookkeeper):  # noqa: F811
    def no_row():
        return enter(purpose="never", lang=None)

    told = asyncio.run(together(bookkeeper, lambda: enter(purpose="a"), no_row, lambda: enter(purpose="b")))
    assert isinstance(told[1], IntegrityError)
    assert purposes() == ["a", "b"]
    with pytest.raises(IntegrityError):
        asyncio.run(bookkeeper.do(no_row))
    assert purposes() == ["a", "b"]


def test_what_belongs_to_a_row_that_cannot_be_written_is_not_written_either(bookkeeper):  # noqa: F811
    def no_row():
        return attempt_of(enter(purpose="never", lang=None))

    def row(purpose):
        return attempt_of(enter(purpose=purpose))

    told = asyncio.run(together(bookkeeper, lambda: row("a"), no_row, *[lambda: row("b")] * 9))
    assert isinstance(told[1], IntegrityError)
    assert purposes() == ["a"] + ["b"] * 9
    assert Attempt.objects.count() == 10


def test_the_last_update_of_a_row_counts_and_a_new_row_may_be_updated(bookkeeper):  # noqa: F811
    old = a_call(purpose="old")
    old.save()

    def updates(call, text):
        call.text = text
        rows.update(call, ("text",))

    def new():
        call = enter(purpose="new")
        updates(call, "of its own batch")

    def prolonged():
        ledger.prolong(old, 600)

    asyncio.run(
        together(bookkeeper, lambda: updates(old, "first"), prolonged, lambda: updates(old, "last"), new)
    )
    assert dict(Call.objects.values_list("purpose", "text")) == {"old": "last", "new": "of its own batch"}
    assert Call.objects.get(purpose="old").deadline_s > 500


def test_a_row_that_is_gone_stays_gone(bookkeeper):  # noqa: F811
    gone, kept = a_call(purpose="gone"), a_call(purpose="kept")
    gone.save()
    kept.save()
    Call.objects.filter(purpose="gone").delete()

    def updates(call):
        call.text = "more"
        rows.update(call, ("text",))

    asyncio.run(together(bookkeeper, lambda: updates(gone), lambda: updates(kept)))
    assert dict(Call.objects.values_list("purpose", "text")) == {"kept": "more"}


def test_many_jobs_take_as_many_statements_as_a_few(bookkeeper):  # noqa: F811
    def statements(count):
        with CaptureQueriesContext(connection) as asked, chain_transaction():
            for number in range(count):
                attempt_of(enter(purpose=f"{number}"))
        return sum(" INTO " in each["sql"] for each in asked if "POSTGRES" not in each["sql"])

    if connection.vendor == "sqlite":
        assert statements(32) == statements(2) == 2


def test_a_transaction_within_one_undoes_its_own_rows_alone():
    with chain_transaction():
        first = enter(purpose="a")
        with suppress(ValueError), chain_transaction():
            enter(purpose="never")
            raise ValueError
        second = enter(purpose="b")
    assert purposes() == ["a", "b"]
    assert set(Call.objects.values_list("pk", flat=True)) == {first.pk, second.pk}


def test_outside_of_a_chain_transaction_a_row_is_written_at_once():
    with transaction.atomic():
        call = enter(purpose="a")
        call.text = "told"
        rows.update(call, ("text",))
        assert Call.objects.get(pk=call.pk).text == "told"


def test_a_part_is_undone_though_its_statements_are_watched():
    call = a_call(purpose="kept")
    call.save()
    with CaptureQueriesContext(connection), chain_transaction(), suppress(ValueError), sql.part():
        sql.run("UPDATE llm_call SET purpose = %s WHERE id = %s", ["never", call.pk])
        raise ValueError
    assert purposes() == ["kept"]
