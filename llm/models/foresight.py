"""What is known of models that end, and of how models compare."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from llm.models.configuration import Model
from llm.models.ledger import Attempt


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
        verbose_name = _("rehearsal")
        verbose_name_plural = _("rehearsals")
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
        verbose_name = _("models compared")
        verbose_name_plural = _("models compared")


class CatalogueChange(models.Model):
    """Something that the configuration says otherwise than its provider does. Applied by staff, never by itself."""

    class Kind(models.TextChoices):
        NEW = "new", _("new")
        GONE = "gone", _("gone")
        CHANGED = "changed", _("changed")
        PAID = "paid", _("now paid")

    class State(models.TextChoices):
        OPEN = "open", _("to be reviewed")
        APPLIED = "applied", _("applied")
        DISMISSED = "dismissed", _("dismissed")

    provider = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=Kind)
    subject = models.CharField(max_length=160, help_text=_("The model, or its field."))
    was = models.CharField(max_length=120, blank=True)
    becomes = models.CharField(max_length=120, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    patch = models.TextField(help_text=_("What applying it loads: lines of a providers file."))
    seen = models.DateField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("catalogue change")
        verbose_name_plural = _("catalogue changes")
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "kind", "subject"],
                condition=models.Q(state="open"),
                name="one_open_change_a_subject",
            )
        ]

    def __str__(self) -> str:
        what = f"{self.was} → {self.becomes}" if self.was or self.becomes else self.detail
        return f"{self.kind}: {self.provider} {self.subject}{f' ({what})' if what else ''}"
