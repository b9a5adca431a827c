"""Hundreds of orders on bad days, and in the end our books and Stripe's are equal."""

import random
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from audit.models import Order, Payment, Refund
from audit.orders import overview, payments
from audit.orders import service as orders
from audit.orders.money import reconcile, refunds, sending, stripe_api, upkeep
from tests.factories import make_order
from tests.stripe_standin import KILLED, LOST, signed

pytestmark = pytest.mark.django_db
FAILURES = [500, 503, 402, 429, 409, 400, LOST, KILLED]


class Died(BaseException):
    """A worker was killed."""


class Days:
    """A seed's worth of customers, staff, networks and Stripe."""

    def __init__(self, seed, stripe, client, clock):
        self.random, self.stripe, self.client, self.clock = random.Random(seed), stripe, client, clock
        self.wanted: set[int] = set()  # orders whose refund staff asked for
        self.told = 0

    def chance(self, share):
        return self.random.random() < share

    def fail_sometimes(self):
        self.stripe.failures.clear()
        self.stripe.failures.extend(
            self.random.choice(FAILURES) if self.chance(0.3) else None
            for _ in range(self.random.randrange(6))
        )

    def attempt(self, do, *args, **kwargs):
        """Something that may meet a failure, a refusal, or a killed worker."""
        self.fail_sometimes()
        original = sending.refunds.record, sending._not_answered
        if self.chance(0.15):  # killed after Stripe did it, before we wrote it down

            def die(*args, **kwargs):
                raise Died

            sending.refunds.record = sending._not_answered = die
        try:
            do(*args, **kwargs)
        except (payments.PaymentError, orders.NotAllowed, Died):
            pass
        finally:
            sending.refunds.record, sending._not_answered = original
            self.stripe.failures.clear()

    def post(self, event):
        body, signature = signed(event)
        answer = self.client.post(
            "/stripe/webhook", body, content_type="application/json", headers={"Stripe-Signature": signature}
        )
        assert answer.status_code == 200

    def hear(self):
        """What Stripe sent since: some is lost, some comes twice, all in any order, and sending back may fail."""
        events = self.stripe.events[self.told :]
        self.told = len(self.stripe.events)
        self.random.shuffle(events)
        for event in events:
            for _ in range(self.random.choice([0, 1, 1, 2])):
                self.attempt(self.post, event)

    def pay(self, session):
        if session["status"] == "open":
            kind = self.random.choice(["plain"] * 6 + ["slow", "wrong", "tax"])
            taxed = {"amount_total": 5500, "total_details": {"amount_tax": 600}}
            changed = {"wrong": {"amount_total": 4000}, "tax": taxed}.get(kind, {})
            self.stripe.pay(session["id"], slow=kind == "slow", **changed)

    def live(self, number):
        """One order from its first click on."""
        self.stripe.refund_status = self.random.choice(["succeeded", "succeeded", "pending", "failed"])
        order = make_order(method=Order.Method.STRIPE, email=f"c{number}@example.org")
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            self.attempt(payments.open_checkout, order, actor="customer")
            if self.chance(0.3):  # the page is gone, so that the next try opens another
                Order.objects.filter(pk=order.pk).update(checkout_expires_at=None)
            order.refresh_from_db()
        sessions = [
            each for each in self.stripe.sessions.values() if each["client_reference_id"] == order.code
        ]
        known = set(order.payments.values_list("session", flat=True))
        for session in sessions:
            if session["id"] in known and self.chance(0.7):
                self.pay(session)
        if self.chance(0.1):
            self.attempt(payments.cancel, order, actor="customer")
        self.hear()
        for session in sessions:
            if session["status"] == "complete" and session["payment_status"] == "unpaid":
                self.stripe.settle(session["id"], ok=self.chance(0.5))
        for intent in [each["payment_intent"] for each in sessions if each["payment_status"] == "paid"]:
            if self.chance(0.1) and self.stripe.payments[intent]["left"] > 1000:
                self.stripe.make_refund({"payment_intent": intent, "amount": "1000"})
        order.refresh_from_db()
        if self.chance(0.3) and refunds.kept(order):
            self.wanted.add(order.pk)
            self.attempt(payments.refund, order, actor="staff:anna")
        for refund in list(self.stripe.refunds.values()):
            if refund["status"] == "pending" and self.chance(0.5):
                self.stripe.settle_refund(
                    refund["id"], self.random.choice(["succeeded", "succeeded", "failed"])
                )
        self.hear()

    def calm(self):
        """Stripe works again; its pages close, slow money has come or not; housekeeping runs; staff do their queue."""
        for refund in self.stripe.refunds.values():
            if refund["status"] == "pending":
                self.stripe.settle_refund(refund["id"], "succeeded")
        self.stripe.refund_status = "succeeded"
        for session in self.stripe.sessions.values():
            if session["status"] == "open":
                session.update(status="expired", url=None)
        for _ in range(8):
            self.clock.shift(timedelta(hours=7))
            upkeep.tend(limit=10_000)
        reconcile.compare(timezone.now() - timedelta(days=90), timezone.now())
        for order in overview.overdue():
            while (surplus := refunds.unwanted(order)) is not None:
                sending.send(refunds.claim(order, actor="staff:anna", payment=surplus), actor="staff:anna")
        for order in Order.objects.filter(pk__in=self.wanted):
            if refunds.waiting(order) or refunds.kept(order):
                payments.refund(order, actor="staff:anna")
        self.clock.shift(timedelta(days=15))
        upkeep.tend(limit=10_000)
        assert reconcile.compare(timezone.now() - timedelta(days=90), timezone.now()) == []


def check_books(days):
    stripe = days.stripe
    theirs = {
        name: payment["amount"]
        for name, payment in stripe.payments.items()
        if payment["status"] == "succeeded"
    }
    ours = {row.intent: row for row in Payment.objects.filter(state=Payment.State.PAID)}
    assert {name: row.amount for name, row in ours.items()} == theirs
    assert {row.refund_id: (row.amount, row.state) for row in Refund.objects.exclude(refund_id="")} == {
        name: (refund["amount"], refund["status"]) for name, refund in stripe.refunds.items()
    }
    assert not Refund.objects.filter(state__in=refunds.MOVING).exists()
    assert not Payment.objects.filter(state__in=("open", "on_its_way")).exists()
    for order in Order.objects.all():
        paid = [row for row in ours.values() if row.order_id == order.pk]
        kept = [row for row in paid if row.use == "kept"]
        assert order.state not in ("new", "awaiting_payment"), "in limbo"
        assert len(kept) <= 1
        assert all(row.left == 0 for row in paid if row.use != "kept"), "charged and not sent back"
        if order.pk in days.wanted:
            assert order.state == "refunded"
            assert sum(row.left for row in paid) == 0
        if order.state in ("cancelled", "expired"):
            assert sum(row.left for row in paid) == 0, "paid, and believed lost"
        if order.state == "paid":
            assert [row.left > 0 for row in kept] == [True]
    numbers = list(Payment.objects.exclude(invoice_number=None).values_list("invoice_number", flat=True))
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    notes = list(Refund.objects.exclude(credit_note=None).values_list("credit_note", flat=True))
    assert sorted(notes) == list(range(1, len(notes) + 1))


@pytest.mark.parametrize(
    ("seed", "count"), [(1, 25), *(pytest.param(seed, 500, marks=pytest.mark.exhaustive) for seed in (2, 3))]
)
def test_after_bad_days_our_books_are_stripes(stripe, client, monkeypatch, seed, count):
    monkeypatch.setattr(stripe_api, "RETRIES", 0)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        days = Days(seed, stripe, client, clock)
        for number in range(count):
            days.live(number)
            if days.chance(0.1):
                days.clock.shift(timedelta(minutes=40))
                days.attempt(upkeep.tend)
        days.calm()
        check_books(days)
        assert stripe.refunds
        assert len(stripe.payments) > count / 3
