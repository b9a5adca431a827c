"""A customer withdraws from the contract by a button: the order stops, the money goes back, and a letter says so."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from audit.models import Order
from audit.orders import outbox, payments, terms
from audit.orders.service import CUSTOMER, NotAllowed, note


def withdraw(order: Order, *, now: datetime | None = None) -> None:
    """Ends a paid order within the customer's right. A card payment is sent back at once; of an invoice staff are told.

    The withdrawal counts from this moment, whether or not Stripe can be reached: what it did not answer is asked
    again by the background worker. Raises NotAllowed when there is nothing to withdraw from, or the time is over.
    """
    now = now or timezone.now()
    with transaction.atomic():
        current = Order.objects.select_for_update().get(pk=order.pk)
        if terms.withdraw_until(current, now) is None:
            raise NotAllowed(current, "withdraw")
        Order.objects.filter(pk=current.pk).update(withdrawn_at=now)
        note(current, actor=CUSTOMER, what="withdrawn")
        current.refresh_from_db()
        outbox.queue(current, "withdrawn")
        outbox.queue_for_staff(current, "staff_withdrawn")
    order.refresh_from_db()
    if order.method == Order.Method.STRIPE:
        try:
            payments.refund(order, actor=CUSTOMER)
        except (payments.PaymentError, NotAllowed):  # staff are told, and see it among what waits for them
            order.refresh_from_db()
