"""Stripe's webhooks: the only place where a card payment counts as made.

An event is believed when its signature is right, handled once whatever comes twice, and may come in any order:
what it says is checked against the order as it is, never against what should have come before.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from audit.models import Order, StripeEvent
from audit.orders import payments
from audit.orders import service as orders

log = logging.getLogger(__name__)

TOLERANCE_S = 300  # how old a signature may be: a recorded request cannot be sent again later
SEEN = "seen before"
MOST_CHARS = 80  # of anything that we read of an event; ids of Stripe have at most 66 today
REFUND_FACTS = ("id", "status", "amount", "currency", "payment_intent")


class Forged(ValueError):
    """Not signed by our Stripe account, or too long ago."""


class _SendBack(Exception):
    """This payment cannot be kept; Stripe must be asked outside of the transaction."""

    def __init__(self, order: Order, payment_intent: str) -> None:
        super().__init__(order.code)
        self.order, self.payment_intent = order, payment_intent


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """400 for what Stripe did not sign; 200 when it was handled, now or before; 503 asks Stripe to come again."""
    try:
        event = verify(request.body, request.headers.get("Stripe-Signature", ""))
    except Forged as error:
        log.warning("a webhook was refused: %s", error)
        return HttpResponse("signature", status=400, content_type="text/plain")
    try:
        outcome = handle(event)
    except payments.PaymentError:
        return HttpResponse("later", status=503, content_type="text/plain")
    log.info("Stripe event %s (%s): %s", event["id"], event["type"], outcome)
    return HttpResponse(outcome, content_type="text/plain")


def verify(body: bytes, signature: str) -> dict[str, Any]:
    """The event of a signed request. Raises Forged; without a secret everything is forged."""
    import stripe

    if not signature.isascii():  # which the library compares, and Python then refuses to
        raise Forged("not ASCII")
    try:
        stripe.WebhookSignature.verify_header(
            body, signature, settings.STRIPE_WEBHOOK_SECRET, tolerance=TOLERANCE_S
        )
        event = json.loads(body)
    except (stripe.SignatureVerificationError, ValueError) as error:
        raise Forged(type(error).__name__) from None
    if not _is_event(event):
        raise Forged("no event")
    return event  # type: ignore[no-any-return]


def _is_event(event: Any) -> bool:
    """Whether what we read of it has the shape that Stripe documents, and fits into our columns."""
    data = event.get("data", {}) if isinstance(event, dict) else None
    thing = data.get("object", {}) if isinstance(data, dict) else None
    if not isinstance(thing, dict):
        return False
    metadata = {} if thing.get("metadata") is None else thing["metadata"]
    if not isinstance(metadata, dict):
        return False
    words = [event.get("id") or 0, event.get("type") or 0, metadata.get("order")]
    words += [thing.get(name) for name in ("id", "status", "currency", "payment_intent")]
    amounts = [thing.get("amount"), thing.get("amount_total")]
    return all(word is None or _is_word(word) for word in words) and all(
        amount is None or type(amount) is int or _is_word(amount) for amount in amounts
    )


def _is_word(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MOST_CHARS and value.isprintable()


def handle(event: dict[str, Any]) -> str:
    """Acts on a verified event once; returns what became of it. Raises PaymentError: nothing was recorded then."""
    sent_back: dict[str, tuple[str, Order.Refund]] = {}
    while True:
        try:
            with transaction.atomic():
                return _record(event, sent_back)
        except _SendBack as must:
            sent_back[must.payment_intent] = payments.send_back(must.order, must.payment_intent)


def _record(event: dict[str, Any], sent_back: dict[str, tuple[str, Order.Refund]]) -> str:
    thing = event.get("data", {}).get("object", {})
    act = HANDLERS.get(event["type"])
    facts = {"payment_intent": str(thing.get("payment_intent") or "")}
    refund = {name: thing.get(name) for name in REFUND_FACTS} if act is _refund else None
    try:
        with transaction.atomic():
            row = StripeEvent.objects.create(id=event["id"], type=event["type"], refund=refund, **facts)
    except IntegrityError:
        return SEEN
    order = _order(thing) if act else None
    if act is None:
        outcome = "not for us"
    elif order is None:
        outcome = "no such order"
    else:
        outcome = act(order, thing, sent_back)
    StripeEvent.objects.filter(pk=row.pk).update(order=order, outcome=outcome[:200])
    return outcome


def _order(thing: dict[str, Any]) -> Order | None:
    """The order that we named when we made the session or the refund, locked until the transaction ends."""
    public_id = (thing.get("metadata") or {}).get("order")
    if public_id:
        return Order.objects.select_for_update().filter(public_id=public_id).first()
    intent = thing.get("payment_intent")  # a refund made by hand in Stripe's dashboard
    return Order.objects.select_for_update().filter(payment_intent=intent).first() if intent else None


def _paid(order: Order, session: dict[str, Any], sent_back: dict[str, tuple[str, Order.Refund]]) -> str:
    """`checkout.session.completed` and `.async_payment_succeeded`."""
    if session.get("payment_status") != "paid":  # a slow method: the second event decides
        orders.note(order, actor=orders.STRIPE, what="payment on its way")
        return "not paid yet"
    intent = str(session.get("payment_intent") or "")
    if not intent or order.payment_intent == intent:
        return "paid already" if intent else "no payment in it"
    amount, currency = session.get("amount_total"), session.get("currency")
    if (amount, currency) != (order.price_cents, order.currency):
        orders.note(
            order, actor=orders.STRIPE, what=orders.WRONG_AMOUNT, detail=f"{amount} {currency} {intent}"
        )
        log.error("order %s: %s %s were paid, not what it costs", order.code, amount, currency)
        return orders.WRONG_AMOUNT
    if orders.State.PAID in orders.TRANSITIONS[orders.State(order.state)]:
        orders.mark_paid(order, actor=orders.STRIPE, payment_intent=intent, detail=intent)
        early = StripeEvent.objects.filter(payment_intent=intent, refund__isnull=False).order_by(
            "received_at"
        )
        return ", ".join(["paid", *(_refund(order, row.refund or {}, sent_back) for row in early)])
    if intent not in sent_back:
        raise _SendBack(order, intent)
    refund_id, status = sent_back[intent]
    if order.state == orders.State.CANCELLED and not order.payment_intent:
        orders.note_late_payment(order, payment_intent=intent)
        orders.refund_news(order, refund_id=refund_id, status=status, actor=orders.STRIPE)
        return "paid after cancelling, sent back"
    orders.note(order, actor=orders.STRIPE, what="paid twice", detail=f"{intent} is sent back by {refund_id}")
    return "paid twice, sent back"


def _payment_failed(order: Order, session: dict[str, Any], sent_back: Any) -> str:
    orders.note(order, actor=orders.STRIPE, what="payment failed", detail=str(session.get("id", "")))
    return "noted"


def _page_expired(order: Order, session: dict[str, Any], sent_back: Any) -> str:
    """The order goes on: its page offers a new payment page."""
    gone = Order.objects.filter(pk=order.pk, checkout_session=session.get("id"))
    gone.update(checkout_url="", checkout_expires_at=None)
    return "noted"


def _refund(order: Order, refund: dict[str, Any], sent_back: Any) -> str:
    if not order.payment_intent or refund.get("payment_intent") != order.payment_intent:
        return "of another payment"
    status = payments.REFUND_STATUS.get(str(refund.get("status")), Order.Refund.PENDING)
    if (refund.get("amount"), refund.get("currency")) != (order.price_cents, order.currency):
        amount = f"{refund.get('amount')} {refund.get('currency')} {status}"
        orders.note(order, actor=orders.STRIPE, what="refunded in part", detail=amount)
        return "a part"
    news = orders.refund_news(order, refund_id=str(refund.get("id")), status=status, actor=orders.STRIPE)
    return f"refund {status}" if news else "no news"


HANDLERS: dict[str, Callable[[Order, dict[str, Any], Any], str]] = {
    "checkout.session.completed": _paid,
    "checkout.session.async_payment_succeeded": _paid,
    "checkout.session.async_payment_failed": _payment_failed,
    "checkout.session.expired": _page_expired,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
}
