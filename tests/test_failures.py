"""Every recorded failure gives its kind through the real SDKs, plain and streamed."""

import pytest

from llm.chain import ChainExhausted, complete, stream
from llm.chain import run as chain
from llm.models import Model
from llm.simulator import behaviours as b
from llm.simulator.behaviours import payloads
from tests.chain_setup import make_provider, make_vertex

pytestmark = pytest.mark.django_db(transaction=True)


def provider_for(sim, payload, tmp_path):
    name = payload["provider"].split("/")[-1]
    if name == "groq":
        make_provider(
            sim, "groq", kind="groq", models=["m"], keys={"k": ""}, free=True, timeout_s=1, first_byte_s=0.6
        )
        return "key-of-k"
    if name == "vertex":
        make_vertex(sim, tmp_path, locations=["global"], timeout_s=1, first_byte_s=0.6)
        return "vertex"
    make_provider(sim, "other", models=["m"], keys={"k": ""}, free=True, timeout_s=1, first_byte_s=0.6)
    return "key-of-k"


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("payload", payloads().values(), ids=lambda p: p["id"])
def test_a_recorded_payload_gives_its_kind(sim, payload, streamed, tmp_path, monkeypatch):
    monkeypatch.setattr(chain, "sleep", lambda seconds: None)
    sim.script(provider_for(sim, payload, tmp_path), b.payload(payload["id"]))
    with pytest.raises(ChainExhausted) as caught:
        list(stream(user="hi", deadline_s=8)) if streamed else complete(user="hi", deadline_s=8)
    attempt = caught.value.attempts[0]
    assert attempt["outcome"] == payload["expected"], attempt["detail"]
    if payload.get("retry_after_s"):
        assert attempt["retry_after_s"] == pytest.approx(payload["retry_after_s"], abs=1.5)
    assert Model.objects.exists()
