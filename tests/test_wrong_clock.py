"""A clock that is a day ahead for a minute, then right again: nothing stays blocked or free for longer than it was."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from audit import throttle
from audit.report import jobs
from guardlabs.staff import limits
from llm.cache import responses
from llm.chain import ChainExhausted, complete, stream
from llm.clients import access
from llm.ledger import bookkeeper
from llm.models import Attempt, Call
from llm.status import usage as ledger_usage
from tests.chain_setup import make_deepseek, make_groq
from tests.factories import load_bank, make_scan
from tests.gateway_client import make_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_waiting")]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AHEAD = NOW + timedelta(days=1)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def whys(**arguments):
    with pytest.raises(ChainExhausted) as failed:
        complete(user="hi", max_tokens=50, **arguments)
    return {skip["why"] for skip in failed.value.skipped}


def answered(**arguments):
    return complete(user="hi", max_tokens=50, **arguments).provider


def test_a_quota_of_the_minute_is_free_a_minute_later(sim, clock):
    make_groq(sim, keys=1, models=[{"name": "m", "rpm": 1}])
    clock.move_to(AHEAD)
    answered()
    clock.move_to(NOW + timedelta(seconds=20))
    assert whys() == {"quota of the minute"}
    clock.move_to(NOW + timedelta(seconds=75))
    assert answered() == "groq1"


def test_a_quota_of_the_day_counts_for_the_right_day_alone(sim, clock):
    make_groq(sim, keys=1, models=[{"name": "m", "rpd": 1}])
    clock.move_to(AHEAD)
    answered()
    clock.move_to(NOW + timedelta(minutes=2))
    assert whys() == {"quota of the day"}
    clock.move_to(AHEAD)
    assert answered() == "groq1"


def test_a_budget_counts_for_the_right_day_alone(sim, clock):
    make_deepseek(sim, daily_budget_usd=Decimal("0.0002"))
    clock.move_to(AHEAD)
    answered()
    Attempt.objects.update(cost_usd=Decimal("0.0002"))
    clock.move_to(NOW + timedelta(minutes=2))
    bookkeeper.redate()
    assert whys() == {"daily budget spent"}
    clock.move_to(AHEAD)
    assert answered() == "deepseek"


@pytest.mark.parametrize("limits", [{"rpm": 1}, {"concurrency": 1}, {"daily_calls": 1}], ids=str)
def test_a_client_is_neither_shut_out_nor_let_in(sim, clock, limits):
    make_groq(sim, keys=1)
    client, _ = make_client(**limits)
    clock.move_to(AHEAD)
    if "concurrency" in limits:
        running = stream(user="hi", client=client)
        next(running)
        running.close()
    else:
        answered(client=client)
    clock.move_to(NOW + timedelta(seconds=75))
    if "daily_calls" in limits:
        with pytest.raises(access.Refused):
            answered(client=client)
        bookkeeper.redate()
        clock.move_to(AHEAD)
    assert answered(client=client) == "groq1"


def test_a_call_whose_worker_died_meanwhile_is_found_when_it_is_time(sim, clock):
    make_groq(sim, keys=1)
    clock.move_to(AHEAD)
    left = stream(user="hi", deadline_s=5)
    next(left)
    clock.move_to(NOW + timedelta(minutes=3))
    bookkeeper.redate()
    assert bookkeeper.mark_abandoned() == 1


def test_what_is_reported_is_of_the_right_day(sim, clock):
    make_groq(sim, keys=1)
    clock.move_to(AHEAD)
    answered()
    ledger_usage.read()
    clock.move_to(NOW + timedelta(minutes=2))
    bookkeeper.redate()
    today = ledger_usage.read().calls.today
    assert sum(line[4] for line in today) == 1
    assert Call.objects.get().started_at == NOW


def test_a_kept_reply_is_neither_kept_longer_nor_waited_for(sim, clock, settings):
    settings.LLM_CACHE = "on"
    make_groq(sim, keys=1)
    clock.move_to(NOW + timedelta(days=30))
    answered()
    clock.move_to(NOW)
    assert not complete(user="hi", max_tokens=50).cached
    row = responses.CachedReply.objects.get()
    row.filled_at, row.leader, row.lease_until = None, "gone", NOW + timedelta(days=1)
    row.save()
    assert complete(user="hi", max_tokens=50).provider == "groq1"


def test_whoever_failed_to_log_in_meanwhile_may_try_again(clock, rf):
    request = rf.post("/", REMOTE_ADDR="203.0.113.7")
    clock.move_to(AHEAD)
    guesses = [limits.claim(request, "anna") for _ in range(limits.PER_ACCOUNT + 1)]
    assert guesses == [True] * limits.PER_ACCOUNT + [False]
    clock.move_to(NOW)
    limits._own.clear()  # another process
    assert limits.claim(request, "anna")


def test_a_visitors_scans_meanwhile_are_of_another_hour(clock, rf, settings):
    settings.SCAN_RATE = "1/h"
    request = rf.post("/", REMOTE_ADDR="203.0.113.7")
    clock.move_to(AHEAD)
    assert throttle.scan_wait_s(request) == 0
    assert throttle.scan_wait_s(request) > 0
    clock.move_to(NOW)
    assert throttle.scan_wait_s(request) == 0
    assert throttle.scan_wait_s(request) <= 3600


def test_a_report_whose_writer_died_meanwhile_is_taken_over(clock, monkeypatch):
    load_bank()
    scan, begun = make_scan(), []
    monkeypatch.setattr(jobs.tasks, "spawn", lambda claim, job: begun.append(claim))
    clock.move_to(AHEAD)
    jobs.start_report(scan)
    clock.move_to(NOW)
    assert jobs.is_stalled(jobs.current(scan))
    jobs.start_report(scan)
    assert len(set(begun)) == 2
    assert not jobs.is_stalled(jobs.current(scan))
    jobs.start_report(scan)
    assert len(begun) == 2


def test_where_our_own_clock_is_wrong_nothing_is_moved(sim, clock, monkeypatch):
    make_groq(sim, keys=1)
    answered()
    monkeypatch.setattr(bookkeeper, "_clock_is_right", lambda now: False)
    clock.move_to(NOW - timedelta(days=1))
    assert bookkeeper.redate() == 0
    assert Call.objects.get().started_at == NOW
