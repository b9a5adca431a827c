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
