"""Who may call through the gateway."""

from decimal import Decimal
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from llm.models.columns import LABEL, USD


class Client(models.Model):
    """A product that asks the chain over HTTP, with what it may use. Its key is kept as a hash only."""

    class DataClass(models.TextChoices):
        PUBLIC = "public", _("public")
        INTERNAL = "internal", _("internal: never to a provider that trains on prompts")
        PERSONAL = "personal", _("personal: only where personal data may be sent; not kept in the ledger")

    class OnBreak(models.TextChoices):
        END = "end", _("ends with an error")
        CONTINUE = "continue", _("is continued by the next provider, where it can")

    class OnContentBlock(models.TextChoices):
        NEXT = "next", _("the next provider is asked")
        ERROR = "error", _("is told as an error")

    class Cache(models.TextChoices):
        DEFAULT = "default", _("as the site does, its own answers only")
        SHARED = "shared", _("as the site does, with other clients that share")
        OFF = "off", _("never")

    read_as: Any = None  # its row, where it is not read anew for each request: see llm.clients.known

    name = models.CharField(
        max_length=60, unique=True, validators=[LABEL], help_text=_("The ledger knows it by this name.")
    )
    key_id = models.CharField(_("key"), max_length=20, unique=True, editable=False)
    key_hash = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text=_("Empty: never."))
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    rpm = models.PositiveIntegerField(_("requests a minute"), null=True, blank=True)
    concurrency = models.PositiveIntegerField(_("requests at a time"), null=True, blank=True)
    daily_calls = models.PositiveIntegerField(_("requests a day"), null=True, blank=True)
    daily_budget_usd = models.DecimalField(
        _("daily budget (USD)"), **USD, null=True, blank=True, validators=[MinValueValidator(Decimal(0))]
    )
    max_usd = models.DecimalField(
        _("most that a call may cost (USD)"),
        **USD,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("0: free providers only. Empty: what the budgets allow."),
    )
    tiers = models.JSONField(default=list, blank=True, help_text=_("Empty: all."))
    cache = models.CharField(max_length=10, choices=Cache, default=Cache.DEFAULT)
    hold = models.BooleanField(
        _("hold streams"),
        default=False,
        db_default=False,
        help_text=_("A stream is sent once it is whole, so that another provider can take over unseen."),
    )
    on_break = models.CharField(
        _("a stream that breaks"),
        max_length=10,
        choices=OnBreak,
        default=OnBreak.END,
        db_default=OnBreak.END,
        blank=True,
    )
    on_content_block = models.CharField(
        _("content that a provider refuses"),
        max_length=10,
        choices=OnContentBlock,
        default=OnContentBlock.NEXT,
        db_default=OnContentBlock.NEXT,
        blank=True,
    )
    data_class = models.CharField(max_length=10, choices=DataClass, default=DataClass.PUBLIC)
    commercial = models.BooleanField(
        default=True, help_text=_("Off: an evaluation, which providers for evaluation only may serve.")
    )
    regions = models.JSONField(
        default=list,
        blank=True,
        help_text=_(
            "Where its users are, such as EEA, US. Empty: anywhere, so no provider that bars a region."
        ),
    )

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
