"""What the check of providers found to be otherwise than configured: applied or dismissed by a click."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from llm.admin_base.reading import ReadOnlyAdmin
from llm.configuration.errors import ConfigError
from llm.foresight import catalogue
from llm.models import CatalogueChange


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
