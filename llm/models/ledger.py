"""The ledger: calls, attempts, cached replies, and sums of what aged out."""

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from llm.models.columns import PRICE, USD


class PastSpending(models.Model):
    """What a paid provider has cost, in attempts that are no longer kept: a credit that is spent stays spent."""

    provider = models.CharField(max_length=40, unique=True)
    usd = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))

    def __str__(self) -> str:
        return f"{self.provider} {self.usd}"


class Call(models.Model):
    """One request to the chain: written before the first attempt, finished after the last."""

    class Outcome(models.TextChoices):
        RUNNING = "running", _("running")
        OK = "ok", _("answered")
        EXHAUSTED = "exhausted", _("every provider failed")
        BLOCKED = "content_blocked", _("refused by a provider's content policy")
        CANCELLED = "cancelled", _("the caller left")
        ABANDONED = "abandoned", _("the worker died")

    purpose = models.CharField(max_length=60, blank=True, db_index=True)
    client = models.CharField(_("client"), max_length=60, blank=True, help_text=_("Whose key it came with."))
    lang = models.CharField(max_length=10, blank=True)
    started_at = models.DateTimeField(db_index=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    deadline_s = models.FloatField()
    outcome = models.CharField(max_length=20, choices=Outcome, default=Outcome.RUNNING)
    messages = models.JSONField(default=list)
    text = models.TextField(blank=True)
    provider = models.CharField(_("credential"), max_length=80, blank=True, help_text=_("Who answered."))
    model = models.CharField(max_length=120, blank=True)
    tier = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True)
    cached = models.BooleanField(default=False)
    # No foreign key: a copy may be purged while a call that knows of it is being written.
    cached_reply = models.BigIntegerField(null=True, blank=True, editable=False)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    tokens_cached = models.PositiveIntegerField(
        default=0, db_default=0, help_text=_("Of the input: what the provider had in its prompt cache.")
    )
    session = models.CharField(
        max_length=32, blank=True, default="", db_default="", editable=False
    )  # a hash: see llm.calls.affinity
    cost_usd = models.DecimalField(**USD, null=True, blank=True, help_text=_("Empty: a price is unknown."))
    saved_usd = models.DecimalField(
        **USD,
        null=True,
        blank=True,
        help_text=_("What it would have cost on the cheapest paid model, less its cost."),
    )
    latency_ms = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ["-id"]
        indexes = [
            # For the lists of staff, newest first; the last one is small.
            models.Index(fields=["outcome", "started_at"], name="call_outcome"),
            models.Index(fields=["tier", "started_at"], name="call_tier"),
            models.Index(fields=["started_at"], condition=Q(cached=True), name="call_cached"),
            models.Index(fields=["client", "started_at"], name="call_client"),
            models.Index(fields=["session"], condition=~Q(session=""), name="call_session"),
        ]

    def __str__(self) -> str:
        return f"call {self.pk}"


class Attempt(models.Model):
    """One try of one deployment. Names and prices are copies: history does not change with configuration."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="attempts")
    provider = models.CharField(max_length=40)
    credential = models.CharField(max_length=60)
    account = models.CharField(max_length=120)
    model = models.CharField(max_length=120)
    location = models.CharField(max_length=60, blank=True)
    tier = models.DecimalField(max_digits=4, decimal_places=1)
    free = models.BooleanField()
    judged = models.BooleanField(
        default=False, db_default=False, editable=False, help_text=_("A gate of the caller's read its text.")
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=30, default="running")
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    retry_after_s = models.FloatField(null=True, blank=True)
    latency_ms = models.PositiveIntegerField(default=0)
    first_token_ms = models.PositiveIntegerField(null=True, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    estimated_in = models.PositiveIntegerField(
        default=0, help_text=_("Input tokens before they were counted.")
    )
    reserved_in = models.PositiveIntegerField(
        default=0, db_default=0, help_text=_("Input that was reserved.")
    )
    reserved_tokens = models.PositiveIntegerField(default=0, help_text=_("Input estimate and max_tokens."))
    reserved_usd = models.DecimalField(**USD, null=True, blank=True, help_text=_("The most it can cost."))
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    tokens_cached = models.PositiveIntegerField(
        default=0, db_default=0, help_text=_("Of the input: what the provider had in its prompt cache.")
    )
    price_in = models.DecimalField(**PRICE, null=True, blank=True)
    price_out = models.DecimalField(**PRICE, null=True, blank=True)
    price_cached = models.DecimalField(**PRICE, null=True, blank=True)
    price_source = models.CharField(max_length=20, blank=True)
    cost_usd = models.DecimalField(**USD, null=True, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["provider", "account", "model", "started_at"], name="attempt_meter"),
            models.Index(fields=["provider", "started_at"], name="attempt_spend"),
            models.Index(fields=["started_at"], name="attempt_time"),
            models.Index(fields=["outcome", "started_at"], name="attempt_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.credential} {self.model} {self.outcome}"


class CachedReply(models.Model):
    """A reply kept by what was asked, or the claim of the call that fetches it. See `llm.cache.responses`."""

    key = models.CharField(max_length=64, unique=True, editable=False)
    purpose = models.CharField(max_length=60, blank=True)
    lang = models.CharField(max_length=10, blank=True)
    text = models.TextField(blank=True)
    provider = models.CharField(_("credential"), max_length=80, blank=True)
    model = models.CharField(max_length=120, blank=True)
    tier = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True)
    finish_reason = models.CharField(max_length=30, blank=True)
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    hits = models.PositiveIntegerField(default=0)
    filled_at = models.DateTimeField(null=True, blank=True, help_text=_("Empty: a call is fetching it."))
    expires_at = models.DateTimeField(db_index=True)
    leader = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("cached response")
        verbose_name_plural = _("cached responses")

    def __str__(self) -> str:
        return f"kept reply {self.pk}"


class Rollup(models.Model):
    """Sums over one hour or one day of a source, kept so that nobody adds up the same rows twice. See rollup.py."""

    class Grain(models.TextChoices):
        HOUR = "hour", _("hour")
        DAY = "day", _("day")

    source = models.CharField(max_length=30)
    grain = models.CharField(max_length=4, choices=Grain)
    start = models.DateTimeField()
    lines = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "start", "grain"], name="rollup_unique")]

    def __str__(self) -> str:
        return f"{self.source} {self.grain} {self.start}"
