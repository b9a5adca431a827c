"""What staff are told: once a day each, in one digest, never once a call."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
import time_machine
from django.core import mail
from django.db import connection

from llm import maintenance
from llm.calls.deployment import Deployment
from llm.chain import ChainExhausted, complete
from llm.configuration.prices import FREE
from llm.configuration.snapshot import KeyConf, ModelConf, ProviderConf
from llm.failures.kinds import Failure, Kind
from llm.models import Attempt, Call, Notice
from llm.operations import alerts, upkeep
from llm.simulator import behaviours as b
from tests.chain_setup import make_deepseek, make_groq

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def _staff(settings, monkeypatch):
    """Two to write to, and no digest but those that a test asks for."""
    settings.ADMINS = [("Ann", "ann@example.com"), ("Bob", "bob@example.com")]
    monkeypatch.setattr(upkeep, "after_a_call", lambda: None)
    monkeypatch.setattr("llm.clock.sleep", lambda seconds: None)


def deployment(location=""):
    provider = ProviderConf(
        slug="p", kind="openai", base_url="", tier=Decimal(1), free=True, keyless=False, first_byte_s=1, timeout_s=2,
        daily_budget_usd=None, credit_usd=None, credit_until=None, demote_after_h=24, day_reset="utc",
        project="", locations=(), models=(), keys=(),
    )  # fmt: skip
    return Deployment(provider, KeyConf("key1", "acc", "x"), ModelConf("m", {}, 0, FREE), location)


def subjects():
    return list(Notice.objects.order_by("id").values_list("subject", flat=True))


# -- what is worth a notice --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (Kind.KEY_INVALID, "key1: the key no longer works"),
        (Kind.CREDITS_DEPLETED, "key1: out of credit"),
        (Kind.MODEL_GONE, "p: m is gone"),
        (Kind.BLOCKED_PROVIDER, "p: blocks us"),
    ],
)
def test_a_failure_that_needs_a_person_is_written_down(kind, subject):
    alerts.tell(Failure(kind, "as it said"), deployment())
    row = Notice.objects.get()
    assert (row.kind, row.subject, row.detail, row.mailed_at) == (kind, subject, "as it said", None)


def test_a_model_that_is_gone_says_from_where():
    alerts.tell(Failure(Kind.MODEL_GONE), deployment(location="eu"))
    assert subjects() == ["p: m is gone from eu"]


@pytest.mark.parametrize(
    "kind",
    [
        Kind.RATE_LIMITED_KEY, Kind.RATE_LIMITED_PROVIDER, Kind.PROVIDER_DOWN, Kind.REQUEST_TOO_LARGE,
        Kind.CONTENT_BLOCKED, Kind.EMPTY_OUTPUT, Kind.REJECTED_OUTPUT, Kind.REQUEST_REJECTED,
    ],
)  # fmt: skip
def test_what_heals_by_itself_is_not(kind):
    alerts.tell(Failure(kind), deployment())
    assert subjects() == []


def test_a_rejected_request_is_told_when_it_repeats_within_a_day(clock):
    def rejected():
        call = Call.objects.create(started_at=datetime.now(tz=UTC), deadline_s=45)
        Attempt.objects.create(
            call=call, provider="p", credential="key1", account="acc", model="m", tier=1, free=True,
            started_at=call.started_at, outcome=Kind.REQUEST_REJECTED,
        )  # fmt: skip
        alerts.tell(Failure(Kind.REQUEST_REJECTED, "bad parameter"), deployment())

    rejected()
    clock.shift(timedelta(hours=25))
    rejected()
    rejected()
    assert subjects() == []
    rejected()
    assert subjects() == ["p: m rejects our requests"]


# -- once a day --------------------------------------------------------------------------------------------


def test_the_same_is_written_once_a_day(clock):
    first = alerts.record("k", "s", "one")
    assert first is not None
    clock.shift(timedelta(hours=23, minutes=59))
    assert alerts.record("k", "s", "two") is None
    clock.shift(timedelta(minutes=2))
    assert alerts.record("k", "s", "three") is not None
    assert list(Notice.objects.order_by("id").values_list("detail", flat=True)) == ["one", "three"]


def test_another_subject_or_kind_is_another_notice(clock):
    for kind, subject in (("k", "s"), ("k", "t"), ("l", "s")):
        assert alerts.record(kind, subject) is not None


def test_a_long_text_is_cut_and_still_known_again():
    assert alerts.record("k", "s" * 500, "d" * 500) is not None
    assert alerts.record("k", "s" * 500) is None
    row = Notice.objects.get()
    assert (len(row.subject), len(row.detail)) == (200, 300)


def test_ten_calls_on_one_dead_key_are_one_notice(sim, clock):
    make_groq(sim, keys=1)
    sim.block_edge("groq")
    for _ in range(10):
        with pytest.raises(ChainExhausted):
            complete(user="hi")
        clock.shift(timedelta(minutes=20))
    assert subjects() == ["groq: blocks us"]


def in_threads(count, work):
    barrier = threading.Barrier(count)

    def run(n):
        try:
            barrier.wait(60)
            return work(n)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_workers_that_fail_at_once_write_one_notice():
    for n in range(5):
        in_threads(8, lambda _, n=n: alerts.record("k", f"s{n}"))
    assert subjects() == [f"s{n}" for n in range(5)]


# -- the digest --------------------------------------------------------------------------------------------


def test_one_digest_tells_staff_everything_that_is_new(clock):
    alerts.record("k", "groq1: the key no longer works", "Invalid API Key")
    clock.shift(timedelta(minutes=3))
    alerts.record("k", "groq: m is gone", "decommissioned")
    assert alerts.mail_digest() == 2
    (digest,) = mail.outbox
    assert digest.to == ["ann@example.com", "bob@example.com"]
    assert digest.subject.endswith("2 notices")
    for words in ("2026-11-23 12:00 UTC", "groq1: the key no longer works", "Invalid API Key", "2026-11-23 12:03 UTC",
                  "groq: m is gone", "decommissioned"):  # fmt: skip
        assert words in digest.body
    assert digest.body.index("groq1") < digest.body.index("m is gone")


def test_a_single_notice_is_the_subject():
    alerts.record("k", "groq: blocks us")
    alerts.mail_digest()
    assert mail.outbox[0].subject.endswith("groq: blocks us")


def test_nothing_new_is_no_mail():
    assert alerts.mail_digest() == 0
    assert mail.outbox == []


def test_the_next_digest_waits_a_quarter_of_an_hour(clock):
    alerts.record("k", "one")
    assert alerts.mail_digest() == 1
    alerts.record("k", "two")
    clock.shift(timedelta(minutes=14, seconds=59))
    assert alerts.mail_digest() == 0
    clock.shift(timedelta(seconds=2))
    alerts.record("k", "three")
    assert alerts.mail_digest() == 2
    assert len(mail.outbox) == 2
    assert "one" not in mail.outbox[1].body


def test_several_workers_mail_it_once():
    alerts.record("k", "one")
    assert sum(in_threads(6, lambda n: alerts.mail_digest())) == 1
    assert len(mail.outbox) == 1


def test_what_could_not_be_mailed_is_mailed_the_next_time(clock, monkeypatch):
    alerts.record("k", "one")

    def refuse(*args, **kwargs):
        raise OSError("the mail server is away")

    with monkeypatch.context() as patched:
        patched.setattr(alerts, "mail_admins", refuse)
        with pytest.raises(OSError, match="away"):
            alerts.mail_digest()
    clock.shift(timedelta(minutes=16))
    assert alerts.mail_digest() == 1
    assert "one" in mail.outbox[0].body


def test_without_staff_nothing_is_mailed_and_nothing_breaks(settings):
    settings.ADMINS = []
    alerts.record("k", "one")
    alerts.mail_digest()
    assert mail.outbox == []


# -- when it runs ------------------------------------------------------------------------------------------


class AtOnce(threading.Thread):
    """A thread that is none."""

    start = threading.Thread.run


@pytest.fixture
def rounds(monkeypatch):
    """Counts what `housekeeping` itself does, at once instead of in a thread of its own."""
    monkeypatch.undo()
    done = []
    monkeypatch.setattr(upkeep, "run", lambda: done.append(1))
    monkeypatch.setattr(upkeep, "threading", SimpleNamespace(Thread=AtOnce))
    monkeypatch.setattr(upkeep, "_last", float("-inf"))
    return done


def test_housekeeping_runs_at_most_every_half_minute(rounds, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(upkeep.time, "monotonic", lambda: now[0])
    for seconds, count in ((0, 1), (1, 1), (28, 1), (2, 2)):
        now[0] += seconds
        upkeep.after_a_call()
        assert len(rounds) == count


def test_housekeeping_buries_and_mails_and_survives_its_own_failure(monkeypatch):
    alerts.record("k", "one")
    monkeypatch.setattr(maintenance.bookkeeper, "mark_abandoned", lambda: 1 / 0)
    upkeep.run()  # is logged, not raised
    assert mail.outbox == []
    monkeypatch.undo()
    upkeep.run()


def test_a_call_tells_staff_without_being_asked(sim, rounds):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.payload("groq-401-invalid-key"))
    assert complete(user="hi").provider == "deepseek"
    assert rounds == [1]
    assert subjects() == ["groq1: the key no longer works"]
