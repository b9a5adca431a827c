"""What we ask of Stripe, through its own library, at a stand-in that refuses what Stripe refuses."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from audit.models import Order
from audit.orders import links, payments
from audit.orders import service as orders
from audit.orders.money import refunds, stripe_api
from tests.factories import make_order

pytestmark = pytest.mark.django_db
CARD = Order.Method.STRIPE
CHECKOUT = "/v1/checkout/sessions"


def opened(lang="en", **changed) -> Order:
    order = make_order(method=CARD, lang=lang, **changed)
    payments.open_checkout(order, actor="customer")
    return order


def paths(stripe) -> list[str]:
    return [path for path, _params in stripe.requests]


def test_without_a_key_orders_are_paid_by_invoice(settings):
    assert payments.method() == Order.Method.INVOICE
    settings.STRIPE_SECRET_KEY = "sk_test_1"
    assert payments.method() == CARD


@pytest.mark.parametrize("lang", ["en", "ru", "es"])
def test_the_page_asks_for_the_price_of_the_order_in_its_language(stripe, settings, lang):
    order = opened(lang)
    (session,) = stripe.sessions.values()
    assert (session["amount_total"], session["currency"]) == (4900, "usd")
    assert (session["locale"], session["customer_email"]) == (lang, "anna@example.org")
    assert session["client_reference_id"] == order.code
    assert session["success_url"] == f"{links.status_url(order)}?back=paid"
    assert (order.state, order.checkout_url) == ("awaiting_payment", session["url"])
    assert payments.is_open(order)


def test_an_open_page_is_used_again(stripe):
    order = opened()
    payments.open_checkout(order, actor="customer")
    assert paths(stripe) == [CHECKOUT]


def test_a_double_click_makes_one_page(stripe):
    """Both requests saw no page; the idempotency key makes them one."""
    order = make_order(method=CARD)
    twin = Order.objects.get(pk=order.pk)
    payments.open_checkout(order, actor="customer")
    payments.open_checkout(twin, actor="customer")
    assert len(stripe.sessions) == 1
    assert paths(stripe) == [CHECKOUT, CHECKOUT]
    assert order.checkout_session == twin.checkout_session


def test_a_page_that_closes_soon_is_replaced(stripe):
    order = opened()
    with time_machine.travel(timezone.now() + timedelta(hours=23, minutes=55), tick=False):
        payments.open_checkout(order, actor="customer")
    assert len(stripe.sessions) == 2
    assert (order.checkout_number, order.state) == (2, "awaiting_payment")


@pytest.mark.parametrize("status", [500, 429])
def test_stripe_failing_leaves_the_order_as_it_was(stripe, status, monkeypatch):
    monkeypatch.setattr(stripe_api, "RETRIES", 0)
    stripe.failures.append(status)
    order = make_order(method=CARD)
    with pytest.raises(payments.PaymentError):
        payments.open_checkout(order, actor="customer")
    order.refresh_from_db()
    assert (order.state, order.checkout_url) == ("new", "")
    payments.open_checkout(order, actor="customer")
    assert order.state == "awaiting_payment"


def test_stripe_out_of_reach_is_a_payment_error(stripe, settings, monkeypatch):
    monkeypatch.setattr(stripe_api, "RETRIES", 0)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with pytest.raises(payments.PaymentError, match="APIConnectionError"):
        opened()


def test_a_wrong_key_is_told_without_showing_it(stripe, settings, caplog):
    settings.STRIPE_SECRET_KEY = "sk_test_wrong_key_1234"
    with pytest.raises(payments.PaymentError) as error:
        opened()
    assert "AuthenticationError 401" in str(error.value)
    assert "wrong_key" not in caplog.text + str(error.value)


def test_an_amount_below_stripes_minimum_is_refused_by_stripe(stripe):
    order = make_order(method=CARD)
    Order.objects.filter(pk=order.pk).update(price_cents=49)
    order.refresh_from_db()
    with pytest.raises(payments.PaymentError, match="amount_too_small"):
        payments.open_checkout(order, actor="customer")


@pytest.mark.parametrize("state", ["paid", "cancelled", "expired"])
def test_what_is_not_to_be_paid_gets_no_page(stripe, state):
    with pytest.raises(orders.NotAllowed):
        payments.open_checkout(make_order(state, method=CARD), actor="customer")
    assert paths(stripe) == []


@pytest.mark.django_db(transaction=True)
def test_cancelling_closes_the_page_after_the_commit(stripe):
    order = opened()
    payments.cancel(order, actor="customer")
    assert stripe.sessions[order.checkout_session]["status"] == "expired"
    assert order.state == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_cancelling_works_while_stripe_does_not(stripe, monkeypatch):
    monkeypatch.setattr(stripe_api, "RETRIES", 0)
    order = opened()
    stripe.failures.append(500)
    payments.cancel(order, actor="customer")
    assert order.state == "cancelled"


# -- refunds -----------------------------------------------------------------------------------------
@pytest.fixture
def paid(stripe) -> Order:
    order = opened()
    event = stripe.pay(order.checkout_session)
    payments.take(order, event["data"]["object"])
    return order


def test_a_refund_sends_the_whole_price_back(stripe, paid):
    payments.refund(paid, actor="staff:anna")
    (refund,) = stripe.refunds.values()
    assert (refund["amount"], refund["payment_intent"]) == (4900, paid.payment_intent)
    assert (paid.state, paid.refund_status, paid.refund_id) == ("refunded", "succeeded", refund["id"])


def test_a_refund_that_takes_time_waits_for_its_webhook(stripe, paid):
    stripe.refund_status = "pending"
    payments.refund(paid, actor="staff:anna")
    assert (paid.state, paid.refund_status) == ("paid", "pending")
    with pytest.raises(orders.NotAllowed):
        payments.refund(paid, actor="staff:boris")
    assert len(stripe.refunds) == 1


def test_a_refund_that_could_not_be_asked_for_may_be_repeated(stripe, paid, monkeypatch):
    monkeypatch.setattr(stripe_api, "RETRIES", 0)
    stripe.failures.append(500)
    with pytest.raises(payments.PaymentError):
        payments.refund(paid, actor="staff:anna")
    paid.refresh_from_db()
    assert (paid.state, paid.refund_status) == ("paid", "pending")
    payments.refund(paid, actor="staff:anna")
    assert (paid.state, len(stripe.refunds)) == ("refunded", 1)


def test_after_a_refund_that_failed_at_the_bank_a_new_one_is_made(stripe, paid):
    stripe.refund_status = "pending"
    payments.refund(paid, actor="staff:anna")
    stripe.settle_refund(paid.refund_id, "failed")
    refunds.record(paid.payments.get(), stripe.refunds[paid.refund_id], actor="stripe")
    stripe.refund_status = "succeeded"
    payments.refund(paid, actor="staff:anna")
    assert (paid.state, len(stripe.refunds)) == ("refunded", 2)
