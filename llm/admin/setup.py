"""The first run: get a key, paste it, see it work, make the first call. Keys are entered, never shown."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from llm.clients import access as clients
from llm.models import Call, Client, Provider
from llm.onboarding import trial
from llm.onboarding.keys import MOST_CHARS, Imported, import_keys
from llm.onboarding.offers import Offer, offers
from llm.status import facts

FIRST_CLIENT, GATEWAY = "first-call", "/v1/chat/completions"
NEEDED = {"keys": "llm.add_credential", "client": "llm.add_client"}


class KeysForm(forms.Form):
    """What was pasted is never put back into the page."""

    text = forms.CharField(
        label=_("A key, several, or a whole .env file"),
        max_length=MOST_CHARS,
        widget=forms.Textarea(
            attrs={
                "rows": 4,
                "cols": 70,
                "autocomplete": "off",
                "spellcheck": "false",
                "autocapitalize": "off",
            }
        ),
        help_text=_("Stored encrypted and never shown again. Whose key it is, most keys tell themselves."),
    )
    provider = forms.ChoiceField(label=_("Provider"), required=False)

    def __init__(self, *args: Any, choices: list[Offer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["provider"]
        field.choices = [("", _("as the key says")), *((o.provider.slug, o.provider.name) for o in choices)]


def urls(owner: "admin.ModelAdmin[Provider]") -> list[URLPattern]:
    """The page's address, below the list of providers."""

    def view(request: HttpRequest) -> HttpResponse:
        return _page(request, owner)

    return [path("setup/", owner.admin_site.admin_view(view), name="llm_setup")]


@never_cache
@sensitive_post_parameters()
def _page(request: HttpRequest, owner: Any) -> HttpResponse:
    may = request.user.has_perm
    if not may(NEEDED["keys"]):
        raise PermissionDenied
    context: dict[str, Any] = {}
    found = offers()
    form = KeysForm(choices=found)
    if request.method == "POST":
        action = request.POST.get("do", "")
        if action not in NEEDED or not may(NEEDED[action]):
            raise PermissionDenied
        if action == "client":
            context |= _first_client(request, owner)
        else:
            bound = KeysForm(request.POST, choices=found)
            if bound.is_valid():
                context |= _imported(request, owner, **bound.cleaned_data)
                found = offers()
            else:
                context["errors"] = [error for errors in bound.errors.values() for error in errors]
    context |= {
        **owner.admin_site.each_context(request),
        "opts": Provider._meta,
        "title": gettext("First run"),
        "verdict": facts.verdict(),
        "offers": found,
        "form": form,
        "steps": _steps(found),
        "endpoint": _endpoint(request),
        "may_client": may(NEEDED["client"]),
    }
    request.current_app = owner.admin_site.name
    return TemplateResponse(request, "admin/llm/setup.html", context)


def _steps(found: list[Offer]) -> dict[str, bool]:
    """What is done already."""
    answered = Call.objects.filter(outcome=Call.Outcome.OK)
    return {
        "key": any(offer.keys and offer.provider.enabled for offer in found),
        "tested": answered.exists(),
        "called": answered.exclude(client="").exists(),
    }


def _imported(request: HttpRequest, owner: Any, *, text: str, provider: str) -> dict[str, Any]:
    """Stores what was pasted, then tries each key; one that its provider refuses is not kept."""
    who = request.user.get_username()
    done = import_keys(text, provider=provider, by=who)
    for label in done.created:
        row = Provider.objects.get(credentials__label=label)
        owner.log_change(request, row, f"Added the key {label}.")
    return {"imported": done, "trials": _tried(done) if request.user.has_perm("llm.test_provider") else []}


def _tried(done: Imported) -> list[trial.Trial]:
    tried = []
    for label in done.labels:
        one = trial.try_key(label)
        if one.refused and label in done.created:
            trial.forget_refused(label)
        tried.append(one)
    return tried


def _first_client(request: HttpRequest, owner: Any) -> dict[str, Any]:
    """A client with its key, which is in this answer and nowhere else."""
    taken = set(Client.objects.filter(name__startswith=FIRST_CLIENT).values_list("name", flat=True))
    names = (FIRST_CLIENT, *(f"{FIRST_CLIENT}-{n}" for n in range(2, 1000)))
    client, key = clients.add(name=next(name for name in names if name not in taken))
    owner.log_change(request, client, "Made on the page of the first run.")
    return {"client": client, "client_key": key}


def _endpoint(request: HttpRequest) -> str:
    """The address of the gateway as whoever looks at the page reaches it."""
    return request.build_absolute_uri(GATEWAY)
