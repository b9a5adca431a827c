"""What was asked before is not asked again: one call fetches, identical ones wait, gates judge again."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from audit.models import Report
from audit.report import jobs
from audit.scans import service as scans
from llm import chain
from llm.cache import responses
from llm.chain import ChainExhausted, Completed, Delta, complete, stream
from llm.models import Attempt, CachedReply, Call
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, make_deepseek, make_groq
from tests.factories import load_bank, make_scan
from tests.test_processes import Worker

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def groq(sim, settings):
    settings.LLM_CACHE = "on"
    make_groq(sim, keys=1)
    return sim


def refuses(text):
    return "no good"


def test_the_second_identical_call_is_answered_from_what_is_kept(groq):
    first = complete(user="hi", purpose="test", lang="en")
    second = complete(user="hi", purpose="other", lang="en")
    assert groq.count() == 1
    assert (first.cached, second.cached) == (False, True)
    assert (second.text, second.provider, second.model) == (first.text, "groq1", OSS)
    assert (second.cost_usd, second.attempts, second.tokens_out) == (Decimal(0), [], first.tokens_out)
    row = Call.objects.get(pk=second.call_id)
    assert (row.cached, row.outcome, row.cost_usd, row.provider, row.tier) == (True, "ok", 0, "groq1", 1)
    assert (row.purpose, row.text, row.attempt_count, row.tokens_out) == ("other", first.text, 0, 0)
    assert CachedReply.objects.get().hits == 1


def test_a_hit_says_what_the_cheapest_paid_model_would_have_cost(sim, settings):
    settings.LLM_CACHE = "on"
    make_deepseek(sim)
    first = complete(user="hi")
    hit = Call.objects.get(pk=complete(user="hi").call_id)
    assert first.cost_usd > 0
    assert (hit.cost_usd, hit.saved_usd) == (0, first.cost_usd)


@pytest.mark.parametrize(
    "other",
    [
        {"user": "ho"}, {"system": "be brief"}, {"lang": "es"}, {"max_tokens": 100}, {"temperature": 0.5},
        {"params": {"top_p": 0.5}}, {"providers": ["groq"]}, {"tiers": [1]}, {"max_usd": 0},
    ],
    ids=lambda other: next(iter(other)),
)  # fmt: skip
def test_what_would_change_the_answer_makes_another_question(groq, other):
    complete(user="hi", lang="en")
    assert not complete(**({"user": "hi", "lang": "en"} | other)).cached
    assert groq.count() == 2


@pytest.mark.parametrize("same", [{"deadline_s": 9}, {"purpose": "p"}, {"max_usd": 5}, {"system": ""}])
def test_what_does_not_change_the_answer_does_not(groq, same):
    complete(user="hi")
    assert complete(user="hi", **same).cached


def test_the_order_of_parameters_and_the_spelling_of_tiers_do_not_matter(groq):
    complete(user="hi", params={"a": 1, "b": 2}, tiers=[1, 2])
    assert complete(user="hi", params={"b": 2, "a": 1}, tiers=["2.0", Decimal(1)]).cached


def test_a_stream_is_answered_with_its_text_and_its_end(groq):
    kept = complete(user="hi")
    delta, completed = stream(user="hi")
    assert delta == Delta(kept.text)
    assert isinstance(completed, Completed)
    assert completed.reply.cached


def test_off_is_off(groq, settings):
    settings.LLM_CACHE = "off"
    assert not [complete(user="hi").cached for _ in range(2)][1]
    assert not CachedReply.objects.exists()


def test_off_asks_the_database_nothing_more(groq, settings, django_assert_max_num_queries):
    settings.LLM_CACHE = "off"
    for _ in range(2):  # the first answer names limits, for which the second call makes new counters
        complete(user="hi")
    with django_assert_max_num_queries(20) as asked:
        complete(user="hi")
    assert not any("cachedreply" in query["sql"] for query in asked.captured_queries)


def test_a_fresh_call_neither_looks_nor_keeps(groq):
    complete(user="hi")
    assert not complete(user="hi", fresh=True).cached
    assert not complete(user="ho", fresh=True).cached
    assert CachedReply.objects.count() == 1


def test_a_rejected_reply_is_not_kept(groq):
    with pytest.raises(ChainExhausted):
        complete(user="hi", accept=refuses)
    assert not CachedReply.objects.exists()


def test_only_the_accepted_one_of_several_answers_is_kept(sim, settings):
    settings.LLM_CACHE = "on"
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.ok("poor"))
    sim.script("key-of-deepseek", b.ok("rich"))
    complete(user="hi", accept=lambda text: None if text == "rich" else "poor")
    assert complete(user="hi").text == "rich"


def test_a_kept_reply_that_the_gate_rejects_is_a_miss_and_is_replaced(groq):
    groq.script("key-of-groq1", b.ok("poor"), b.ok("rich"))
    assert complete(user="hi").text == "poor"
    better = complete(user="hi", accept=lambda text: None if text == "rich" else "poor")
    assert (better.text, better.cached) == ("rich", False)
    assert complete(user="hi").text == "rich"
    assert CachedReply.objects.count() == 1


def test_a_gate_that_breaks_rejects_the_kept_reply(groq):
    complete(user="hi")
    calls = []

    def breaks_once(text):
        calls.append(text)
        if len(calls) == 1:
            raise RuntimeError

    assert not complete(user="hi", accept=breaks_once).cached
    assert len(calls) == 2


def test_a_reply_is_kept_for_its_time(groq, settings):
    settings.LLM_CACHE_TTL_S = 600
    with time_machine.travel(NOON, tick=False):
        complete(user="hi")
    with time_machine.travel(NOON + timedelta(seconds=599), tick=False):
        assert complete(user="hi").cached
        assert responses.sweep() == 0
    with time_machine.travel(NOON + timedelta(seconds=601), tick=False):
        assert not complete(user="hi").cached  # and it is kept anew
        assert responses.sweep() == 0
    with time_machine.travel(NOON + timedelta(seconds=1300), tick=False):
        assert responses.sweep() == 1
        assert not CachedReply.objects.exists()


def test_a_caller_who_leaves_leaves_no_claim(groq):
    events = stream(user="hi")
    next(events)
    assert CachedReply.objects.get().leader
    events.close()
    assert not CachedReply.objects.exists()
    assert Call.objects.get().outcome == "cancelled"


def test_a_leader_that_died_is_taken_over_when_its_lease_ends(groq, monkeypatch):
    complete(user="hi")
    died = CachedReply.objects.update(
        leader="dead", filled_at=None, lease_until=timezone.now() + responses.LEASE
    )
    assert died
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        waits = []

        def sleep(seconds):
            waits.append(seconds)
            traveller.shift(10)

        monkeypatch.setattr("llm.clock.sleep", sleep)
        assert not complete(user="hi").cached
        assert len(waits) in {3, 4}  # 30 seconds of the lease
        assert complete(user="hi").cached


def test_who_waited_long_enough_asks_for_itself_with_the_rest_of_its_time(groq, monkeypatch):
    complete(user="hi")
    CachedReply.objects.update(leader="slow", filled_at=None, lease_until=timezone.now() + responses.LEASE)
    monkeypatch.setattr("llm.cache.single_flight.PATIENCE", 0)
    assert not complete(user="hi").cached
    assert CachedReply.objects.get().leader == "slow"  # whose claim it still is


def test_a_copy_that_is_purged_while_it_is_fetched_is_not_kept(groq):
    events = stream(user="hi")
    next(events)
    assert responses.purge() == 1
    assert [event for event in events if isinstance(event, Completed)]
    assert not CachedReply.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_sixteen_identical_calls_at_once_make_one_upstream_call(groq):
    groq.script("key-of-groq1", b.slow_first_token(0.3, "the one answer"), b.ok("another"))
    barrier = threading.Barrier(16)

    def ask(_):
        try:
            barrier.wait()
            return complete(user="hi", deadline_s=20, accept=lambda text: None)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(ask, range(16)))
    assert groq.count() == 1
    assert {reply.text for reply in replies} == {"the one answer"}
    assert sum(reply.cached for reply in replies) == 15
    assert (Call.objects.filter(cached=True).count(), Attempt.objects.count()) == (15, 1)
    assert CachedReply.objects.get().hits == 15


@pytest.mark.django_db(transaction=True)
def test_when_the_leader_fails_the_next_one_asks(groq):
    groq.script("key-of-groq1", b.slow_first_token(0.2, "poor"), b.ok("rich"))
    leading = threading.Event()

    def lead():
        try:
            events = stream(user="hi", accept=refuses, deadline_s=20)
            next(events)
            leading.set()
            with pytest.raises(ChainExhausted):
                list(events)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(lead)
        leading.wait()
        assert complete(user="hi", deadline_s=20).text == "rich"
        leader.result()
    assert groq.count() == 2


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of one file")
@pytest.mark.django_db(transaction=True)
def test_identical_calls_of_two_processes_make_one_upstream_call(sim, monkeypatch):
    make_groq(sim, keys=1)
    sim.default(b.slow_first_token(0.4))
    monkeypatch.setenv("LLM_CACHE", "on")
    workers = Worker(), Worker()
    try:
        for worker in workers:
            assert worker.process.stdout.readline() == "ready\n"
        for worker in workers:
            worker.ask(threads=4, deadline_s=20)
        assert [worker.answer() for worker in workers] == [["groq1"] * 4] * 2
    finally:
        for worker in workers:
            worker.process.communicate()
    assert sim.count() == 1
    assert Call.objects.filter(cached=True).count() == 7


# -- auto ------------------------------------------------------------------------------------------


def make_calls(count, *, at):
    Call.objects.bulk_create([Call(started_at=at, deadline_s=1, outcome="ok") for _ in range(count)])


def test_auto_switches_on_above_the_limit_and_off_well_below(settings, monkeypatch):
    settings.LLM_CACHE = "auto"
    monkeypatch.setattr(responses, "BUSY_CALLS", 100)
    monkeypatch.setattr(responses, "CALM_CALLS", 80)
    now = timezone.now()
    make_calls(100, at=now - timedelta(days=2))  # of another day
    make_calls(100, at=now)
    assert (responses.measure(), responses.is_on()) == (False, False)
    make_calls(1, at=now)
    assert (responses.measure(), responses.is_on()) == (True, True)
    Call.objects.filter(pk__in=Call.objects.order_by("id").values("pk")[100:120]).update(
        started_at=now - timedelta(days=2)
    )
    assert responses.measure()  # 81: still on
    Call.objects.filter(pk=Call.objects.filter(started_at=now).earliest("id").pk).update(
        started_at=now - timedelta(days=2)
    )
    assert not responses.measure()


def test_an_empty_ledger_is_calm():
    assert not responses.measure()


def test_the_shipped_limit_is_ten_thousand_calls_a_day(settings):
    assert (responses.BUSY_CALLS, settings.LLM_CACHE) == (10_000, "auto")


# -- forgetting ------------------------------------------------------------------------------------


def test_deleting_a_scan_forgets_the_kept_copy_of_its_report(sim, settings):
    settings.LLM_CACHE = "on"
    load_bank()
    make_groq(sim, keys=1)
    one, two = make_scan(), make_scan()
    for scan in (one, two):
        jobs.write_report_now(scan)
    assert Report.objects.get(scan=two).call.cached
    assert CachedReply.objects.get().text
    scans.delete_scan(two)  # was given the copy, did not make it
    assert not CachedReply.objects.exists()
    kept = Call.objects.get(reports__scan=one)
    assert kept.text  # the other scan is not deleted
    assert not Call.objects.exclude(pk=kept.pk).exclude(text="", messages=[], cached_reply=None).exists()


def test_forgetting_calls_leaves_their_numbers(groq):
    reply = complete(user="hi")
    chain.forget_calls(pk=reply.call_id)
    row = Call.objects.get()
    assert (row.text, row.messages, row.cached_reply) == ("", [], None)
    assert row.tokens_out == reply.tokens_out
    assert not CachedReply.objects.exists()


# -- people ----------------------------------------------------------------------------------------


def run(*arguments):
    out = StringIO()
    call_command("llm_cache", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_shows_and_purges(groq):
    complete(user="hi", purpose="a")
    complete(user="hi", purpose="a")
    complete(user="ho", purpose="b")
    assert run() == "LLM_CACHE=on: on · kept: 2 · hits: 1\n"
    assert run("purge", "--purpose", "b") == "purged: 1\n"
    assert run("purge") == "purged: 1\n"
    assert not complete(user="hi").cached


def test_staff_see_what_is_kept_but_not_its_text_and_can_purge_it(admin_client, groq):
    groq.script("key-of-groq1", b.ok("a private answer"))
    complete(user="hi", purpose="letters")
    page = admin_client.get("/admin/llm/cachedreply/").content.decode()
    assert "letters" in page
    row = CachedReply.objects.get()
    detail = admin_client.get(f"/admin/llm/cachedreply/{row.pk}/change/").content.decode()
    assert "a private answer" not in page + detail
    chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    admin_client.post("/admin/llm/cachedreply/", chosen)
    assert not CachedReply.objects.exists()
