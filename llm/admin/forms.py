"""Forms of the configuration: a key that can be written but never read, and the checks of the providers file."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from llm import hosts, secrets
from llm.admin_base import complaints
from llm.configuration import fields, presets, schema
from llm.configuration.errors import FieldError
from llm.models import Alias, Credential, Limit, Model, Provider


def _checked(reader: fields.Reader, value: Any) -> Any:
    """The value as a reader of the providers file takes it; its complaint becomes the form's."""
    try:
        return reader(value)
    except FieldError as error:
        raise ValidationError(complaints.told(str(error))) from None


class LocationsField(forms.CharField):
    """`global, eu, us` for people, a list for the database."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        names = value if isinstance(value, list) else [part.strip() for part in str(value or "").split(",")]
        return [name for name in names if name]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


class ProviderRowForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row of the list: its fields have names for those who do not see the column's head."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{self.instance.name}: {field.label}"


class ProviderForm(forms.ModelForm):  # type: ignore[type-arg]
    base_url = forms.CharField(
        required=False,
        max_length=300,
        label=_("Base URL"),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=_(
            "Empty: the kind's own address. For Vertex AI it may hold {location}. Keys belong to their host: at "
            "another one they have to be entered again."
        ),
    )
    locations = LocationsField(
        required=False,
        label=_("Locations"),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=_("Vertex AI only, in order, with commas between: global, eu, us"),
    )
    barred_regions = LocationsField(
        required=False,
        label=_("Barred regions"),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=_("Where users may not be, with commas between: EEA, UK, CH"),
    )

    class Meta:
        model = Provider
        fields = (
            "slug", "name", "kind", "enabled", "free", "tier", "position", "base_url", "keyless", "first_byte_s",
            "timeout_s", "demote_after_h", "day_reset", "daily_budget_usd", "credit_usd", "credit_until", "project",
            "locations", "trains_on_prompts", "commercial_use", "personal_data", "barred_regions", "dialect",
            "source", "seen", "method",
        )  # fmt: skip
        labels = {
            "first_byte_s": _("First token of a stream within (seconds)"),
            "timeout_s": _("Timeout of an attempt (seconds)"),
            "demote_after_h": _("Ranked lower when blocked for longer than (hours)"),
            "day_reset": _("Daily quotas reset at"),
            "daily_budget_usd": _("Daily budget (USD)"),
            "credit_usd": _("Trial credit (USD)"),
            "credit_until": _("Trial credit ends on"),
            "dialect": _("Dialect"),
        }
        widgets = {"dialect": forms.Textarea(attrs={"rows": 2, "cols": 80})}

    def _get_validation_exclusions(self) -> set[str]:
        # The model's URL check knows neither {location} nor hosts such as http://ollama:11434; ours does.
        return {*super()._get_validation_exclusions(), "base_url"}  # type: ignore[misc]  # not in the stubs

    def clean_base_url(self) -> str:
        address = str(_checked(fields.base_url, self.cleaned_data["base_url"].strip()))
        known = self.instance.vouched_origin and self.instance.vouched_origin == hosts.origin(
            str(self.cleaned_data.get("kind", "")), address
        )
        if not known and hosts.is_refused(address):
            raise ValidationError(
                _(
                    "A private address: it works only where LLM_ALLOW_PRIVATE_HOSTS or a providers file says so."
                )
            )
        return address

    def clean_barred_regions(self) -> list[str]:
        return list(
            _checked(fields.regions, [region.upper() for region in self.cleaned_data["barred_regions"]])
        )

    def clean_dialect(self) -> dict[str, Any]:
        return dict(_checked(fields.dialect, self.cleaned_data["dialect"] or {}))

    def clean_locations(self) -> list[str]:
        value = self.cleaned_data["locations"]
        return list(_checked(fields.locations, value)) if value else []

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        names = ("kind", "keyless", "base_url", "project", "locations")
        if all(name in data for name in names):
            for name, reason in schema.contradictions({name: data[name] for name in names}):
                self.add_error(name, complaints.told(reason))
        return data


class ModelForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Model
        fields = (
            "name", "position", "enabled", "rpm", "rpd", "tpm", "tpd", "price_in", "price_out",
            "reasoning_reserve", "shutdown_on", "replacement", "tools", "json_schema", "images", "prefill", "params",
            "kind", "dimensions", "family", "context", "max_output", "units_in", "units_out",
            "source", "seen", "method",
        )  # fmt: skip
        labels = {
            "price_in": _("Price of input (USD)"),
            "price_out": _("Price of output (USD)"),
            "shutdown_on": _("Last day"),
        }
        widgets = {"params": forms.Textarea(attrs={"rows": 2, "cols": 80})}

    def clean_name(self) -> str:
        return str(_checked(fields.model_id, self.cleaned_data["name"]))

    def clean_params(self) -> dict[str, Any]:
        return dict(_checked(fields.params, self.cleaned_data["params"] or {}))

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if all(name in data for name in schema.OF_A_KIND):
            for name, reason in schema.model_contradictions(data):
                self.add_error(name, complaints.told(reason))
        return data


class LimitForm(forms.ModelForm):  # type: ignore[type-arg]
    patterns = LocationsField(
        required=False,
        label=_("Models"),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=_("Patterns of model ids with commas between, such as *:free; empty: all."),
    )

    class Meta:
        model = Limit
        fields = (
            "scope", "patterns", "position", "enabled", "amount", "unit", "per", "units_in", "units_out", "source",
            "seen", "method",
        )  # fmt: skip

    def clean_patterns(self) -> list[str]:
        return list(_checked(fields.patterns, self.cleaned_data["patterns"]))

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if all(name in data for name in ("scope", "patterns", "per", "unit")):
            for name, reason in schema.limit_contradictions(data):
                self.add_error(name, complaints.told(reason))
        return data


class AliasForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Alias
        fields = ("name", "to")

    def clean_name(self) -> str:
        return str(_checked(fields.alias, self.cleaned_data["name"]))

    def clean_to(self) -> str:
        to = str(_checked(fields.model_id_of(161), self.cleaned_data["to"]))
        if Alias.objects.filter(name=to).exists() or to == self.data.get("name"):
            raise ValidationError(_("That is an alias itself."))
        return to


class CredentialForm(forms.ModelForm):  # type: ignore[type-arg]
    """The stored key is not a field of this form, so it cannot get into a page."""

    new_key = forms.CharField(
        required=False,
        max_length=20_000,
        label=_("New key"),
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text=_("Stored encrypted and never shown again. Empty: the key stays as it is."),
    )

    class Meta:
        model = Credential
        fields = ("label", "account", "position", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None and "new_key" in self.fields:
            self.fields["new_key"].required = True  # without one it would be stored, and never be used
            self.fields["new_key"].help_text = _("Stored encrypted and never shown again.")

    def clean_new_key(self) -> str:
        key = str(self.cleaned_data["new_key"]).strip()
        if not key:
            return ""
        if secrets.is_reference(key):
            # Whoever may edit a base URL could send what a variable or file of the server holds anywhere.
            raise ValidationError(_("Type the key itself. References belong into a providers file."))
        _checked(fields.secret, key)
        try:
            secrets.seal(key)
        except secrets.SecretError as error:
            raise ValidationError(str(error)) from None
        return key


class CredentialFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    def clean(self) -> None:
        super().clean()
        for form in self.deleted_forms:
            if form.instance.pk and presets.would_return(form.instance):
                raise ValidationError(COMES_BACK % {"name": form.instance.label})


COMES_BACK = _(
    "“%(name)s” would come back at the next start, since the environment still names it: "
    "switch it off here, or unset its variable."
)
