"""Every state of the status line, provoked in the database and read on the desk and on the chain page."""

import html
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import caches
from django.urls import reverse
from django.utils import timezone

from audit.models import Mail
from guardlabs.operations import chores
from llm.configuration import snapshot
from llm.models import Attempt, Call, Credential, Model, Pause, Provider
from tests.factories import load_bank, make_order

pytestmark = pytest.mark.django_db


def provider(slug, **given):
    row = Provider.objects.create(
        **({"slug": slug, "kind": "openai", "name": slug.title(), "free": True} | given)
    )
    Model.objects.create(provider=row, name="m", rpd=1000)
    for label in (f"{slug}1", f"{slug}2"):
        Credential.objects.create(provider=row, label=label, secret="key")
    return row


def call(outcome="ok"):
    return Call.objects.create(started_at=timezone.now(), deadline_s=45, outcome=outcome)


def attempt(label, **given):
    now = timezone.now()
    slug = label.rstrip("12")
    Attempt.objects.create(
        call=call(), provider=slug, credential=label, account=label, model="m", tier=1, started_at=now,
        finished_at=now, outcome="ok", **given,
    )  # fmt: skip


def pause(slug="groq", **given):
    Pause.objects.create(
        **({"provider": slug, "kind": "provider_down", "source": "guess", "since": timezone.now()} | given)
    )


def nothing():
    call()


def no_key():
    Credential.objects.all().delete()


def all_stopped():
    pause(until=timezone.now() + timedelta(hours=1))


def nobody_answers():
    for _ in range(3):
        call("exhausted")


def some_answer():
    nobody_answers()
    call()


def first_stopped():
    provider("router", position=5)
    all_stopped()


def key():
    pause(credential="groq1", kind="key_invalid")


def budget():
    provider("paid", tier=2, free=False, daily_budget_usd=1)
    attempt("paid1", free=False, cost_usd=Decimal(1))


def quota():
    Model.objects.update(rpd=11)
    for _ in range(10):
        attempt("groq1", free=True)
        attempt("groq2", free=True)


def catalogue():
    Provider.objects.update(seen=timezone.now().date() - timedelta(days=200))


def worker():
    caches["chores"].clear()


def mails():
    load_bank()
    Mail.objects.filter(order=make_order()).update(state=Mail.State.FAILED)


STATES = [  # what happens, the word, words of the sentence, and the page of the button
    (nothing, "Healthy", "groq1 answers, 1 spare key", None),
    (no_key, "Template only", "no provider has a working key", "llm_setup"),
    (all_stopped, "Template only", "Groq: ", "llm_chain"),
    (nobody_answers, "Template only", "nobody answered 3 of 3 calls", "llm_call_changelist"),
    (some_answer, "Degraded", "nobody answered 3 of 4 calls", "llm_call_changelist"),
    (first_stopped, "Degraded", "Router serves", "llm_chain"),
    (key, "Degraded", "the key groq1 no longer works", "llm_credential_changelist"),
    (budget, "Degraded", "the daily budget of Paid is spent", "llm_provider_changelist"),
    (quota, "Degraded", "only 9 % of today’s free quota is left", "llm_setup"),
    (catalogue, "Degraded", "were last looked at 200 days ago", "llm_provider_changelist"),
    (worker, "Degraded", "no background worker has been seen", None),
    (mails, "Degraded", "could not be sent and was given up", "audit_mail_changelist"),
]


@pytest.fixture(autouse=True)
def _a_healthy_site(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    caches["chores"].clear()
    chores.seen()
    provider("groq")
    snapshot.forget()


@pytest.mark.parametrize("page", ["index", "llm_chain"])
@pytest.mark.parametrize(
    ("happens", "word", "sentence", "button"), STATES, ids=[each[0].__name__ for each in STATES]
)
def test_the_line_says_what_is_wrong_and_leads_to_what_helps(
    admin_client, page, happens, word, sentence, button
):
    happens()
    snapshot.forget()
    text = html.unescape(admin_client.get(reverse(f"admin:{page}")).content.decode())
    line = re.search(r'<(\w+) class="status-line.*?</\1>', text, re.DOTALL)[0]
    assert f'class="status-line {word.lower().replace(" ", "_")}"' in line
    assert word in line
    assert sentence in line
    leads = re.findall(r'class="status-button" href="([^"]*)"', line)
    expected = [] if button in (None, page) else [reverse(f"admin:{button}")]
    assert leads == expected
