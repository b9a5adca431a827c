"""What the chain stores. Three kinds of rows, never mixed:

configuration (Provider, Model, Credential), written by staff and by providers files;
state (Pause, Quota), written by the chain and shared by all workers;
the ledger (Call, Attempt), which copies every name as text, so that deleting a provider loses no history.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from llm import hosts
from llm.configuration import secrets

USD: dict[str, Any] = {"max_digits": 14, "decimal_places": 6}
PRICE: dict[str, Any] = {
    "max_digits": 12, "decimal_places": 6,
    "validators": [MinValueValidator(Decimal(0))],
}  # fmt: skip
LABEL = RegexValidator(r"^[a-z0-9][a-z0-9._:-]*$", _("Use lower-case letters, digits and . _ : -"))


def utc_today() -> date:
    return timezone.now().date()


class EnteredFor(models.CharField):  # type: ignore[type-arg]
    """Where a new key goes is where it was entered for, unless somebody says otherwise."""

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        if add and not getattr(model_instance, self.attname):
            setattr(model_instance, self.attname, model_instance.provider.origin)
        return super().pre_save(model_instance, add)

    def deconstruct(self) -> Any:  # migrations need to know of no more than the column
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


class Provider(models.Model):
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
        default=dict, blank=True, help_text=_("What it wants said differently; empty: as others of its kind.")
    )
    vouched_origin = models.CharField(
        max_length=320, blank=True, editable=False, help_text=_("Where a providers file says that it is.")
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["tier", "position", "id"]
        permissions = [("test_provider", _("Can send a trial request to a provider"))]

    def __str__(self) -> str:
        return self.name

    @property
    def origin(self) -> str:
        """Where its requests go: scheme, host and port."""
        return hosts.origin(self.kind, self.base_url)


class Model(models.Model):
    """One model id of a provider, with what is sent along, its prices and one account's quota for it."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="models")
    name = models.CharField(_("id"), max_length=120)
    position = models.PositiveIntegerField(default=0)
    enabled = models.BooleanField(default=True)
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
    shutdown_on = models.DateField(
        null=True, blank=True, help_text=_("The provider ends it on this day; staff are warned before.")
    )
    replacement = models.CharField(
        max_length=120, blank=True, help_text=_("Id of the same provider's model that takes its place.")
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
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
        max_length=320, blank=True, editable=False, help_text=_("The only host that the key is sent to.")
    )
    account = models.CharField(
        max_length=120, blank=True, help_text=_("Keys of one account share its quotas.")
    )
    organisation = models.CharField(
        max_length=120, blank=True, editable=False, help_text=_("As the provider's answers named it.")
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
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


class Pause(models.Model):
    """Why a scope is not tried, and until when. One open row a scope; closed rows are the history.

    A scope is what its non-empty names say, from (provider) to (provider, account, model, location); one with `needs`
    is a model's for calls that need an ability of it.
    """

    class Source(models.TextChoices):
        PROVIDER = "provider", _("stated by the provider")
        GUESS = "guess", _("our guess")
        STAFF = "staff", _("staff")

    provider = models.CharField(max_length=40)
    credential = models.CharField(max_length=60, blank=True)
    account = models.CharField(max_length=120, blank=True)
    model = models.CharField(max_length=120, blank=True)
    location = models.CharField(max_length=60, blank=True)
    needs = models.CharField(
        max_length=20, blank=True, help_text=_("Holds only for calls that need this of a model.")
    )
    kind = models.CharField(max_length=30)
    source = models.CharField(max_length=10, choices=Source)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True, help_text=_("Empty: until staff act."))
    streak = models.PositiveIntegerField(default=1, help_text=_("Failures in a row; pauses grow with it."))
    detail = models.CharField(max_length=300, blank=True)
    fingerprint = models.CharField(max_length=8, blank=True, help_text=_("Of the key that was refused."))
    silent = models.BooleanField(default=False, help_text=_("It let a call wait for nothing."))
    found_with = models.CharField(
        max_length=120,
        blank=True,
        help_text=_("The model that failed, as long as no other one of the scope did."),
    )
    probe_until = models.DateTimeField(
        null=True, blank=True, help_text=_("One call is trying it until then.")
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["-since"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "credential", "account", "model", "location", "needs"],
                condition=Q(closed_at__isnull=True),
                name="one_open_pause_a_scope",
            )
        ]
        indexes = [models.Index(fields=["closed_at"], name="pause_open")]

    def __str__(self) -> str:
        names = [self.provider, self.credential, self.account, self.model, self.location]
        return f"{' / '.join(filter(None, names))}: {self.kind}"


class Quota(models.Model):
    """What a provider taught us about one account's quota for one model, and the row to lock to reserve of it.

    What was used of it is not here: it is summed from the ledger.
    """

    provider = models.CharField(max_length=40)
    account = models.CharField(max_length=120, blank=True)
    model = models.CharField(max_length=120, blank=True)
    rpm = models.PositiveIntegerField(null=True, blank=True)
    rpd = models.PositiveIntegerField(null=True, blank=True)
    tpm = models.PositiveIntegerField(null=True, blank=True)
    tpd = models.PositiveIntegerField(null=True, blank=True)
    foreign_tokens = models.PositiveIntegerField(
        default=0, help_text=_("Tokens of the current minute that somebody else used.")
    )
    foreign_until = models.DateTimeField(null=True, blank=True)
    stated = models.JSONField(default=dict, editable=False)  # when the provider stated each limit
    by_staff = models.BooleanField(_("set by staff"), default=False, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "account", "model"], name="quota_unique")]

    def __str__(self) -> str:
        return f"{self.account} {self.model}"


class PastSpending(models.Model):
    """What a paid provider has cost, in attempts that are no longer kept: a credit that is spent stays spent."""

    provider = models.CharField(max_length=40, unique=True)
    usd = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))

    def __str__(self) -> str:
        return f"{self.provider} {self.usd}"


class Notice(models.Model):
    """Something that staff should know; sent to ADMINS in digests."""

    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=30)
    subject = models.CharField(max_length=200)
    detail = models.CharField(max_length=300, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    day = models.DateField(
        default=utc_today, editable=False
    )  # for the constraint: workers fail at the same moment

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["kind", "subject", "day"], name="notice_once_a_day")]

    def __str__(self) -> str:
        return self.subject


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
        help_text=_("A stream is sent once it is whole, so that another provider can take over unseen."),
    )
    on_break = models.CharField(
        _("a stream that breaks"), max_length=10, choices=OnBreak, default=OnBreak.END, blank=True
    )
    on_content_block = models.CharField(
        _("content that a provider refuses"),
        max_length=10,
        choices=OnContentBlock,
        default=OnContentBlock.NEXT,
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
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


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
    cost_usd = models.DecimalField(**USD, null=True, blank=True, help_text=_("Empty: a price is unknown."))
    saved_usd = models.DecimalField(
        **USD,
        null=True,
        blank=True,
        help_text=_("What it would have cost on the cheapest paid model, less its cost."),
    )
    latency_ms = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        indexes = [
            # For the lists of staff, newest first; the last one is small.
            models.Index(fields=["outcome", "started_at"], name="call_outcome"),
            models.Index(fields=["tier", "started_at"], name="call_tier"),
            models.Index(fields=["started_at"], condition=Q(cached=True), name="call_cached"),
            models.Index(fields=["client", "started_at"], name="call_client"),
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
    reserved_tokens = models.PositiveIntegerField(default=0, help_text=_("Input estimate and max_tokens."))
    reserved_usd = models.DecimalField(**USD, null=True, blank=True, help_text=_("The most it can cost."))
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    price_in = models.DecimalField(**PRICE, null=True, blank=True)
    price_out = models.DecimalField(**PRICE, null=True, blank=True)
    price_source = models.CharField(max_length=20, blank=True)
    cost_usd = models.DecimalField(**USD, null=True, blank=True)

    class Meta:
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
    """A reply kept by what was asked, or the claim of the call that fetches it. See `llm.cache`."""

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
        verbose_name = _("kept reply")
        verbose_name_plural = _("kept replies")

    def __str__(self) -> str:
        return f"kept reply {self.pk}"


class Rehearsal(models.Model):
    """How the replacement of a model that ends did with one purpose's prompts. See `llm.foresight.retirement`."""

    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=120)
    replacement = models.CharField(max_length=120)
    purpose = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField()
    samples = models.PositiveSmallIntegerField(default=0)
    passed = models.PositiveSmallIntegerField(default=0)
    gated = models.BooleanField(default=False, help_text=_("The purpose's own gate judged the answers."))
    detail = models.CharField(max_length=300, blank=True, help_text=_("Why answers did not pass."))

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["provider", "model"], name="rehearsal_of_model")]

    def __str__(self) -> str:
        return f"{self.replacement} for {self.model}: {self.passed} of {self.samples}"


class Retirement(Model):
    """The retirement calendar's place in the admin."""

    class Meta:
        proxy = True
        verbose_name = _("retirement calendar")
        verbose_name_plural = _("retirement calendar")


class Parity(Attempt):
    """The parity board's place in the admin."""

    class Meta:
        proxy = True
        verbose_name = _("parity board")
        verbose_name_plural = _("parity board")


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
