"""Every flow of the site, driven with words that must not be in any log, at the level of production."""

import json
import logging
from io import StringIO

import pytest
from django.core import mail
from django.test import Client as Browser
from django.urls import reverse

from audit.models import Mail, Order, Scan
from audit.orders import forgetting, links, outbox, payments
from audit.orders import service as orders
from audit.scans import tokens
from guardlabs.operations import chores, logs
from llm.simulator import behaviours as b
from tests.chain_setup import make_deepseek, make_groq
from tests.factories import answers, load_bank
from tests.fake_chain import finish_reports
from tests.gateway_client import Gateway, make_client
from tests.stripe_standin import signed

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL, WORDS = "anna.private@mail.example.org", "zebra question about my hidden vault"
PHRASE = "abandon ability able about above absent absorb abstract absurd abuse access accident"
ADDRESS, AGENT = "198.51.100.77", "agentword-0123"
PROMPT, ANSWER = "promptword-0123", "answerword-0123"


@pytest.fixture
def log():
    """All that is logged from INFO up: (as it is written, as it was before anything was taken out)."""
    written, raw = StringIO(), StringIO()
    handlers = [logging.StreamHandler(written), logging.StreamHandler(raw)]
    handlers[0].setFormatter(logs.formatter("json"))
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)
    for handler in handlers:
        root.addHandler(handler)
    yield lambda: (written.getvalue(), raw.getvalue())
    for handler in handlers:
        root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def browser():
    return Browser(REMOTE_ADDR=ADDRESS, HTTP_USER_AGENT=AGENT, raise_request_exception=False)


@pytest.fixture
def chain(sim):
    load_bank()
    make_groq(sim, keys=2)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.http(401, {"error": {"message": f"Invalid API Key {PROMPT} key-of-groq1"}}))
    return sim


def scan(browser):
    """By form and by API, well and badly; read, shared, deleted. Yields what must stay secret."""
    chosen = answers("worst")
    token = browser.post("/en/scan/", chosen)["Location"].strip("/").split("/")[-1]
    browser.post(f"/en/r/{token}/report")
    finish_reports()
    for path in ("", "print", "export.md", "export.json", "fixes", "events", "nothing"):
        browser.get(f"/en/r/{token}/{path}")
    browser.get(f"/en/r/{token[:-1]}/")
    browser.post(f"/en/r/{token}/share")
    made = browser.post(
        "/api/v1/scans", json.dumps({"lang": "en", "answers": chosen, "ai": True}), "application/json"
    )
    browser.post("/api/v1/scans", json.dumps({"answers": {**chosen, WORDS: WORDS}}), "application/json")
    browser.post("/api/v1/scans", f"{{{WORDS}", "application/json")
    browser.get(f"/api/v1/scans/{made.json()['id']}")
    assert Scan.objects.count() == 2
    browser.post(f"/en/r/{token}/delete")
    yield from (token, made.json()["id"])


def order(browser, stripe, monkeypatch):
    """By form, with and without a secret in it; paid, forged, failed mails, delivered, exported, forgotten."""
    fields = {"email": EMAIL, "time_zone": "Europe/Madrid", "message": WORDS, "scan_link": ""}
    browser.post("/en/order/", {**fields, "message": PHRASE})
    browser.post("/en/order/", {**fields, "email": f"{EMAIL} and more"})
    browser.post("/en/order/", fields)
    made = Order.objects.get()
    token = links.status_token(made)
    browser.get(f"/en/order/{token}/")
    browser.post(f"/en/order/{token}/pay")
    made.refresh_from_db()
    if not made.checkout_session:
        payments.open_checkout(made, actor=orders.CUSTOMER)
    event = stripe.pay(made.checkout_session, customer_details={"email": EMAIL, "name": WORDS})
    body, signature = signed(event)
    for headers in ({"Stripe-Signature": "t=1,v1=0"}, {"Stripe-Signature": signature}):
        browser.post("/stripe/webhook", body, "application/json", headers=headers)
    made.refresh_from_db()
    assert made.state == "paid"

    def refused(self):
        raise mail.BadHeaderError(f"550 no such user <{EMAIL}>")

    with monkeypatch.context() as broken:
        broken.setattr(mail.EmailMultiAlternatives, "send", refused)
        outbox.send_due()
    Mail.objects.update(next_try_at=made.created_at)
    assert outbox.send_due() > 0
    orders.start(made, actor="staff:x")
    orders.save_draft(made, text=WORDS, actor="staff:x")
    orders.deliver(made, actor="staff:x")
    delivery = links.delivery_token(made)
    browser.get(f"/en/order/{delivery}/report")
    orders.close(made, actor="staff:x")
    forgetting.forget_words(made, actor="staff:x")
    yield from (token, delivery, made.public_id)


def gateway(browser, sim):
    """Plain, streamed, malformed, refused, failing."""
    _, key = make_client()
    asked = Gateway(key, browser)
    sim.script("key-of-groq2", b.ok(ANSWER))
    messages = [{"role": "user", "content": PROMPT}]
    assert ANSWER in asked.ask(messages).content.decode()
    asked.stream(messages)
    asked.post(f'{{"{PROMPT}":'.encode())
    asked.ask(messages, model=PROMPT)
    asked.ask(messages, response_format={"type": "json_object"})
    for name in ("groq2", "deepseek"):
        sim.script(f"key-of-{name}", b.http(500, f"{PROMPT} {ANSWER}"))
    asked.ask(messages)
    Gateway(key[:-2] + "xx", browser).ask(messages)
    yield key
    yield from (f"key-of-{name}" for name in ("groq1", "groq2", "deepseek"))


def admin(browser):
    """A wrong password, and a search for somebody's address."""
    browser.post("/admin/login/", {"username": EMAIL, "password": WORDS})
    browser.get(reverse("admin:audit_order_changelist"), {"q": EMAIL})
    yield "key-of-groq1"


def test_no_flow_leaves_anything_of_anybody_in_the_log(log, browser, chain, stripe, monkeypatch):
    secrets = {
        *scan(browser), *order(browser, stripe, monkeypatch), *gateway(browser, chain), *admin(browser),
    }  # fmt: skip
    chores.run_due()
    written, raw = log()
    assert len(written.splitlines()) > 10, written
    assert "request_id" in written
    for secret in secrets:
        assert secret not in written, secret
    for word in (EMAIL, EMAIL.replace("@", "%40"), WORDS, PHRASE, ADDRESS, AGENT, PROMPT, ANSWER):
        assert word not in written, word
    # What no pattern could find must not have been logged to begin with.
    for word in (WORDS, PHRASE, ADDRESS, AGENT, PROMPT, ANSWER, '"seed_storage"'):
        assert word not in raw, word


def test_the_test_would_see_a_leak(log):
    logging.getLogger("x").warning("answers of %s: %s", EMAIL, WORDS)
    token = tokens.sign(tokens.new_id())
    logging.getLogger("x").info("at %s", token)
    written, raw = log()
    assert WORDS in written
    assert EMAIL not in written
    assert token not in written
    assert EMAIL in raw
