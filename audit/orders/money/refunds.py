"""Refunds: each is a row that is claimed before Stripe is asked, and an order's state follows their sum.

Nothing here talks to Stripe. What Stripe says of a refund comes to `record`, from whatever side: the answer to our
request, a webhook, a listing. It may come twice and in any order.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.models import Order, Payment, Refund
from audit.orders import outbox
from audit.orders.service import OWED, TRANSITIONS, NotAllowed, State, move, next_number, note, only

REFUNDABLE = (*OWED, State.DELIVERED, State.CLOSED)
STATES = {
    "succeeded": Refund.State.SUCCEEDED,
    "pending": Refund.State.PENDING,
    "requires_action": Refund.State.PENDING,
    "failed": Refund.State.FAILED,
    "canceled": Refund.State.FAILED,
}
# How far a refund has come; only what is further counts. Banks do send a refund back that had succeeded.
RANK = {Refund.State.ASKED: 0, Refund.State.PENDING: 1, Refund.State.SUCCEEDED: 2, Refund.State.FAILED: 3}
MOVING = (Refund.State.ASKED, Refund.State.PENDING)
FIRST_LOOK, NEXT_LOOK = timedelta(minutes=10), timedelta(hours=6)  # when Stripe is asked, unless it tells us


def unwanted(order: Order) -> Payment | None:
    """A payment that must go back, or that staff must decide about, and is not on its way."""
    uses = (Payment.Use.SURPLUS, Payment.Use.QUESTIONED)
    return _first(order.payments.filter(state=Payment.State.PAID, use__in=uses))


def kept(order: Order) -> Payment | None:
    """The payment that pays the order, as far as something of it is left and no refund is on its way."""
    return _first(order.payments.filter(state=Payment.State.PAID, use=Payment.Use.KEPT))


def waiting(order: Order) -> Refund | None:
    """A refund that was claimed and that Stripe has not answered."""
    return Refund.objects.filter(payment__order=order, state=Refund.State.ASKED).first()


def _first(payments: Any) -> Payment | None:
    return next(
        (each for each in payments if each.left and not each.refunds.filter(state__in=MOVING).exists()), None
    )


def claim(order: Order, *, actor: str, payment: Payment | None = None) -> Refund:
    """All that is left of a payment is to go back; one worker asks for it, once. Default: the payment kept.

    A refund that failed may be claimed again, whatever became of the order. Raises NotAllowed when nothing was paid
    or a refund is under way.
    """
    only(order, Order.Method.STRIPE, "refund")
    with transaction.atomic():
        current = Order.objects.select_for_update().get(pk=order.pk)
        chosen = payment or kept(current) or unwanted(current)
        if chosen is None or not chosen.left or chosen.refunds.filter(state__in=MOVING).exists():
            raise NotAllowed(current, "refund")
        again = chosen.refunds.filter(state=Refund.State.FAILED).exists()
        if (
            payment is None
            and chosen.use == Payment.Use.KEPT
            and current.state not in REFUNDABLE
            and not again
        ):
            raise NotAllowed(current, "refund")
        claimed = Refund.objects.create(
            payment=chosen, amount=chosen.left, state=Refund.State.ASKED, by=actor,
            next_look_at=timezone.now() + FIRST_LOOK,
        )  # fmt: skip
        note(current, actor=actor, what="refund asked for", detail=str(chosen))
        settle(current, actor=actor)
    order.refresh_from_db()
    return claimed


def not_sent(refund: Refund, *, actor: str, reason: str) -> None:
    """Stripe said no for good: the claim is given up, so that staff may try again."""
    order = refund.payment.order
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=order.pk)
        gave_up = Refund.objects.filter(pk=refund.pk, state=Refund.State.ASKED).update(
            state=Refund.State.FAILED, answer=reason[:200], next_look_at=None
        )
        if gave_up:
            note(order, actor=actor, what="refund not sent", detail=reason)
            outbox.queue_for_staff(order, "staff_money")
            settle(order, actor=actor)
    order.refresh_from_db()


def record(payment: Payment, facts: dict[str, Any], *, actor: str) -> bool:
    """What Stripe says about one refund: `id`, `status`, `amount`, and `metadata`. Returns whether it was news.

    One that we claimed is known by its id, or by the number that we gave it; any other was made by hand.
    """
    order = payment.order
    name, amount = str(facts.get("id") or ""), facts.get("amount")
    status = STATES.get(str(facts.get("status")), Refund.State.PENDING)
    with transaction.atomic():
        current = Order.objects.select_for_update().get(pk=order.pk)
        row = Refund.objects.filter(refund_id=name).first() if name else None
        if row is not None and row.payment_id != payment.pk:
            return False
        row = row or _claimed(payment, facts.get("metadata") or {})
        if row is None:
            row = Refund(payment=payment, by=actor, state=Refund.State.ASKED)
        elif row.refund_id and RANK[status] <= RANK[Refund.State(row.state)]:
            return False
        row.refund_id, row.state = name, status
        row.amount = amount if type(amount) is int and amount > 0 else (row.amount or payment.left)
        row.next_look_at = timezone.now() + NEXT_LOOK if status == Refund.State.PENDING else None
        if status == Refund.State.SUCCEEDED:
            row.done_at = timezone.now()
            _number(row)
        row.save()
        note(current, actor=actor, what=f"refund {status}", detail=f"{row.amount} {payment.currency} {name}")
        if status == Refund.State.FAILED:
            outbox.queue_for_staff(current, "staff_money")
        settle(current, actor=actor, detail=name)
        current.refresh_from_db()
        part = status == Refund.State.SUCCEEDED and current.state != State.REFUNDED
        if part and payment.use == Payment.Use.KEPT:
            outbox.queue(current, "part_refunded")
    order.refresh_from_db()
    return True


def _claimed(payment: Payment, metadata: dict[str, Any]) -> Refund | None:
    """Our own row of a refund that comes with its id for the first time. Older requests named the order alone."""
    mine = payment.refunds.filter(refund_id="")
    number = str(metadata.get("refund") or "")
    if number:
        return mine.filter(pk=number).first() if number.isdecimal() and len(number) < 16 else None
    return mine.filter(state=Refund.State.ASKED).first() if metadata.get("order") else None


def _number(row: Refund) -> None:
    """A credit note for money of an invoice. One that a failed refund had used up is used again: there is no gap."""
    if row.payment.invoice_number is None or row.credit_note is not None:
        return
    spare = (
        row.payment.refunds.filter(state=Refund.State.FAILED, amount=row.amount)
        .exclude(credit_note=None)
        .first()
    )
    if spare is None:
        row.credit_note = next_number("credit note")
        return
    row.credit_note = spare.credit_note
    Refund.objects.filter(pk=spare.pk).update(credit_note=None)


def settle(order: Order, *, actor: str, detail: str = "") -> None:
    """Brings the order's summary and state in line with its rows. Call it with the order locked."""
    paid = list(order.payments.filter(state=Payment.State.PAID).prefetch_related("refunds"))
    ours = [each for each in paid if each.use == Payment.Use.KEPT] or [
        each for each in paid if each.use == Payment.Use.SURPLUS
    ]
    rows = [row for each in ours for row in each.refunds.all()]
    returned = sum(row.amount for row in rows if row.state == Refund.State.SUCCEEDED)
    status = Order.Refund.NONE
    if any(row.state in MOVING for row in rows):
        status = Order.Refund.PENDING
    elif returned and returned >= sum(each.amount for each in ours):
        status = Order.Refund.SUCCEEDED
    elif rows and max(rows, key=lambda row: row.pk).state == Refund.State.FAILED:
        status = Order.Refund.FAILED
    elif returned:
        status = Order.Refund.PART
    done = [row.refund_id for row in rows if row.refund_id and row.state != Refund.State.FAILED]
    fields: dict[str, Any] = {
        "refund_status": status,
        "refund_id": done[-1] if done else next((row.refund_id for row in reversed(rows)), ""),
    }
    all_back = bool(paid) and all(each.amount and each.left == 0 for each in paid)
    current = Order.objects.get(pk=order.pk)
    if all_back and current.paid_at and State.REFUNDED in TRANSITIONS[State(current.state)]:
        move(order, State.REFUNDED, actor=actor, what="refunded", detail=detail, **fields)
    else:
        Order.objects.filter(pk=order.pk).update(**fields)
        order.refresh_from_db()


def mark_refunded(order: Order, *, actor: str) -> None:
    """Staff sent the money of an invoice back by themselves."""
    only(order, Order.Method.INVOICE, "refund")
    with transaction.atomic():
        current = Order.objects.select_for_update().get(pk=order.pk)
        payment = current.payments.filter(state=Payment.State.PAID).first()
        if payment is None or State.REFUNDED not in TRANSITIONS[State(current.state)]:
            raise NotAllowed(current, State.REFUNDED)
        row = Refund(payment=payment, amount=payment.left, state=Refund.State.SUCCEEDED, by=actor)
        row.done_at = timezone.now()
        _number(row)
        row.save()
        settle(order, actor=actor)
    order.refresh_from_db()
