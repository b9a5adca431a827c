"""What the chain knows at the moment: pauses, learned limits, notices to staff."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from llm.models.columns import utc_today


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
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text=_("Holds only for calls that need this of a model."),
    )
    kind = models.CharField(max_length=30)
    source = models.CharField(max_length=10, choices=Source)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True, help_text=_("Empty: until staff act."))
    streak = models.PositiveIntegerField(default=1, help_text=_("Failures in a row; pauses grow with it."))
    detail = models.CharField(max_length=300, blank=True)
    fingerprint = models.CharField(max_length=8, blank=True, help_text=_("Of the key that was refused."))
    silent = models.BooleanField(
        default=False, db_default=False, help_text=_("It let a call wait for nothing.")
    )
    found_with = models.CharField(
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text=_("The model that failed, as long as no other one of the scope did."),
    )
    probe_until = models.DateTimeField(
        null=True, blank=True, help_text=_("One call is trying it until then.")
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=80, blank=True)

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("paused now")
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
    rph = models.PositiveIntegerField(null=True, blank=True)
    itpm = models.PositiveIntegerField(null=True, blank=True)
    otpm = models.PositiveIntegerField(null=True, blank=True)
    foreign_tokens = models.PositiveIntegerField(
        default=0, help_text=_("Tokens of the current minute that somebody else used.")
    )
    foreign_until = models.DateTimeField(null=True, blank=True)
    stated = models.JSONField(
        default=dict, db_default={}, editable=False
    )  # when the provider stated each limit
    by_staff = models.BooleanField(_("set by staff"), default=False, db_default=False, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("quota")
        verbose_name_plural = _("quotas")
        constraints = [models.UniqueConstraint(fields=["provider", "account", "model"], name="quota_unique")]

    def __str__(self) -> str:
        return f"{self.account} {self.model}"


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
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["kind", "subject", "day"], name="notice_once_a_day")]

    def __str__(self) -> str:
        return self.subject
