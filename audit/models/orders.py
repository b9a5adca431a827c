"""What the manual audit stores: orders, what happened to them, the mail about them, and Stripe's events.

The only models that hold an e-mail address and free text of a visitor. What is written into `state` and
everything beside it goes through orders.py.
"""

from zoneinfo import ZoneInfo

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Order(models.Model):
    """An order of the manual audit. Its customer reaches it by a signed link (order_links.py)."""

    class State(models.TextChoices):
        NEW = "new", pgettext_lazy("order", "new")
        AWAITING_PAYMENT = "awaiting_payment", pgettext_lazy("order", "awaiting payment")
        PAID = "paid", pgettext_lazy("order", "paid")
        IN_PROGRESS = "in_progress", pgettext_lazy("order", "in progress")
        DELIVERED = "delivered", pgettext_lazy("order", "delivered")
        CLOSED = "closed", pgettext_lazy("order", "closed")
        CANCELLED = "cancelled", pgettext_lazy("order", "cancelled")
        REFUNDED = "refunded", pgettext_lazy("order", "refunded")
        EXPIRED = "expired", pgettext_lazy("order", "expired")

    class Method(models.TextChoices):
        STRIPE = "stripe", _("card (Stripe)")
        INVOICE = "invoice", _("invoice")

    class Refund(models.TextChoices):
        NONE = "", _("none")
        PENDING = "pending", _("under way")
        SUCCEEDED = "succeeded", _("done")
        PART = "part", _("a part")
        FAILED = "failed", _("failed")

    public_id = models.CharField(max_length=32, unique=True, editable=False)
    code = models.CharField(_("order code"), max_length=12, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    lang = models.CharField(_("language"), max_length=10)
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.NEW, db_index=True)
    state_since = models.DateTimeField(_("in this state since"))
    method = models.CharField(_("paid by"), max_length=10, choices=Method)
    price_cents = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    currency = models.CharField(max_length=3, default="usd")
    email = models.EmailField(_("e-mail"), max_length=254, db_index=True)
    time_zone = models.CharField(_("time zone"), max_length=60)
    message = models.TextField(_("message"), blank=True)
    scan = models.ForeignKey(
        "audit.Scan", on_delete=models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    due_at = models.DateTimeField(
        _("due"), null=True, blank=True, db_index=True, help_text=_("The report was promised for this time.")
    )
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    terms_version = models.CharField(
        _("terms"),
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text=_("The version that was agreed to."),
    )
    begin_asked_at = models.DateTimeField(
        _("asked us to begin at once"), null=True, blank=True,
        help_text=_("The customer knows that the right of withdrawal ends with the delivery."),
    )  # fmt: skip
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)
    invoice = models.TextField(_("how to pay"), blank=True, help_text=_("As the customer reads it."))
    draft = models.TextField(_("report, in Markdown"), blank=True)
    report = models.TextField(blank=True, help_text=_("The draft as it was last delivered."))

    checkout_session = models.CharField(max_length=120, blank=True)
    checkout_url = models.TextField(blank=True)
    checkout_expires_at = models.DateTimeField(null=True, blank=True)
    checkout_number = models.PositiveSmallIntegerField(default=0, help_text=_("How many were opened."))
    checkout_refusals = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text=_("How often Stripe said no; part of the idempotency key.")
    )
    # A summary of the rows in audit/models/payments.py: the payment that counts, and how far its refund has come.
    payment_intent = models.CharField(max_length=120, blank=True, db_index=True)
    refund_id = models.CharField(max_length=120, blank=True)
    refund_status = models.CharField(_("refund"), max_length=10, choices=Refund, blank=True, default="")

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        permissions = [
            ("process_order", _("Can start orders, write and deliver reports")),
            ("manage_payment", _("Can send invoices, record payments, cancel and refund orders")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["payment_intent"], condition=~Q(payment_intent=""), name="one_order_a_payment"
            )
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def zone(self) -> ZoneInfo:
        """The customer's time zone."""
        return ZoneInfo(self.time_zone)


class OrderEvent(models.Model):
    """One line of an order's history. `old` and `new` differ when the state changed."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(_("by"), max_length=160, help_text=_("customer, stripe, clock or staff:name"))
    what = models.CharField(_("what"), max_length=40)
    old = models.CharField(_("from"), max_length=20, blank=True)
    new = models.CharField(_("to"), max_length=20, blank=True)
    detail = models.CharField(_("detail"), max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("order event")
        verbose_name_plural = _("order events")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.what} {self.new} ({self.actor})"


class Mail(models.Model):
    """The outbox: a mail is written here in the transaction of what it tells, and sent after its commit."""

    class State(models.TextChoices):
        QUEUED = "queued", pgettext_lazy("mail", "queued")
        SENT = "sent", pgettext_lazy("mail", "sent")
        FAILED = "failed", pgettext_lazy("mail", "given up")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="mails")
    created_at = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=30)
    lang = models.CharField(max_length=10)
    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField()
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(help_text=_("Not sent before; moved on by whoever claims it."))
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(state="queued"), name="mail_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"


class StripeEvent(models.Model):
    """A webhook that was handled, so that it is never handled again. Keeps no payload: it holds addresses.

    News of a refund may come before that of its payment, so its few facts are kept for then.
    """

    id = models.CharField(primary_key=True, max_length=120)
    type = models.CharField(max_length=80)
    received_at = models.DateTimeField(auto_now_add=True)
    order = models.ForeignKey(
        Order, on_delete=models.SET_NULL, null=True, blank=True, related_name="stripe_events"
    )
    payment_intent = models.CharField(max_length=120, blank=True, db_index=True)
    refund = models.JSONField(null=True, blank=True, help_text=_("Its id, status, amount and currency."))
    outcome = models.CharField(max_length=200)

    class Meta:
        ordering = ["-received_at"]
        verbose_name = _("Stripe event")
        verbose_name_plural = _("Stripe events")

    def __str__(self) -> str:
        return f"{self.type} {self.id}"
