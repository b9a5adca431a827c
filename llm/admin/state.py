"""What the chain knows at the moment: pauses (staff can end them), learned quotas, what a check found, notices."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from llm.admin_base.lookups import AllowedLookups
from llm.admin_base.reading import CappedPaginator, ReadOnlyAdmin
from llm.configuration.errors import ConfigError
from llm.foresight import catalogue
from llm.limits.learned import FIELDS, stated
from llm.models import CatalogueChange, Notice, Pause, Quota
from llm.models.columns import Method
from llm.operations import alerts
from llm.pauses import breaker


class OpenFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("closed")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Without a choice: what is paused now."""
        for number, choice in enumerate(super().choices(changelist)):
            yield {**choice, "display": _("open")} if number == 0 else choice

    def queryset(self, request: HttpRequest, queryset: QuerySet[Pause]) -> QuerySet[Pause]:
        if self.value() == "all":
            return queryset
        return queryset.filter(closed_at__isnull=self.value() != "no")


@admin.register(Pause)
class PauseAdmin(ReadOnlyAdmin):
    list_display = ("scope", "is_open", "kind", "until", "detail", "source", "streak", "since", "closed_by")
    list_filter = (OpenFilter, "source", "since")
    actions = ("close_now",)
    ordering = ("-since",)

    @admin.display(description=_("scope"))
    def scope(self, row: Pause) -> str:
        return " / ".join(filter(None, (row.provider, row.credential, row.account, row.model, row.location)))

    @admin.display(description=_("open"), boolean=True)
    def is_open(self, row: Pause) -> bool:
        return row.closed_at is None

    def has_close_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("llm.change_pause"))

    @admin.action(description=_("Close now: the next call tries it again"), permissions=["close"])
    def close_now(self, request: HttpRequest, queryset: QuerySet[Pause]) -> None:
        closed = 0
        for row in queryset.filter(closed_at=None):
            if breaker.close([row], by=request.user.get_username()[:80]):
                ModelAdmin.log_change(self, request, row, "Closed by hand.")
                closed += 1
        self.message_user(
            request,
            ngettext("%(count)d pause was closed.", "%(count)d pauses were closed.", closed)
            % {"count": closed},
            messages.SUCCESS if closed else messages.WARNING,
        )


@admin.register(Quota)
class QuotaAdmin(AllowedLookups, ModelAdmin):  # type: ignore[type-arg]
    """Learned limits. What staff enter holds; a row that they delete is learnt again."""

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    fieldsets = (
        (None, {"fields": ("provider", "account", "model", "by_staff", "updated_at")}),
        (
            _("limits"),
            {
                "fields": (*FIELDS, "told"),
                "description": _(
                    "What you enter holds, whatever the provider states. A row that you delete is learnt again."
                ),
            },
        ),
    )
    readonly_fields = ("provider", "account", "model", "by_staff", "updated_at", "told")
    list_display = (
        "provider",
        "account",
        "model",
        *FIELDS,
        "told",
        "foreign_tokens",
        "by_staff",
        "updated_at",
    )
    ordering = ("provider", "account", "model")

    @admin.display(description=_("stated"))
    def told(self, row: Quota) -> SafeString:
        """When, and how, the provider stated each limit."""
        lines = [
            (name, f"{at:%Y-%m-%d %H:%M}", Method(method).label)
            for name in FIELDS
            if getattr(row, name) is not None
            for at, method in [stated(row, name)]
        ]
        return format_html_join("", "{}: {} UTC, {}<br>", lines)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Quota, form: Any, change: bool) -> None:
        obj.by_staff = True
        super().save_model(request, obj, form, change)


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("at", "subject", "detail", "todo", "mailed_at")
    list_filter = ("at",)
    ordering = ("-at",)
    fields = list_display

    @admin.display(description=_("what to do"))
    def todo(self, row: Notice) -> str:
        return alerts.advice(row.kind) or "–"


@admin.register(CatalogueChange)
class CatalogueChangeAdmin(ReadOnlyAdmin):
    list_display = ("provider", "kind", "subject", "was", "becomes", "detail", "seen", "state", "decided_by")
    list_filter = ("state", "kind")
    ordering = ("-id",)
    actions = ("apply_now", "dismiss_now")

    def has_apply_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("llm.change_provider"))

    @admin.action(description=_("Apply: the configuration becomes so"), permissions=["apply"])
    def apply_now(self, request: HttpRequest, queryset: QuerySet[CatalogueChange]) -> None:
        for row in queryset.filter(state=CatalogueChange.State.OPEN):
            try:
                catalogue.apply(row, by=request.user.get_username())
            except (ConfigError, LookupError) as error:
                self.message_user(request, f"{row}: {error}", messages.ERROR)
            else:
                self.message_user(request, str(row), messages.SUCCESS)

    @admin.action(description=_("Dismiss: it stays as configured"), permissions=["apply"])
    def dismiss_now(self, request: HttpRequest, queryset: QuerySet[CatalogueChange]) -> None:
        for row in queryset.filter(state=CatalogueChange.State.OPEN):
            catalogue.dismiss(row, by=request.user.get_username())
