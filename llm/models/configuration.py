"""What the chain stores. Three kinds of rows, never mixed:

configuration (Provider, Model, Credential), written by staff and by providers files;
state (Pause, Quota), written by the chain and shared by all workers;
the ledger (Call, Attempt), which copies every name as text, so that deleting a provider loses no history.
"""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from llm import hosts, secrets
from llm.models.columns import LABEL, PRICE, USD, EnteredFor, Evidence


class Provider(Evidence):
    """An outside service. Lower tiers are tried first; within a tier, lower positions."""

    class Kind(models.TextChoices):
        GROQ = "groq", "Groq"
        OPENAI = "openai", _("OpenAI-compatible")
        VERTEX = "vertex", "Vertex AI"

    class DayReset(models.TextChoices):
        UTC = "utc", _("midnight UTC")
        PACIFIC = "pacific", _("midnight Pacific time")
        ROLLING = "rolling", _("rolling 24 hours")

    slug = models.CharField(max_length=40, unique=True, validators=[LABEL])
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=80)
    base_url = models.CharField(max_length=300, blank=True, help_text=_("Empty: the kind's own address."))
    tier = models.DecimalField(max_digits=4, decimal_places=1, default=Decimal(1))
    position = models.PositiveIntegerField(default=0)
    enabled = models.BooleanField(default=True)
    free = models.BooleanField(default=False)
    keyless = models.BooleanField(default=False, help_text=_("Needs no key, such as a local server."))
    first_byte_s = models.FloatField(default=10, validators=[MinValueValidator(0.1)])
    timeout_s = models.FloatField(default=20, validators=[MinValueValidator(0.1)])
    daily_budget_usd = models.DecimalField(**USD, null=True, blank=True)
    credit_usd = models.DecimalField(**USD, null=True, blank=True)
    credit_until = models.DateField(null=True, blank=True)
    demote_after_h = models.FloatField(default=24, validators=[MinValueValidator(0)])
    day_reset = models.CharField(max_length=10, choices=DayReset, default=DayReset.UTC)
    project = models.CharField(max_length=80, blank=True, help_text=_("Vertex AI only."))
    locations = models.JSONField(default=list, blank=True, help_text=_("Vertex AI only, in order."))
    # Its terms, as staff have read them; empty is not known, and then nothing that depends on it is sent.
    trains_on_prompts = models.BooleanField(_("trains on prompts"), null=True, blank=True)
    commercial_use = models.BooleanField(_("allows commercial use"), null=True, blank=True)
    personal_data = models.BooleanField(
        _("may be sent personal data"),
        null=True,
        blank=True,
        help_text=_("Such as under a data processing agreement, or on a machine of your own."),
    )
    barred_regions = models.JSONField(
        default=list, blank=True, help_text=_("Where users may not be, such as EEA, UK, CH.")
    )
    dialect = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text=_("What it wants said differently; empty: as others of its kind."),
    )
    vouched_origin = models.CharField(
        max_length=320,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("Where a providers file says that it is."),
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        ordering = ["tier", "position", "id"]
        permissions = [("test_provider", _("Can send a trial request to a provider"))]

    def __str__(self) -> str:
        return self.name

    @property
    def origin(self) -> str:
        """Where its requests go: scheme, host and port."""
        return hosts.origin(self.kind, self.base_url)


class Model(Evidence):
    """One model id of a provider, with what is sent along, its prices and one account's quota for it.

    An embedding model makes vectors of `dimensions` numbers; those of one `family` can be compared with each other.
    """

    class Kind(models.TextChoices):
        CHAT = "chat", _("chat")
        EMBEDDING = "embedding", _("embedding")

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="models")
    name = models.CharField(_("id"), max_length=120)
    position = models.PositiveIntegerField(default=0)
    enabled = models.BooleanField(default=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CHAT, db_default=Kind.CHAT)
    dimensions = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Numbers in a vector of an embedding model.")
    )
    family = models.CharField(
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "Embedding models of one family give the same vectors; others are never mixed with them."
        ),
    )
    context = models.PositiveIntegerField(
        _("context"), null=True, blank=True, help_text=_("Tokens of input and output together.")
    )
    max_output = models.PositiveIntegerField(
        _("longest output"), null=True, blank=True, help_text=_("Tokens, hidden reasoning included.")
    )
    params = models.JSONField(default=dict, blank=True, help_text=_("Sent with every request to this model."))
    reasoning_reserve = models.PositiveIntegerField(
        default=0, help_text=_("Tokens added to the caller's max_tokens for hidden reasoning.")
    )
    tools = models.BooleanField(_("takes tools"), default=True)
    json_schema = models.BooleanField(
        _("takes a JSON schema"), default=True, help_text=_("Off: the schema goes into the prompt instead.")
    )
    images = models.BooleanField(_("takes images"), default=False)
    prefill = models.BooleanField(
        _("goes on from half an answer"),
        default=False,
        db_default=False,
        help_text=_("Takes a last message of the assistant's and continues it."),
    )
    price_in = models.DecimalField(
        **PRICE, null=True, blank=True, help_text=_("USD per million tokens; empty: the price library's.")
    )
    price_out = models.DecimalField(**PRICE, null=True, blank=True)
    rpm = models.PositiveIntegerField(_("requests a minute"), null=True, blank=True)
    rpd = models.PositiveIntegerField(_("requests a day"), null=True, blank=True)
    tpm = models.PositiveIntegerField(_("tokens a minute"), null=True, blank=True)
    tpd = models.PositiveIntegerField(_("tokens a day"), null=True, blank=True)
    units_in = models.DecimalField(
        max_digits=14,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("The provider's units for a million tokens in, where its limit counts units of its own."),
    )
    units_out = models.DecimalField(
        max_digits=14, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    shutdown_on = models.DateField(
        null=True, blank=True, help_text=_("The provider ends it on this day; staff are warned before.")
    )
    replacement = models.CharField(
        max_length=120, blank=True, help_text=_("Id of the same provider's model that takes its place.")
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["provider", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["provider", "name"], name="model_of_provider_unique")]

    def __str__(self) -> str:
        return self.name


class Credential(models.Model):
    """An API key. Quotas belong to its account: the one its provider named, else the declared, else itself."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="credentials")
    label = models.CharField(max_length=60, unique=True, validators=[LABEL])
    position = models.PositiveIntegerField(default=0)
    enabled = models.BooleanField(default=True)
    secret = models.TextField(blank=True, editable=False)
    entered_for = EnteredFor(
        max_length=320,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("The only host that the key is sent to."),
    )
    account = models.CharField(
        max_length=120, blank=True, help_text=_("Keys of one account share its quotas.")
    )
    organisation = models.CharField(
        max_length=120, blank=True, editable=False, help_text=_("As the provider's answers named it.")
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        ordering = ["provider", "position", "id"]

    def __str__(self) -> str:
        return self.label

    @property
    def effective_account(self) -> str:
        return self.account or self.organisation or self.label

    def key(self) -> str:
        """The key itself; empty when its variable or file is missing. Never log it.

        Raises SecretError when it cannot be read or sent, or was entered for another host than its provider's of today.
        """
        if self.is_elsewhere:
            raise secrets.SecretError(
                f"entered for {self.entered_for}, so it is not sent to {self.provider.origin}: enter it again"
            )
        key = secrets.reveal(self.secret)
        # A service account is a document, which is never sent.
        return key if self.provider.kind == Provider.Kind.VERTEX else secrets.checked(key)

    @property
    def is_elsewhere(self) -> bool:
        """Whether its provider has moved to another host since the key was entered."""
        return bool(self.secret) and self.entered_for != self.provider.origin


class Alias(models.Model):
    """Another name for what a client may ask for as `model`, such as a name that its program has built in."""

    name = models.CharField(max_length=120, unique=True)
    to = models.CharField(
        max_length=161, help_text=_("auto, free, a provider, provider/model or a model's id.")
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = _("aliases")

    def __str__(self) -> str:
        return f"{self.name} → {self.to}"
