"""Monday's letter: what it says, and that it is sent once whoever is asked to."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.cache import caches

from audit.models import Order, Report, Scan
from guardlabs.operations import chores, weekly
from llm.models import Attempt, Call, Notice
from llm.storage import rollup
from tests.factories import load_bank, make_order, make_scan

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
EIGHT = MONDAY + timedelta(hours=8)
LAST_WEEK = MONDAY - timedelta(days=3)


@pytest.fixture(autouse=True)
def _admins(settings):
    settings.ADMINS = [("Staff", "staff@example.org")]


def make_call(*outcomes, at=LAST_WEEK, cost="0.002", saved="0.004", **fields):
    call = Call.objects.create(
        **{
            "started_at": at, "deadline_s": 45, "outcome": outcomes[-1] if outcomes[-1] == "ok" else "exhausted",
            "cost_usd": Decimal(cost) if cost else None, "saved_usd": Decimal(saved), "latency_ms": 900, **fields,
        }
    )  # fmt: skip
    for outcome in outcomes:
        Attempt.objects.create(
            call=call, provider="groq", credential="groq1", account="a", model="m", tier=1, free=True,
            started_at=at, finished_at=at, outcome=outcome,
        )  # fmt: skip
    return call


@pytest.fixture
def week():
    """Things that happened last week, and some that did not."""
    load_bank()
    with time_machine.travel(LAST_WEEK, tick=False):
        scans = [make_scan("best"), make_scan("worst", ai=False)]
        make_order("paid")
        Notice.objects.create(at=LAST_WEEK, kind="key_invalid", subject="groq2: the key no longer works")
    Report.objects.filter(scan=scans[0]).update(status="ready", tier=1, finished_at=LAST_WEEK)
    for _ in range(100):
        make_call("ok", cost="0.001", saved="0.0035")
    make_call("rate_limited_key", "rate_limited_key", "ok", cost=None, saved="0")
    make_call("provider_down", cost="0", saved="0")
    with time_machine.travel(MONDAY - timedelta(days=9), tick=False):
        make_scan()
    make_call("key_invalid", at=MONDAY + timedelta(hours=1), cost="5", saved="5")
    with time_machine.travel(MONDAY + timedelta(hours=2), tick=False):
        make_scan(), make_order()


def test_the_letter_counts_the_week_and_nothing_else(week):
    text = weekly.letter(MONDAY - timedelta(days=7), EIGHT)
    mean = round(sum(Scan.objects.order_by("pk").values_list("score", flat=True)[:2]) / 2)
    assert (
        text
        == f"""GuardLabs, 2026-11-16 to 2026-11-22 (UTC)

Now: Template only: no provider has a working key; and 1 more thing (manage.py setup)

Scans and reports
  2 scans, mean score {mean} (the week before: 1)
  2 reports (tier 1: 1, tier 4: 1; 4 is the template)

Money
  Spent on 102 calls: $0.10, and 1 call of unknown cost
  Saved against paying for all of it: $0.35

The chain
  102 calls, 101 answered; exhausted 1
  104 attempts, 3 failed
    rate_limited_key: 2 (groq 2)
    provider_down: 1 (groq 1)

Orders
  1 made, 1 paid, 0 delivered, 0 refunded
  Taken in: $49.00

Notices
  groq2: the key no longer works

http://testserver/admin/
"""
    )


def test_a_week_without_anything_is_told_too():
    text = weekly.letter(MONDAY - timedelta(days=7), EIGHT)
    assert "0 scans (the week before: 0)" in text
    assert "Spent on 0 calls: $0.00\n" in text
    assert "Notices\n  None." in text


def test_it_is_sent_once_even_when_the_cache_forgets(mailoutbox, monkeypatch):
    monkeypatch.setattr(chores, "chores", lambda: (chores.Chore("letter", 3600, weekly.send),))
    with time_machine.travel(EIGHT, tick=False):
        for _ in range(3):
            chores.run_due()
            caches["chores"].clear()
    (mail,) = mailoutbox
    assert mail.to == ["staff@example.org"]
    assert mail.subject == "[GuardLabs] The week from 2026-11-16"


@pytest.mark.parametrize(
    ("moment", "sent"),
    [
        (MONDAY + timedelta(hours=5, minutes=59), False),
        (MONDAY + timedelta(hours=6), True),
        (MONDAY + timedelta(days=4), True),  # the site was off on Monday
    ],
)
def test_it_comes_on_monday_morning_or_as_soon_as_possible(moment, sent):
    assert weekly.send(moment) is sent
    assert weekly.send(moment) is False
    assert weekly.send(moment + timedelta(days=7, hours=1)) is True


@pytest.mark.parametrize(("joined", "sent"), [(-1, True), (0, False), (3, False)])
def test_a_new_site_has_no_week_before_its_first_monday(joined, sent, mailoutbox):
    """`joined`: days from that Monday to the first user."""
    User.objects.create_user("admin", date_joined=MONDAY + timedelta(days=joined))
    User.objects.create_user("later", date_joined=MONDAY + timedelta(days=5))
    assert weekly.send(MONDAY + timedelta(days=6)) is sent
    assert len(mailoutbox) == sent
    assert weekly.send(EIGHT + timedelta(days=7)) is True


def test_whose_mark_would_be_pruned_is_not_sent_late(settings):
    settings.RETENTION_DAYS = 1
    assert weekly.send(MONDAY + timedelta(hours=25)) is False


def test_nobody_to_write_to(settings, mailoutbox):
    settings.ADMINS = []
    assert weekly.send(EIGHT) is False
    assert not Notice.objects.exists()


def test_a_letter_that_could_not_be_sent_is_sent_later(monkeypatch, mailoutbox):
    def away(*arguments, **options):
        raise ConnectionRefusedError

    with monkeypatch.context() as broken:
        broken.setattr(weekly, "mail_admins", away)
        with pytest.raises(ConnectionRefusedError):
            weekly.send(EIGHT)
    assert weekly.send(EIGHT + timedelta(hours=1)) is True
    assert len(mailoutbox) == 1


def test_it_is_one_of_the_chores():
    assert "letter" in {chore.name for chore in chores.chores()}


def test_the_letter_names_nobody(week):
    assert Order.objects.exists()
    assert "anna@example.org" not in weekly.letter(MONDAY - timedelta(days=7), EIGHT)


def test_a_rollup_can_still_read_the_week_on_its_last_day():
    assert timedelta(days=rollup.DAYS) > weekly.WEEK * 2
