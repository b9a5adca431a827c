"""Orders as the staff desk counts them, and those that wait for somebody."""

from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from audit.models import Dispute, Order, OrderEvent, Payment
from audit.orders.money import waiting
from audit.orders.service import INVOICE_DAYS, KEY_REFUSED, OWED, UNPAID, UNPAID_DAYS, State


def counts_by_state() -> dict[str, int]:
    """How many orders are in each state, all states named. One query."""
    found = dict(Order.objects.order_by().values_list("state").annotate(Count("pk")))
    return {state.value: found.get(state.value, 0) for state in State}


def overdue(now: datetime | None = None) -> "QuerySet[Order]":
    """Orders that wait for staff: reports past their promise, invoices not sent, and money that needs somebody:
    refunds that failed or were not answered, a wrong amount, a surplus not sent back, a dispute, a page that Stripe
    could not be asked about. Oldest first."""
    now = now or timezone.now()
    report_late = Q(state__in=OWED, due_at__lt=now)
    invoice_late = Q(
        state=State.NEW, method=Order.Method.INVOICE, created_at__lt=now - timedelta(days=INVOICE_DAYS)
    )
    unasked = Q(state__in=UNPAID, created_at__lt=now - timedelta(days=UNPAID_DAYS + 1))
    unasked &= Q(payments__state=Payment.State.OPEN)
    return Order.objects.filter(
        report_late
        | invoice_late
        | Q(pk__in=Order.objects.filter(unasked).values("pk"))
        | Q(refund_status=Order.Refund.FAILED)
        | Q(withdrawn_at__isnull=False) & ~Q(state=State.REFUNDED)
        | Q(pk__in=waiting.stuck(now).values("order"))
        | Q(pk__in=Dispute.objects.filter(decided_at=None).values("order"))
        | Q(pk__in=OrderEvent.objects.filter(what=KEY_REFUSED).values("order"), state=State.NEW)
    ).order_by("created_at")
