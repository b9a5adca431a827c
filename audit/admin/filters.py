"""Filters of the scans' list, with how many of the newest 2,000 listed scans each choice would leave."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from audit.formats import BAND_WORDS
from audit.models import Report, Scan
from audit.report.outcome import TEMPLATE_TIER
from audit.scoring import formula
from llm.admin_base import where
from llm.stats import tier_word

MOST_COUNTED = 2_000
NONE = "none"
YES_NO = [("yes", _("yes")), ("no", _("no"))]


class Counted(admin.SimpleListFilter):
    """A filter whose choices say how many rows they leave. `column` is what `word` makes a choice's value of."""

    column = ""

    def word(self, value: Any) -> str:
        return str(value)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        counts = _counts(changelist, self.column)
        by_choice: Counter[str] = Counter()
        for value, count in counts.items():
            by_choice[self.word(value)] += count
        for number, choice in enumerate(super().choices(changelist)):
            if number:
                count = by_choice[str(self.lookup_choices[number - 1][0])]
                choice["display"] = f"{choice['display']} ({number_format(count, 0, force_grouping=True)})"
            yield choice


def _counts(changelist: Any, column: str) -> Counter[Any]:
    """How often each value of a column is among the newest listed rows. One query for all columns of a page."""
    if not hasattr(changelist, "newest"):
        columns = [spec.column for spec in FILTERS]
        changelist.newest = [
            dict(zip(columns, row, strict=True))
            for row in changelist.queryset.values_list(*columns)[:MOST_COUNTED]
        ]
    return Counter(row[column] for row in changelist.newest)


class LanguageFilter(Counted):
    title = _("language")
    parameter_name = column = "lang"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(settings.LANGUAGES)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Scan]) -> QuerySet[Scan]:
        return queryset.filter(lang=self.value()) if self.value() else queryset


class BandFilter(Counted):
    title = _("band")
    parameter_name, column = "band", "score"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, BAND_WORDS[name]) for _least, name in formula.BANDS]

    def word(self, value: Any) -> str:
        return formula.band(value)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Scan]) -> QuerySet[Scan]:
        most = 100
        for least, name in formula.BANDS:
            if name == self.value():
                return queryset.filter(score__range=(least, most))
            most = least - 1
        return queryset


class TierFilter(Counted):
    """Of scans by the report that is shown, of reports by their own."""

    title = _("tier")
    parameter_name = column = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            *((tier_word(tier), tier_word(tier)) for tier in _seen(request)[0]),
            (NONE, _("none yet")),
        ]

    def word(self, value: Any) -> str:
        return NONE if value is None else tier_word(value)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        if changelist.model is Report:
            return admin.SimpleListFilter.choices(self, changelist)
        return super().choices(changelist)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == NONE:
            return queryset.filter(tier=None)
        return where(queryset, "tier", value)


def _seen(request: Any) -> tuple[list[Decimal], list[str]]:
    """Tiers and credentials that wrote for the newest scans: asking a big table which there are takes long."""
    if not hasattr(request, "seen_writers"):
        rows = set(Scan.objects.values_list("tier", "provider")[:MOST_COUNTED])
        tiers = sorted({tier for tier, _provider in rows if tier is not None} | {TEMPLATE_TIER})
        request.seen_writers = tiers, sorted({provider for _tier, provider in rows if provider})
    seen: tuple[list[Decimal], list[str]] = request.seen_writers
    return seen


class ProviderFilter(Counted):
    title = _("report by")
    parameter_name = column = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, name) for name in _seen(request)[1]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Scan]) -> QuerySet[Scan]:
        return queryset.filter(provider=self.value()) if self.value() else queryset


class FlaggedFilter(Counted):
    title = _("flagged")
    parameter_name = column = "flagged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return YES_NO

    def word(self, value: Any) -> str:
        return "yes" if value else "no"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Scan]) -> QuerySet[Scan]:
        return queryset.filter(flagged=self.value() == "yes") if self.value() else queryset


class ReviewedFilter(FlaggedFilter):
    title = _("reviewed")
    parameter_name, column = "reviewed", "reviewed_at"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Scan]) -> QuerySet[Scan]:
        return queryset.filter(reviewed_at__isnull=self.value() == "no") if self.value() else queryset


class HiddenFilter(FlaggedFilter):
    title = _("hidden")
    parameter_name, column = "hidden", "hidden_at"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Scan]) -> QuerySet[Scan]:
        return queryset.filter(hidden_at__isnull=self.value() == "no") if self.value() else queryset


FILTERS: tuple[type[Counted], ...] = (
    LanguageFilter, BandFilter, TierFilter, ProviderFilter, FlaggedFilter, ReviewedFilter, HiddenFilter,
)  # fmt: skip
