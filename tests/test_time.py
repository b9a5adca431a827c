"""How long a call may take: silence is limited, not the length of a stream; nobody waits for a caller who has left."""

import threading

import pytest

from llm import clock
from llm.adapters import Answer
from llm.chain import CallerLeft, ChainExhausted, Completed, Delta, complete, stream
from llm.chain import attempt as trial
from llm.models import Attempt, Call, Pause
from llm.simulator import behaviours as b
from tests.chain_setup import make_deepseek, make_groq, make_provider

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    """A clock that goes on only when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


class Script:
    """A provider that says each of its words after so many seconds, and keeps the limits that it is given."""

    def __init__(self, ticking, words, *, gap_s, thinks_s=0.0):
        self.clock, self.words, self.gap_s, self.thinks_s = ticking, words, gap_s, thinks_s
        self.ends = []

    def _wait(self, timing, seconds, *, streamed):
        if self.clock.now + seconds > timing.next_event():
            self.clock.now = timing.next_event()
            raise timing.ran_out(streamed=streamed)
        self.clock.now += seconds
        timing.alive()

    async def ask(self, request, timing):
        end = timing.longer() if timing.longer else timing.end
        self.ends.append(end)
        self.clock.now = min(self.clock.now + self.gap_s * len(self.words), end)
        if self.clock.now == end:
            raise timing.ran_out(streamed=False)
        return Answer(text=" ".join(self.words), finish_reason="stop")

    async def run(self, request, timing):
        for _ in range(round(self.thinks_s)):
            self._wait(timing, 1, streamed=True)
        for word in self.words:
            self._wait(timing, self.gap_s, streamed=True)
            yield f"{word} "
        yield Answer(text="".join(f"{word} " for word in self.words), finish_reason="stop")


@pytest.fixture
def ticking(monkeypatch):
    made = Clock()
    monkeypatch.setattr(clock, "monotonic", made.monotonic)
    monkeypatch.setattr("llm.clock.sleep", lambda seconds: setattr(made, "now", made.now + seconds))
    return made


@pytest.fixture
def scripted(ticking, monkeypatch):
    """Puts scripts in the place of adapters, by credential."""

    def put(**scripts):
        by_key = {f"key-of-{label}": script for label, script in scripts.items()}
        monkeypatch.setattr(trial, "adapter_for", lambda *, key, **more: by_key[key])

    return put


def words(count):
    return [f"word{n}" for n in range(count)]


def told(reply):
    return [(attempt["credential"], attempt["outcome"]) for attempt in reply.attempts]


def whole(**arguments):
    *_, last = stream(user="hi", **arguments)
    assert isinstance(last, Completed)
    return last.reply


# -- silence, not length -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "gap_s"), [(600, 1), (400, 0.3), (30, 19)])
def test_a_stream_lasts_as_long_as_its_words_flow(sim, ticking, scripted, count, gap_s):
    make_groq(sim, keys=1, first_byte_s=20, timeout_s=20)
    make_deepseek(sim, first_byte_s=10, timeout_s=20)
    scripted(groq1=Script(ticking, words(count), gap_s=gap_s))
    reply = whole()
    assert reply.text.split() == words(count)
    assert told(reply) == [("groq1", "ok")]
    assert Call.objects.get().latency_ms == pytest.approx(count * gap_s * 1000, rel=0.01)


def test_a_stream_that_lasts_is_not_taken_for_one_that_lost_its_worker(sim, ticking, scripted):
    make_groq(sim, keys=1, first_byte_s=10, timeout_s=20)
    scripted(groq1=Script(ticking, words(600), gap_s=1))
    spans = []
    for event in stream(user="hi"):
        if isinstance(event, Delta):
            spans.append(Call.objects.values_list("deadline_s", flat=True).get())
    assert max(spans) >= spans[0]  # renewed: the wall clock stands still here
    assert Call.objects.get().outcome == "ok"


def test_a_stream_that_falls_silent_ends_after_its_providers_patience(sim, ticking, scripted):
    make_groq(sim, keys=1, first_byte_s=10, timeout_s=20)
    make_deepseek(sim, first_byte_s=10, timeout_s=20)
    first, second = Script(ticking, words(9), gap_s=20.5), Script(ticking, words(9), gap_s=1)
    first.words, first.gap_s = words(2), 5.0
    first.run = _then_silence(first, 25)
    scripted(groq1=first, deepseek=second)
    reply = whole()
    assert told(reply) == [("groq1", "provider_down"), ("deepseek", "ok")]
    assert Attempt.objects.order_by("id").first().latency_ms == pytest.approx(30_000, rel=0.02)


def _then_silence(script, seconds):
    async def run(request, timing):
        for word in script.words:
            script._wait(timing, script.gap_s, streamed=True)
            yield word
        script._wait(timing, seconds, streamed=True)

    return run


def test_reasoning_is_a_sign_of_life(sim, ticking, scripted):
    make_groq(sim, keys=1, first_byte_s=10, timeout_s=20)
    scripted(groq1=Script(ticking, words(3), gap_s=1, thinks_s=90))
    assert told(whole()) == [("groq1", "ok")]


def test_reasoning_that_comes_before_the_text_is_no_silence(sim):
    make_groq(sim, keys=1, first_byte_s=2, timeout_s=2)
    sim.script("key-of-groq1", b.ok("Done.", reasoning="Let me think about it once more. " * 8, pace=0.2))
    reply = whole()
    assert (reply.text, told(reply)) == ("Done.", [("groq1", "ok")])


def test_the_callers_own_deadline_ends_a_stream_and_is_nobodys_failure(sim, ticking, scripted):
    make_groq(sim, keys=1, first_byte_s=10, timeout_s=20)
    scripted(groq1=Script(ticking, words(600), gap_s=1))
    with pytest.raises(ChainExhausted) as caught:
        whole(deadline_s=100)
    assert [a["outcome"] for a in caught.value.attempts] == ["cut_short"]
    assert not Pause.objects.exists()


@pytest.mark.parametrize("deadline_s", [3600, 7 * 3600])
def test_a_deadline_may_be_hours(sim, ticking, scripted, deadline_s):
    make_groq(sim, keys=1, first_byte_s=20, timeout_s=20)
    scripted(groq1=Script(ticking, words(200), gap_s=15))
    assert told(whole(deadline_s=deadline_s)) == [("groq1", "ok")]


# -- plain answers -----------------------------------------------------------------------------------------


def test_a_plain_answer_has_its_providers_time_and_the_callers_deadline_may_raise_it(sim, ticking, scripted):
    make_groq(sim, keys=1, timeout_s=20)
    scripted(groq1=Script(ticking, words(30), gap_s=1))
    with pytest.raises(ChainExhausted):
        complete(user="hi")
    Pause.objects.all().delete()
    assert told(complete(user="hi", deadline_s=60)) == [("groq1", "ok")]
    with pytest.raises(ChainExhausted) as caught:
        complete(user="hi", deadline_s=12)
    assert [a["outcome"] for a in caught.value.attempts] == ["cut_short"]


def test_while_somebody_can_take_over_a_plain_answer_has_its_providers_time(sim, ticking, scripted):
    make_groq(sim, keys=1, timeout_s=20)
    make_deepseek(sim, timeout_s=20)
    scripted(groq1=Script(ticking, words(30), gap_s=1), deepseek=Script(ticking, words(40), gap_s=1))
    reply = complete(user="hi", deadline_s=120)
    assert told(reply) == [("groq1", "provider_down"), ("deepseek", "ok")]
    assert ticking.now == 1060


# -- shares of a deadline ----------------------------------------------------------------------------------


def later_ones(sim, count=10, **fields):
    for n in range(count):
        make_provider(sim, f"later{n}", models=["m"], keys={f"later{n}": ""}, tier=2, free=True, **fields)


def share_of_first(sim, ticking, scripted, **arguments):
    script = Script(ticking, words(1), gap_s=0)
    scripted(groq1=script)
    complete(user="hi", deadline_s=20, **arguments)
    return script.ends[0] - 1000


def test_providers_that_the_call_may_not_use_keep_no_share(sim, ticking, scripted):
    make_groq(sim, keys=1, timeout_s=20)
    later_ones(sim)
    assert share_of_first(sim, ticking, scripted, tiers=[1]) == pytest.approx(20)


@pytest.mark.parametrize("reason", ["paused", "no key", "paid", "model", "tools", "off"])
def test_whatever_the_reason_is_why_they_cannot_be_used(sim, ticking, scripted, reason):
    make_groq(sim, keys=1, timeout_s=20)
    arguments = {}
    if reason == "paid":
        later_ones(sim, 0)
        make_deepseek(sim)
        arguments = {"max_usd": 0}
    else:
        later_ones(sim)
    if reason == "paused":
        complete_pauses(10)
    elif reason == "no key":
        from llm.models import Credential

        Credential.objects.filter(provider__slug__startswith="later").update(secret="env:NOWHERE_TO_BE_FOUND")
    elif reason == "model":
        arguments = {"models": ["openai/gpt-oss-120b"]}
    elif reason == "tools":
        from llm.models import Model

        Model.objects.filter(provider__slug__startswith="later").update(tools=False)
        arguments = {"params": {"tools": [{"type": "function", "function": {"name": "f"}}]}}
    elif reason == "off":
        from llm.models import Provider

        Provider.objects.filter(slug__startswith="later").update(enabled=False)
    assert share_of_first(sim, ticking, scripted, **arguments) == pytest.approx(20)


def complete_pauses(count):
    from datetime import timedelta

    from django.utils import timezone

    now = timezone.now()
    for n in range(count):
        Pause.objects.create(
            provider=f"later{n}",
            kind="blocked_provider",
            source="guess",
            since=now,
            until=now + timedelta(hours=1),
        )


def test_usable_successors_keep_theirs(sim, ticking, scripted):
    make_groq(sim, keys=1, timeout_s=20)
    later_ones(sim, 2)
    assert share_of_first(sim, ticking, scripted) == pytest.approx(10)


# -- a caller who has left ---------------------------------------------------------------------------------


class Caller:
    """Leaves when `has_left` has been asked so often."""

    def __init__(self, patience):
        self.patience, self.asked = patience, 0

    def has_left(self):
        self.asked += 1
        return self.asked > self.patience


@pytest.mark.parametrize("ask", [complete, lambda **more: list(stream(**more))], ids=["plain", "streamed"])
def test_no_attempt_begins_for_a_caller_who_has_left(sim, ask):
    make_groq(sim, keys=1)
    with pytest.raises(CallerLeft):
        ask(user="hi", has_left=lambda: True)
    assert not sim.requests
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("ask", [complete, lambda **more: list(stream(**more))], ids=["plain", "streamed"])
def test_a_running_attempt_stops_within_a_second_and_the_ledger_says_so(sim, ask):
    make_groq(sim, keys=1, timeout_s=20, first_byte_s=20)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.hang())
    caller = Caller(3)
    with pytest.raises(CallerLeft):
        ask(user="hi", has_left=caller.has_left)
    assert caller.asked == 4  # twice a second: long before the provider's twenty seconds
    assert [row.outcome for row in Attempt.objects.all()] == ["cancelled"]
    assert Call.objects.get().outcome == "cancelled"
    assert sim.count(provider="deepseek") == 0
    assert not Pause.objects.exists()


def _noted(stream, seen):
    for event in stream:
        seen.append(event)
        yield event


def test_a_stream_between_two_words_stops_as_well(sim):
    make_groq(sim, keys=1, timeout_s=20, first_byte_s=20)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.midstream_stall(after=3))
    events = []
    with pytest.raises(CallerLeft):
        events.extend(_noted(stream(user="hi", has_left=lambda: Delta in map(type, events)), events))
    row = Attempt.objects.get()
    assert (row.outcome, row.tokens_out > 0) == ("cancelled", True)


def test_a_caller_may_leave_while_a_deployment_is_waited_for(sim):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.http(429, headers={"retry-after": "2"}))
    caller = Caller(4)
    with pytest.raises(CallerLeft):
        complete(user="hi", has_left=caller.has_left)
    assert sim.count(provider="groq") == 1
    assert Call.objects.get().outcome == "cancelled"


def test_the_answer_of_another_thread_is_not_interrupted(sim):
    make_groq(sim, keys=1, timeout_s=20, first_byte_s=20)
    sim.script("key-of-groq1", b.slow_first_token(1.2))
    replies = []
    thread = threading.Thread(target=lambda: replies.append(told(complete(user="hi"))))
    thread.start()
    with pytest.raises(CallerLeft):
        complete(user="hi", has_left=Caller(1).has_left)
    thread.join()
    assert replies == [[("groq1", "ok")]]
