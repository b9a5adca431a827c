"""Compares our books with Stripe's for a period, takes over what we missed, and learns fees and payouts.

Webhooks may all be lost, also those of refunds and disputes that somebody made at Stripe. So the last days are compared
once a day, and a month when finance closes it.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.models import Order, Payment, Refund
from audit.orders import payments
from audit.orders import service as orders
from audit.orders.money import disputes, refunds, sending, stripe_api

log = logging.getLogger(__name__)
DAILY = timedelta(days=7)  # Stripe itself repeats a webhook for three
NOT_PAID_YET = (
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "processing",
    "canceled",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where our books and Stripe's differ. `mended`: we took over what Stripe says."""

    subject: str
    what: str
    ours: str
    theirs: str
    order: Order | None
    mended: bool


def daily() -> int:
    """The comparison of the last days, for housekeeping; returns how many differences there were."""
    if payments.method() != Order.Method.STRIPE:
        return 0
    now = timezone.now()
    return len(compare(now - DAILY, now + timedelta(minutes=1)))


def compare(start: datetime, end: datetime) -> list[Difference]:
    """All payments, refunds and disputes that Stripe made from `start` until before `end`. Raises PaymentError."""
    created = {"gte": int(start.timestamp()), "lt": int(end.timestamp())}
    intents = _listed(
        lambda v1: v1.payment_intents,
        {"created": created, "expand": ["data.latest_charge.balance_transaction"]},
    )
    found = [each for intent in intents if (each := _payment(intent))]
    theirs = {str(intent["id"]) for intent in intents if intent.get("status") == "succeeded"}
    ours = Payment.objects.filter(state=Payment.State.PAID, at__gte=start, at__lt=end).exclude(intent="")
    for row in ours.exclude(intent__in=theirs).select_related("order"):
        if (each := _alone(row)) is not None:
            found.append(each)
    for made in _listed(lambda v1: v1.refunds, {"created": created}):
        if (each := _refund(made)) is not None:
            found.append(each)
    for made in _listed(lambda v1: v1.disputes, {"created": created}):
        if (each := _dispute(made)) is not None:
            found.append(each)
    _payouts(created)
    return found


def _payouts(arrived: dict[str, int]) -> None:
    """Which payments each payout to the seller's bank was made of. A restricted key may not be let to see that."""
    try:
        for payout in _listed(lambda v1: v1.payouts, {"arrival_date": arrived}):
            of_payout = {"payout": str(payout["id"]), "type": "charge"}
            for booked in _listed(lambda v1: v1.balance_transactions, of_payout):
                Payment.objects.filter(charge=booked["source"]).exclude(charge="").update(payout=payout["id"])
    except payments.PaymentError as error:
        log.warning("Stripe's payouts could not be read: %s", error)


def _listed(service: Callable[[Any], Any], params: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything that a listing holds, oldest first."""

    def request(v1: Any) -> list[dict[str, Any]]:
        pages: Iterator[Any] = service(v1).list(params | {"limit": 100}).auto_paging_iter()
        return [each.to_dict() for each in pages]

    return list(reversed(stripe_api.ask(request)))


def _row(intent: str) -> Payment | None:
    return Payment.objects.filter(intent=intent).select_related("order").first() if intent else None


def _payment(intent: dict[str, Any]) -> Difference | None:
    name, received = str(intent["id"]), int(intent.get("amount_received") or 0)
    row = _row(name)
    if row is None or row.state != Payment.State.PAID:
        named = (intent.get("metadata") or {}).get("order")
        order = Order.objects.filter(public_id=named).first() if isinstance(named, str) else None
        if order is None or intent.get("status") in NOT_PAID_YET:
            return None  # not ours, or nothing was paid
        _take(order, name)
        row = _row(name)
        if row is not None:
            _learn(row, intent)
        return Difference(name, "payment", "–", _money(received), order, row is not None)
    _learn(row, intent)
    if row.amount != received:
        return Difference(name, "payment", _money(row.amount), _money(received), row.order, False)
    return None


def _take(order: Order, intent: str) -> None:
    """A payment that we have not heard of: its session says the rest."""
    for session in _listed(lambda v1: v1.checkout.sessions, {"payment_intent": intent}):
        with transaction.atomic():
            locked = Order.objects.select_for_update().get(pk=order.pk)
            payments.take(locked, session)
        sending.send_claimed(locked)


def _learn(row: Payment, intent: dict[str, Any]) -> None:
    """What Stripe kept of a payment."""
    charge = intent.get("latest_charge")
    if not isinstance(charge, dict):
        return
    booked = charge.get("balance_transaction")
    booked = booked if isinstance(booked, dict) else {}
    Payment.objects.filter(pk=row.pk).update(
        charge=str(charge.get("id") or "")[:120], fee=booked.get("fee"), net=booked.get("net")
    )


def _alone(row: Payment) -> Difference | None:
    """A payment of ours that the listing did not hold: made just outside of the period, or unknown to Stripe."""
    try:
        options = {"expand": ["latest_charge.balance_transaction"]}
        intent = stripe_api.ask(lambda v1: v1.payment_intents.retrieve(row.intent, options).to_dict())
    except payments.PaymentError as error:
        if error.code != "resource_missing":
            raise
        return Difference(row.intent, "payment", _money(row.amount), "–", row.order, False)
    return _payment(dict(intent))


def _refund(made: dict[str, Any]) -> Difference | None:
    payment = _row(str(made.get("payment_intent") or ""))
    if payment is None:
        return None
    before = Refund.objects.filter(refund_id=made["id"]).first()
    ours = f"{_money(before.amount)} {before.state}" if before else "–"
    if not refunds.record(payment, made, actor=orders.STRIPE):
        return None
    theirs = f"{_money(int(made.get('amount') or 0))} {made.get('status')}"
    return Difference(str(made["id"]), "refund", ours, theirs, payment.order, True)


def _dispute(made: dict[str, Any]) -> Difference | None:
    payment = _row(str(made.get("payment_intent") or ""))
    if payment is None:
        return None
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=payment.order_id)
        if not disputes.record(payment, made, warning=False):
            return None
    theirs = f"{_money(int(made.get('amount') or 0))} {made.get('status')}"
    return Difference(str(made["id"]), "dispute", "–", theirs, payment.order, True)


def _money(cents: int) -> str:
    return f"{cents / 100:.2f}"
