"""Clients of the gateway: their limits are edited, their keys shown once, their usage read."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from llm.admin_base import complaints
from llm.admin_base.lookups import AllowedLookups
from llm.clients import access as clients
from llm.clients.usage import usage_of
from llm.configuration import fields
from llm.configuration.errors import FieldError
from llm.models import Client

WORDS = {"active": _("active"), "revoked": _("revoked"), "expired": _("expired")}


class ListField(forms.CharField):
    """`1, 1.5` for people, a list for the database."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [part.strip() for part in str(value or "").split(",") if part.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


class ClientForm(forms.ModelForm):  # type: ignore[type-arg]
    tiers = ListField(
        required=False, label=_("Tiers"), help_text=_("With commas between: 1, 1.5. Empty: all.")
    )
    regions = ListField(
        required=False,
        label=_("Regions"),
        help_text=_(
            "Where its users are, with commas between: EEA, US. Empty: anywhere, so no provider that bars a region."
        ),
    )

    class Meta:
        model = Client
        fields = (
            "name", "expires_at", "rpm", "concurrency", "daily_calls", "daily_budget_usd", "max_usd", "tiers",
            "cache", "hold", "on_break", "on_content_block", "data_class", "commercial", "regions",
        )  # fmt: skip

    def clean_tiers(self) -> list[str]:
        read = fields.decimal(digits=4, places=1)
        try:
            return [f"{read(tier).normalize():f}" for tier in self.cleaned_data["tiers"]]
        except FieldError as error:
            raise ValidationError(complaints.told(str(error))) from None

    def clean_regions(self) -> list[str]:
        try:
            return list(fields.regions([region.upper() for region in self.cleaned_data["regions"]]))
        except FieldError as error:
            raise ValidationError(complaints.told(str(error))) from None


@admin.register(Client)
class ClientAdmin(AllowedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
    form = ClientForm
    list_display = ("name", "key", "state", "limits", "data_class", "last_used_at", "usage_link")
    list_filter = ("data_class",)
    search_fields = ("name",)
    actions = ("revoke", "renew")
    fieldsets = (
        (None, {"fields": ["name", ("key", "state", "last_used_at", "usage_link"), "expires_at"]}),
        (
            _("Limits"),
            {"fields": [("rpm", "concurrency", "daily_calls"), ("daily_budget_usd", "max_usd"), "tiers"]},
        ),
        (_("Data"), {"fields": ["data_class", "commercial", "regions", "cache"]}),
        (_("Failures"), {"fields": ["hold", "on_break", "on_content_block"]}),
    )

    class Media:
        css = {"all": ("llm/admin.css",)}

    def get_readonly_fields(self, request: HttpRequest, obj: Client | None = None) -> tuple[str, ...]:
        fixed = ("key", "state", "last_used_at", "usage_link")
        return (*fixed, "name") if obj else fixed  # the ledger knows it by its name

    def has_delete_permission(self, request: HttpRequest, obj: Client | None = None) -> bool:
        return False  # revoke it: another client of its name would inherit its day

    @admin.display(description=_("key"))
    def key(self, row: Client) -> str:
        return f"{clients.PREFIX}-{row.key_id}-…" if row.pk else "–"

    @admin.display(description=_("state"))
    def state(self, row: Client) -> str:
        return str(WORDS[clients.state_of(row)]) if row.pk else "–"

    @admin.display(description=_("Limits"))
    def limits(self, row: Client) -> SafeString | str:
        """Those that it has, each with its name."""
        names = ("rpm", "concurrency", "daily_calls", "daily_budget_usd")
        labels = {field.name: field.verbose_name for field in Client._meta.concrete_fields}
        found = [
            (labels[name], number_format(value, 2 if name == "daily_budget_usd" else 0, force_grouping=True))
            for name in names
            if (value := getattr(row, name)) is not None
        ]
        return format_html_join(mark_safe("<br>"), "{}: {}", found) or "–"

    @admin.display(description=_("usage"))
    def usage_link(self, row: Client) -> SafeString | str:
        if not row.pk:
            return "–"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:llm_client_usage", args=[row.pk]), gettext("usage")
        )

    # -- keys, shown once: in the answer to the form itself, so that no session or message keeps them ----

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=form.changed_data)
        else:
            obj.new_key = clients.create(obj)  # type: ignore[attr-defined]  # for response_add, below

    def response_add(self, request: HttpRequest, obj: Client, post_url_continue: Any = None) -> HttpResponse:
        return self._show_key(request, obj, obj.new_key)  # type: ignore[attr-defined]

    def _show_key(self, request: HttpRequest, client: Client, key: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("The key of %(name)s") % {"name": client.name},
            "client": client,
            "key": key,
            "endpoint": request.build_absolute_uri("/v1/chat/completions"),
        }
        return TemplateResponse(
            request, "admin/llm/client/key.html", context, headers={"Cache-Control": "no-store"}
        )

    @admin.action(description=_("Revoke: refuse the key from now on"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Client]) -> None:
        for client in queryset.filter(revoked_at=None):
            self.log_change(request, client, "Revoked.")
        count = clients.revoke(queryset)
        text = ngettext("%(count)d key was revoked.", "%(count)d keys were revoked.", count) % {
            "count": count
        }
        self.message_user(request, text, messages.SUCCESS if count else messages.WARNING)

    @admin.action(description=_("Give another key: the old one is refused"), permissions=["change"])
    def renew(self, request: HttpRequest, queryset: QuerySet[Client]) -> HttpResponse | None:
        if queryset.count() != 1:
            self.message_user(request, gettext("Choose one client."), messages.WARNING)
            return None
        client = queryset.get()
        key = clients.renew_key(client)
        self.log_change(request, client, "Given another key.")
        return self._show_key(request, client, key)

    # -- usage -------------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        usage = path("<int:pk>/usage/", self.admin_site.admin_view(self.usage_view), name="llm_client_usage")
        return [usage, *super().get_urls()]

    def usage_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        client = get_object_or_404(Client, pk=pk)
        if not self.has_view_permission(request, client):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Usage of %(name)s") % {"name": client.name},
            "client": client,
            "usage": usage_of(client),
        }
        return TemplateResponse(request, "admin/llm/client/usage.html", context)
