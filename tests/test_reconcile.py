"""Our books beside Stripe's: what no webhook told is found, taken over and said; the rest is left to people."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.utils import timezone

from audit.models import Order, Payment, Refund
from audit.orders import payments
from audit.orders.money import month, reconcile
from tests.factories import make_order

pytestmark = pytest.mark.django_db


def opened():
    order = make_order(method=Order.Method.STRIPE)
    payments.open_checkout(order, actor="customer")
    return order


def paid(stripe):
    order = opened()
    payments.take(order, stripe.pay(order.checkout_session)["data"]["object"])
    return order


def compared():
    now = timezone.now()
    return reconcile.compare(now - timedelta(days=1), now + timedelta(minutes=1))


def found(differences):
    return [(each.what, each.ours, each.theirs, each.mended) for each in differences]


def test_equal_books_differ_in_nothing_and_learn_what_stripe_kept(stripe):
    order = paid(stripe)
    assert compared() == []
    (row,) = order.payments.all()
    assert (row.charge, row.fee, row.net) == (f"ch_{row.intent[3:]}", 172, 4728)


def test_a_payment_that_nobody_told_us_of_is_taken(stripe):
    order = opened()
    stripe.pay(order.checkout_session)
    (difference,) = compared()
    assert found([difference]) == [("payment", "–", "49.00", True)]
    order.refresh_from_db()
    assert (difference.order, order.state) == (order, "paid")
    assert order.payments.get().fee == 172
    assert compared() == []


@pytest.mark.parametrize("named", ["0" * 22, "", None])
def test_payments_of_others_in_the_same_account_are_not_ours(stripe, named):
    stripe.pay(opened().checkout_session)
    (intent,) = stripe.payments.values()
    intent["metadata"] = {} if named is None else {"order": named}
    assert compared() == []
    assert not Payment.objects.filter(state=Payment.State.PAID).exists()


def test_another_amount_is_left_to_people(stripe):
    order = paid(stripe)
    stripe.payments[order.payment_intent]["amount_received"] = 4000
    assert found(compared()) == [("payment", "49.00", "40.00", False)]
    assert order.payments.get().amount == 4900


def test_a_payment_that_stripe_does_not_know_is_told(stripe):
    order = paid(stripe)
    stripe.payments.clear()
    (difference,) = compared()
    assert found([difference]) == [("payment", "49.00", "–", False)]
    assert difference.order == order


def test_a_payment_from_before_the_period_is_asked_for_by_itself(stripe):
    order = paid(stripe)
    stripe.payments[order.payment_intent]["created"] -= 7 * 86_400
    assert compared() == []
    assert order.payments.get().fee == 172


def test_a_stripe_that_cannot_be_asked_is_no_difference(stripe):
    order = paid(stripe)
    stripe.refuses[f"/v1/payment_intents/{order.payment_intent}"] = 401, "api_key_expired"
    stripe.payments[order.payment_intent]["created"] -= 7 * 86_400
    with pytest.raises(payments.PaymentError):
        compared()


def test_a_refund_made_at_stripe_is_taken_over(stripe):
    order = paid(stripe)
    made = stripe.make_refund({"payment_intent": order.payment_intent, "amount": "1000"})
    assert found(compared()) == [("refund", "–", "10.00 succeeded", True)]
    assert Refund.objects.get().refund_id == made["id"]
    stripe.settle_refund(made["id"], "failed")
    assert found(compared()) == [("refund", "10.00 succeeded", "10.00 failed", True)]
    assert compared() == []


def test_a_dispute_that_nobody_told_us_of_is_taken_over(stripe):
    order = paid(stripe)
    stripe.dispute(order.payment_intent)
    assert found(compared()) == [("dispute", "–", "49.00 needs_response", True)]
    assert compared() == []


def test_refunds_and_disputes_of_others_are_not_ours(stripe):
    order = paid(stripe)
    stripe.make_refund({"payment_intent": order.payment_intent, "amount": "1000"})
    stripe.dispute(order.payment_intent)
    for each in [*stripe.refunds.values(), *stripe.disputes.values()]:
        each["payment_intent"] = "pi_of_somebody_else"
    assert compared() == []


def test_each_payment_knows_the_payout_that_it_was_in(stripe):
    order = paid(stripe)
    stripe.payouts["po_1"] = {"id": "po_1", "object": "payout", "of": [order.payment_intent]}
    assert compared() == []
    assert order.payments.get().payout == "po_1"


def test_a_key_that_may_not_see_payouts_still_compares(stripe, caplog):
    paid(stripe)
    stripe.refuses["/v1/payouts"] = 403, "more_permissions_required"
    assert compared() == []
    assert "payouts could not be read" in caplog.text


def test_the_daily_look_counts_and_asks_nobody_where_orders_are_paid_by_invoice(stripe, settings):
    stripe.pay(opened().checkout_session)
    assert reconcile.daily() == 1
    assert reconcile.daily() == 0
    settings.STRIPE_SECRET_KEY, asked = "", len(stripe.requests)
    assert reconcile.daily() == 0
    assert len(stripe.requests) == asked


def test_a_month_has_each_payment_and_refund_of_its_days_and_their_sums(stripe):
    order = paid(stripe)
    stripe.make_refund({"payment_intent": order.payment_intent, "amount": "1000"})
    compared()
    within, before = datetime(2026, 11, 30, 23, 59, tzinfo=UTC), datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
    Payment.objects.update(at=within)
    Refund.objects.update(done_at=within)
    november = month.Month.read("2026-11", now=within)
    payment, refund = csv.DictReader(StringIO(month.as_csv(november)))
    assert (payment["at"], payment["kind"], payment["amount"], payment["fee"], payment["net"]) == (
        "2026-11-30 23:59", "payment", "49.00", "1.72", "47.28",
    )  # fmt: skip
    assert (refund["kind"], refund["amount"], refund["fee"]) == ("refund", "-10.00", "")
    assert month.totals(november) == {"in": "49.00", "back": "10.00", "fees": "1.72", "left": "37.28"}
    Payment.objects.update(at=before)
    Refund.objects.update(done_at=november.end)
    assert list(month.rows(november)) == []
    assert [str(month.Month.read(text, now=within)) for text in ("2026-12", "9999-12", "x", "")] == [
        "2026-12", "2026-11", "2026-11", "2026-11",
    ]  # fmt: skip
