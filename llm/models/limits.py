"""What providers limit: configured limits, and counters of what was used of them."""

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from llm.models.columns import Evidence
from llm.models.configuration import Provider

UNITS_OF: dict[str, Any] = {
    "max_digits": 14, "decimal_places": 4, "null": True, "blank": True, "validators": [MinValueValidator(0)],
}  # fmt: skip


class Limit(Evidence):
    """A limit that the four fields of a model cannot say. All limits that match a call hold."""

    class Scope(models.TextChoices):
        MODEL = "model", _("each model of an account")
        ACCOUNT = "account", _("an account")
        PROVIDER = "provider", _("all accounts together")

    class Per(models.TextChoices):
        SECOND = "second", _("second")
        MINUTE = "minute", _("minute")
        HOUR = "hour", _("hour")
        DAY = "day", _("day")
        WEEK = "week", _("week")
        MONTH = "month", _("month")

    class Unit(models.TextChoices):
        REQUESTS = "requests", _("requests")
        TOKENS = "tokens", _("tokens")
        TOKENS_IN = "tokens_in", _("tokens in")
        TOKENS_OUT = "tokens_out", _("tokens out")
        UNITS = "units", _("units of its own")
        CONCURRENT = "concurrent", _("requests at a time")

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="limits")
    position = models.PositiveIntegerField(default=0)
    enabled = models.BooleanField(default=True)
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.MODEL, help_text=_("Who shares it."))
    patterns = models.JSONField(
        _("models"),
        default=list,
        blank=True,
        help_text=_("Patterns of model ids, such as *:free; empty: all."),
    )
    per = models.CharField(
        max_length=10, choices=Per, blank=True, help_text=_("Empty for requests at a time.")
    )
    unit = models.CharField(max_length=10, choices=Unit, default=Unit.REQUESTS)
    amount = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    units_in = models.DecimalField(**UNITS_OF, help_text=_("The provider's units for a million tokens in."))
    units_out = models.DecimalField(**UNITS_OF, help_text=_("The provider's units for a million tokens out."))
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["provider", "position", "id"]
        verbose_name = pgettext_lazy("provider", "limit")
        verbose_name_plural = pgettext_lazy("provider", "limits")

    def __str__(self) -> str:
        whose = ", ".join(self.patterns) or "*"
        return f"{self.amount} {self.unit}{f' a {self.per}' if self.per else ''} ({self.scope}: {whose})"


class Meter(models.Model):
    """What one account has used of one model, as counters by window: see `llm.ledger.counters`.

    The row without account and model says how the counters of a provider were made.
    """

    provider = models.CharField(max_length=40)
    account = models.CharField(max_length=120, blank=True)
    model = models.CharField(max_length=120, blank=True)
    version = models.BigIntegerField()
    state = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "account", "model"], name="meter_unique")]

    def __str__(self) -> str:
        return f"{self.provider} {self.account} {self.model}"
