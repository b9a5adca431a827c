"""Providers with their models and keys, and keys by themselves."""

from functools import cached_property
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet, URLField
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext, pgettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from llm import secrets
from llm.admin import chain, playground, setup
from llm.admin.forms import (
    AliasForm,
    CredentialForm,
    CredentialFormSet,
    LimitForm,
    ModelForm,
    ProviderForm,
    ProviderRowForm,
)
from llm.admin_base.lookups import AllowedLookups
from llm.configuration import credentials, presets
from llm.models import Alias, Credential, Limit, Model, Provider
from llm.status import providers as standing
from llm.status.providers import KeyStatus, ProviderStatus

LEAST_KEY_SHOWN = 12  # of a shorter key the last four characters would tell too much
WORDS = {
    standing.OFF: _("off"),
    standing.NO_KEY: _("no key"),
    standing.NO_MODEL: _("no model"),
    standing.PAUSED: _("paused"),
    standing.PARTLY: _("partly paused"),
    standing.READY: pgettext_lazy("provider", "ready"),
}


def shown_key(row: Credential) -> str:
    """All that a page may show of a key: its reference, or its last four characters and its fingerprint."""
    fingerprint = standing.fingerprint_of(row)
    if secrets.is_reference(row.secret):
        return f"{row.secret} · {fingerprint}" if fingerprint else row.secret
    if not fingerprint:
        return "–"
    key = secrets.reveal(row.secret)
    end = f"…{key[-4:]}" if len(key) >= LEAST_KEY_SHOWN and not key.startswith("{") else "…"
    return f"{end} · {fingerprint}"


def _lines(texts: list[str]) -> SafeString:
    return format_html_join("", "{}<br>", ((text,) for text in texts))


def _key_state(one: KeyStatus) -> SafeString:
    return _lines([*filter(None, [one.problem]), *one.remarks] or [pgettext("provider", "ready")])


def _warn_without_key(request: HttpRequest) -> None:
    """While nobody can be asked: how to add a free key, and why five of one organisation are no more than one."""
    if not standing.any_usable(standing.provider_statuses()):
        messages.warning(request, _lines(standing.first_steps()))


def save_credential(request: HttpRequest, form: Any) -> None:
    """Writes a credential's form: a new key, and a new label under which its state goes on."""
    row: Credential = form.instance
    row.save()
    if "label" in form.changed_data and form.initial.get("label"):
        credentials.relabel_state(row, form.initial["label"])
    if form.cleaned_data.get("new_key"):
        credentials.replace_key(row, form.cleaned_data["new_key"], by=request.user.get_username())


class ModelInline(admin.StackedInline):  # type: ignore[type-arg]
    model = Model
    form = ModelForm
    extra = 0
    ordering = ("position", "id")
    fields = (
        ("name", "position", "enabled"),
        ("kind", "dimensions", "family"),
        ("context", "max_output"),
        ("rpm", "rpd", "tpm", "tpd"),
        ("price_in", "price_out", "reasoning_reserve"),
        ("units_in", "units_out"),
        ("shutdown_on", "replacement"),
        ("tools", "json_schema", "images", "prefill"),
        "params",
        ("source", "seen", "method"),
    )


class LimitInline(admin.StackedInline):  # type: ignore[type-arg]
    model = Limit
    form = LimitForm
    extra = 0
    ordering = ("position", "id")
    fields = (
        ("scope", "patterns", "position", "enabled"),
        ("amount", "unit", "per"),
        ("units_in", "units_out"),
        ("source", "seen", "method"),
    )


class CredentialInline(admin.StackedInline):  # type: ignore[type-arg]
    model = Credential
    form = CredentialForm
    formset = CredentialFormSet
    extra = 0
    ordering = ("position", "id")
    fields = (("label", "account"), ("key_shown", "new_key"), ("position", "enabled"), "state")
    readonly_fields = ("key_shown", "state")

    @admin.display(description=_("key"))
    def key_shown(self, row: Credential) -> str:
        return shown_key(row) if row.pk else "–"

    @admin.display(description=_("state"))
    def state(self, row: Credential) -> SafeString | str:
        return _key_state(self._standings[row.pk]) if row.pk in self._standings else "–"

    @cached_property
    def _standings(self) -> dict[int, KeyStatus]:
        """Of all keys at once; an inline lives for one request."""
        rows = list(Credential.objects.filter(provider=self._provider).select_related("provider"))
        return {row.pk: one for row, one in zip(rows, standing.key_statuses(rows), strict=True)}

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        self._provider = obj
        return super().get_formset(request, obj, **kwargs)


@admin.register(Provider)
class ProviderAdmin(AllowedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
    form = ProviderForm
    inlines = (ModelInline, LimitInline, CredentialInline)
    list_display = ("name", "state", "tier", "position", "enabled", "free", "key_count")
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    list_editable = ("tier", "position", "enabled")
    ordering = ("tier", "position", "id")
    save_on_top = True

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, form=ProviderRowForm, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Provider | None = None) -> Any:
        ships = _("Ships with the product and would come back if it were deleted: switch it off instead.")
        return [
            (
                None,
                {
                    "fields": ["slug", "name", "kind", ("enabled", "free", "keyless"), ("tier", "position")],
                    "description": ships if obj and presets.is_preset(obj.slug) else "",
                },
            ),
            (
                _("Requests"),
                {"fields": ["base_url", ("first_byte_s", "timeout_s"), ("demote_after_h", "day_reset")]},
            ),
            (_("Money"), {"fields": ["daily_budget_usd", ("credit_usd", "credit_until")]}),
            (
                _("Terms"),
                {
                    "fields": [
                        ("commercial_use", "trains_on_prompts", "personal_data"),
                        "barred_regions",
                        ("source", "seen", "method"),
                    ],
                    "description": _(
                        "What is not known counts as not allowed for internal and personal data."
                    ),
                },
            ),
            (_("Vertex AI"), {"fields": ["project", "locations"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("slug",) if obj else ()  # pauses and ledger know a provider by its slug

    def has_delete_permission(self, request: HttpRequest, obj: Provider | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj and presets.is_preset(obj.slug))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        return super().get_queryset(request).prefetch_related("models", "credentials", "limits")

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        for row, one in zip(rows, standing.provider_statuses(rows), strict=True):
            row.standing = one
        return changelist

    @admin.display(description=_("keys"))
    def key_count(self, row: Provider) -> int:
        return len(row.credentials.all())

    @admin.display(description=_("state"))
    def state(self, row: Provider) -> SafeString | str:
        one: ProviderStatus | None = getattr(row, "standing", None)
        if one is None:
            return "–"
        hint = standing.hint(one)
        word = f"{WORDS[one.word]}: {hint}" if hint else str(WORDS[one.word])
        remarks = [f"{key.label}: {remark}" for key in one.keys for remark in key.remarks]
        return _lines([word, *one.remarks, *remarks] if row.enabled else [word])

    def get_urls(self) -> list[URLPattern]:
        return [*chain.urls(self), *setup.urls(self), *playground.urls(self), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "GET":
            _warn_without_key(request)
        return super().changelist_view(request, extra_context)

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "GET":
            _warn_without_key(request)
        response: HttpResponse = super().changeform_view(request, *args, **kwargs)
        return response

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        count = sum(row.is_elsewhere for row in form.instance.credentials.select_related("provider"))
        if count:
            text = ngettext(
                "%(count)d key was entered for another host and is not used until it is entered again.",
                "%(count)d keys were entered for another host and are not used until they are entered again.",
                count,
            )
            messages.warning(request, text % {"count": count})

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if formset.model is not Credential:
            formset.save()
            return
        formset.save(commit=False)
        for row in formset.deleted_objects:
            row.delete()
        for one in [*formset.initial_forms, *formset.extra_forms]:
            if one.has_changed() and one not in formset.deleted_forms:
                save_credential(request, one)


@admin.register(Credential)
class CredentialAdmin(AllowedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
    form = CredentialForm
    fields = ("provider", "label", "key_shown", "new_key", "account", "organisation", "position", "enabled")
    list_display = ("label", "provider", "account_shown", "key_shown", "enabled", "state")
    list_filter = ("enabled", ("provider", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("provider",)
    ordering = ("provider__tier", "provider__position", "position", "id")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("key_shown", "organisation", "provider") if obj else ("key_shown", "organisation")

    def has_delete_permission(self, request: HttpRequest, obj: Credential | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and presets.would_return(obj))

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        for row, one in zip(rows, standing.key_statuses(rows), strict=True):
            row.standing = one
        return changelist

    @admin.display(description=_("account"))
    def account_shown(self, row: Credential) -> str:
        return row.effective_account

    @admin.display(description=_("key"))
    def key_shown(self, row: Credential) -> str:
        return shown_key(row) if row.pk else "–"

    @admin.display(description=_("state"))
    def state(self, row: Credential) -> SafeString | str:
        one: KeyStatus | None = getattr(row, "standing", None)
        return "–" if one is None else _key_state(one)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "GET":
            _warn_without_key(request)
        return super().changelist_view(request, extra_context)

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().changeform_view(request, *args, **kwargs)
        return response

    def save_model(self, request: HttpRequest, obj: Credential, form: Any, change: bool) -> None:
        save_credential(request, form)


@admin.register(Alias)
class AliasAdmin(AllowedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
    form = AliasForm
    list_display = ("name", "to")
