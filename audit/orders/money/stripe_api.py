"""How Stripe is asked, and what its failures mean for asking again. The SDK is loaded when it is first needed.

An idempotency key remembers: Stripe keeps the first answer of a key for 24 hours, a 402 or a 5xx too, and refuses
the key for other parameters. So the key of a request is made of what it is for, of its parameters, and of how often
it failed for good (https://docs.stripe.com/api/idempotent_requests).
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from django.conf import settings
from django.utils import timezone

from audit.models import Order
from audit.orders import outbox
from audit.orders import service as orders

log = logging.getLogger(__name__)

TIMEOUT_S = 10
RETRIES = 1  # by the SDK, with the same idempotency key
TELL_EVERY = timedelta(days=1)  # how often staff are told of a refused key, at most
MOST_CENTS = 2**31
T = TypeVar("T")


class Kind(StrEnum):
    """What a failure says about the request. REFUSED: not done, ask anew. STORED: perhaps done, and the key is used
    up. LOST: perhaps done, and the same key finds out. LATER: not done; the same key works when the cause is gone."""

    REFUSED = "refused"
    STORED = "stored"
    LOST = "lost"
    LATER = "later"


class PaymentError(Exception):
    """Stripe could not be reached or said no. The text is for staff: class, status and code, no secret."""

    def __init__(self, reason: str, *, kind: Kind = Kind.LOST, code: str = "") -> None:
        super().__init__(reason)
        self.kind, self.code = kind, code


def ask(request: Callable[[Any], T], *, order: Order | None = None) -> T:
    """The answer to a request to `v1`. Raises PaymentError. A refused key is told to staff by way of `order`."""
    if not settings.STRIPE_SECRET_KEY:
        raise PaymentError("STRIPE_SECRET_KEY is not set", kind=Kind.LATER)
    import stripe

    client = stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses={"api": settings.STRIPE_API_BASE},
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_S),
    )
    try:
        return request(client.v1)
    except stripe.StripeError as error:
        reason = f"{type(error).__name__} {error.http_status or '–'} {error.code or ''}".strip()
        log.warning("Stripe: %s (request %s)", reason, error.request_id)
        if error.http_status in (401, 403) and order is not None:
            _key_refused(order, reason)
        raise PaymentError(reason, kind=_kind(error.http_status), code=error.code or "") from error
    except (
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
    ) as error:  # 200, and no answer in it
        log.warning("Stripe: an answer that cannot be read: %s", type(error).__name__)
        raise PaymentError("an answer that cannot be read", kind=Kind.STORED) from error


def check_amounts(thing: Mapping[str, Any]) -> None:
    """Raises ValueError for a sum that no row can hold; Stripe's have eight digits at most."""
    for name in ("amount", "amount_total", "amount_subtotal"):
        value = thing.get(name)
        if type(value) is int and abs(value) >= MOST_CENTS:
            raise ValueError(name)


def _kind(status: int | None) -> Kind:
    if status is None:
        return Kind.LOST
    if status in (401, 403, 409, 429):
        return Kind.LATER
    return Kind.STORED if status >= 500 or status < 400 else Kind.REFUSED


def key(purpose: str, params: Mapping[str, Any]) -> str:
    """An idempotency key of at most 255 characters that differs when the parameters do."""
    written = json.dumps(params, sort_keys=True).encode()
    return f"{purpose}-{hashlib.sha256(written).hexdigest()[:16]}"


def _key_refused(order: Order, reason: str) -> None:
    """No card order works until staff change the key: noted where the desk looks, and mailed once a day."""
    orders.note(order, actor=orders.STRIPE, what=orders.KEY_REFUSED, detail=reason)
    from audit.models import Mail

    if not Mail.objects.filter(kind="staff_key", created_at__gt=timezone.now() - TELL_EVERY).exists():
        outbox.queue_for_staff(order, "staff_key")
