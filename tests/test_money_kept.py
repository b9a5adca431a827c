"""What outlives the rows of the ledger, what is kept for whom, and what PostgreSQL would not take."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from llm.cache import responses
from llm.calls.terms import DataPolicy
from llm.chain import ChainExhausted, complete
from llm.ledger import bookkeeper, counters, retention
from llm.limits.quota import LedgerMeter
from llm.models import Attempt, CachedReply, Call, Client, PastSpending
from llm.simulator import behaviours as b
from tests.chain_setup import make_deepseek, make_groq, make_provider
from tests.gateway_client import make_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_waiting")]


# -- spending of all time --------------------------------------------------------------------------------------


def spend(amount, ago_days=0):
    complete(user="hi", max_tokens=50)
    row = Attempt.objects.order_by("-id")[0]
    Attempt.objects.filter(pk=row.pk).update(cost_usd=Decimal(amount))
    Call.objects.filter(pk=row.call_id).update(started_at=timezone.now() - timedelta(days=ago_days))
    counters.forget()  # the past does not change, but for us


def test_a_trial_credit_that_is_spent_is_not_whole_again_once_its_rows_are_pruned(sim):
    make_deepseek(sim, credit_usd=Decimal("1"))
    spend("0.999999", ago_days=40)
    retention.prune(timezone.now() - timedelta(days=30))
    assert not Attempt.objects.exists()
    with pytest.raises(ChainExhausted) as failed:
        complete(user="hi", max_tokens=50)
    assert [skip["why"] for skip in failed.value.skipped] == ["trial credit is spent"]


def test_pruning_in_the_middle_and_twice_changes_no_sum(sim, monkeypatch):
    make_deepseek(sim, credit_usd=Decimal("5"))
    monkeypatch.setattr(retention, "BATCH", 2)
    for day in range(5):
        spend(f"0.{day + 1}", ago_days=40 - day)
    for days in (39, 39, 37, 1, 1):
        retention.prune(timezone.now() - timedelta(days=days))
        assert LedgerMeter(timezone.now()).spent_ever("deepseek") == Decimal("1.5")
    assert PastSpending.objects.get().usd == Decimal("1.5")


# -- kept replies ----------------------------------------------------------------------------------------------


@pytest.fixture
def kept(settings, sim):
    settings.LLM_CACHE = "on"
    make_groq(sim, keys=1, models=["m", "n"])


def was_kept(**arguments):
    return complete(user="Say hello", max_tokens=50, **arguments).cached


def test_a_client_is_not_told_what_another_one_has_asked(kept):
    (one, _), (two, _) = make_client("one"), make_client("two")
    assert not was_kept(client=one)
    assert not was_kept(client=two)
    assert not was_kept()
    assert was_kept(client=one)
    assert was_kept(client=two)
    assert was_kept()


def test_clients_that_say_so_share(kept):
    (one, _), (two, _), (three, _) = (
        make_client(name, cache=Client.Cache.SHARED if name != "three" else Client.Cache.DEFAULT)
        for name in ("one", "two", "three")
    )
    assert not was_kept(client=one)
    assert was_kept(client=two)
    assert not was_kept(client=three)


def test_what_must_not_be_kept_in_the_ledger_is_kept_nowhere(kept):
    for _ in range(2):
        assert not was_kept(keep_text=False, use=DataPolicy(data_class="public"))
    assert not CachedReply.objects.exists()


def test_an_answer_of_one_model_is_none_for_who_asks_for_another(kept):
    assert not was_kept(models=["m"])
    assert not was_kept(models=["n"])
    assert not was_kept()
    assert was_kept(models=["m"])


def test_auto_is_one_switch_for_all_processes(settings, sim, monkeypatch):
    settings.LLM_CACHE = "auto"
    monkeypatch.setattr(responses, "BUSY_CALLS", 3)
    monkeypatch.setattr(responses, "CALM_CALLS", 2)
    make_groq(sim, keys=1)
    for number in range(4):
        complete(user=f"{number}", max_tokens=50)
    responses.forget()  # as a process that has just begun, such as `ask`
    assert responses.is_on()
    complete(user="kept", max_tokens=50)
    Call.objects.order_by("id")[0].delete()
    Call.objects.order_by("id")[0].delete()
    responses.forget()
    assert responses.is_on()  # three calls: on, since it was


# -- what PostgreSQL does not take --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        {"purpose": "p" * 300, "lang": "l" * 300},
        {"purpose": "a\0b", "lang": "\0"},
        {"purpose": "half \ud83d"},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a\0b"}]}]},
        {"messages": [{"role": "user", "content": "hi", "name": "n\0"}]},
    ],
)
def test_what_a_caller_says_is_bounded_before_it_is_stored(sim, arguments):
    make_groq(sim, keys=1)
    assert complete(**({"user": "hi"} | arguments)).text
    call = Call.objects.get()
    assert len(call.purpose) <= 60
    assert len(call.lang) <= 10
    assert "\0" not in str(call.messages) + call.purpose + call.lang


def test_what_a_provider_says_is_bounded_before_it_is_stored(sim):
    make_provider(sim, "p" * 40, models=["m" * 120], keys={"k" * 60: "a" * 120}, free=True)
    make_deepseek(sim)
    sim.script(
        "key-of-" + "k" * 60,
        b.http(
            429,
            {
                "error": {
                    "message": "Rate limit reached in organization `org_" + "x" * 300 + "` \0" + "y" * 900
                }
            },
        ),
    )
    sim.script(
        "key-of-deepseek",
        b.ok("Hello.", usage={"prompt_tokens": 3 * 10**9, "completion_tokens": 999_999_999}),
    )
    complete(user="hi", max_tokens=50)
    for row in Attempt.objects.all():
        assert len(row.account) <= 120
        assert len(row.detail) <= 300
        assert row.tokens_in + row.tokens_out < 2**31


def test_a_label_with_its_location_is_bounded(sim):
    call = bookkeeper.open_call(purpose="", lang="", deadline_s=1, client="", messages=[])
    call.provider = "l" * 60 + ":" + "p" * 60
    call.tokens_in, call.latency_ms, call.cost_usd = 3 * 10**9, 10**12, Decimal(10) ** 12
    bookkeeper.conclude(call, Call.Outcome.OK, attempts=[], latency_s=10**9, paid_prices=[])
    bookkeeper.close_call(call, [])
    row = Call.objects.get()
    assert (len(row.provider), row.latency_ms) == (80, 2**31 - 1)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL alone waits for the disk")
def test_only_the_transaction_that_reserves_does_not_wait_for_the_disk(sim):
    make_groq(sim, keys=1, models=[{"name": "m", "rpm": 100}])
    with CaptureQueriesContext(connection) as asked:
        complete(user="hi", max_tokens=50)
    assert any("synchronous_commit" in query["sql"] for query in asked.captured_queries)
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone()[0] == "on"
