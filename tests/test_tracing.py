"""Traces: a span of each call and attempt by the conventions for generative AI, and nothing of it unless asked for."""

import json
import subprocess
import sys

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import llm
from guardlabs import tracing as site
from llm import ChainExhausted
from llm.calls import tracing
from llm.calls.terms import DataPolicy
from llm.models import Credential, Provider
from llm.simulator import payload
from tests.chain_setup import make_groq

pytestmark = pytest.mark.django_db


@pytest.fixture
def spans():
    """The spans that are over by now, by name."""
    exporter, started = InMemorySpanExporter(), []

    def start(**options):
        started.append(site.start(exporter=exporter, **options))

    def read():
        for provider in started:
            provider.force_flush()
        return list(exporter.get_finished_spans())

    read.start = start
    start()
    yield read
    tracing.install(None)
    for provider in started:
        provider.shutdown()


def test_a_call_and_its_attempts(sim, spans):
    make_groq(sim, keys=2)
    sim.script("key-of-groq1", payload("groq-429-tpd-1"))
    reply = llm.complete(user="SECRET-PROMPT", purpose="test", max_tokens=50)
    first, second, call = spans()
    assert [span.name for span in (first, second, call)] == [
        "chat openai/gpt-oss-120b", "chat openai/gpt-oss-120b", "chain test",
    ]  # fmt: skip
    assert first.parent.span_id == second.parent.span_id == call.context.span_id
    assert first.attributes["error.type"] == "rate_limited_key"
    assert first.attributes["guardlabs.credential"] == "groq1"
    assert first.status.status_code.name == "ERROR"
    assert second.attributes["gen_ai.provider.name"] == "groq"
    assert second.attributes["gen_ai.usage.output_tokens"] == reply.tokens_out
    assert second.status.status_code.name == "UNSET"
    assert call.attributes["guardlabs.call_id"] == reply.call_id
    assert call.attributes["guardlabs.attempts"] == 2
    everything = " ".join(span.to_json() for span in (first, second, call))
    assert "SECRET-PROMPT" not in everything
    assert "key-of-groq" not in everything
    assert reply.text not in everything


def test_prompts_and_answers_when_they_are_asked_for(sim, spans):
    make_groq(sim, keys=1)
    spans.start(content=True)
    reply = llm.complete(user="A-PROMPT", max_tokens=50)
    attributes = spans()[-1].attributes
    assert json.loads(attributes["gen_ai.input.messages"])[-1]["parts"][0]["content"] == "A-PROMPT"
    assert json.loads(attributes["gen_ai.output.messages"])[0]["parts"][0]["content"] == reply.text


def test_what_the_ledger_may_not_keep_is_in_no_span(sim, spans):
    row = make_groq(sim, keys=1)
    row.trains_on_prompts = False
    row.save()
    spans.start(content=True)
    llm.complete(user="A-PROMPT", max_tokens=50, use=DataPolicy(data_class="internal"), keep_text=False)
    assert "A-PROMPT" not in " ".join(span.to_json() for span in spans())


def test_a_call_that_nobody_answers_and_one_that_is_left(sim, spans):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", payload("groq-401-invalid-key"))
    with pytest.raises(ChainExhausted):
        llm.complete(user="x", max_tokens=50)
    attempt, call = spans()
    assert (attempt.attributes["error.type"], call.attributes["error.type"]) == (
        "key_invalid",
        "ChainExhausted",
    )
    Credential.objects.create(provider=Provider.objects.get(), label="groq9", secret="key-of-groq9")
    events = llm.stream(user="x", max_tokens=50)
    next(events)
    events.close()
    assert len(spans()) == 4
    assert all("error.type" in span.attributes for span in spans()[2:])


def test_without_a_tracer_nothing_of_it_is_imported(sim):
    make_groq(sim, keys=1)
    assert not tracing.is_on()
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; django.setup();"
        "import llm, llm.chain.run; print([m for m in sys.modules if m.startswith('opentelemetry')])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240
    )
    assert told.stdout.strip().endswith("[]")
