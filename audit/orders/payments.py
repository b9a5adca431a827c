"""Card payments through Stripe: its hosted Checkout page, what became of it, and refunds.

Webhooks come in by webhook.py. Both they and our own questions end in `take`, which is told what a session says.
"""

import logging
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit.models import Order, Payment, Refund, StripeEvent
from audit.orders import links, outbox
from audit.orders import service as orders
from audit.orders.money import refunds, sending, stripe_api
from audit.orders.money.prices import fair
from audit.orders.money.stripe_api import Kind, PaymentError

__all__ = ["PaymentError"]
log = logging.getLogger(__name__)

STILL_OPEN = timedelta(minutes=10)  # a page that closes sooner is replaced
LOOK_AGAIN = timedelta(hours=6)
EMAIL_REFUSED = "email_invalid"
MOST_ID = 120
PAGE = re.compile(r"https?://[^\s/]")
Session = dict[str, Any]


def method() -> Order.Method:
    """How new orders are paid: by card when Stripe's key is set, else by invoice."""
    return Order.Method.STRIPE if settings.STRIPE_SECRET_KEY else Order.Method.INVOICE


# -- Checkout ----------------------------------------------------------------------------------------
def open_checkout(order: Order, *, actor: str) -> None:
    """Makes sure that an unpaid order has a page on which it can be paid; its address is order.checkout_url.

    Raises PaymentError, and NotAllowed when the order is not to be paid (any more) or money is on its way.
    """
    if order.method != Order.Method.STRIPE or order.state not in orders.UNPAID or is_coming(order):
        raise orders.NotAllowed(order, "checkout")
    if is_open(order):
        return
    number = order.checkout_number + 1
    try:
        session = _create(order, number, with_email=True)
    except PaymentError as error:
        if error.code != EMAIL_REFUSED:
            raise
        session = _create(order, number, with_email=False)  # Stripe then asks for an address of its own
    orders.await_card(
        order,
        actor=actor,
        checkout_session=session["id"],
        checkout_url=session["url"],
        checkout_expires_at=session["expires_at"],
        checkout_number=number,
    )


def _create(order: Order, number: int, *, with_email: bool) -> Session:
    params = _params(order, with_email=with_email)
    purpose = f"checkout-{order.public_id}-{number}-{order.checkout_refusals}"
    options = {"idempotency_key": stripe_api.key(purpose, params)}

    def request(v1: Any) -> Session:
        made = v1.checkout.sessions.create(params, options)
        name, url = made.id, made.url
        if not (
            isinstance(name, str) and 0 < len(name) <= MOST_ID and isinstance(url, str) and PAGE.match(url)
        ):
            raise ValueError("no page")
        return {"id": name, "url": url, "expires_at": datetime.fromtimestamp(made.expires_at, UTC)}

    try:
        return stripe_api.ask(request, order=order)
    except PaymentError as error:
        if error.kind in (Kind.REFUSED, Kind.STORED):  # a page that nobody has the address of cannot be paid
            Order.objects.filter(pk=order.pk).update(checkout_refusals=F("checkout_refusals") + 1)
            order.refresh_from_db(fields=["checkout_refusals"])
        raise


def _params(order: Order, *, with_email: bool) -> dict[str, Any]:
    page = links.status_url(order)
    params: dict[str, Any] = {
        "mode": "payment",
        "client_reference_id": order.code,
        "locale": order.lang,
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": order.currency,
                    "unit_amount": order.price_cents,
                    "product_data": {"name": f"GuardLabs {order.code}"},
                },
            }
        ],
        "adaptive_pricing": {"enabled": False},  # what is paid must be what was ordered, in its currency
        "metadata": {"order": order.public_id},
        "payment_intent_data": {"metadata": {"order": order.public_id}, "description": order.code},
        "success_url": f"{page}?back=paid",
        "cancel_url": page,
    }
    if with_email:
        params["customer_email"] = order.email
    if settings.STRIPE_PAYMENT_METHODS:  # none: whatever is on in Stripe's dashboard
        params["allowed_payment_method_types"] = settings.STRIPE_PAYMENT_METHODS
    if settings.STRIPE_AUTOMATIC_TAX:
        params["automatic_tax"] = {"enabled": True}
    return params


def is_open(order: Order) -> bool:
    """Whether order.checkout_url can be paid on for a while."""
    until = order.checkout_expires_at
    return bool(order.checkout_url) and until is not None and until > timezone.now() + STILL_OPEN


def is_coming(order: Order) -> bool:
    """Whether money is on its way, or here and of a wrong amount: then no second payment is asked for."""
    states = (Payment.State.ON_ITS_WAY, Payment.State.PAID)
    return any(
        each.state == Payment.State.ON_ITS_WAY or (each.use == Payment.Use.QUESTIONED and each.left)
        for each in order.payments.filter(state__in=states)
    )


def cancel(order: Order, *, actor: str) -> None:
    """Cancels an unpaid order and closes its payment page. Raises NotAllowed, also when money is on its way."""
    if is_coming(order):
        raise orders.NotAllowed(order, "cancel")
    with transaction.atomic():
        orders.cancel(order, actor=actor)
        transaction.on_commit(partial(_close_page, order))


def _close_page(order: Order) -> None:
    """Should the customer be quicker, the payment is sent back: now, or when its webhook comes."""
    if not order.checkout_session:
        return
    try:
        stripe_api.ask(lambda v1: v1.checkout.sessions.expire(order.checkout_session), order=order)
    except PaymentError as error:
        log.info("the payment page of order %s could not be closed", order.code)
        if error.kind != Kind.REFUSED:
            return
        try:
            ask(order)
        except PaymentError:  # housekeeping asks again
            log.info("Stripe could not be asked about order %s", order.code)


# -- what a session says -----------------------------------------------------------------------------
def take(order: Order, session: Session, *, failed: bool = False) -> str:
    """Acts on what Stripe says about one of the order's payment pages, now or again; returns what became of it.

    Call it in a transaction, with the order locked. A payment that cannot be kept is claimed for a refund here;
    whoever calls sends it after the commit (`send_claimed`). `failed`: the payment, by a slow method, came to nothing.
    """
    name, status = str(session.get("id") or ""), session.get("payment_status")
    row = _row(order, session)
    if row is None:
        return "of another order"
    if row.state == Payment.State.PAID:
        return "paid already"
    if failed:
        if row.state != Payment.State.FAILED:
            _changed(row, Payment.State.FAILED)
            _forget_page(order, name)
            orders.note(order, actor=orders.STRIPE, what="payment failed", detail=name)
            if order.state in orders.UNPAID:
                outbox.queue(order, "payment_failed")
        return "noted"
    if status == "paid" or (status == "no_payment_required" and session.get("status") == "complete"):
        return _paid(order, row, session)
    if session.get("status") == "expired":
        _changed(row, Payment.State.EXPIRED)
        _forget_page(order, name)
        return "noted"
    if session.get("status") == "complete":
        if row.state == Payment.State.OPEN:
            _changed(row, Payment.State.ON_ITS_WAY, look=True)
            _forget_page(order, name)
            orders.note(order, actor=orders.STRIPE, what="payment on its way", detail=name)
        return "not paid yet"
    return "open"


def _row(order: Order, session: Session) -> Payment | None:
    """The payment of this session, made when a page was opened whose answer we never got. None: another order's."""
    name, intent = str(session.get("id") or ""), _id(session.get("payment_intent"))
    found = Payment.objects.filter(session=name).first() if name else None
    found = found or (Payment.objects.filter(intent=intent).first() if intent else None)
    if found is not None:
        return found if found.order_id == order.pk else None
    return Payment.objects.create(
        order=order, session=name, amount=order.price_cents, currency=order.currency, state=Payment.State.OPEN
    )


def _changed(row: Payment, state: Payment.State, *, look: bool = False) -> None:
    row.state, row.next_look_at = state, timezone.now() + LOOK_AGAIN if look else None
    row.save()


def _forget_page(order: Order, session: str) -> None:
    """The page leads nowhere any more; the order's page offers a new one."""
    gone = Order.objects.filter(pk=order.pk, checkout_session=session)
    if gone.update(checkout_url="", checkout_expires_at=None):
        order.refresh_from_db()


def _id(value: Any) -> str:
    """An id, or that of an expanded object."""
    return str((value.get("id") if isinstance(value, dict) else value) or "")


def _paid(order: Order, row: Payment, session: Session) -> str:
    intent = _id(session.get("payment_intent"))
    if not intent and session.get("payment_status") == "paid":
        return "no payment in it"
    if intent and Payment.objects.filter(intent=intent).exclude(pk=row.pk).exists():
        return "paid already"
    amount, currency = session.get("amount_total"), session.get("currency")
    row.intent, row.at = intent, timezone.now()
    row.amount = amount if type(amount) is int and amount >= 0 else order.price_cents
    row.currency = currency[:10] if isinstance(currency, str) else ""
    right = fair(order, session)
    # Bought or not, this page is done.
    _forget_page(order, row.session)
    if right and orders.State.PAID in orders.TRANSITIONS[orders.State(order.state)]:
        orders.mark_paid(order, actor=orders.STRIPE, payment=row, detail=intent)
        return ", ".join(["paid", *_early_refunds(order, row)])
    row.use = Payment.Use.QUESTIONED if not right else Payment.Use.SURPLUS
    _changed(row, Payment.State.PAID)
    if not right:
        detail = f"{amount} {currency} {intent}"
        orders.note(order, actor=orders.STRIPE, what=orders.WRONG_AMOUNT, detail=detail)
        outbox.queue_for_staff(order, "staff_money")
        log.error("order %s: %s %s were paid, not what it costs", order.code, amount, currency)
        _early_refunds(order, row)
        return orders.WRONG_AMOUNT
    first = order.state == orders.State.CANCELLED and not order.payment_intent
    what = "paid after cancelling" if first else "paid twice"
    orders.note(order, actor=orders.STRIPE, what=what, detail=f"{intent} is sent back")
    if first:
        Order.objects.filter(pk=order.pk).update(payment_intent=intent, paid_at=row.at)
        order.refresh_from_db()
    else:
        outbox.queue(order, "paid_twice")
    _early_refunds(order, row)
    if row.left:
        refunds.claim(order, actor=orders.STRIPE, payment=row)
    return f"{what}, sent back"


def _early_refunds(order: Order, row: Payment) -> list[str]:
    """News of refunds that came before that of their payment."""
    if not row.intent:
        return []
    early = StripeEvent.objects.filter(payment_intent=row.intent, refund__isnull=False).order_by(
        "received_at"
    )
    told = []
    for event in early:
        facts = event.refund or {}
        refunds.record(row, facts, actor=orders.STRIPE)
        told.append(f"refund {refunds.STATES.get(str(facts.get('status')), Refund.State.PENDING)}")
    order.refresh_from_db()
    return told


def accept(order: Order, *, actor: str) -> None:
    """Staff take a payment of a wrong amount for the price. Raises NotAllowed."""
    with transaction.atomic():
        current = Order.objects.select_for_update().get(pk=order.pk)
        row = refunds.unwanted(current)
        if row is None or row.use != Payment.Use.QUESTIONED:
            raise orders.NotAllowed(current, "accept")
        orders.mark_paid(
            order, actor=actor, payment=row, detail=f"accepted: {row.amount} {row.currency} {row.intent}"
        )


# -- refunds -----------------------------------------------------------------------------------------
def refund(order: Order, *, actor: str) -> None:
    """Sends back what is left of the payment. The order is refunded when Stripe says that it is: now, or by a webhook.

    One that was claimed and not answered is looked up first. Raises NotAllowed, and PaymentError when Stripe cannot be
    asked or says no; staff may then try again.
    """
    sending.send(refunds.waiting(order) or refunds.claim(order, actor=actor), actor=actor)
    order.refresh_from_db()


# -- asking ------------------------------------------------------------------------------------------
def ask(order: Order) -> list[str]:
    """Asks Stripe about each payment page and payment of an order, and acts on the answers as on webhooks.

    Returns what became of it. Raises PaymentError.
    """
    told = []
    for row in order.payments.all():
        if row.state in (Payment.State.OPEN, Payment.State.ON_ITS_WAY) and row.session:
            told.append(ask_about(row))
        elif row.state == Payment.State.PAID and row.intent:
            sending.look_up(row)
    claimed = refunds.waiting(order)
    if claimed is not None:
        sending.send(claimed, actor=orders.STRIPE)
    order.refresh_from_db()
    return told


def ask_about(row: Payment) -> str:
    """Asks about one page, acts on the answer, and says when to ask again. Raises PaymentError."""

    def request(v1: Any) -> Session:
        found = v1.checkout.sessions.retrieve(row.session, {"expand": ["payment_intent"]}).to_dict()
        if found.get("id") != row.session:
            raise ValueError("no session")
        stripe_api.check_amounts(found)
        return dict(found)

    order = row.order
    try:
        session = stripe_api.ask(request, order=order)
    except PaymentError as error:
        if error.code != "resource_missing":
            raise
        session = {"id": row.session, "status": "expired"}  # Stripe knows no such page: it cannot be paid
    intent = session.get("payment_intent")
    stuck = isinstance(intent, dict) and intent.get("status") in ("requires_payment_method", "canceled")
    with transaction.atomic():
        locked = Order.objects.select_for_update().get(pk=order.pk)
        done = session.get("status") == "complete"
        outcome = take(locked, session, failed=done and stuck and session.get("payment_status") == "unpaid")
        Payment.objects.filter(pk=row.pk, state__in=(Payment.State.OPEN, Payment.State.ON_ITS_WAY)).update(
            next_look_at=timezone.now() + LOOK_AGAIN
        )
    sending.send_claimed(locked)
    return outcome
