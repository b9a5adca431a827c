"""Asks Stripe for refunds that were claimed, and looks up those whose answer was lost."""

import logging
from typing import Any

from django.db.models import F
from django.utils import timezone

from audit.models import Order, Payment, Refund
from audit.orders import service as orders
from audit.orders.money import refunds, stripe_api
from audit.orders.money.stripe_api import Kind, PaymentError

log = logging.getLogger(__name__)


def send_claimed(order: Order) -> None:
    """Sends what was claimed by `take`. A failure is left to staff and housekeeping, who see the row."""
    claimed = refunds.waiting(order)
    if claimed is not None:
        try:
            send(claimed, actor=orders.STRIPE)
        except PaymentError as error:
            log.warning("order %s: a payment was not sent back yet: %s", order.code, error)
        order.refresh_from_db()


def send(claimed: Refund, *, actor: str) -> None:
    """Asks Stripe for a claimed refund, after it was looked up unless this is the first time. Raises PaymentError."""
    payment, order = claimed.payment, claimed.payment.order
    first = claimed.answer == "" and claimed.at > timezone.now() - refunds.FIRST_LOOK
    if not first:
        look_up(payment)
        claimed.refresh_from_db()
        if claimed.state != Refund.State.ASKED:
            return
        if not payment.left:  # sent back by hand meanwhile
            refunds.not_sent(claimed, actor=actor, reason="nothing is left")
            return
    params: dict[str, Any] = {
        "payment_intent": payment.intent,
        "reason": "requested_by_customer",
        "metadata": {"order": order.public_id, "refund": str(claimed.pk)},
    }
    if claimed.amount < payment.amount:
        params["amount"] = claimed.amount
    options = {
        "idempotency_key": stripe_api.key(f"refund-{payment.intent}-{claimed.pk}-{claimed.attempt}", params)
    }

    def request(v1: Any) -> dict[str, Any]:
        return _facts(v1.refunds.create(params, options))

    try:
        made = stripe_api.ask(request, order=order)
    except PaymentError as error:
        _not_answered(claimed, error, actor=actor)
        raise
    refunds.record(payment, made, actor=actor)


def _not_answered(claimed: Refund, error: PaymentError, *, actor: str) -> None:
    if error.kind == Kind.REFUSED:
        refunds.not_sent(claimed, actor=actor, reason=str(error))
        try:  # perhaps because it was sent back by hand
            look_up(claimed.payment)
        except PaymentError:
            log.info("the refunds of %s could not be listed", claimed.payment)
        return
    used_up = 1 if error.kind == Kind.STORED else 0
    Refund.objects.filter(pk=claimed.pk, state=Refund.State.ASKED).update(
        answer=str(error)[:200],
        attempt=F("attempt") + used_up,
        next_look_at=timezone.now() + refunds.FIRST_LOOK,
    )
    orders.note(claimed.payment.order, actor=actor, what="refund not answered", detail=str(error))


def look_up(payment: Payment) -> None:
    """Lists the payment's refunds at Stripe, and takes over what is new. Raises PaymentError."""

    def request(v1: Any) -> list[dict[str, Any]]:
        found = v1.refunds.list({"payment_intent": payment.intent, "limit": 100})
        return [_facts(each) for each in found.data]

    for facts in reversed(stripe_api.ask(request, order=payment.order)):  # oldest first
        refunds.record(payment, facts, actor=orders.STRIPE)


def _facts(made: Any) -> dict[str, Any]:
    """A refund of the SDK as a webhook would say it."""
    read = made.to_dict() if hasattr(made, "to_dict") else dict(made)
    if not isinstance(read.get("id"), str) or not read["id"]:
        raise ValueError("no refund")
    stripe_api.check_amounts(read)
    return {
        name: read.get(name) for name in ("id", "status", "amount", "currency", "metadata", "payment_intent")
    }
