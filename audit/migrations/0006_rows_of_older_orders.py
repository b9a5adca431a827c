"""Gives orders that were paid before payments and refunds were rows their rows, with invoice numbers by date."""

from datetime import timedelta

from django.db import migrations
from django.db.models import F
from django.utils import timezone

REFUND = {"pending": "pending", "succeeded": "succeeded", "failed": "failed"}


def make_rows(apps, schema_editor):
    Order, Payment, Refund, Counter = (
        apps.get_model("audit", name) for name in ("Order", "Payment", "Refund", "Counter")
    )
    counters = {name: Counter.objects.get_or_create(name=name)[0] for name in ("invoice", "credit note")}

    def number(series):
        counters[series].last += 1
        return counters[series].last

    soon = timezone.now() + timedelta(minutes=10)
    for order in Order.objects.order_by(F("paid_at").asc(nulls_last=True), "pk").iterator():
        paid = order.paid_at is not None
        if not paid and not order.checkout_session:
            continue
        late = paid and order.due_at is None  # a payment that came after cancelling
        payment = Payment.objects.create(
            order=order,
            session=order.checkout_session,
            intent=order.payment_intent,
            amount=order.price_cents,
            currency=order.currency,
            state="paid" if paid else "open",
            use=("surplus" if late else "kept") if paid else "",
            at=order.paid_at,
            invoice_number=number("invoice") if paid and not late else None,
            next_look_at=None if paid else soon,
        )
        if not paid or not order.refund_status:
            continue
        done = order.refund_status == "succeeded"
        asked = order.refund_status == "pending" and not order.refund_id
        Refund.objects.create(
            payment=payment,
            refund_id=order.refund_id,
            amount=order.price_cents,
            state="asked" if asked else REFUND[order.refund_status],
            by="stripe" if order.method == "stripe" else "staff",
            done_at=order.state_since if done else None,
            answer="asked before refunds were rows" if asked else "",
            credit_note=number("credit note") if done and not late else None,
            next_look_at=soon if order.refund_status == "pending" and order.method == "stripe" else None,
        )
    for counter in counters.values():
        counter.save()


def forget_rows(apps, schema_editor):
    for name in ("Refund", "Payment", "Counter"):
        apps.get_model("audit", name).objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_payments_refunds_disputes")]
    operations = [migrations.RunPython(make_rows, forget_rows)]
