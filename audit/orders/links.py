"""The signed links of an order: its status, which works as long as the order exists, and its report, which expires."""

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from audit.models.orders import Order
from audit.scans import tokens

STATUS = "audit.order"
DELIVERY = "audit.order.report"
DELIVERY_DAYS = 30


def status_token(order: Order) -> str:
    return tokens.sign(order.public_id, salt=STATUS)


def order_of_status(token: str) -> Order | None:
    """The order of a status token, None for anything else."""
    public_id = tokens.unsign(token, salt=STATUS)
    return Order.objects.filter(public_id=public_id).first() if public_id else None


def delivery_token(order: Order, *, now: datetime | None = None) -> str:
    """A token that opens the report for DELIVERY_DAYS from `now`."""
    until = (now or timezone.now()) + timedelta(days=DELIVERY_DAYS)
    return tokens.sign(f"{order.public_id}.{int(until.timestamp())}", salt=DELIVERY)


def order_of_delivery(token: str, *, now: datetime | None = None) -> tuple[Order | None, bool]:
    """The order of a delivery token and whether the token is still good. (None, False) for a forged one."""
    public_id, _, until = (tokens.unsign(token, salt=DELIVERY) or "").partition(".")
    order = Order.objects.filter(public_id=public_id).first() if public_id else None
    return order, order is not None and int(until) > (now or timezone.now()).timestamp()


def status_url(order: Order) -> str:
    """The full address of the status page in the order's language."""
    return _absolute(order, "audit:order-status", status_token(order))


def delivery_url(order: Order) -> str:
    """A fresh address of the report, in the order's language."""
    return _absolute(order, "audit:order-report", delivery_token(order))


def _absolute(order: Order, name: str, token: str) -> str:
    with override(order.lang):
        return f"{settings.SITE_URL}{reverse(name, kwargs={'token': token})}"
