"""Webhooks: forged ones are refused, and however the true ones arrive there is one payment and one e-mail."""

import copy
import itertools
import json
import threading
import time

import pytest
from django.db import connection
from django.test import Client

from audit.models import Order, StripeEvent
from audit.orders import overview, payments, webhook
from audit.orders import service as orders
from audit.orders.webhook import SEEN
from tests.factories import make_order
from tests.stripe_standin import SECRET, signed

pytestmark = pytest.mark.django_db


@pytest.fixture
def deliver(client):
    """deliver(event) posts a signed webhook; returns the response."""

    def post(event: dict):
        body, signature = signed(event)
        return client.post(
            "/stripe/webhook", body, content_type="application/json", headers={"Stripe-Signature": signature}
        )

    return post


def outcome(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def order(stripe) -> Order:
    order = make_order(method=Order.Method.STRIPE)
    payments.open_checkout(order, actor="customer")
    return order


def state(order) -> str:
    order.refresh_from_db()
    return order.state


def letters(order, kind) -> int:
    return order.mails.filter(kind=kind).count()


# -- forged ------------------------------------------------------------------------------------------
def forgeries(event):
    body, good = signed(event)
    stamp, mac = good.split(",")[:2]
    yield body, ""
    yield body, "nonsense"
    yield body, "t=,v1="
    yield body, f"t=abc,{mac}"
    yield body, f"{stamp},v1={'0' * 64}"
    yield body, f"{stamp},{mac.replace('v1', 'v0')}"
    yield body, f"t={int(time.time()) + 1},{mac}"
    yield body.replace(b"4900", b"1"), good
    yield body + b" ", good
    yield signed(event, secret="whsec_other")
    yield signed(event, at=int(time.time()) - 301)  # recorded and sent again later
    yield b"\xff\xfe" + body, good
    yield b"", good
    yield signed("no object")
    yield signed({"id": 1, "type": None})


def test_forged_webhooks_are_refused_and_leave_nothing(stripe, order, client):
    event = stripe.pay(order.checkout_session)
    for body, signature in forgeries(event):
        answer = client.post(
            "/stripe/webhook", body, content_type="application/json", headers={"Stripe-Signature": signature}
        )
        assert answer.status_code == 400
    assert state(order) == "awaiting_payment"
    assert not StripeEvent.objects.exists()


def test_without_a_secret_everything_is_forged(stripe, order, client, settings):
    event = stripe.pay(order.checkout_session)
    settings.STRIPE_WEBHOOK_SECRET = ""
    for secret in ("", SECRET):
        body, signature = signed(event, secret=secret)
        answer = client.post(
            "/stripe/webhook", body, content_type="application/json", headers={"Stripe-Signature": signature}
        )
        assert answer.status_code == 400


def test_only_posts_are_taken(client):
    assert client.get("/stripe/webhook").status_code == 405


def test_the_return_page_marks_nothing_as_paid(stripe, order, client):
    stripe.pay(order.checkout_session)
    page = client.get(
        stripe.sessions[order.checkout_session]["success_url"].removeprefix("http://testserver")
    )
    assert "has not confirmed" in page.content.decode()
    assert state(order) == "awaiting_payment"


# -- payments ----------------------------------------------------------------------------------------
def test_a_payment_is_taken_once_however_often_it_is_told(stripe, order, deliver):
    event = stripe.pay(order.checkout_session)
    assert outcome(deliver(event)) == "paid"
    assert [outcome(deliver(event)) for _ in range(3)] == [SEEN] * 3
    assert outcome(deliver(event | {"id": "evt_other"})) == "paid already"
    assert state(order) == "paid"
    assert order.payment_intent == event["data"]["object"]["payment_intent"]
    assert letters(order, "paid") == 1
    assert order.events.filter(new="paid", actor="stripe").count() == 1


def test_a_slow_payment_counts_when_it_has_succeeded(stripe, order, deliver):
    done = stripe.pay(order.checkout_session)
    begun = copy.deepcopy(done)
    begun["data"]["object"]["payment_status"] = "unpaid"
    assert outcome(deliver(begun)) == "not paid yet"
    assert state(order) == "awaiting_payment"
    done |= {"id": "evt_2", "type": "checkout.session.async_payment_succeeded"}
    assert outcome(deliver(done)) == "paid"


def test_a_slow_payment_that_failed_leaves_the_order_open(stripe, order, deliver):
    event = stripe.pay(order.checkout_session) | {"type": "checkout.session.async_payment_failed"}
    assert outcome(deliver(event)) == "noted"
    assert state(order) == "awaiting_payment"


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_total": 4899},
        {"amount_total": 1},
        {"amount_total": None},
        {"amount_total": "4900"},
        {"amount_total": 490000},
        {"currency": "eur"},
        {"currency": "USD"},
        {"currency": None},
    ],
)
def test_a_wrong_amount_or_currency_never_counts_as_paid(stripe, order, deliver, wrong):
    event = stripe.pay(order.checkout_session)
    event["data"]["object"] |= wrong
    assert outcome(deliver(event)) == "wrong amount"
    assert state(order) == "awaiting_payment"
    assert order.payment_intent == ""
    assert list(overview.overdue()) == [order]
    assert letters(order, "paid") == 0


def test_a_payment_after_expiry_brings_the_order_back(stripe, order, deliver):
    event = stripe.pay(order.checkout_session)
    orders.expire(order)
    assert outcome(deliver(event)) == "paid"
    assert state(order) == "paid"


def test_a_payment_after_cancelling_is_sent_back_once(stripe, order, deliver):
    event = stripe.pay(order.checkout_session)
    orders.cancel(order, actor="customer")
    assert outcome(deliver(event)) == "paid after cancelling, sent back"
    assert outcome(deliver(event)) == SEEN
    (refund,) = stripe.refunds.values()
    assert refund["amount"] == 4900
    assert state(order) == "refunded"
    assert letters(order, "refunded") == 1
    assert letters(order, "paid") == 0


def test_a_second_payment_of_the_same_order_is_sent_back(stripe, order, deliver):
    first = stripe.pay(order.checkout_session)
    Order.objects.filter(pk=order.pk).update(checkout_expires_at=None)
    order.refresh_from_db()
    payments.open_checkout(order, actor="customer")
    second = stripe.pay(order.checkout_session)
    assert [outcome(deliver(first)), outcome(deliver(second))] == ["paid", "paid twice, sent back"]
    for event in stripe.events:
        deliver(event)
    (refund,) = stripe.refunds.values()
    assert refund["payment_intent"] == second["data"]["object"]["payment_intent"]
    assert state(order) == "paid"
    assert letters(order, "paid") == 1


def test_an_expired_page_is_forgotten_and_another_can_be_opened(stripe, order, deliver):
    session = stripe.sessions[order.checkout_session]
    session.update(status="expired")
    assert outcome(deliver(stripe.emit("checkout.session.expired", session))) == "noted"
    order.refresh_from_db()
    assert not payments.is_open(order)
    payments.open_checkout(order, actor="customer")
    assert order.checkout_number == 2
    outcome(deliver(stripe.emit("checkout.session.expired", session)))  # of the old page, late
    order.refresh_from_db()
    assert payments.is_open(order)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"type": "customer.created"}, "not for us"),
        ({"data": {"object": {"metadata": {"order": "unknown"}}}}, "no such order"),
        ({"data": {"object": {"metadata": None}}}, "no such order"),
        ({"data": {"object": {}}}, "no such order"),
        ({"data": {}}, "no such order"),
    ],
)
def test_events_of_others_are_taken_and_change_nothing(stripe, order, deliver, change, told):
    event = stripe.pay(order.checkout_session) | change
    assert outcome(deliver(event)) == told
    assert state(order) == "awaiting_payment"


# -- refunds -----------------------------------------------------------------------------------------
@pytest.fixture
def paid(stripe, order, deliver) -> Order:
    deliver(stripe.pay(order.checkout_session))
    order.refresh_from_db()
    return order


def test_a_refund_follows_its_webhook(stripe, paid, deliver):
    stripe.refund_status = "pending"
    payments.refund(paid, actor="staff:anna")
    assert state(paid) == "paid"
    event = stripe.settle_refund(paid.refund_id, "succeeded")
    assert outcome(deliver(event)) == "refund succeeded"
    assert outcome(deliver(event)) == SEEN
    assert state(paid) == "refunded"
    assert letters(paid, "refunded") == 1


def test_a_refund_made_by_hand_at_stripe_counts_too(stripe, paid, deliver):
    stripe.make_refund({"payment_intent": paid.payment_intent})
    assert outcome(deliver(stripe.events[-1])) == "refund succeeded"
    assert state(paid) == "refunded"


def test_a_part_sent_back_by_hand_is_noted_only(stripe, paid, deliver):
    stripe.make_refund({"payment_intent": paid.payment_intent, "amount": "1000"})
    assert outcome(deliver(stripe.events[-1])) == "a part"
    assert state(paid) == "paid"


def test_a_refund_of_another_payment_is_not_ours(stripe, paid, deliver):
    event = stripe.emit(
        "refund.created", {"metadata": {"order": paid.public_id}, "payment_intent": "pi_other"}
    )
    assert outcome(deliver(event)) == "of another payment"


# -- any order, any number ---------------------------------------------------------------------------
@pytest.mark.parametrize("shuffled", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("by_hand", [True, False])
def test_a_paid_and_refunded_order_ends_the_same_in_any_order(stripe, order, shuffled, by_hand):
    """Each event comes twice. A refund made by hand at Stripe names no order, only its payment."""
    stripe.refund_status = "pending"
    intent = stripe.pay(order.checkout_session)["data"]["object"]["payment_intent"]
    ours = {} if by_hand else {"metadata[order]": order.public_id}
    refund = stripe.make_refund({"payment_intent": intent, **ours})
    stripe.settle_refund(refund["id"], "succeeded")
    assert [event["type"] for event in stripe.events] == [
        "checkout.session.completed", "refund.created", "refund.updated",
    ]  # fmt: skip
    for index in shuffled:
        webhook.handle(stripe.events[index])
        assert webhook.handle(stripe.events[index]) == SEEN
    assert (state(order), order.refund_status) == ("refunded", "succeeded")
    assert (letters(order, "paid"), letters(order, "refunded")) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_same_event_at_the_same_moment_is_one_payment(stripe, settings):
    order = make_order(method=Order.Method.STRIPE)
    payments.open_checkout(order, actor="customer")
    event = stripe.pay(order.checkout_session)
    body, signature = signed(event)
    answers = []
    barrier = threading.Barrier(6)

    def post():
        barrier.wait()
        answer = Client().post(
            "/stripe/webhook", body, content_type="application/json", headers={"Stripe-Signature": signature}
        )
        answers.append(answer.content.decode())
        connection.close()

    threads = [threading.Thread(target=post) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["paid", *[SEEN] * 5]
    assert letters(order, "paid") == 1


def test_a_recorded_event_of_stripes_shape_is_replayed(order, settings, stripe, client):
    """The body as Stripe documents it, with far more fields than we read."""
    intent = "pi_3Pabc"
    body = json.dumps(
        {
            "id": "evt_1NG8Du2eZvKYlo2CUI79vXWy",
            "object": "event",
            "api_version": "2019-02-19",
            "created": 1686089970,
            "data": {
                "object": {
                    "id": order.checkout_session,
                    "object": "checkout.session",
                    "after_expiration": None,
                    "amount_subtotal": 4900,
                    "amount_total": 4900,
                    "automatic_tax": {"enabled": False, "liability": None, "status": None},
                    "currency": "usd",
                    "custom_fields": [],
                    "customer_details": {"email": "anna@example.org", "tax_ids": None},
                    "livemode": False,
                    "metadata": {"order": order.public_id},
                    "mode": "payment",
                    "payment_intent": intent,
                    "payment_status": "paid",
                    "status": "complete",
                    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
                }
            },
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": None, "idempotency_key": None},
            "type": "checkout.session.completed",
        }
    ).encode()
    import stripe as library

    header = library.WebhookSignature.generate_signature_header(body.decode(), SECRET)
    answer = client.post(
        "/stripe/webhook", body, content_type="application/json", headers={"Stripe-Signature": header}
    )
    assert outcome(answer) == "paid"
    assert state(order) == "paid"
