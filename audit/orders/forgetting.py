"""What people wrote is forgotten: at the customer's wish, or when an order is long over. The invoice's data stay."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from audit.models import Mail, Order
from audit.orders import outbox
from audit.orders.service import CLOCK, ENDED, FORGOTTEN, NOBODY, NotAllowed, note


def forget_words(order: Order, *, actor: str) -> None:
    """At the customer's wish, or when it is long over: what they wrote, what was written about them, and our letters.

    The invoice's data stay, with the address that it went to; of an order that was never paid not even that.
    Raises NotAllowed before the order has ended.
    """
    nobody = {} if order.paid_at else {"email": NOBODY, "time_zone": "UTC"}
    with transaction.atomic():
        if not Order.objects.filter(pk=order.pk, state__in=ENDED, paid_at=order.paid_at).update(
            message="", draft="", report="", scan=None, **nobody
        ):
            raise NotAllowed(order, "forget")
        outbox.forget_wording(order.mails.all())
        if nobody:
            order.mails.filter(to__iexact=order.email).exclude(state=Mail.State.QUEUED).update(to=NOBODY)
        note(order, actor=actor, what=FORGOTTEN)
    order.refresh_from_db()


def forget_old(before: datetime) -> int:
    """Forgets the words of orders that ended before that moment; returns how many orders."""
    said = ~Q(message="", draft="", report="", scan=None) | Q(paid_at=None) & ~Q(email=NOBODY)
    over = Order.objects.filter(said, state__in=ENDED, state_since__lt=before).order_by("pk")
    for order in over:
        forget_words(order, actor=CLOCK)
    return len(over)
