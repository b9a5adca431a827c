"""Nothing of a key, and of what may not be kept, gets into a detail: not whole, in part, or in another encoding."""

import base64
import json
from urllib.parse import quote

import pytest

from llm.cache.responses import forget_calls
from llm.calls.terms import DataPolicy
from llm.chain import ChainExhausted, complete
from llm.failures.kinds import Failure, Kind
from llm.failures.masking import masked
from llm.failures.rules import classify
from llm.models import Attempt, Credential, Notice, Pause
from llm.simulator import behaviours as b
from tests.chain_setup import make_groq, make_provider

KEY = "Zk9wQ2vT+7/xYb3LmN8rHs5uJd1eFg6p"  # of no known prefix
PATIENT = {"timeout_s": 20, "first_byte_s": 20}


def leaks(text, key=KEY, least=8):
    return any(key[n : n + least].lower() in text.lower() for n in range(len(key) - least + 1))


@pytest.mark.parametrize(
    "quoted",
    [
        KEY, KEY.upper(), KEY.lower(), KEY[:20], KEY[7:25], KEY[-9:], f"Bearer {KEY}", f"key={KEY}&x=1", repr(KEY),
        f"{KEY}{KEY}", f"{KEY[:12]}…{KEY[-10:]}", json.dumps({"key": KEY}),
    ],
)  # fmt: skip
def test_a_key_is_masked_whole_and_in_part(quoted):
    text = masked(f"The key {quoted} was refused by the service", KEY)
    assert not leaks(text)
    assert "***" in text
    assert text.startswith("The key ")
    assert text.endswith(" was refused by the service")


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "Bearer ", "user:", ":"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_key_in_base64_is_masked_whatever_stands_before_it(before, encode):
    coded = encode((before + KEY).encode()).decode()
    assert not leaks(masked(f"Authorization: Basic {coded}", KEY), encode(KEY.encode()).decode())
    assert coded[-30:-4] not in masked(coded, KEY)


def test_a_key_in_other_encodings_is_masked():
    escaped = "".join(letter if letter.isalnum() else f"\\u{ord(letter):04X}" for letter in KEY)
    for coded in (quote(KEY, safe=""), KEY.encode().hex(), KEY.encode().hex().upper(), escaped):
        assert coded not in masked(f"at {coded}?", KEY)
        assert not leaks(masked(f"at {coded}?", KEY), coded)


def test_other_words_stay_as_they_are():
    text = "Rate limit reached for model `openai/gpt-oss-120b`: wait 20 s"
    assert masked(text, KEY) == text
    assert masked(text, "") == text
    assert masked("", KEY) == ""


def test_of_a_service_account_only_what_is_secret_is_masked():
    private = (
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"
    )
    account = json.dumps(
        {"project_id": "example-project", "private_key": private, "private_key_id": "0123456789abcdef"}
    )
    text = masked("project example-project, key 0123456789abcdef, BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", account)
    assert text == "project example-project, key ***, ***"


def test_a_short_key_is_masked_too():
    assert masked("key abc12 is bad", "abc12") == "key *** is bad"


def test_a_detail_is_masked_before_it_is_cut():
    body = json.dumps({"error": {"message": "x" * 280 + f" {KEY}"}})
    failure = classify(status=401, body=body)
    failure.mask(KEY)
    assert len(failure.detail) <= 300
    assert not leaks(failure.detail, least=4)
    assert not leaks(str(failure) + repr(failure), least=4)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_no_trace_of_a_key_is_left_anywhere(sim, status, monkeypatch, caplog):
    monkeypatch.setattr("llm.clock.sleep", lambda seconds: None)
    make_provider(sim, "other", models=["m"], keys={"k": ""}, free=True, **PATIENT)
    Credential.objects.update(secret=KEY)
    words = [KEY, KEY[3:20], base64.b64encode(KEY.encode()).decode()]
    body = {"error": {"message": "y" * 290 + " ".join(words), "code": KEY, "type": f"bad_{KEY[:15].lower()}"}}
    sim.script(KEY, b.http(status, body))
    with pytest.raises(ChainExhausted) as caught:
        complete(user="hi")
    told = [
        *Attempt.objects.values(),
        *Pause.objects.values(),
        *Notice.objects.values(),
        caught.value.attempts,
    ]
    for text in (str(told), caplog.text, str(caught.value)):
        assert not leaks(text)


# -- calls of which nothing may be kept ----------------------------------------------------------------------

PROMPT = "My name is Ada Lovelace and my wallet lost everything in March"


def refusal(status, **more):
    return b.http(
        status, {"error": {"message": f"Cannot read: {PROMPT}", "type": "invalid_request_error", **more}}
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_the_details_of_a_call_that_is_not_kept_are_codes(sim, status, monkeypatch, caplog):
    monkeypatch.setattr("llm.clock.sleep", lambda seconds: None)
    make_groq(sim, keys=1, **PATIENT)
    sim.script("key-of-groq1", refusal(status, code="some_code"))
    with pytest.raises(ChainExhausted):
        complete(user=PROMPT, keep_text=False, use=DataPolicy(data_class="public"))
    told = str([*Attempt.objects.values(), *Pause.objects.values(), *Notice.objects.values()]) + caplog.text
    assert "Lovelace" not in told
    assert "wallet" not in told
    assert Attempt.objects.latest("id").detail == f"HTTP {status}: invalid_request_error, some_code"


@pytest.mark.django_db(transaction=True)
def test_a_gates_reason_is_not_kept_either(sim):
    make_groq(sim, keys=1, **PATIENT)
    with pytest.raises(ChainExhausted):
        complete(user=PROMPT, keep_text=False, accept=lambda text: f"it says {PROMPT}")
    assert set(Attempt.objects.values_list("outcome", "detail")) == {("rejected_output", "")}


def test_codes_that_are_prose_are_no_codes():
    failure = classify(
        status=400, body=json.dumps({"error": {"type": "Ada Lovelace lost it", "code": "bad_thing"}})
    )
    failure.hide_prose()
    assert failure.detail == "HTTP 400: bad_thing"


def test_our_own_words_need_not_be_hidden():
    failure = Failure(Kind.PROVIDER_DOWN, "no answer in the time given")
    failure.hide_prose()
    assert failure.detail == "no answer in the time given"


@pytest.mark.django_db(transaction=True)
def test_forgetting_a_call_reaches_what_providers_said_of_it(sim, monkeypatch):
    monkeypatch.setattr("llm.clock.sleep", lambda seconds: None)
    make_groq(sim, keys=2, **PATIENT)
    general = {"error": {"message": "Rate limit reached, slow down"}}
    sim.script("key-of-groq1", b.http(401, {"error": {"message": f"No access for: {PROMPT}"}}))
    sim.script("key-of-groq2", b.http(429, general, {"retry-after": "1"}), b.ok())
    with pytest.raises(ChainExhausted) as caught:
        complete(user=PROMPT)
    assert "Lovelace" in str([*Attempt.objects.values(), *Pause.objects.values(), *Notice.objects.values()])
    Attempt.objects.create(  # another call was told the same as everybody
        call=other_call(), provider="groq", credential="x", account="x", model="m", tier=1, free=True,
        started_at="2026-11-01T00:00Z", detail="Rate limit reached, slow down",
    )  # fmt: skip
    forget_calls(pk=caught.value.call_id)
    assert "Lovelace" not in str(
        [*Attempt.objects.values(), *Pause.objects.values(), *Notice.objects.values()]
    )
    assert Pause.objects.filter(detail="Rate limit reached, slow down").exists()
    assert not Attempt.objects.filter(call=caught.value.call_id).exclude(detail="").exists()


def other_call():
    from llm.models import Call

    return Call.objects.create(started_at="2026-11-01T00:00Z", deadline_s=1)
