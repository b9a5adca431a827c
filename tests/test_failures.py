"""Every recorded failure gives its kind through the real SDKs, plain and streamed."""

import pytest

from llm.chain import ChainExhausted, complete, stream
from llm.failures.kinds import Kind
from llm.models import Pause
from llm.simulator import behaviours as b
from llm.simulator.behaviours import payloads
from tests.chain_setup import make_provider, make_vertex
from tests.matrix import matrix

pytestmark = pytest.mark.django_db(transaction=True)


# What each kind keeps others from trying. A failure without an entry pauses nothing.
PAUSED = {
    Kind.RATE_LIMITED_KEY: {"account", "model"},
    Kind.RATE_LIMITED_PROVIDER: {"model"},
    Kind.BLOCKED_PROVIDER: set(),
    Kind.KEY_INVALID: {"credential"},
    Kind.CREDITS_DEPLETED: {"account"},
    Kind.MODEL_GONE: {"account", "model"},
    Kind.PROVIDER_DOWN: set(),
}
# Recorded failures that speak of less, or more, than their kind does.
OTHERWISE = {
    "groq-503-over-capacity": {"model"},
    "hf-503-loading": {"model"},
    "gemini-503-overloaded": {"model"},
    "gemini-503-capacity-delay": {"model"},
    "deepseek-429-concurrency-balance": {"account"},
    "openrouter-429-free-per-day": {"account"},
    "openrouter-429-free-per-min": {"account"},
    "cloudflare-wai-neurons": {"account"},
    "cf-1015-json": set(),
}


def provider_for(sim, payload, tmp_path):
    """Of a service that may take long: only what is recorded as silence shall run into a limit."""
    silent = payload["id"] == "transport-read-timeout"
    fields = {"timeout_s": 1, "first_byte_s": 0.6} if silent else {"timeout_s": 30, "first_byte_s": 30}
    name = payload["provider"].split("/")[-1]
    if name == "groq":
        make_provider(sim, "groq", kind="groq", models=["m"], keys={"k": ""}, free=True, **fields)
        return "key-of-k"
    if name == "vertex":
        make_vertex(sim, tmp_path, locations=["global"], **fields)
        return "vertex"
    make_provider(sim, "other", models=["m"], keys={"k": ""}, free=True, **fields)
    return "key-of-k"


@pytest.mark.parametrize(("name", "streamed"), matrix(list(payloads()), [False, True]))
def test_a_recorded_payload_gives_its_kind(sim, name, streamed, tmp_path, monkeypatch):
    payload = payloads()[name]
    monkeypatch.setattr("llm.clock.sleep", lambda seconds: None)
    sim.script(provider_for(sim, payload, tmp_path), b.payload(payload["id"]))
    deadline_s = 2 if payload["id"] == "transport-read-timeout" else 40  # a last provider may take all of it
    with pytest.raises(ChainExhausted) as caught:
        list(stream(user="hi", deadline_s=deadline_s)) if streamed else complete(
            user="hi", deadline_s=deadline_s
        )
    attempt = caught.value.attempts[0]
    assert attempt["outcome"] == payload["expected"], attempt["detail"]
    if payload.get("retry_after_s"):
        assert attempt["retry_after_s"] == pytest.approx(payload["retry_after_s"], abs=1.5)
    assert paused() == expected_pause(payload)


def paused():
    """The names of the scope that is paused; None when nothing is."""
    names = ("credential", "account", "model", "location")
    scopes = [{name for name in names if getattr(row, name)} for row in Pause.objects.all()]
    return scopes[0] if scopes else None


def expected_pause(payload):
    scope = OTHERWISE.get(payload["id"], PAUSED.get(payload["expected"]))
    vertex = scope is not None and payload["provider"].split("/")[-1] == "vertex"
    located = payload["expected"] not in {Kind.BLOCKED_PROVIDER, Kind.KEY_INVALID, Kind.CREDITS_DEPLETED}
    return scope | {"location"} if vertex and located else scope
