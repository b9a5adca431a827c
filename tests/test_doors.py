"""What is answered while the database, or the disk below it, cannot be used: 503 in each door's own shape."""

import errno
import json
import sqlite3
from contextlib import closing
from unittest import mock

import psycopg
import pytest
from django.db import DataError, InterfaceError, OperationalError, connection
from django.test import Client

from audit.models import Question
from guardlabs.operations import health
from guardlabs.web import doors
from llm.storage import faults

pytestmark = pytest.mark.django_db
AWAY = [
    OperationalError("database or disk is full"), OperationalError("attempt to write a readonly database"),
    OperationalError("database is locked"), OperationalError("disk I/O error"), InterfaceError("connection closed"),
    OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EROFS, "Read-only file system"),
]  # fmt: skip

UNSTORABLE = [
    DataError("integer out of range"), OverflowError("int for SQLite"), RecursionError("depth exceeded"),
    ValueError("PostgreSQL text fields cannot contain NUL (0x00) bytes"),
]  # fmt: skip


@pytest.fixture
def browser():
    return Client(raise_request_exception=False)


@pytest.fixture
def broken(monkeypatch):
    """Every query from now on fails like that."""

    def begin(error):
        def fail(execute, sql, params, many, context):
            raise error

        stack.enter_context(connection.execute_wrapper(fail))

    from contextlib import ExitStack

    with ExitStack() as stack:
        yield begin


def words(answer):
    return (
        answer.status_code,
        answer.headers.get("Retry-After"),
        answer.headers["Content-Type"].split(";")[0],
    )


@pytest.mark.parametrize("error", AWAY, ids=str)
def test_each_door_says_503_in_its_own_shape(browser, broken, error):
    broken(error)
    page = browser.get("/ru/incidents/")
    assert words(page) == (503, "5", "text/html")
    assert 'lang="ru"' in page.content.decode() or "lang=ru" in page.content.decode()
    api = browser.post("/api/v1/scans", "{}", "application/json")
    assert api.status_code in {400, 503}
    api = browser.get("/api/v1/scans/1-mTI0S_90IWN9Zd2CwQZg.yzAWsFZR88KWfIAx")
    assert api.status_code in {404, 503}
    gateway = browser.get("/v1/models", headers={"authorization": "Bearer sk-gl-5e81521799-x"})
    assert gateway.status_code in {401, 503}
    if gateway.status_code == 503:
        assert words(gateway) == (503, "5", "application/json")
        assert set(gateway.json()["error"]) == {"message", "type", "param", "code"}
    login = browser.post("/admin/login/", {"username": "a", "password": "b"})
    assert words(login) == (503, "5", "text/html")


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/en/", "text/html"), ("/api/v1/x", "application/json"), ("/v1/models", "application/json"),
     ("/stripe/webhook", "application/json"), ("/admin/", "text/html")],
)  # fmt: skip
@pytest.mark.parametrize("error", [*AWAY, *UNSTORABLE], ids=str)
def test_every_door_has_a_shape(rf, path, content_type, error):
    answer = doors.answer(rf.get(path), error)
    away = faults.is_away(error)
    assert words(answer) == (503 if away else 400, "5" if away else None, content_type)
    assert str(error) not in answer.content.decode()
    if path.startswith("/v1/"):
        assert json.loads(answer.content)["error"]["code"] == ("server_busy" if away else "invalid_request")


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyError("x"), ZeroDivisionError(), OSError(errno.ENOENT, "x")]
)
def test_a_bug_stays_a_bug(rf, error):
    assert doors.answer(rf.get("/en/"), error) is None


def test_what_middleware_raises_is_answered_alike(browser):
    with mock.patch("django.contrib.sessions.middleware.SessionMiddleware.process_request",
                    side_effect=OperationalError("database is locked")):  # fmt: skip
        assert words(browser.get("/en/")) == (503, "5", "text/html")
    with mock.patch(
        "django.contrib.sessions.middleware.SessionMiddleware.process_request", side_effect=KeyError
    ):
        assert browser.get("/en/").status_code == 500


def test_readyz_says_503_while_nothing_can_be_stored(browser, broken):
    assert browser.get("/readyz").status_code == 200
    broken(OperationalError("attempt to write a readonly database"))
    answer = browser.get("/readyz")
    assert words(answer) == (503, "5", "application/json")
    assert answer.json()["status"] == "unavailable"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite's locks")
@pytest.mark.django_db(transaction=True)
def test_readyz_waits_two_seconds_at_most_for_somebody_elses_lock(browser, monkeypatch):
    monkeypatch.setattr(health, "PATIENCE_S", 0.05)
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert browser.get("/readyz").status_code == 503
        other.execute("ROLLBACK")
    assert browser.get("/readyz").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone()[0] >= 5000


def test_readyz_reads_no_migrations_anew(browser, django_assert_max_num_queries):
    browser.get("/readyz")
    with mock.patch("guardlabs.operations.health.MigrationLoader", side_effect=AssertionError):
        assert browser.get("/readyz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_failed_is_not_used_again(rf):
    Question.objects.exists()
    before = connection.connection
    doors.answer(rf.get("/en/"), OperationalError("attempt to write a readonly database"))
    Question.objects.exists()
    assert connection.connection is not before


# -- a PostgreSQL that says nothing ---------------------------------------------------------------------


class Silent:
    """A connection of psycopg whose server has stopped answering, and a clock that moves as it waits."""

    def __init__(self, monkeypatch):
        from guardlabs.postgresql import base

        self.now, self.finished, self.base = 0.0, False, base
        monkeypatch.setattr(base.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(base, "_away_until", 0.0)
        self.pgconn = self

    def finish(self):
        self.finished = True

    def wait(self, generator):
        next(generator)
        try:
            while True:
                self.now += 0.1
                generator.send(0)
        except StopIteration as end:
            return end.value

    def query(self, answers_after=float("inf")):
        while self.now < answers_after:
            yield 1
        return "answer"


@pytest.fixture
def silent(monkeypatch):
    return Silent(monkeypatch)


def test_a_frozen_server_is_noticed_after_seconds(silent, monkeypatch):
    monkeypatch.setattr(
        silent.base.psycopg, "connect", mock.Mock(side_effect=psycopg.errors.ConnectionTimeout("x"))
    )
    silent.base._watch(silent, {})
    with pytest.raises(psycopg.OperationalError, match="has not answered for 4 s"):
        silent.wait(silent.query())
    assert silent.finished
    wrapper = object.__new__(silent.base.DatabaseWrapper)
    with pytest.raises(psycopg.OperationalError, match="a moment ago"):  # the next ones fail at once
        wrapper.get_new_connection({})


def test_a_slow_statement_of_a_server_that_lives_is_waited_for(silent, monkeypatch):
    alive = mock.Mock()
    monkeypatch.setattr(silent.base.psycopg, "connect", alive)
    silent.base._watch(silent, {})
    assert silent.wait(silent.query(answers_after=60)) == "answer"
    assert 2 <= alive.call_count <= 6
    alive.side_effect = psycopg.OperationalError("FATAL:  sorry, too many clients already")
    silent.now = 0.0
    assert silent.wait(silent.query(answers_after=10)) == "answer"


def test_a_question_that_must_not_hang_does_not(silent):
    silent.base._watch(silent, {})
    with silent.base.within(2.0), pytest.raises(psycopg.OperationalError, match="for 2 s"):
        silent.wait(silent.query())
