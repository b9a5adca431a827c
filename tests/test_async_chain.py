"""The chain on an event loop: the same calls, by tasks instead of threads, and nothing blocks the loop."""

import asyncio
import gc
import threading
import time
import weakref
from contextlib import closing
from functools import partial

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction

from llm import chain, loop
from llm.cache import single_flight
from llm.calls import current
from llm.chain import (
    AttemptStarted,
    ChainExhausted,
    Completed,
    Delta,
    acomplete,
    astream,
    complete,
    gates,
    opening,
    slow_start,
)
from llm.ledger import books
from llm.models import Attempt, CachedReply, Call, Pause
from llm.simulator import behaviours as b
from tests.chain_setup import make_deepseek, make_groq

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _bookkeeper(settings):
    settings.LLM_BOOKS = "bookkeeper"
    yield
    books.bookkeeper.stop()


def raises(error):
    def function(*_):
        raise error

    return function


async def all_of(events):
    return [event async for event in events]


def test_a_call_is_answered_and_in_the_ledger(sim):
    make_groq(sim, keys=1)
    reply = asyncio.run(acomplete(user="hi", purpose="test", lang="en"))
    row = Call.objects.get(pk=reply.call_id)
    assert (row.outcome, row.provider, row.text) == ("ok", "groq1", reply.text)
    assert Attempt.objects.get().outcome == "ok"


def test_a_stream_tells_what_happens(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.http(500, "oops"), b.http(500, "oops"))
    told = asyncio.run(all_of(astream(user="hi")))
    assert [type(event).__name__ for event in told if not isinstance(event, Delta)] == [
        "AttemptStarted", "AttemptFailed", "AttemptStarted", "AttemptFailed", "AttemptStarted", "Completed",
    ]  # fmt: skip
    assert "".join(event.text for event in told if isinstance(event, Delta)) == told[-1].reply.text
    assert Call.objects.get().attempt_count == 3


def test_nobody_answers(sim):
    make_groq(sim, keys=1)
    sim.default(b.http(401, "no"))
    with pytest.raises(ChainExhausted) as caught:
        asyncio.run(acomplete(user="hi"))
    assert Call.objects.get(pk=caught.value.call_id).outcome == "exhausted"


def test_unusable_arguments_are_a_value_error():
    with pytest.raises(ValueError, match="deadline_s"):
        asyncio.run(acomplete(user="hi", deadline_s=-1))
    with pytest.raises(ValueError, match="deadline_s"):
        asyncio.run(all_of(astream(user="hi", deadline_s=-1)))
    assert not Call.objects.exists()


@pytest.mark.parametrize(
    "ask",
    [
        lambda **what: asyncio.run(acomplete(**what)),
        lambda **what: asyncio.run(all_of(astream(**what))),
        complete,
        lambda **what: list(chain.stream(**what)),
    ],
    ids=["acomplete", "astream", "complete", "stream"],
)
def test_a_call_that_is_over_needs_no_search_for_garbage(sim, monkeypatch, ask):
    make_groq(sim, keys=1)
    made, prepare = [], opening.prepare

    def prepared(**what):
        made.append(weakref.ref(state := prepare(**what)))
        return state

    monkeypatch.setattr(opening, "prepare", prepared)
    gc.disable()
    try:
        ask(user="hi")
        loop.run(asyncio.sleep(0))  # the last step of what ran there
        books.bookkeeper.stop()
        assert [state() for state in made] == [None]
    finally:
        gc.enable()


@pytest.mark.parametrize("how", ["plain", "async", "hidden", "hidden from a thread"])
def test_a_gate_may_be_plain_or_async(sim, how):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.ok("poor"))
    sim.script("key-of-deepseek", b.ok("rich"))
    Call.objects.count()

    def plain(text):
        Call.objects.count()  # may use the database, and block: it is not on the loop
        return None if text == "rich" else "poor"

    async def on_loop(text):
        await asyncio.sleep(0)
        return None if text == "rich" else "poor"

    accept = {"plain": plain, "async": on_loop}.get(how, lambda text: on_loop(text))
    if how == "hidden from a thread":
        assert complete(user="hi", accept=accept).text == "rich"
    else:
        assert asyncio.run(acomplete(user="hi", accept=accept)).text == "rich"
    assert list(Attempt.objects.order_by("id").values_list("outcome", "judged")) == [
        ("rejected_output", True), ("ok", True),
    ]  # fmt: skip


def test_what_no_gate_can_judge_ends_the_call(sim):
    make_groq(sim, keys=1)

    def accept(text):
        raise gates.Unjudgeable

    with pytest.raises(gates.Unjudgeable):
        asyncio.run(acomplete(user="hi", accept=accept))
    assert Call.objects.get().outcome == "exhausted"


def test_many_calls_wait_at_once_and_share_commits(sim):
    make_groq(sim, keys=1, timeout_s=20, first_byte_s=20)
    sim.default(b.ok())
    asyncio.run(acomplete(user="hi"))  # the provider is known to be there
    sim.default(b.slow_first_token(0.5))
    before, began = books.bookkeeper.stats().batches, time.monotonic()

    async def main():
        return await asyncio.gather(*[acomplete(user=f"hi {n}", deadline_s=60) for n in range(60)])

    assert len(asyncio.run(main())) == 60
    assert time.monotonic() - began < 28  # one after the other: thirty
    assert Call.objects.filter(outcome="ok").count() == 61
    assert books.bookkeeper.stats().batches - before < 100  # of 120 jobs


def test_those_who_wait_for_a_first_answer_are_woken_by_it_instead_of_looking(sim):
    make_groq(sim, keys=1, timeout_s=20, first_byte_s=20)
    sim.default(b.slow_first_token(1))
    before = books.bookkeeper.stats().jobs

    async def main():
        return await asyncio.gather(*[acomplete(user=f"hi {n}", deadline_s=60) for n in range(60)])

    asyncio.run(main())
    assert Call.objects.filter(outcome="ok").count() == 60
    assert books.bookkeeper.stats().jobs - before < 60 * 6  # each begins, waits, begins again and ends


def test_those_who_wait_for_one_provider_sleep_on_while_others_answer(sim):
    make_deepseek(sim)
    calls = [opening.prepare(streamed=False, user="hi") for _ in range(slow_start.AT_ONCE + 1)]
    *begun, wait_s = [books.run(partial(opening.next_attempt, call)) for call in calls]
    assert all(trial.deployment.provider.slug == "deepseek" for trial in begun)
    assert wait_s > 0
    assert calls[-1].selector.news_of == "deepseek"

    async def main():
        waiting = asyncio.create_task(slow_start.news(30, "deepseek"))
        await asyncio.sleep(0)
        slow_start.note("groq", alive=True)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
        slow_start.note("deepseek", alive=True)
        await asyncio.wait_for(waiting, 25)

    asyncio.run(main())


@pytest.mark.parametrize("alive", [True, False])
def test_a_sign_of_life_wakes_whoever_waits_on_any_loop(alive):
    async def main():
        waiting = asyncio.create_task(slow_start.news(30))
        await asyncio.sleep(0)
        await asyncio.to_thread(slow_start.note, "groq", alive=alive)
        await asyncio.wait_for(waiting, 25)  # before it would end without news
        await slow_start.news(0.01)  # and without news it ends, too

    asyncio.run(main())
    assert not slow_start._waiting


def test_a_long_prompt_is_read_beside_the_loop(sim, monkeypatch):
    make_groq(sim, keys=1)
    prepare, threads = opening.prepare, []
    monkeypatch.setattr(
        opening, "prepare", lambda **told: threads.append(threading.current_thread()) or prepare(**told)
    )
    part = {"type": "text", "text": "word " * 30_000}

    async def main():
        await acomplete(user="hi")
        await acomplete(messages=[{"role": "user", "content": [part]}], deadline_s=20)
        return threading.current_thread()

    loops = asyncio.run(main())
    assert [thread is loops for thread in threads] == [True, False]
    assert Call.objects.filter(outcome="ok").count() == 2


def test_identical_calls_of_a_loop_share_one_request(sim, settings):
    settings.LLM_CACHE = "on"
    make_groq(sim, keys=1)
    sim.default(b.slow_first_token(0.3, "the one answer"))

    async def main():
        return await asyncio.gather(*[acomplete(user="hi", deadline_s=20) for _ in range(12)])

    replies = asyncio.run(main())
    assert sim.count() == 1
    assert sum(reply.cached for reply in replies) == 11
    assert (Call.objects.count(), Attempt.objects.count(), CachedReply.objects.get().hits) == (12, 1, 11)


def test_identical_calls_of_the_same_moment_are_woken_instead_of_looking_again_and_again(
    sim, settings, monkeypatch
):
    settings.LLM_CACHE = "on"
    make_groq(sim, keys=1)
    sim.default(b.slow_first_token(0.6, "the one answer"))
    find, looks = single_flight._find, []
    monkeypatch.setattr(single_flight, "_find", lambda key: looks.append(key) or find(key))

    async def main():
        return await asyncio.gather(*[acomplete(user="hi", deadline_s=20) for _ in range(12)])

    assert sum(reply.cached for reply in asyncio.run(main())) == 11
    assert len(looks) <= 1 + 11 * 3  # before, once the claim is taken, when it is there


def test_when_the_first_of_identical_calls_is_cancelled_another_asks(sim, settings):
    settings.LLM_CACHE = "on"
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.hang(), b.ok("rich"))

    async def main():
        first = asyncio.create_task(acomplete(user="hi", deadline_s=20))
        while not sim.count():
            await asyncio.sleep(0.01)
        others = [asyncio.create_task(acomplete(user="hi", deadline_s=20)) for _ in range(3)]
        await asyncio.sleep(0.1)
        first.cancel()
        return await asyncio.gather(*others)

    assert {reply.text for reply in asyncio.run(main())} == {"rich"}
    assert sim.count() == 2


def test_nothing_blocks_the_loop(sim, monkeypatch):
    """No step of a call takes long on the loop. Measured in CPU time, so that a busy machine does not fail the test,
    with room for a slow one; what would wait for the database there is refused by Django."""
    make_groq(sim, keys=1)
    make_deepseek(sim)
    asyncio.run(acomplete(user="hi"))  # the first call reads certificates
    asyncio.run(acomplete(user="hi", providers=["deepseek"]))
    steps, step = [], asyncio.events.Handle._run

    def timed(self):
        began = time.thread_time()
        try:
            step(self)
        finally:
            steps.append((time.thread_time() - began, repr(self)))

    monkeypatch.setattr(asyncio.events.Handle, "_run", timed)
    gc.disable()  # what it collects is of all tests

    async def main():
        for number in range(30):
            if number % 3:
                sim.script("key-of-groq1", b.http(400, "no"))
            await acomplete(user="word " * 5000, accept=lambda text: time.sleep(0.06))

    try:
        asyncio.run(main())
    finally:
        gc.enable()
    assert len(steps) > 300
    assert max(steps)[0] < 0.3, max(steps)


def test_the_tests_own_connection_serves_calls_of_a_request(sim, settings):
    settings.LLM_BOOKS = "request"
    make_groq(sim, keys=1)

    async def main():
        return await acomplete(user="hi")

    assert async_to_sync(main)().provider == "groq1"
    assert books.bookkeeper._thread is None


# -- leaving, at every moment ----------------------------------------------------------------------------


def accounted():
    """The outcomes in the ledger, once nothing is left open."""
    assert not Attempt.objects.filter(finished_at=None).exists()
    assert not Call.objects.filter(finished_at=None).exists()
    assert not Pause.objects.exclude(probe_until=None).filter(closed_at=None).exists()
    return list(Call.objects.values_list("outcome", flat=True)), list(
        Attempt.objects.order_by("id").values_list("outcome", flat=True)
    )


def cancelled_when(ready, **arguments):
    """Begins a call and cancels it when `ready` says so; returns the seconds that took."""

    async def main():
        task = asyncio.create_task(acomplete(**{"user": "hi", "deadline_s": 30} | arguments))
        for _ in range(3000):
            if await ready():
                break
            await asyncio.sleep(0.005)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began

    return asyncio.run(main())


async def has_arrived(sim):
    return sim.count() > 0


def test_leaving_before_anything_was_sent(sim, monkeypatch):
    make_groq(sim, keys=1)

    async def at_once():
        await asyncio.sleep(0)
        return True

    cancelled_when(at_once)
    calls, attempts = accounted()
    assert calls in ([], ["cancelled"])
    assert attempts in ([], ["cancelled"])
    assert sim.count() == 0


@pytest.mark.parametrize("behaviour", [b.hang(), b.drip(0.5)], ids=["silent", "dripping"])
def test_leaving_while_the_answer_is_waited_for(sim, behaviour):
    make_groq(sim, keys=1, timeout_s=30, first_byte_s=30)
    sim.default(behaviour)
    assert cancelled_when(lambda: has_arrived(sim)) < 20
    assert accounted() == (["cancelled"], ["cancelled"])
    assert not Pause.objects.exists()  # it was no failure of the provider's


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_leaving_in_the_middle_of_a_stream(sim, how):
    make_groq(sim, keys=1, timeout_s=30, first_byte_s=30)
    sim.default(b.midstream_stall(after=3))

    async def main():
        events = astream(user="hi")
        async for event in events:
            if isinstance(event, Delta):
                break
        if how == "close":
            await events.aclose()
            return
        task = asyncio.create_task(all_of(events))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert accounted() == (["cancelled"], ["cancelled"])
    assert Attempt.objects.get().tokens_out > 0  # what came is paid


def test_leaving_at_the_first_event(sim):
    make_groq(sim, keys=1)

    async def main():
        async for event in astream(user="hi"):
            assert isinstance(event, AttemptStarted)
            break  # and nobody closes it: the loop does

    asyncio.run(main())
    assert accounted() == (["cancelled"], ["cancelled"])
    assert sim.count() == 0


def test_leaving_in_the_sleep_before_a_retry(sim, monkeypatch):
    make_groq(sim, keys=1)
    sim.default(b.http(500, "oops"))
    asleep = []

    async def sleep(seconds):
        asleep.append(seconds)
        await asyncio.sleep(30)

    monkeypatch.setattr("llm.clock.sleep", sleep)

    async def sleeps():
        return bool(asleep)

    assert cancelled_when(sleeps) < 20
    assert accounted() == (["cancelled"], ["provider_down"])


def test_leaving_while_the_text_is_judged(sim):
    make_groq(sim, keys=1)
    judging = asyncio.Event()

    async def accept(text):
        judging.set()
        await asyncio.sleep(30)

    async def is_judged():
        return judging.is_set()

    assert cancelled_when(is_judged, accept=accept) < 20
    assert accounted() == (["cancelled"], ["cancelled"])


def test_leaving_once_the_answer_is_written_does_not_unwrite_it(sim):
    make_groq(sim, keys=1)

    async def main():
        async for event in astream(user="hi"):
            if isinstance(event, Completed):
                raise RuntimeError("the reader's own")

    with pytest.raises(RuntimeError):
        asyncio.run(main())
    assert accounted() == (["ok"], ["ok"])


def test_calls_under_way_at_shutdown_are_accounted(sim):
    make_groq(sim, keys=1, timeout_s=30, first_byte_s=30)
    sim.default(b.hang())

    async def main():
        for number in range(2):
            asyncio.create_task(acomplete(user=f"hi {number}"))  # noqa: RUF006  # the loop ends first
        while sim.count() < 2:
            await asyncio.sleep(0.01)

    asyncio.run(main())
    assert accounted() == (["cancelled"] * 2, ["cancelled"] * 2)


# -- the same for threads --------------------------------------------------------------------------------


def test_a_thread_that_leaves_ends_its_call_within_its_look(sim):
    make_groq(sim, keys=1, timeout_s=30, first_byte_s=30)
    sim.default(b.hang())
    began = time.monotonic()
    with pytest.raises(chain.CallerLeft):
        complete(user="hi", has_left=lambda: sim.count() > 0)
    assert time.monotonic() - began < 25  # not until the provider's time is up
    assert accounted() == (["cancelled"], ["cancelled"])


def test_a_caller_who_left_before_costs_no_request(sim):
    make_groq(sim, keys=1)
    with pytest.raises(chain.CallerLeft):
        complete(user="hi", has_left=lambda: True)
    assert accounted() == (["cancelled"], [])
    assert sim.count() == 0


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, chain.CallerLeft])
def test_what_interrupts_a_callers_function_ends_the_call_and_nothing_else(sim, interrupt):
    make_groq(sim, keys=1)

    def accept(text):
        raise interrupt

    with pytest.raises(interrupt):
        complete(user="hi", accept=accept)
    assert accounted() == (["cancelled"], ["cancelled"])
    assert complete(user="hi").provider == "groq1"


def test_a_call_begins_in_its_thread_before_the_loop_hears_of_it(sim, monkeypatch):
    make_groq(sim, keys=1)
    begun, running = [], loop.running

    def handed_over():
        begun.append((Attempt.objects.count(), sim.count(), threading.current_thread().name))
        return running()

    monkeypatch.setattr(loop, "running", handed_over)
    assert complete(user="hi").provider == "groq1"
    assert begun == [(1, 0, threading.current_thread().name)]


@pytest.mark.parametrize(
    "ask", [complete, lambda **asked: list(chain.stream(**asked))], ids=["plain", "stream"]
)
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_what_stops_a_call_before_it_is_handed_over_is_the_callers_alone(sim, monkeypatch, error, ask):
    make_groq(sim, keys=1)
    with monkeypatch.context() as stopped:
        stopped.setattr(opening, "next_attempt", raises(error))
        with pytest.raises(error):
            ask(user="hi")
    assert accounted() == (["cancelled"], [])
    assert sim.count() == 0
    assert complete(user="hi").provider == "groq1"


def test_an_interrupt_between_the_thread_and_the_loop_is_accounted(sim, monkeypatch):
    make_groq(sim, keys=1)
    with monkeypatch.context() as stopped:
        stopped.setattr(loop, "running", raises(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            complete(user="hi")
    assert accounted() == (["cancelled"], ["cancelled"])
    assert sim.count() == 0
    assert complete(user="hi").provider == "groq1"


def test_a_call_within_its_threads_transaction_is_undone_with_it(sim):
    make_groq(sim, keys=1)
    with transaction.atomic():
        assert complete(user="hi").provider == "groq1"
        assert accounted() == (["ok"], ["ok"])
        transaction.set_rollback(True)
    assert accounted() == ([], [])


def test_a_thread_knows_which_call_it_made_last(sim):
    make_groq(sim, keys=1)
    current.call_id.set(None)
    assert complete(user="hi").call_id == current.call_id.get()
    current.call_id.set(None)
    with closing(chain.stream(user="hi")) as events:
        next(events)
        assert Call.objects.latest("pk").pk == current.call_id.get()
    sim.default(b.http(500))
    current.call_id.set(None)
    with pytest.raises(ChainExhausted):
        complete(user="hi")
    assert Call.objects.latest("pk").pk == current.call_id.get()


def test_a_gate_may_itself_make_a_call(sim):
    make_groq(sim, keys=1)
    reply = complete(user="hi", accept=lambda text: None if complete(user="is it good?").text else "no")
    assert reply.text
    assert Call.objects.filter(outcome="ok").count() == 2


def test_a_threads_functions_run_in_that_thread(sim):
    make_groq(sim, keys=1)
    with connection.cursor() as cursor:  # its own connection
        assert (
            complete(user="hi", accept=lambda text: cursor.execute("SELECT 1") and None).provider == "groq1"
        )
