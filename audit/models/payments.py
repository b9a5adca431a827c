"""The money of the manual audit, a row for each thing that Stripe or a bank did: payments, refunds, disputes.

An order's `payment_intent`, `refund_id` and `refund_status` are a summary of these rows (audit/orders/refunds.py).
All amounts are in the currency's smallest unit: cents.
"""

from django.db import models
from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.models.orders import Order


class Payment(models.Model):
    """A payment page of Stripe and what became of it, or money that came in by invoice (without session and intent)."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("payment", "page open")
        ON_ITS_WAY = "on_its_way", pgettext_lazy("payment", "on its way")
        PAID = "paid", pgettext_lazy("payment", "paid")
        FAILED = "failed", pgettext_lazy("payment", "failed")
        EXPIRED = "expired", pgettext_lazy("payment", "page closed")

    class Use(models.TextChoices):
        NONE = "", pgettext_lazy("payment", "none yet")
        KEPT = "kept", pgettext_lazy("payment", "pays the order")
        SURPLUS = "surplus", pgettext_lazy("payment", "to be sent back")
        QUESTIONED = "questioned", pgettext_lazy("payment", "wrong amount, to be decided")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="payments")
    session = models.CharField(max_length=120, blank=True)
    intent = models.CharField(max_length=120, blank=True)
    amount = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=10)
    state = models.CharField(_("state"), max_length=10, choices=State)
    use = models.CharField(_("use"), max_length=10, choices=Use, blank=True, default="")
    at = models.DateTimeField(_("paid at"), null=True, blank=True, db_index=True)
    invoice_number = models.PositiveIntegerField(_("invoice number"), null=True, blank=True, unique=True)
    charge = models.CharField(max_length=120, blank=True)
    fee = models.IntegerField(_("fee"), null=True, blank=True)
    net = models.IntegerField(_("net"), null=True, blank=True)
    payout = models.CharField(_("payout"), max_length=120, blank=True)
    next_look_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text=_("When Stripe is asked again; empty: all is known.")
    )

    class Meta:
        ordering = ["id"]
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.UniqueConstraint(fields=["intent"], condition=~Q(intent=""), name="payment_intent_once"),
            models.UniqueConstraint(
                fields=["session"], condition=~Q(session=""), name="payment_session_once"
            ),
        ]

    def __str__(self) -> str:
        return self.intent or self.session or f"{self.order} ({self.pk})"

    @property
    def returned(self) -> int:
        """The sum of the refunds that succeeded."""
        done = self.refunds.filter(state=Refund.State.SUCCEEDED)
        return int(done.aggregate(sum=Sum("amount"))["sum"] or 0)

    @property
    def left(self) -> int:
        """What has not been sent back."""
        return max(0, self.amount - self.returned)


class Refund(models.Model):
    """Money on its way back: claimed here before Stripe is asked, or made by hand in Stripe's dashboard."""

    class State(models.TextChoices):
        ASKED = "asked", pgettext_lazy("refund", "asked for, no answer yet")
        PENDING = "pending", pgettext_lazy("refund", "under way")
        SUCCEEDED = "succeeded", pgettext_lazy("refund", "done")
        FAILED = "failed", pgettext_lazy("refund", "failed")

    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="refunds")
    refund_id = models.CharField(max_length=120, blank=True, help_text=_("Stripe's; empty until it answers."))
    amount = models.PositiveIntegerField()
    state = models.CharField(_("state"), max_length=10, choices=State)
    by = models.CharField(_("by"), max_length=160)
    at = models.DateTimeField(_("asked at"), auto_now_add=True)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True, db_index=True)
    attempt = models.PositiveSmallIntegerField(default=1, help_text=_("Part of the idempotency key."))
    answer = models.CharField(_("last answer"), max_length=200, blank=True)
    credit_note = models.PositiveIntegerField(_("credit note number"), null=True, blank=True, unique=True)
    next_look_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [
            models.UniqueConstraint(fields=["refund_id"], condition=~Q(refund_id=""), name="refund_id_once"),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(state="asked"), name="one_claimed_refund_a_payment"
            ),
        ]

    def __str__(self) -> str:
        return self.refund_id or f"{self.payment} ({self.attempt})"


class Dispute(models.Model):
    """A chargeback, or a card network's early warning of fraud. Stops delivery until staff decide."""

    class Kind(models.TextChoices):
        DISPUTE = "dispute", pgettext_lazy("dispute", "dispute")
        WARNING = "warning", pgettext_lazy("dispute", "early fraud warning")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="disputes")
    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="disputes")
    stripe_id = models.CharField(max_length=120, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    amount = models.PositiveIntegerField(default=0)
    status = models.CharField(_("status"), max_length=40, help_text=_("In Stripe's words."))
    reason = models.CharField(_("reason"), max_length=80, blank=True)
    at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(_("evidence due"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.CharField(max_length=160, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")

    def __str__(self) -> str:
        return f"{self.stripe_id} ({self.status})"


class Counter(models.Model):
    """The last number given out of a series without gaps: `invoice`, `credit note`."""

    name = models.CharField(max_length=20, primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.last}"
