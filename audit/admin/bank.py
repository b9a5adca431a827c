"""The audit in the stock admin: texts and incidents are edited, numbers only read. Scans: see scans.py."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from audit.admin.fields import AnswersField, LinesField, LinksField
from audit.bank import loading
from audit.bank.incidents import VECTORS
from audit.bank.translations import untranslated
from audit.models import Incident, Option, Question
from llm.admin_base import AllowedLookups


class Fixed(AllowedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that come from the bank: staff edit words, never add or remove."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TextState:
    """Columns that say what staff changed, and which languages lack a translation of it."""

    @admin.display(description=_("edited"))
    def edited(self, row: Question | Option | Incident) -> str:
        return ", ".join(loading.edited_fields(row)) or "–"

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
        fields = ("label", "title", "action", "harm", "fix_steps", "tools")
        field_classes = {"fix_steps": LinesField, "tools": LinesField}
        widgets = {
            name: forms.Textarea(attrs={"rows": 2, "cols": 60})
            for name in ("label", "title", "action", "harm")
        }


class OptionInline(TextState, admin.StackedInline):  # type: ignore[type-arg]
    model = Option
    form = OptionForm
    extra = 0
    can_delete = False
    readonly_fields = ("value", "risk", "not_applicable", "minutes", "edited", "missing_translations")
    fields = (
        ("value", "risk", "not_applicable", "minutes"), "label", "title", "action", "harm", "fix_steps", "tools",
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
    vector = forms.ChoiceField(
        label=_("vector"), choices=[(slug, _(label)) for slug, label in VECTORS.items()]
    )

    class Meta:
        model = Incident
        fields = (
            "slug", "name", "date", "victims", "loss_usd", "vector", "what_happened", "lesson", "weaknesses",
            "sources", "confirmed", "note", "active",
        )  # fmt: skip
        field_classes = {"weaknesses": AnswersField, "sources": LinksField}


@admin.register(Incident)
class IncidentAdmin(TextState, AllowedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
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
