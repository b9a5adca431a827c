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

from audit.models import Order, Payment, StripeEvent
from audit.orders import payments
from audit.orders import service as orders
from audit.orders.money import disputes, refunds, sending, stripe_api

log = logging.getLogger(__name__)

TOLERANCE_S = 300  # how old a signature may be: a recorded request cannot be sent again later
SEEN = "seen before"
MOST_CHARS = 80  # of anything that we read of an event; ids of Stripe have at most 66 today
MOST_BYTES = 1024 * 1024  # of a request, see guardlabs/web/headers.py; beyond it the signature no longer fits
NOT_OURS = "not for us"
REFUND_FACTS = ("id", "status", "amount", "currency", "payment_intent", "metadata")


class Forged(ValueError):
    """Not signed by our Stripe account, or too long ago."""


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """400 for what Stripe did not sign; 200 for whatever it did, ours or not, now or before."""
    try:
        event = verify(request.read(MOST_BYTES), request.headers.get("Stripe-Signature", ""))
    except Forged as error:
        log.warning("a webhook was refused: %s", error)
        return HttpResponse("signature", status=400, content_type="text/plain")
    outcome = handle(event)
    log.info("Stripe event %s (%s): %s", event["id"][:MOST_CHARS], event["type"][:MOST_CHARS], outcome)
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
    if not isinstance(event, dict) or not all(isinstance(event.get(name), str) for name in ("id", "type")):
        raise Forged("no event")
    return event


def _is_word(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MOST_CHARS and value.isprintable()


def _facts(thing: dict[str, Any]) -> dict[str, Any]:
    """Only what we read of an object, each in the type that Stripe documents; raises ValueError for anything else."""
    words = {
        name: thing.get(name)
        for name in ("id", "status", "payment_status", "currency", "reason", "fraud_type")
    }
    words["payment_intent"] = thing.get("payment_intent")
    if not all(value is None or _is_word(value) for value in words.values()):
        raise ValueError("words")
    numbers = {name: thing.get(name) for name in ("amount", "amount_total", "amount_subtotal")}
    # A text in the place of a number is no amount of money: it never equals a price.
    if not all(value is None or type(value) is int or _is_word(value) for value in numbers.values()):
        raise ValueError("numbers")
    stripe_api.check_amounts(numbers)
    parts = {name: thing.get(name) or {} for name in ("metadata", "total_details", "evidence_details")}
    if not all(isinstance(part, dict) for part in parts.values()):
        raise ValueError("parts")
    return words | numbers | parts


def handle(event: dict[str, Any]) -> str:
    """Acts on a verified event once; returns what became of it. A payment that must go back is sent at once."""
    if not _is_word(event["id"]) or not _is_word(event["type"]):
        return NOT_OURS
    with transaction.atomic():
        outcome, order = _record(event)
    if order is not None:
        sending.send_claimed(order)
    return outcome


def _record(event: dict[str, Any]) -> tuple[str, Order | None]:
    data = event.get("data")
    thing = data.get("object") if isinstance(data, dict) else None
    act, facts, odd = HANDLERS.get(event["type"]), dict[str, Any](), False
    if act is not None:
        try:
            facts = _facts(thing if isinstance(thing, dict) else {})
        except ValueError:
            odd = True
    intent = str(facts.get("payment_intent") or "")
    refund = {name: facts.get(name) for name in REFUND_FACTS} if act is _refund and facts else None
    try:
        with transaction.atomic():
            row = StripeEvent.objects.create(
                id=event["id"], type=event["type"], payment_intent=intent, refund=refund
            )
    except IntegrityError:
        return SEEN, None
    order = _order(facts) if facts else None
    if act is None:
        outcome = NOT_OURS
    elif odd:
        outcome = "not understood"
    elif wrong := _stranger(event):
        outcome = wrong
        StripeEvent.objects.filter(pk=row.pk).update(refund=None)
        log.error("Stripe event %s was refused: %s", event["id"], wrong)
        if order is not None:
            orders.note(order, actor=orders.STRIPE, what="event refused", detail=f"{wrong}: {event['id']}")
    elif order is None:
        outcome = "no such order"
    else:
        outcome = act(order, facts, event["type"])
    StripeEvent.objects.filter(pk=row.pk).update(order=order, outcome=outcome[:200])
    return outcome, order


def _stranger(event: dict[str, Any]) -> str:
    """Why a signed event is not about our money: test money beside a live key or the reverse, or another account."""
    key = settings.STRIPE_SECRET_KEY
    live = key[2:].startswith("_live_")  # sk_live_, rk_live_
    if key and "livemode" in event and event["livemode"] is not live:
        return "live money, and our key is for tests" if event["livemode"] else "no live money"
    return "of another account" if event.get("account") else ""


def _order(facts: dict[str, Any]) -> Order | None:
    """The order that we named when we made the session or the refund, locked until the transaction ends."""
    named = facts["metadata"].get("order")
    if named:
        if not _is_word(named):
            return None
        return Order.objects.select_for_update().filter(public_id=named).first()
    intent = facts.get("payment_intent")  # made by hand in Stripe's dashboard, or by a bank
    return Order.objects.select_for_update().filter(payments__intent=intent).first() if intent else None


def _session(order: Order, facts: dict[str, Any], kind: str) -> str:
    """`checkout.session.*`: the type says more than the object, which may be older than the type."""
    status = "expired" if kind.endswith(".expired") else "complete"
    return payments.take(order, facts | {"status": status}, failed=kind.endswith(".async_payment_failed"))


def _payment(order: Order, facts: dict[str, Any]) -> Payment | None:
    intent = facts.get("payment_intent")
    return order.payments.filter(intent=intent).first() if intent else None


def _refund(order: Order, facts: dict[str, Any], kind: str) -> str:
    payment = _payment(order, facts)
    if payment is None:
        return "of another payment"
    if not refunds.record(payment, facts, actor=orders.STRIPE):
        return "no news"
    status = refunds.STATES.get(str(facts.get("status")), "pending")
    return f"refund {status}" if facts.get("amount") == payment.amount else "a part"


def _dispute(order: Order, facts: dict[str, Any], kind: str) -> str:
    payment = _payment(order, facts)
    if payment is None:
        return "of another payment"
    news = disputes.record(payment, facts, warning=kind.startswith("radar."))
    return "dispute noted" if news else "no news"


Handler = Callable[[Order, dict[str, Any], str], str]
HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _session,
    "checkout.session.expired": _session,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.closed": _dispute,
    "charge.dispute.funds_withdrawn": _dispute,
    "charge.dispute.funds_reinstated": _dispute,
    "radar.early_fraud_warning.created": _dispute,
    "radar.early_fraud_warning.updated": _dispute,
}
