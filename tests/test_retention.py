"""Retention: what is too old goes, with its wording; what is young, running or a sum stays."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from audit.models import Report, Scan
from guardlabs.operations import retention
from llm.ledger import retention as pruning
from llm.models import Attempt, CachedReply, Call, Notice, Pause
from tests.factories import load_bank, make_scan

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _bank():
    load_bank()
    with time_machine.travel(NOW, tick=False):
        yield


def make_call(*, days, outcome="ok"):
    began = NOW - timedelta(days=days)
    call = Call.objects.create(started_at=began, deadline_s=45, outcome=outcome, text="a report")
    Attempt.objects.create(
        call=call,
        provider="groq",
        credential="groq1",
        account="a",
        model="m",
        tier=1,
        free=True,
        started_at=began,
    )
    return call


def test_scans_and_calls_go_on_their_day():
    old, young = make_scan(), make_scan()
    Scan.objects.filter(pk=old.pk).update(created_at=NOW - timedelta(days=31))
    make_call(days=31)
    kept = make_call(days=29)
    counts = retention.prune(30)
    assert (counts["scans"], counts["calls"]) == (1, 1)
    assert list(Scan.objects.all()) == [young]
    assert list(Call.objects.all()) == [kept]
    assert Attempt.objects.get().call == kept


def test_the_wording_of_a_young_call_goes_with_its_old_scan():
    scan = make_scan()
    Scan.objects.filter(pk=scan.pk).update(created_at=NOW - timedelta(days=31))
    Report.objects.filter(scan=scan).update(call=make_call(days=1))
    retention.prune(30)
    call = Call.objects.get()
    assert (call.text, call.messages) == ("", [])


def test_a_call_that_is_still_running_stays():
    make_call(days=31, outcome=Call.Outcome.RUNNING)
    assert retention.prune(30)["calls"] == 0


def test_notices_closed_pauses_and_kept_replies_go_too():
    for days in (31, 29):
        at = NOW - timedelta(days=days)
        Notice.objects.create(at=at, day=at.date(), kind="test", subject=f"{days} days ago")
        Pause.objects.create(provider="groq", kind="provider_down", source="guess", since=at, closed_at=at)
        CachedReply.objects.create(key=str(days), text="kept", filled_at=at, expires_at=at)
    Pause.objects.create(
        provider="groq", kind="blocked_provider", source="guess", since=NOW - timedelta(days=90)
    )
    counts = retention.prune(30)
    assert (counts["notices"], counts["pauses"], counts["kept replies"]) == (1, 1, 1)
    assert Pause.objects.filter(closed_at=None).exists()


def test_more_than_a_batch_goes(monkeypatch):
    monkeypatch.setattr(pruning, "BATCH", 2)
    for _ in range(5):
        make_call(days=31)
    assert retention.prune(30)["calls"] == 5
    assert not Call.objects.exists()


def test_the_command_says_what_it_deleted_and_uses_the_setting(settings):
    settings.RETENTION_DAYS = 10
    make_call(days=11)
    out = StringIO()
    call_command("prune", days=10, stdout=out)
    assert "1 calls" in out.getvalue()


def test_no_days_at_all_are_refused():
    with pytest.raises(CommandError, match="at least 1"):
        call_command("prune", days=0)


def test_days_beyond_any_calendar_are_refused():
    with pytest.raises(CommandError, match="at most 36500"):
        call_command("prune", days=999_999_999)
