"""Recurring work on orders: they expire, and Stripe is asked about payments whose webhook did not come."""

import logging
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from audit.models import Order, OrderEvent, Payment, Refund
from audit.orders import payments, terms
from audit.orders import service as orders
from audit.orders.money import refunds, sending, stripe_api, waiting

log = logging.getLogger(__name__)

AFTER_A_FAILURE = timedelta(hours=1)


def tend(now: datetime | None = None, *, limit: int = 200) -> int:
    """Asks Stripe what we may have missed, expires unpaid orders and closes delivered ones whose time is over.

    Returns how many orders expired or closed. An order that Stripe could not be asked about is not expired.
    """
    now = now or timezone.now()
    look(now, limit=limit)
    unpaid = Order.objects.filter(
        state__in=orders.UNPAID, created_at__lt=now - timedelta(days=orders.UNPAID_DAYS)
    )
    done = Order.objects.filter(
        state=orders.State.DELIVERED, delivered_at__lt=now - timedelta(days=terms.FOLLOW_UP_DAYS)
    )
    changed = 0
    for order in [*unpaid.exclude(pk__in=waiting.undecided().values("order"))[:limit], *done[:limit]]:
        try:
            if order.state == orders.State.DELIVERED:
                orders.close(order, actor=orders.CLOCK)
            else:
                orders.expire(order)
        except orders.NotAllowed:  # somebody was quicker
            continue
        changed += 1
    return changed


def look(now: datetime, *, limit: int) -> int:
    """Asks about each page and refund whose time has come; returns how many Stripe answered for.

    Before an order expires its pages are asked about whatever their time. When Stripe cannot be reached, what is left
    waits for the next round.
    """
    expiring = Q(
        order__state__in=orders.UNPAID, order__created_at__lt=now - timedelta(days=orders.UNPAID_DAYS)
    )
    pages = Payment.objects.filter(state__in=(Payment.State.OPEN, Payment.State.ON_ITS_WAY)).exclude(
        session=""
    )
    due = pages.filter(Q(next_look_at__lte=now) | expiring).select_related("order")
    moving = Refund.objects.filter(state__in=refunds.MOVING, next_look_at__lte=now).exclude(
        payment__intent=""
    )
    answered = 0
    for row in due.order_by("pk")[:limit]:
        answered += _ask(row, now)
    for refund in moving.select_related("payment__order").order_by("pk")[:limit]:
        answered += _ask(refund, now)
    _try_the_key()
    return answered


def _ask(row: Payment | Refund, now: datetime) -> int:
    try:
        if isinstance(row, Payment):
            payments.ask_about(row)
        elif row.state == Refund.State.ASKED:
            sending.send(row, actor=orders.CLOCK)
        else:
            sending.look_up(row.payment)
            Refund.objects.filter(pk=row.pk).update(next_look_at=now + refunds.NEXT_LOOK)
    except payments.PaymentError as error:
        log.warning("Stripe could not be asked about %s: %s", row, error)
        type(row)._default_manager.filter(pk=row.pk).update(next_look_at=now + AFTER_A_FAILURE)
        return 0
    return 1


ANSWERS = "Stripe takes our key"


def refused() -> Order | None:
    """The order by which we learned that Stripe refuses our key; None once it took the key again."""
    whats = (orders.KEY_REFUSED, ANSWERS)
    last = OrderEvent.objects.filter(what__in=whats).select_related("order").order_by("-pk").first()
    return last.order if last is not None and last.what == orders.KEY_REFUSED else None


def _try_the_key() -> None:
    """Notes when a refused key works again."""
    order = refused()
    if order is None:
        return
    try:
        stripe_api.ask(lambda v1: v1.checkout.sessions.list({"limit": 1}))
    except payments.PaymentError:
        return
    orders.note(order, actor=orders.STRIPE, what=ANSWERS)
