"""Card payments through Stripe: its hosted Checkout page, and refunds. Webhooks come in by payments_webhook.py.

Every request that moves money carries an idempotency key made of what it is for, so that a repeated or raced
request has the effect of one. The SDK is loaded when it is first needed.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit.models import Order
from audit.orders import links
from audit.orders import service as orders

log = logging.getLogger(__name__)

TIMEOUT_S = 10
RETRIES = 1  # by the SDK, with the same idempotency key
STILL_OPEN = timedelta(minutes=10)  # a page that closes sooner is replaced
REFUND_STATUS = {
    "succeeded": Order.Refund.SUCCEEDED,
    "pending": Order.Refund.PENDING,
    "requires_action": Order.Refund.PENDING,
    "failed": Order.Refund.FAILED,
    "canceled": Order.Refund.FAILED,
}
T = TypeVar("T")


class PaymentError(Exception):
    """Stripe could not be reached or said no. The text is for staff: class, status and code, no secret."""


def method() -> Order.Method:
    """How new orders are paid: by card when Stripe's key is set, else by invoice."""
    return Order.Method.STRIPE if settings.STRIPE_SECRET_KEY else Order.Method.INVOICE


def _client() -> Any:
    import stripe

    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses={"api": settings.STRIPE_API_BASE},
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_S),
    )


def _ask(request: Callable[[Any], T]) -> T:
    """The answer to a request. Raises PaymentError."""
    import stripe

    try:
        return request(_client().v1)
    except stripe.StripeError as error:
        reason = f"{type(error).__name__} {error.http_status or '–'} {error.code or ''}".strip()
        log.warning("Stripe: %s (request %s)", reason, error.request_id)
        raise PaymentError(reason) from error


# -- Checkout ----------------------------------------------------------------------------------------
def open_checkout(order: Order, *, actor: str) -> None:
    """Makes sure that an unpaid order has a page on which it can be paid; its address is order.checkout_url.

    Raises PaymentError, and NotAllowed when the order is not to be paid (any more).
    """
    if order.method != Order.Method.STRIPE or order.state not in orders.UNPAID:
        raise orders.NotAllowed(order, "checkout")
    if is_open(order):
        return
    number = order.checkout_number + 1
    page = links.status_url(order)
    params = {
        "mode": "payment",
        "client_reference_id": order.code,
        "customer_email": order.email,
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
    options = {"idempotency_key": f"checkout-{order.public_id}-{number}"}
    session = _ask(lambda v1: v1.checkout.sessions.create(params, options))
    orders.await_card(
        order,
        actor=actor,
        checkout_session=session.id,
        checkout_url=session.url,
        checkout_expires_at=datetime.fromtimestamp(session.expires_at, UTC),
        checkout_number=number,
    )


def is_open(order: Order) -> bool:
    """Whether order.checkout_url can be paid on for a while."""
    until = order.checkout_expires_at
    return until is not None and until > timezone.now() + STILL_OPEN


def cancel(order: Order, *, actor: str) -> None:
    """Cancels an unpaid order and closes its payment page. Raises NotAllowed."""
    with transaction.atomic():
        orders.cancel(order, actor=actor)
        transaction.on_commit(partial(_close_page, order))


def _close_page(order: Order) -> None:
    """Should this fail, or the customer be quicker, a payment is sent back when its webhook comes."""
    if not order.checkout_session:
        return
    try:
        _ask(lambda v1: v1.checkout.sessions.expire(order.checkout_session))
    except PaymentError:
        log.info("the payment page of order %s could not be closed", order.code)


# -- refunds -----------------------------------------------------------------------------------------
def refund(order: Order, *, actor: str) -> None:
    """Sends the whole price back. The order is refunded when Stripe says that it is: now, or by a webhook.

    Raises NotAllowed, and PaymentError when Stripe cannot be asked; staff may then try again.
    """
    orders.claim_refund(order, actor=actor)
    # After a refund that failed at the bank, the next one must be new, not Stripe's memory of the last.
    failed = order.events.filter(what=f"refund {Order.Refund.FAILED}").count()
    try:
        refund_id, status = send_back(order, order.payment_intent, attempt=failed + 1)
    except PaymentError as error:
        orders.refund_not_sent(order, actor=actor, reason=str(error))
        raise
    orders.refund_news(order, refund_id=refund_id, status=status, actor=actor)


def send_back(order: Order, payment_intent: str, *, attempt: int = 1) -> tuple[str, Order.Refund]:
    """Refunds a payment in full, once however often it is asked; returns the refund's id and status.

    Raises PaymentError.
    """
    made = _ask(
        lambda v1: v1.refunds.create(
            {
                "payment_intent": payment_intent,
                "reason": "requested_by_customer",
                "metadata": {"order": order.public_id},
            },
            {"idempotency_key": f"refund-{payment_intent}-{attempt}"},
        )
    )
    return made.id, REFUND_STATUS.get(made.status or "", Order.Refund.PENDING)
