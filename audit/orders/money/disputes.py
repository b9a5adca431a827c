"""Chargebacks and early warnings of fraud: whoever gets one stops, is told by when to answer, and decides."""

from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.models import Dispute, Order, Payment
from audit.orders import outbox
from audit.orders import service as orders

WON = ("won", "warning_closed")  # the money stays; nothing is left to decide


def record(payment: Payment, facts: dict[str, Any], *, warning: bool) -> bool:
    """What Stripe says about a dispute or a warning: `id`, `status`, `reason`, `amount`, `evidence_details`.

    Call it with the order locked. A new one, and one that was lost, waits for a decision. Returns whether it was news.
    """
    order = payment.order
    name = str(facts.get("id") or "")
    status = "warning" if warning else str(facts.get("status") or "needs_response")[:40]
    row = Dispute.objects.filter(stripe_id=name).first()
    if row is not None and (row.status == status or row.status in (*WON, "lost")):
        return False
    new = row is None
    row = row or Dispute(
        order=order, payment=payment, stripe_id=name,
        kind=Dispute.Kind.WARNING if warning else Dispute.Kind.DISPUTE,
    )  # fmt: skip
    amount = facts.get("amount")
    row.amount = amount if type(amount) is int and amount >= 0 else payment.amount
    row.status, row.reason = status, str(facts.get("reason") or facts.get("fraud_type") or "")[:80]
    row.due_at = _deadline(facts) or row.due_at
    if status in WON and row.decided_at is None:
        row.decided_at, row.decided_by = timezone.now(), orders.STRIPE
    elif status == "lost":
        row.decided_at, row.decided_by = None, ""
    row.save()
    orders.note(
        order, actor=orders.STRIPE, what=f"{row.kind} {status}"[:40], detail=f"{row.reason} {name}".strip()
    )
    if new or status in (*WON, "lost"):
        outbox.queue_for_staff(order, "staff_dispute")
    if new and not warning and status not in WON:
        outbox.queue(order, "dispute")
    return True


def _deadline(facts: dict[str, Any]) -> datetime | None:
    seconds = (facts.get("evidence_details") or {}).get("due_by")
    return datetime.fromtimestamp(seconds, UTC) if type(seconds) is int and 0 < seconds < 10**10 else None


def waiting(order: Order) -> Dispute | None:
    """The dispute that staff must decide about, the most urgent first."""
    return order.disputes.filter(decided_at=None).order_by("due_at", "pk").first()


def go_on(order: Order, *, actor: str) -> None:
    """Staff decide that the work goes on in spite of the disputes. Raises NotAllowed when none waits."""
    _decide(order, actor=actor, what="dispute: the work goes on")


def give_up(order: Order, *, actor: str) -> None:
    """Staff decide that the bank's word stands: the customer has the money back, and the order ends.

    Raises NotAllowed unless a dispute was lost.
    """
    with transaction.atomic():
        if not order.disputes.filter(status="lost").exists():
            raise orders.NotAllowed(order, "give up")
        _decide(order, actor=actor, what="dispute: the bank returned the money")
        orders.move(order, orders.State.REFUNDED, actor=actor, what="refunded", detail="by the bank")


def _decide(order: Order, *, actor: str, what: str) -> None:
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=order.pk)
        if not order.disputes.filter(decided_at=None).update(decided_at=timezone.now(), decided_by=actor):
            raise orders.NotAllowed(order, "decide")
        orders.note(order, actor=actor, what=what)
