"""The status line: one word, one sentence and one button for every state that the chain and the site can be in."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.cache import caches
from django.core.management import call_command
from django.utils import timezone, translation

from audit.models import Mail
from guardlabs.operations import chores, troubles, weekly
from llm.configuration import snapshot
from llm.models import Attempt, Call, Credential, Model, Pause, Provider
from llm.status import facts
from llm.status.verdict import CHAIN, SETUP, Facts, Link, State, Trouble, judge
from tests.factories import load_bank, make_order

NOW = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
GROQ, ROUTER = Link("Groq", ("groq1", "groq2"), 2), Link("OpenRouter", ("openrouter",), 1)


def stopped(name="Groq", why="blocked_provider", *, back=None, since=timedelta(hours=3)):
    return Link(name, (), 1, why, NOW - since if since else None, NOW + back if back else None)


# -- the verdict is a pure function of facts -----------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "state", "says"),
    [
        ({}, State.TEMPLATE_ONLY, "no provider has a working key"),
        ({"links": (stopped(),)}, State.TEMPLATE_ONLY, "Groq: blocks us for 3 h, until staff act"),
        (
            {"links": (stopped(), stopped("OpenRouter", back=timedelta(minutes=8)))},
            State.TEMPLATE_ONLY,
            "every provider is stopped; the first comes back in 8 min",
        ),
        ({"links": (stopped(), stopped("OpenRouter"))}, State.TEMPLATE_ONLY, "none comes back by itself"),
        ({"links": (GROQ,), "unanswered": 3}, State.TEMPLATE_ONLY, "nobody answered 3 of 3 calls"),
        ({"links": (GROQ,), "unanswered": 2}, State.HEALTHY, "groq1 is asked next"),
        ({"links": (GROQ,), "unanswered": 7, "answered": 19}, State.DEGRADED, "nobody answered 7 of 26 calls"),
        ({"links": (GROQ,), "unanswered": 1, "answered": 19}, State.HEALTHY, "groq1 answers"),
        ({"links": (stopped(), ROUTER)}, State.DEGRADED, "OpenRouter serves"),
        ({"links": (GROQ, stopped("OpenRouter"))}, State.HEALTHY, "1 spare key"),
        ({"links": (stopped(why="quota", since=None), ROUTER)}, State.DEGRADED, "today’s quota is used up"),
        ({"links": (GROQ,), "broken_keys": ("groq3",)}, State.DEGRADED, "the key groq3 no longer works"),
        ({"links": (GROQ,), "spent_budgets": ("DeepSeek",)}, State.DEGRADED, "budget of DeepSeek is spent"),
        ({"links": (GROQ,), "spent_budgets": ("",)}, State.DEGRADED, "the site’s daily budget is spent"),
        ({"links": (GROQ,), "quota_left": 0.04}, State.DEGRADED, "only 4 % of today’s free quota is left"),
        ({"links": (GROQ,), "quota_left": 0.994}, State.HEALTHY, "99 % of today’s free quota left"),
        ({"links": (GROQ,), "catalogue_seen": NOW - timedelta(days=200)}, State.DEGRADED, "200 days ago"),
        ({"links": (GROQ,), "catalogue_seen": NOW - timedelta(days=20)}, State.HEALTHY, "groq1"),
    ],
)  # fmt: skip
def test_each_state_has_its_word_and_sentence(given, state, says):
    found = judge(Facts(now=NOW, **given))
    assert (found.state, says in found.sentence) == (state, True), found


def test_a_healthy_chain_says_what_is_left_and_what_it_cost():
    given = Facts(now=NOW, links=(GROQ, ROUTER), answered=5, quota_left=0.99, saved=Decimal("0.0014"))
    assert judge(given).line == (
        "Healthy: groq1 answers, 2 spare keys, 99 % of today’s free quota left, $0.00 spent today, $0.0014 saved"
    )


def test_the_worst_comes_first_and_the_rest_is_counted():
    other = Trouble(State.DEGRADED, "mails", "2 mails could not be sent")
    found = judge(Facts(now=NOW, broken_keys=("k",)), [other])
    assert found.line == "Template only: no provider has a working key; and 2 more things (manage.py setup)"
    assert [each.reason for each in found.troubles] == ["no_key", "mails", "key"]
    assert found.help == SETUP
    assert judge(Facts(now=NOW, links=(stopped(), ROUTER))).help == CHAIN


@pytest.mark.parametrize(("lang", "word"), [("ru", "Только шаблон"), ("es", "Solo plantilla")])
def test_it_speaks_the_readers_language(lang, word):
    with translation.override(lang):
        found = judge(Facts(now=NOW))
    with translation.override(lang):
        assert found.word == word
    assert "provider" not in found.sentence


# -- facts of a real configuration ---------------------------------------------------------------------
@pytest.fixture
def groq(db):
    row = Provider.objects.create(slug="groq", kind="groq", name="Groq", free=True)
    Model.objects.create(provider=row, name="m", rpd=1000)
    for label in ("groq1", "groq2"):
        Credential.objects.create(provider=row, label=label, secret="key")
    return row


@pytest.fixture(autouse=True)
def _worker_is_there(request, settings, tmp_path):
    if "db" in request.fixturenames:
        settings.VAR_DIR = tmp_path
        caches["chores"].clear()
        chores.seen()
        snapshot.forget()


def pause(**given):
    return Pause.objects.create(
        **({"provider": "groq", "kind": "provider_down", "source": "guess", "since": timezone.now()} | given)
    )


def call(outcome, **given):
    return Call.objects.create(started_at=timezone.now(), deadline_s=45, outcome=outcome, **given)


def test_two_keys_and_nothing_wrong(groq):
    call("ok", saved_usd=Decimal("0.002"))
    found = facts.verdict()
    assert (found.state, found.help) == (State.HEALTHY, None)
    assert "groq1 answers, 1 spare key, 100 % of today’s free quota left" in found.sentence
    assert "$0.0020 saved" in found.sentence


def test_a_pause_that_is_over_in_a_minute_is_no_trouble(groq):
    pause(until=timezone.now() + timedelta(seconds=60))
    assert facts.verdict().state is State.HEALTHY
    Pause.objects.update(until=timezone.now() + timedelta(minutes=30))
    assert facts.verdict().state is State.TEMPLATE_ONLY


def test_a_key_that_no_longer_works_is_left_out(groq):
    pause(credential="groq1", kind="key_invalid")
    found = facts.verdict()
    assert (found.state, [each.reason for each in found.troubles]) == (State.DEGRADED, ["key"])
    pause(credential="groq2", kind="key_invalid")
    assert facts.verdict().state is State.TEMPLATE_ONLY


def test_a_quota_that_is_used_up_stops_a_provider(groq):
    Model.objects.update(rpd=1)
    for label in ("groq1", "groq2"):
        Attempt.objects.create(
            call=call("ok"), provider="groq", credential=label, account=label, model="m", tier=1, free=True,
            started_at=timezone.now(), finished_at=timezone.now(), outcome="ok",
        )  # fmt: skip
    snapshot.forget()
    found = facts.verdict()
    assert found.state is State.TEMPLATE_ONLY
    assert "today’s quota is used up" in found.sentence


def test_a_spent_budget_closes_what_is_paid(groq):
    row = Provider.objects.create(slug="paid", kind="openai", name="Paid", tier=2, daily_budget_usd=1)
    Model.objects.create(provider=row, name="p", price_in=1, price_out=1)
    Credential.objects.create(provider=row, label="paid", secret="key")
    Attempt.objects.create(
        call=call("ok"), provider="paid", credential="paid", account="paid", model="p", tier=2, free=False,
        started_at=timezone.now(), finished_at=timezone.now(), outcome="ok", cost_usd=Decimal(1),
    )  # fmt: skip
    found = facts.verdict()
    assert [each.reason for each in found.troubles] == ["budget"]
    pause(until=timezone.now() + timedelta(hours=1))
    assert facts.verdict().state is State.TEMPLATE_ONLY


def test_what_only_the_site_knows(groq):
    load_bank()
    order = make_order()
    Mail.objects.filter(order=order).update(state=Mail.State.FAILED)
    caches["chores"].clear()
    found = facts.verdict()
    assert found.state is State.DEGRADED
    assert [each.reason for each in found.troubles] == ["worker", "mails"]
    late = timezone.now() + timedelta(hours=3)
    chores.seen()
    assert "for 3 h" in next(troubles.worker(late)).sentence


def test_a_cache_that_is_away_is_not_taken_for_a_worker_that_is(groq, monkeypatch):
    caches["chores"].clear()
    monkeypatch.setattr(troubles, "_cache_answers", lambda: False)
    assert facts.verdict().state is State.HEALTHY


# -- where it is said ----------------------------------------------------------------------------------
PLACES = ["/admin/", "/admin/llm/provider/chain/"]


@pytest.mark.parametrize("path", PLACES)
def test_pages_of_staff_begin_with_it(admin_client, path):
    html = admin_client.get(path).content.decode()
    assert "Template only" in html
    assert "no provider has a working key" in html
    assert html.index("status-line") < html.index("desk-section" if path == "/admin/" else "desk-lede")


def test_the_command_the_probe_the_metrics_and_the_letter_say_the_same(groq, client, capsys):
    pause(credential="groq1", kind="key_invalid")
    line = "Degraded: the key groq1 no longer works"
    call_command("providers")
    assert capsys.readouterr().out.startswith(line)
    chain = client.get("/readyz?verbose").json()["chain"]
    assert f"{chain['word']}: {chain['sentence']}" == line
    assert (chain["status"], chain["reasons"]) == ("degraded", ["key"])
    text = client.get("/metrics").content.decode()
    assert 'guardlabs_status{state="degraded"} 1.0' in text
    assert 'guardlabs_status{state="healthy"} 0.0' in text
    assert 'guardlabs_trouble{reason="key"} 1.0' in text
    assert f"Now: {line}" in weekly.letter(timezone.now() - timedelta(days=7), timezone.now())


def test_a_probe_from_outside_learns_nothing_of_the_chain(groq, client):
    for headers in ({}, {"X-Forwarded-For": "203.0.113.7"}):
        address = "/readyz?verbose" if headers else "/readyz"
        answer = client.get(address, headers=headers)
        assert (answer.status_code, "chain" in answer.json()) == (200, False)
    assert "groq" not in json.dumps(client.get("/readyz").json())


def test_who_may_not_see_providers_sees_the_word_alone(client, db):
    user = get_user_model().objects.create_user("rita", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_scan"))
    client.force_login(user)
    html = client.get("/admin/").content.decode()
    assert "Template only" in html
    assert "no model answers at the moment" in html
    assert "working key" not in html
    assert "status-button" not in html
