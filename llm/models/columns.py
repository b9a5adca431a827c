"""Columns that several tables share."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

USD: dict[str, Any] = {"max_digits": 14, "decimal_places": 6}
PRICE: dict[str, Any] = {
    "max_digits": 12, "decimal_places": 6,
    "validators": [MinValueValidator(Decimal(0))],
}  # fmt: skip
LABEL = RegexValidator(r"^[a-z0-9][a-z0-9._:-]*$", _("Use lower-case letters, digits and . _ : -"))


class Method(models.TextChoices):
    """How somebody came to know a fact of the catalogue."""

    DOCUMENTED = "documented", _("documented")
    HEADER = "header", _("stated in an answer's headers")
    REFUSAL = "refusal", _("stated in a refusal")
    PROBED = "probed", _("probed")
    REPORTED = "reported", _("reported by others")


class Evidence(models.Model):
    """Where a fact of the catalogue stands, who says so, and the day on which somebody looked."""

    source = models.CharField(
        _("source"), max_length=300, blank=True, default="", db_default="", help_text=_("Where it stands.")
    )
    seen = models.DateField(
        _("seen on"), null=True, blank=True, help_text=_("The day on which somebody looked.")
    )
    method = models.CharField(
        _("known how"), max_length=10, choices=Method, blank=True, default="", db_default=""
    )

    class Meta:
        abstract = True


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
