"""What a client may choose for a stream that breaks, and for content that a provider refuses."""

import json

import pytest

from llm.chain import AttemptFailed, Completed, Delta, stream
from llm.models import Attempt, Call, Client, Model
from llm.simulator import behaviours as b
from tests.chain_setup import make_groq, make_provider
from tests.gateway_client import Gateway, chunks_of, make_client, text_of

pytestmark = pytest.mark.django_db(transaction=True)
STORY = [{"role": "user", "content": "Tell me a long story. " * 20}]
TEXT = " ".join(f"word{n}" for n in range(60))
BREAKS = [b.midstream_death(after=5), b.truncate(), b.truncate(mismatch=False), b.midstream_stall(after=5),
          b.error_in_stream(after=5), b.no_done(finish=False)]  # fmt: skip
BREAK_IDS = ["cut", "truncated", "truncated quietly", "stalled", "error in it", "no end"]


@pytest.fixture
def two(sim, request, monkeypatch):
    """Two free providers; the first one breaks where a test says so."""
    monkeypatch.setattr("llm.clock.sleep", lambda seconds: None)
    stalls = "stalled" in request.node.name  # only then does the wait for it have to end
    make_groq(sim, keys=1, **({"first_byte_s": 1, "timeout_s": 1} if stalls else {}))
    make_provider(sim, "second", models=["m"], keys={"second": ""}, free=True, tier=2)
    sim.default(b.ok(TEXT))
    return sim


@pytest.fixture
def gateway(db):
    _, key = make_client()
    return Gateway(key)


def streamed(gateway, headers=(), **body):
    return chunks_of(gateway.post({"messages": STORY, "stream": True, **body}, **dict(headers)))


def choose(**settings):
    Client.objects.update(**settings)


HOLD, GO_ON = {"x-guardlabs-hold": "true"}, {"x-guardlabs-on-break": "continue"}


@pytest.mark.parametrize("fault", BREAKS, ids=BREAK_IDS)
def test_a_stream_that_is_held_is_taken_over_unseen(two, gateway, fault):
    two.script("key-of-groq1", fault)
    chunks = streamed(gateway, HOLD)
    assert (text_of(chunks[:-1]), chunks[-1]) == (TEXT, "[DONE]")
    assert Call.objects.get().provider == "second"


def test_a_client_may_hold_all_its_streams_and_one_request_may_not(two, gateway):
    choose(hold=True)
    two.script("key-of-groq1", b.midstream_death(after=5), b.midstream_death(after=5))
    assert streamed(gateway)[-1] == "[DONE]"
    assert streamed(gateway, {"x-guardlabs-hold": "false"})[-1] == "[DONE]"  # groq1 is paused by then


def test_by_default_half_a_text_ends_with_an_error(two, gateway):
    two.script("key-of-groq1", b.midstream_death(after=5))
    chunks = streamed(gateway)
    assert chunks[-1]["error"]["code"] == "stream_interrupted"
    assert two.count(provider="second") == 0


def takes_prefill(*slugs):
    Model.objects.filter(provider__slug__in=slugs).update(prefill=True)


@pytest.mark.parametrize("fault", BREAKS, ids=BREAK_IDS)
@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "begins anew"])
def test_the_next_provider_goes_on_from_what_was_told(two, gateway, fault, restarts):
    takes_prefill("second")
    two.script("key-of-groq1", fault)
    told = []

    def answer(request):
        last = json.loads(request.body)["messages"][-1]
        assert last["role"] == "assistant"
        told.append(last["content"])
        return b.ok((last["content"] if restarts else "") + " And so it ended.")

    chunks = follow(two, gateway, answer)
    (so_far,) = told
    assert so_far
    assert (text_of(chunks[:-1]), chunks[-1]) == (so_far + " And so it ended.", "[DONE]")
    assert Call.objects.get().text == so_far + " And so it ended."
    assert [row.outcome for row in Attempt.objects.order_by("id")] == ["provider_down", "ok"]


def follow(sim, gateway, answer):
    """Two looks: what the second provider is asked first, then what it says to that."""
    asked = []
    from llm.chain import attempt

    genuine = attempt.adapter_for

    def adapter(**names):
        made = genuine(**names)
        if names["key"] == "key-of-second":
            run = made.run

            def noted(request, timing):
                asked.append(request)
                sim.script("key-of-second", answer(_Body(request)))
                return run(request, timing)

            return type("Noted", (), {"run": staticmethod(noted)})()
        return made

    attempt.adapter_for = adapter
    try:
        return streamed(gateway, GO_ON)
    finally:
        attempt.adapter_for = genuine


class _Body:
    def __init__(self, request):
        self.body = json.dumps({"messages": list(request.messages)})


def test_where_nobody_takes_a_prefill_it_ends_as_always(two, gateway):
    two.script("key-of-groq1", b.midstream_death(after=5))
    chunks = streamed(gateway, GO_ON)
    assert chunks[-1]["error"]["code"] == "stream_interrupted"
    assert two.count(provider="second") == 0


def test_a_prefill_that_is_rejected_is_not_the_error_that_is_told(two, gateway):
    takes_prefill("second")
    two.script("key-of-groq1", b.midstream_death(after=5))
    two.script("key-of-second", b.http(400, {"error": {"message": "This model takes no assistant prefill."}}))
    chunks = streamed(gateway, GO_ON)
    assert chunks[-1]["error"]["code"] == "stream_interrupted"
    assert "provider_down" in chunks[-1]["error"]["message"]


def test_a_client_may_have_all_its_streams_continued(two, gateway):
    choose(on_break="continue")
    takes_prefill("second")
    two.script("key-of-groq1", b.midstream_death(after=5))
    two.script("key-of-second", b.ok(" and so it ended."))
    chunks = streamed(gateway)
    assert chunks[-1] == "[DONE]"
    assert text_of(chunks[:-1]).endswith(" and so it ended.")


def test_from_python_a_failure_says_whether_the_text_stands(two):
    takes_prefill("second")
    two.script("key-of-groq1", b.midstream_death(after=5))
    two.script("key-of-second", b.ok(" the end"))
    events = list(stream(messages=STORY, on_broken_stream="continue"))
    (failed,) = [event for event in events if isinstance(event, AttemptFailed)]
    assert failed.kept
    told = "".join(event.text for event in events if isinstance(event, Delta))
    assert isinstance(events[-1], Completed)
    assert events[-1].reply.text == told


@pytest.mark.parametrize("body", [{"stream": True}, {}], ids=["streamed", "plain"])
def test_refused_content_goes_on_or_back_as_the_caller_says(two, gateway, body):
    refused = b.http(400, {"error": {"message": "Flagged.", "code": "content_policy_violation"}})
    two.script("key-of-groq1", refused)
    assert gateway.ask(STORY, **body).status_code == 200
    response = gateway.ask(STORY, on_content_block="error", **body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "content_filter")
    choose(on_content_block="error")
    assert gateway.ask(STORY, **body).status_code == 400
    assert gateway.ask(STORY, on_content_block="next", **body).status_code == 200


@pytest.mark.parametrize(
    ("headers", "body", "param"),
    [
        ({"x-guardlabs-hold": "maybe"}, {}, "x-guardlabs-hold"),
        ({"x-guardlabs-on-break": "explode"}, {}, "x-guardlabs-on-break"),
        ({}, {"on_content_block": "ignore"}, "on_content_block"),
        ({}, {"on_content_block": 5}, "on_content_block"),
        ({}, {"on_content_block": ["next"]}, "on_content_block"),
    ],
)
def test_a_choice_that_there_is_not_is_told(two, gateway, headers, body, param):
    response = gateway.post({"messages": STORY, **body}, **headers)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
    assert two.requests == []


@pytest.mark.parametrize("value", ["true", "True", " TRUE "])
def test_a_header_may_be_written_as_one_likes(two, gateway, value):
    two.script("key-of-groq1", b.midstream_death(after=5))
    assert streamed(gateway, {"x-guardlabs-hold": value})[-1] == "[DONE]"
