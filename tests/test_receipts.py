"""Receipts: what they say, that every change is noticed, and that they say nothing else."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import time_machine
from hypothesis import given
from hypothesis import strategies as st

from llm.ledger import receipts
from tests.fake_chain import a_reply

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ATTEMPTS = [
    {
        "provider": "vertex", "credential": "vertex", "model": "gemini", "location": "eu",
        "outcome": "rate_limited_key", "status": 429, "retry_after_s": 3.0, "latency_ms": 80,
        "detail": "organization org_secret",
    },
    {
        "provider": "groq", "credential": "groq1", "model": "llama", "location": None, "outcome": "ok", "status": 200,
        "retry_after_s": None, "latency_ms": 900, "detail": "",
    },
]  # fmt: skip


def a_receipt(**changed) -> str:
    reply = a_reply("The text.", attempts=ATTEMPTS, **changed)
    return receipts.of_reply(reply, gates=["length", "links"], prompt_version="2")


def test_it_says_who_wrote_what_after_which_attempts_and_at_what_cost():
    with time_machine.travel(NOON, tick=False):
        told = receipts.verify(a_receipt())
    assert told == receipts.Receipt(
        issued_at=NOON, provider="groq1", model="llama", cost_usd=Decimal("0.000123"), cached=False, template=False,
        attempts=(
            receipts.Tried("vertex:eu", "gemini", "rate_limited_key"), receipts.Tried("groq1", "llama", "ok"),
        ),
        attempt_count=2, gates=("length", "links"), prompt_version="2", fingerprint=receipts.fingerprint("The text."),
    )  # fmt: skip


def test_one_changed_character_fails_to_verify():
    issued = a_receipt()
    for place, char in enumerate(issued):
        for other in {"0", "1", "A", "b", "-", "_", ":", "."} - {char}:
            assert receipts.verify(issued[:place] + other + issued[place + 1 :]) is None, place
    assert receipts.verify(issued[:-1]) is None
    assert receipts.verify(issued + "A") is None
    assert receipts.verify(f" {issued}\n") is not None


@given(st.text(max_size=300))
def test_whatever_is_pasted_is_no_receipt_and_no_error(text):
    assert receipts.verify(text) is None


def test_what_another_part_of_the_site_signed_is_no_receipt():
    from django.core import signing

    assert receipts.verify(signing.dumps({"v": 1}, salt="llm.receipt")) is None
    assert receipts.verify(signing.dumps([1], salt="llm.receipt")) is None
    assert receipts.verify(signing.dumps({"v": 1}, salt="elsewhere")) is None
    assert receipts.verify("x" * 1_000_000) is None


def test_a_rotated_key_still_verifies_and_a_dropped_one_does_not(settings):
    issued = a_receipt()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, a long one, for the test of rotation"
    assert receipts.verify(issued) is not None
    settings.SECRET_KEY_FALLBACKS = []
    assert receipts.verify(issued) is None


def test_it_holds_no_text_no_detail_and_no_organisation():
    from django.core import signing

    record = json.dumps(signing.loads(a_receipt(), salt=receipts.SALT))
    for word in ("text.", "org_secret", "429", "detail"):
        assert word not in record


def test_it_belongs_to_its_text_alone():
    told = receipts.verify(a_receipt())
    assert told.belongs_to("The text.")
    assert not told.belongs_to("The text")


def test_an_unknown_cost_stays_unknown_and_a_cached_reply_says_so():
    told = receipts.verify(a_receipt(cost_usd=None, cached=True))
    assert (told.cost_usd, told.cached) == (None, True)


def test_a_long_chain_keeps_the_last_attempts_and_the_count_of_all():
    told = receipts.verify(receipts.issue(text="", cost_usd=Decimal(0), attempts=ATTEMPTS * 100))
    assert (len(told.attempts), told.attempt_count) == (receipts.MOST_ATTEMPTS, 200)
    assert told.attempts[-1].outcome == "ok"


def test_it_is_short_enough_for_a_link():
    assert len(receipts.issue(text="x", cost_usd=Decimal(0), attempts=ATTEMPTS * 100)) < 1500
    assert len(a_receipt()) < 500
