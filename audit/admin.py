"""The audit in the stock admin: texts and incidents are edited, numbers and scans are read."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from audit import bank_load, render, scans, scoring
from audit.admin_fields import AnswersField, LinesField, LinksField
from audit.bank_incidents import VECTORS
from audit.models import Incident, Option, Question, Report, Scan
from audit.translations import untranslated


class Fixed(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that come from the bank: staff edit words, never add or remove."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnly(Fixed):
    """Rows that visitors make: staff look."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TextState:
    """Columns that say what staff changed, and which languages lack a translation of it."""

    @admin.display(description=_("edited"))
    def edited(self, row: Question | Option | Incident) -> str:
        return ", ".join(bank_load.edited_fields(row)) or "–"

    @admin.display(description=_("no translation"))
    def missing_translations(self, row: Question | Option | Incident) -> str:
        found = untranslated(row)
        return (
            format_html_join("; ", "{}: {}", ((lang, ", ".join(fields)) for lang, fields in found.items()))
            or "–"
        )


class OptionForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Option
        fields = ("label", "title", "harm", "fix_steps", "tools")
        field_classes = {"fix_steps": LinesField, "tools": LinesField}
        widgets = {name: forms.Textarea(attrs={"rows": 2, "cols": 60}) for name in ("label", "title", "harm")}


class OptionInline(TextState, admin.StackedInline):  # type: ignore[type-arg]
    model = Option
    form = OptionForm
    extra = 0
    can_delete = False
    readonly_fields = ("value", "risk", "not_applicable", "minutes", "edited", "missing_translations")
    fields = (
        ("value", "risk", "not_applicable", "minutes"), "label", "title", "harm", "fix_steps", "tools",
        ("edited", "missing_translations"),
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Question)
class QuestionAdmin(TextState, Fixed):
    list_display = ("position", "id", "category", "weight", "text", "edited", "missing_translations")
    list_display_links = ("id", "text")
    readonly_fields = ("id", "position", "category", "weight", "standards", "edited", "missing_translations")
    fields = (
        ("id", "position", "category", "weight"), "text", "why", "standards", ("edited", "missing_translations"),
    )  # fmt: skip
    inlines = (OptionInline,)


@admin.register(Option)
class OptionAdmin(TextState, Fixed):
    form = OptionForm
    list_display = (
        "__str__",
        "risk",
        "not_applicable",
        "minutes",
        "label",
        "title",
        "edited",
        "missing_translations",
    )
    list_filter = ("question__category", "not_applicable")
    list_select_related = ("question",)
    search_fields = ("value", "label", "title", "harm")
    readonly_fields = ("question", *OptionInline.readonly_fields)
    fields = ("question", *OptionInline.fields)


class IncidentForm(forms.ModelForm):  # type: ignore[type-arg]
    vector = forms.ChoiceField(choices=[(slug, _(label)) for slug, label in VECTORS.items()])

    class Meta:
        model = Incident
        fields = (
            "slug", "name", "date", "victims", "loss_usd", "vector", "what_happened", "lesson", "weaknesses",
            "sources", "confirmed", "note", "active",
        )  # fmt: skip
        field_classes = {"weaknesses": AnswersField, "sources": LinksField}


@admin.register(Incident)
class IncidentAdmin(TextState, admin.ModelAdmin):  # type: ignore[type-arg]
    """Incidents may be added, edited and switched off. One of the bank would come back if it were deleted."""

    form = IncidentForm
    list_display = (
        "slug", "name", "date", "loss_usd", "vector", "confirmed", "active", "edited", "missing_translations",
    )  # fmt: skip
    list_filter = ("active", "confirmed", "vector")
    search_fields = ("slug", "name", "what_happened", "lesson", "note")
    readonly_fields = ("edited", "missing_translations")
    fields = (
        "slug", "name", ("date", "loss_usd"), "victims", "vector", "what_happened", "lesson", "note", "weaknesses",
        "sources", ("confirmed", "active"), ("edited", "missing_translations"),
    )  # fmt: skip
    actions = ("switch_off", "switch_on")

    def get_readonly_fields(self, request: HttpRequest, obj: Incident | None = None) -> tuple[str, ...]:
        return ("slug", *self.readonly_fields) if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        return False

    @admin.action(description=_("Switch off: no longer cite in new reports"), permissions=["change"])
    def switch_off(self, request: HttpRequest, chosen: QuerySet[Incident]) -> None:
        self._say(request, chosen.filter(active=True).update(active=False))

    @admin.action(description=_("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, chosen: QuerySet[Incident]) -> None:
        self._say(request, chosen.filter(active=False).update(active=True))

    def _say(self, request: HttpRequest, count: int) -> None:
        text = ngettext("%(count)d incident was changed.", "%(count)d incidents were changed.", count)
        self.message_user(request, text % {"count": count})


class BandFilter(admin.SimpleListFilter):
    title = _("band")
    parameter_name = "band"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, f"{name} ({least}+)") for least, name in scoring.BANDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Scan]) -> QuerySet[Scan]:
        most = 100
        for least, name in scoring.BANDS:
            if name == self.value():
                return queryset.filter(score__range=(least, most))
            most = least - 1
        return queryset


class ReportInline(admin.StackedInline):  # type: ignore[type-arg]
    model = Report
    extra = 0
    can_delete = False
    fields = readonly_fields = (
        "status", "provider", "model", "cost_usd", "prompt_version", "call", "created_at", "claimed_at", "finished_at",
        "tried", "text",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        return super().get_queryset(request).select_related("call")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("attempts"))
    def tried(self, row: Report) -> str:
        lines = ((line["provider"], line["model"], line["outcome"]) for line in row.progress)
        return format_html_join("; ", "{} {}: {}", lines) or "–"

    @admin.display(description=_("text"))
    def text(self, row: Report) -> str:
        return render.to_html(row.markdown) or "–"


@admin.register(Scan)
class ScanAdmin(ReadOnly):
    list_display = (
        "reference",
        "created_at",
        "lang",
        "score",
        "raw_score",
        "band",
        "ai",
        "written_by",
        "reports_made",
    )
    list_filter = ("lang", BandFilter, "ai", "scoring_version", "bank_version")
    search_fields = ("public_id__startswith",)
    date_hierarchy = "created_at"
    inlines = (ReportInline,)
    fields = readonly_fields = (
        "reference", "created_at", "lang", "ai", "score", "raw_score", "band", "limit", "answers_given", "findings",
        "scoring_version", "bank_version", "page",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scan]:
        scans_: QuerySet[Scan] = super().get_queryset(request)
        return scans_.annotate(made=Count("reports")).prefetch_related("reports")

    @admin.display(description=_("scan"), ordering="public_id")
    def reference(self, scan: Scan) -> str:
        return scan.public_id[:8]

    @admin.display(description=_("band"), ordering="score")
    def band(self, scan: Scan) -> str:
        return scoring.band(scan.score)

    @admin.display(description=_("report by"))
    def written_by(self, scan: Scan) -> str:
        rows = sorted(scan.reports.all(), key=lambda row: row.pk, reverse=True)
        ready = next((row for row in rows if row.status == Report.Status.READY), None)
        return ready.provider if ready else "–"

    @admin.display(description=_("reports"), ordering=F("made"))
    def reports_made(self, scan: Scan) -> int:
        return int(getattr(scan, "made", 0))

    @admin.display(description=_("cap"))
    def limit(self, scan: Scan) -> str:
        cap = scan.assessment.cap
        return f"{cap.limit}: {', '.join(cap.because)}" if cap else "–"

    @admin.display(description=_("answers"))
    def answers_given(self, scan: Scan) -> str:
        return format_html_join("", "{}: {}<br>", scan.answers.items())

    @admin.display(description=_("points lost"))
    def findings(self, scan: Scan) -> str:
        rows = ((each.question, each.term, each.lost, each.severity) for each in scan.assessment.findings)
        return format_html_join("", "{}: {} = {}, {}<br>", rows) or "–"

    @admin.display(description=_("page"))
    def page(self, scan: Scan) -> str:
        address = reverse("audit:result", kwargs={"token": scans.scan_token(scan)})
        return format_html('<a href="{}" rel="noreferrer">{}</a>', address, _("as the visitor sees it"))


@admin.register(Report)
class ReportAdmin(ReadOnly):
    list_display = ("id", "scan", "created_at", "status", "provider", "model", "cost_usd", "finished_at")
    list_filter = ("status", "provider", "prompt_version")
    list_select_related = ("scan",)
    date_hierarchy = "created_at"
    fields = readonly_fields = ("scan", *ReportInline.fields)

    tried = ReportInline.tried
    text = ReportInline.text


from audit import admin_orders  # noqa: E402, F401 - registers the orders
