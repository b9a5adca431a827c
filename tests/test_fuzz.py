"""Whatever parses what others wrote, given what nobody would write. Each test says what may come out; nothing else may.

The short run belongs to the suite; the long one (`make test-all`) looks further. See fuzzing.py for the corpora.
"""

import json
import time
from decimal import Decimal

import pytest
from django.db import transaction
from django.test import Client, RequestFactory
from hypothesis import example, given
from hypothesis import strategies as st

from audit.models import Scan
from audit.orders import links
from audit.scans import service as scans
from audit.scans import shares, tokens
from llm.adapters import Answer, Reasoning, adapter_for
from llm.adapters.base import Request, Timing
from llm.configuration import file as config
from llm.failures.kinds import Failure
from llm.gateway.errors import ApiError
from llm.gateway.protocols.chat import Chat
from llm.gateway.protocols.messages import Messages
from llm.gateway.protocols.responses import Responses
from llm.gateway.serving import body as gateway_body
from llm.ledger import receipts
from llm.limits.headers import observed
from llm.simulator import behaviours as b
from tests.adapter_setup import drive
from tests.factories import answers, load_bank, make_order, make_scan
from tests.fuzzing import (
    JUNK,
    LONG,
    ODD_TEXT,
    SHORT,
    STATUS,
    Says,
    as_json,
    bodies,
    budget,
    corpus,
    event_streams,
    gone_wrong,
    replies,
)  # fmt: skip
from tests.gateway_client import HELLO
from tests.stripe_standin import SECRET, signed

EXAMPLES = [SHORT, pytest.param(LONG, marks=pytest.mark.exhaustive)]
anyhow = pytest.mark.parametrize("examples", EXAMPLES)


def also(strategy, cases):
    """@given, with every case of a corpus first."""

    def decorate(test):
        test = given(strategy)(test)
        for case in reversed(cases):
            test = example(case)(test)
        return test

    return decorate


# -- providers' replies ------------------------------------------------------------------------------
COMPLETION, CHUNKS, ERRORS = corpus("completions"), corpus("chunks"), corpus("errors")
PLAIN = replies(bodies(*COMPLETION, *ERRORS), b"application/json")
STREAMED = replies(event_streams(*CHUNKS, *ERRORS), b"text/event-stream")
HOSTILE = [line.encode("latin-1") for line in corpus("replies")]


def outcome(adapter, *, stream):
    """Runs one attempt to its end: an Answer of the right types, or a Failure."""
    asked = Request(model="m", messages=HELLO, max_tokens=50, stream=stream)
    now = time.monotonic()
    try:
        pieces, answer = drive(adapter, asked, Timing(first_token=now + 30, end=now + 30))
    except Failure as failure:
        assert isinstance(failure.detail, str)
        assert failure.retry_after_s is None or failure.retry_after_s >= 0
        observed(failure.headers or {})
        return failure
    assert isinstance(answer, Answer)
    assert isinstance(answer.text, str)
    assert answer.text.strip() or answer.tool_calls
    assert all(isinstance(piece, str | Reasoning) for piece in pieces)
    for count in (answer.tokens_in, answer.tokens_out):
        assert count is None or (type(count) is int and count >= 0)
    json.dumps(list(answer.tool_calls)).encode()
    answer.text.encode()  # what cannot be encoded cannot be stored
    observed(answer.headers)
    return answer


@anyhow
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", ["groq", "openai"])
def test_any_reply_is_an_answer_or_a_failure(kind, stream, examples):
    with Says() as provider:
        adapter = adapter_for(kind=kind, base_url=provider.url, key="key")

        @budget(examples)
        @also(STREAMED if stream else PLAIN, HOSTILE)
        def check(reply):
            provider.answer = reply
            outcome(adapter, stream=stream)

        check()


VERTEX = corpus("vertex")


@anyhow
@pytest.mark.parametrize("stream", [False, True])
def test_any_reply_of_vertex_is_an_answer_or_a_failure(sim, stream, examples):
    key = json.dumps(sim.service_account(project="proj", label="vertex"))
    adapter = adapter_for(
        kind="vertex", base_url=f"{sim.url}/vertex/global", key=key, project="proj", location="global"
    )

    def lines(values):
        return "".join(f"data: {json.dumps(value)}\r\n\r\n" for value in values)

    said = gone_wrong(*VERTEX) | st.sampled_from(VERTEX) | JUNK
    strategy = st.tuples(STATUS, st.lists(said, max_size=4).map(lines) if stream else said | ODD_TEXT)

    @budget(min(examples, 600))
    @also(strategy, [(200, VERTEX[0] if not stream else lines(VERTEX))])
    def check(reply):
        status, body = reply
        if isinstance(body, str):
            body = body.encode("utf-8", "replace").decode()
        headers = {"content-type": "text/event-stream"} if stream else {}
        sim.script("vertex", b.http(status, body if body is not None else "null", headers))
        outcome(adapter, stream=stream)

    check()


# -- tokens ------------------------------------------------------------------------------------------
@anyhow
@pytest.mark.django_db
def test_no_made_up_token_opens_anything(examples):
    load_bank()
    scan = make_scan(ai=False)
    shares.share(scan)
    order = make_order("delivered")
    receipt = receipts.issue(
        text="x", provider="groq1", model="m", cost_usd=Decimal("0.1"), cached=False, attempts=[],
    )  # fmt: skip
    good = [
        scans.scan_token(scan), shares.share_token(Scan.objects.get()), links.status_token(order),
        links.delivery_token(order), receipt,
    ]  # fmt: skip
    openers = (
        scans.get_scan, shares.shared_scan, links.order_of_status,
        lambda token: links.order_of_delivery(token)[0], receipts.verify,
    )  # fmt: skip
    for place, (token, opens) in enumerate(zip(good, openers, strict=True)):
        assert opens(token) is not None
        assert [other(token) for other in openers if other is not opens] == [None] * 4, place

    changed = st.tuples(
        st.sampled_from(good), st.integers(0, 400), ODD_TEXT | st.sampled_from("aZ9-_.=: ")
    ).map(
        lambda parts: (
            parts[0][: parts[1] % len(parts[0])] + parts[2] + parts[0][parts[1] % len(parts[0]) + 1 :]
        )
    )

    @budget(examples)
    @also(changed | ODD_TEXT | st.text(max_size=80), corpus("tokens"))
    def check(token):
        if token.strip() in good:
            return
        for opens in openers:
            assert opens(token) is None
        assert tokens.unsign(token) is None

    check()


# -- bodies ------------------------------------------------------------------------------------------
@anyhow
@pytest.mark.django_db
def test_any_body_of_the_api_is_a_scan_or_an_error_of_the_callers(examples):
    load_bank()
    client = Client()
    good = {"lang": "en", "answers": answers(), "ai": False}

    @budget(examples)
    @also(bodies(good), [as_json(case) for case in corpus("api")])
    def check(body):
        response = client.post("/api/v1/scans", body, "application/json")
        assert response.status_code in {201, 400, 413}, response.content
        assert isinstance(response.json(), dict)
        with transaction.atomic():
            Scan.objects.all().delete()

    check()


@anyhow
@pytest.mark.parametrize("protocol", [Chat(), Responses(), Messages()], ids=lambda one: one.prefix)
def test_any_body_of_the_gateway_is_read_or_refused(examples, protocol):
    factory = RequestFactory()
    good = corpus({"chatcmpl-": "gateway", "resp_": "responses", "msg_": "messages"}[protocol.prefix])

    @budget(examples * 3)
    @also(bodies(*good), [as_json(case) for case in good])
    def check(body):
        try:
            request = factory.post("/v1/chat/completions", body, "application/json")
            ask = protocol.read(gateway_body.read(request), request.META)
        except ApiError as error:
            assert 400 <= error.status < 500
            json.dumps(error.body()).encode()
        else:
            json.dumps([ask.messages, ask.params]).encode()

    check()


@anyhow
@pytest.mark.django_db
def test_any_signed_webhook_is_answered(stripe, examples):
    client = Client()
    order = make_order(method="stripe")
    good = json.loads(json.dumps(corpus("webhooks")).replace("ORDER", order.public_id))
    strategy = gone_wrong(*good) | JUNK

    @budget(examples)
    @also(strategy, good)
    def check(event):
        body, signature = signed(event)
        response = client.post(
            "/stripe/webhook", body, "application/json", headers={"Stripe-Signature": signature}
        )
        assert response.status_code in {200, 400, 503}, response.content

    check()


@anyhow
@pytest.mark.django_db
def test_no_made_up_signature_is_believed(stripe, examples):
    client = Client()
    body, good = signed({"id": "evt_1", "type": "x", "data": {"object": {}}})
    assert SECRET not in good
    times = ODD_TEXT | st.integers().map(str) | st.just(str(int(time.time())))
    made_up = st.tuples(times, ODD_TEXT | st.text("0123456789abcdef", min_size=64, max_size=64)).map(
        lambda parts: f"t={parts[0]},v1={parts[1]}"
    )

    @budget(examples)
    @also(made_up | ODD_TEXT, corpus("signatures"))
    def check(signature):
        clean = signature.encode("latin-1", "ignore").decode("latin-1").replace("\r", "").replace("\n", "")
        response = client.post(
            "/stripe/webhook", body, "application/json", headers={"Stripe-Signature": clean}
        )
        assert response.status_code == 400

    check()


# -- providers files ---------------------------------------------------------------------------------
def toml(value) -> str:
    """A providers file of a JSON value, as far as TOML can say it."""
    rows = value.get("provider") if isinstance(value, dict) else None
    text = []
    for row in rows if isinstance(rows, list) else []:
        text.append("[[provider]]")
        tables = row if isinstance(row, dict) else {}
        text += [f"{_key(k)} = {_value(v)}" for k, v in tables.items() if k not in {"model", "key"}]
        for name in ("model", "key"):
            for each in tables.get(name) if isinstance(tables.get(name), list) else []:
                text.append(f"[[provider.{name}]]")
                text += (
                    [f"{_key(k)} = {_value(v)}" for k, v in each.items()] if isinstance(each, dict) else ["x"]
                )
    return "\n".join(text)


def _key(name) -> str:
    return json.dumps(str(name)).encode("utf-8", "replace").decode()


def _value(value) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + "}"
    text = json.dumps(value).encode("utf-8", "replace").decode()
    return {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf", "null": "''"}.get(text, text)


@anyhow
@pytest.mark.django_db
def test_any_providers_file_loads_whole_or_says_why_not(examples):
    good = corpus("providers")
    for seed in good:
        with transaction.atomic():
            config.load(toml(seed))
            assert config.export()
            transaction.set_rollback(True)
    raw = st.tuples(st.sampled_from([toml(seed) for seed in good]), st.integers(0, 2000), ODD_TEXT).map(
        lambda parts: parts[0][: parts[1] % len(parts[0])] + parts[2] + parts[0][parts[1] % len(parts[0]) :]
    )

    @budget(examples)
    @also(gone_wrong(*good).map(toml) | raw | ODD_TEXT, [])
    def check(text):
        try:
            with transaction.atomic():
                config.load(text)
                config.load(config.export())  # what was taken can be told, and taken again
                transaction.set_rollback(True)
        except config.ConfigError as error:
            assert error.errors
            assert all(isinstance(line, str) for line in error.errors)

    check()
