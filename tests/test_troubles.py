"""What only the site knows of its health, each provoked: where it is said, and what it says to do."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.core import mail as sent_mail
from django.core.cache import caches
from django.core.management import call_command
from django.utils import timezone

from audit.models import Mail, Payment, StripeEvent
from guardlabs.operations import chores, health, troubles
from llm.clients import access
from llm.configuration import snapshot
from llm.models import Attempt, Call, CatalogueChange, Client, Credential, Model, Notice, Pause, Provider
from llm.operations import alerts
from llm.status import facts
from llm.status.verdict import State
from tests.factories import load_bank, make_order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def groq(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    caches["chores"].clear()
    chores.seen()
    row = Provider.objects.create(slug="groq", kind="groq", name="Groq", free=True)
    Model.objects.create(provider=row, name="m", rpd=1000)
    for label in ("groq1", "groq2"):
        Credential.objects.create(provider=row, label=label, secret="key")
    snapshot.forget()
    return row


def reasons():
    return [each.reason for each in facts.verdict().troubles]


def paid_order(settings, *, ago):
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    load_bank()
    order = make_order("paid")
    Payment.objects.filter(order=order).update(intent="pi_x", at=timezone.now() - ago)
    return order


# -- each trouble ------------------------------------------------------------------------------------------
def test_nothing_is_wrong_with_a_quiet_site():
    assert (facts.verdict().state, reasons()) == (State.HEALTHY, [])


@pytest.mark.parametrize(
    ("free", "total", "says"),
    [
        (900_000_000, 10**11, True),
        (900_000_000, 10**10, False),  # a small disk
        (10**10, 10**13, False),  # a huge one
    ],
)
def test_a_disk_that_is_nearly_full(monkeypatch, free, total, says):
    monkeypatch.setattr(troubles, "LITTLE_BYTES", 2 * 10**9)
    found = SimpleNamespace(free=free, total=total)
    monkeypatch.setattr(troubles.shutil, "disk_usage", lambda path: found)
    assert (reasons() == ["disk"]) == says
    if says:
        assert "858.3\u00a0MB of the disk is free" in facts.verdict().line
        assert "(manage.py prune)" in facts.verdict().line


def test_a_database_that_writes_slowly(monkeypatch):
    chores.time_a_write()
    assert chores.write_s() is not None
    assert reasons() == []
    caches["chores"].set("write_s", 2.34)
    assert reasons() == ["database"]
    assert "takes 2.3 s for one write" in facts.verdict().sentence


def test_a_webhook_that_is_silent_for_a_day(settings):
    order = paid_order(settings, ago=timedelta(minutes=5))
    assert reasons() == []  # it may still come
    Payment.objects.update(at=timezone.now() - timedelta(hours=3))
    assert reasons() == ["stripe_webhook"]
    assert "1 payment of the last day was found by asking" in facts.verdict().sentence
    StripeEvent.objects.create(id="evt_1", type="checkout.session.completed", order=order, outcome="paid")
    assert reasons() == []


def test_a_webhook_is_not_missed_where_nothing_is_paid_by_card(settings):
    paid_order(settings, ago=timedelta(hours=3))
    settings.STRIPE_SECRET_KEY = ""
    assert reasons() == []


def test_a_mail_server_that_takes_nothing(settings):
    load_bank()
    make_order()
    Mail.objects.update(attempts=1)
    assert reasons() == []
    Mail.objects.update(attempts=3)
    assert reasons() == ["mails_waiting"]
    assert "check EMAIL_URL" in facts.verdict().sentence


def test_a_worker_that_is_gone_comes_with_the_command_that_starts_it(admin_client):
    caches["chores"].clear()
    assert facts.verdict().line.endswith("(manage.py worker)")
    assert "<code>manage.py worker</code>" in admin_client.get("/admin/").content.decode()


def test_a_model_that_is_gone_is_named_until_it_is_replaced():
    row = {
        "provider": "groq",
        "model": "m",
        "kind": "model_gone",
        "source": "provider",
        "since": timezone.now(),
    }
    Pause.objects.create(**row)
    found = facts.verdict()
    assert "the model Groq m is gone: switch it off or name another" in [
        each.sentence for each in found.troubles
    ]
    Model.objects.create(provider=Provider.objects.get(), name="n")
    Model.objects.filter(name="m").update(enabled=False)
    snapshot.forget()
    assert reasons() == []


def test_revoked_keys_call_for_another_key():
    for label in ("groq1", "groq2"):
        Pause.objects.create(
            provider="groq", credential=label, kind="key_invalid", source="provider", since=timezone.now()
        )
    found = facts.verdict()
    assert (found.state, found.help.command) == (State.TEMPLATE_ONLY, "manage.py setup")


def test_a_trial_credit_is_not_called_a_daily_budget():
    row = Provider.objects.create(slug="paid", kind="openai", name="Paid", tier=2, credit_usd=1)
    Model.objects.create(provider=row, name="p", price_in=1, price_out=1)
    Credential.objects.create(provider=row, label="paid", secret="key")
    now = timezone.now()
    call = Call.objects.create(started_at=now, deadline_s=45, outcome="ok")
    Attempt.objects.create(
        call=call, provider="paid", credential="paid", account="paid", model="p", tier=2, free=False,
        started_at=now, finished_at=now, outcome="ok", cost_usd=Decimal(1),
    )  # fmt: skip
    assert reasons() == ["credit"]
    assert "the trial credit of Paid is spent" in facts.verdict().sentence


# -- all places say it ---------------------------------------------------------------------------------------
def test_every_place_says_the_same_trouble(admin_client, capsys):
    caches["chores"].set("write_s", 2.34)
    sentence = "the database takes 2.3 s for one write: see what else uses its disk"
    for path in ("/admin/", "/admin/llm/provider/chain/"):
        assert sentence in admin_client.get(path).content.decode()
    call_command("providers")
    assert capsys.readouterr().out.startswith(f"Degraded: {sentence}")
    assert admin_client.get("/readyz?verbose").json()["chain"]["sentence"] == sentence
    assert 'guardlabs_trouble{reason="database"} 1.0' in admin_client.get("/metrics").content.decode()


def test_staff_are_mailed_once_a_day_with_what_to_do_and_how_it_stands(settings):
    settings.ADMINS = [("staff", "staff@example.org")]
    caches["chores"].set("write_s", 2.34)
    health.tell_staff()
    caches["chores"].set("write_s", 3.5)
    health.tell_staff()
    alerts.record("key_invalid", "groq1: the key no longer works", "Invalid API Key")
    assert alerts.mail_digest(lambda: facts.verdict().line) == 2
    text = sent_mail.outbox[0].body
    assert "The database is slow\n    the database takes 2.3 s for one write" in text
    assert "Invalid API Key\n    What to do: Make another key at the provider and add it" in text
    assert text.rstrip().endswith(
        "Now: Degraded: the database takes 3.5 s for one write: see what else uses its disk"
    )


# -- the desk's queue ----------------------------------------------------------------------------------------
def test_the_queue_names_changes_ends_of_models_and_clients_at_their_limit(admin_client):
    now = timezone.now()
    CatalogueChange.objects.create(provider="groq", kind="new", subject="m2", patch="", seen=now.date())
    Model.objects.update(shutdown_on=now.date() + timedelta(days=9), replacement="m2")
    rows = {}
    for name, limit in (
        ("calls", {"daily_calls": 1}),
        ("usd", {"daily_budget_usd": 1}),
        ("room", {"daily_calls": 2}),
    ):
        rows[name], _key = access.add(name=name, **limit)
        call = Call.objects.create(started_at=now, deadline_s=45, outcome="ok", client=name)
        Attempt.objects.create(
            call=call, provider="groq", credential="groq1", account="groq1", model="m", tier=1, free=True,
            started_at=now, finished_at=now, outcome="ok", cost_usd=Decimal(1),
        )  # fmt: skip
    Client.objects.update(last_used_at=now)
    html = admin_client.get("/admin/").content.decode()
    for said in (
        "1 change of a provider to apply or dismiss",
        "Groq m: its provider ends it on",
        "Replacement: m2",
        "calls has used up its calls of the day: it is refused until midnight UTC",
        "usd has spent its budget of the day: only what is free answers it",
    ):
        assert said in html
    assert "room has" not in html


def test_a_notice_says_what_to_do_in_the_list_of_staff_too(admin_client):
    Notice.objects.create(at=timezone.now(), kind="check_gone", subject="groq: m: gone", detail="x")
    html = admin_client.get("/admin/llm/notice/").content.decode()
    assert "Run manage.py providers diff, then apply it" in html
