"""The chain page: each provider, key and model as it is now, with the buttons that change it. No key is shown."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from llm.admin import chain_rows
from llm.admin.forms import CredentialForm
from llm.chain import direct
from llm.configuration import credentials
from llm.failures.kinds import Failure
from llm.ledger.bookkeeper import NoRoom
from llm.models import Credential, Provider
from llm.pauses import breaker
from llm.status import chain as overview
from llm.status import facts, usage
from llm.status import providers as standing

TEST_PURPOSE = "staff-test"
TEST_PROMPT = [{"role": "user", "content": "Reply with the word ok."}]
TEST_TOKENS = 16
SCOPE = ("provider", "credential", "location", "model")  # in the order of a button's value
PAUSE_HOURS = [
    ("1", _("1 hour")), ("6", _("6 hours")), ("24", _("1 day")), ("168", _("7 days")), ("", _("until reset")),
]  # fmt: skip


class PauseForm(forms.Form):
    """How long nobody asks a scope, and why."""

    hours = forms.ChoiceField(label=_("For how long"), choices=PAUSE_HOURS, required=False, initial="1")
    reason = forms.CharField(label=_("Reason"), max_length=300, required=False)


class RotateForm(CredentialForm):
    """A new key alone; the old one is not in the form."""

    class Meta(CredentialForm.Meta):
        fields = ()  # type: ignore[assignment]  # a tuple of another length

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_key"].required = True
        self.fields["new_key"].help_text = _("Stored encrypted and never shown again.")


def urls(owner: "admin.ModelAdmin[Provider]") -> list[URLPattern]:
    """The page's addresses, below the list of providers."""

    def view(function: Callable[..., HttpResponse]) -> Any:
        return owner.admin_site.admin_view(lambda request, **names: function(owner, request, **names))

    return [
        path("chain/", view(page), name="llm_chain"),
        path("chain/do/", view(require_post(act)), name="llm_chain_act"),
        path("chain/pause/", view(pause), name="llm_chain_pause"),
        path("chain/rotate/<int:pk>/", view(rotate), name="llm_chain_rotate"),
    ]


def require_post(function: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    def guarded(owner: Any, request: HttpRequest, **names: Any) -> HttpResponse:
        return require_POST(lambda request: function(owner, request, **names))(request)

    return guarded


def page(owner: Any, request: HttpRequest) -> HttpResponse:
    _need(request, "llm.view_provider")
    may = request.user.has_perm
    off = [one.provider for one in standing.provider_statuses() if one.word == standing.OFF]
    read = usage.Usage()
    trial = chain_rows.DryRun(request.GET, read)
    return _render(
        owner,
        request,
        "admin/llm/chain.html",
        title=gettext("Chain"),
        verdict=facts.verdict(read),
        today=f"{timezone.now():%Y-%m-%d} 00:00:00+00:00",
        ranks=chain_rows.shown(overview.ranks(read)),
        trial=trial,
        off=off,
        cache_is_away=_cache_is_away(),
        may_test=may("llm.test_provider"),
        may_pause=may("llm.change_pause"),
        may_move=may("llm.change_provider"),
        may_rotate=may("llm.change_credential"),
    )


def _cache_is_away() -> bool:
    """Whether this process counts limits by itself, where the cache can say so."""
    reachable = getattr(cache, "reachable", None)
    return reachable is not None and not reachable()


def act(owner: Any, request: HttpRequest) -> HttpResponse:
    """One button of the page: `do` holds the action and the scope, with | between."""
    action, _bar, rest = request.POST.get("do", "").partition("|")
    if action not in ACTIONS:
        raise Http404
    permission, function = ACTIONS[action]
    _need(request, permission)
    names = _scope(rest)
    row = get_object_or_404(Provider, slug=names["provider"])
    function(owner, request, row, names)
    return HttpResponseRedirect(reverse("admin:llm_chain"))


def pause(owner: Any, request: HttpRequest) -> HttpResponse:
    _need(request, "llm.change_pause")
    names = _scope(request.GET.get("scope", ""))
    row = get_object_or_404(Provider, slug=names["provider"])
    deployment = overview.deployment_of(names)
    form = PauseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if names["model"] and deployment:  # a model is paused for the account, whose quota it spends
            names |= {"account": deployment.key.account, "credential": ""}
        hours = form.cleaned_data["hours"]
        until = timezone.now() + timedelta(hours=int(hours)) if hours else None
        who, reason = request.user.get_username(), form.cleaned_data["reason"]
        made = breaker.by_staff(
            {name: value for name, value in names.items() if value}, until=until, by=who, reason=reason
        )
        _log(owner, request, row, f"Paused {made}".removesuffix(f": {breaker.BY_STAFF}"))
        owner.message_user(request, gettext("Paused."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:llm_chain"))
    what = " · ".join(filter(None, (row.name, names["credential"], names["model"], names["location"])))
    return _render(
        owner, request, "admin/llm/chain_form.html", title=gettext("Pause"), subtitle=what, form=form,
        button=gettext("Pause"),
    )  # fmt: skip


@sensitive_post_parameters()
def _rotate(request: HttpRequest, owner: Any, pk: int) -> HttpResponse:
    _need(request, "llm.change_credential")
    row = get_object_or_404(Credential.objects.select_related("provider"), pk=pk)
    form = RotateForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        credentials.replace_key(row, form.cleaned_data["new_key"], by=request.user.get_username())
        _log(owner, request, row.provider, f"Rotated the key {row.label}.")
        owner.log_change(request, row, "Rotated the key.")
        owner.message_user(request, gettext("The new key is in use from now on."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:llm_chain"))
    return _render(
        owner, request, "admin/llm/chain_form.html", title=gettext("Rotate key"), subtitle=row.label, form=form,
        button=gettext("Store the new key"),
    )  # fmt: skip


def rotate(owner: Any, request: HttpRequest, pk: int) -> HttpResponse:
    return _rotate(request, owner, pk)


# -- actions of one button ---------------------------------------------------------------------------


def _test(owner: Any, request: HttpRequest, row: Provider, names: dict[str, str]) -> None:
    deployment = overview.deployment_of(names)
    if deployment is None:
        owner.message_user(request, gettext("It is no longer there."), messages.WARNING)
        return
    what = f"{deployment.label} {deployment.model.name}"
    if not deployment.key.key and not deployment.provider.keyless:
        text = gettext("%(what)s was not asked: %(why)s")
        why = deployment.key.problem or gettext("no key")
        owner.message_user(request, text % {"what": what, "why": why}, messages.WARNING)
        return
    try:
        call = direct.ask(
            deployment, messages=TEST_PROMPT, purpose=TEST_PURPOSE, lang="en", max_tokens=TEST_TOKENS
        )
    except NoRoom as full:
        text, level = gettext("%(what)s was not asked: %(why)s"), messages.WARNING
        text %= {"what": what, "why": full}
        outcome = f"not asked: {full}"
    except Failure as failure:
        text, level = gettext("%(what)s failed: %(kind)s. %(detail)s"), messages.ERROR
        text %= {"what": what, "kind": failure.kind, "detail": failure.detail}
        outcome = str(failure.kind)
    else:
        text, level = gettext("%(what)s answered in %(seconds)s s."), messages.SUCCESS
        text %= {"what": what, "seconds": f"{call.latency_ms / 1000:.1f}"}
        outcome = f"ok, call {call.pk}"
    _log(owner, request, row, f"Tested {what}: {outcome}")
    owner.message_user(request, text, level)


def _reset(owner: Any, request: HttpRequest, row: Provider, names: dict[str, str]) -> None:
    deployment = overview.deployment_of(names)
    account = deployment.key.account if deployment and names["credential"] else ""
    ended = overview.open_pauses({**names, "account": account})
    count = breaker.close(ended, by=request.user.get_username()[:80])
    for one in ended:
        _log(owner, request, row, f"Reset {one}")
    text = ngettext("%(count)d pause was closed.", "%(count)d pauses were closed.", count) % {"count": count}
    owner.message_user(request, text, messages.SUCCESS if count else messages.WARNING)


def _move(owner: Any, request: HttpRequest, row: Provider, names: dict[str, str], *, up: bool) -> None:
    if overview.move(row, up=up):
        _log(owner, request, row, "Moved up." if up else "Moved down.")


ACTIONS: dict[str, tuple[str, Callable[..., None]]] = {
    "test": ("llm.test_provider", _test),
    "reset": ("llm.change_pause", _reset),
    "up": ("llm.change_provider", lambda *args: _move(*args, up=True)),
    "down": ("llm.change_provider", lambda *args: _move(*args, up=False)),
}


# -- small parts -------------------------------------------------------------------------------------


def _need(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _log(owner: Any, request: HttpRequest, row: Provider, text: str) -> None:
    owner.log_change(request, row, text)


def _scope(text: str) -> dict[str, str]:
    """`slug|label|location|model`; a model's name comes last, since it may hold anything."""
    return dict(zip(SCOPE, [*text.split("|", len(SCOPE) - 1), "", "", "", ""], strict=False))


def _render(owner: Any, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    context |= {"opts": Provider._meta, **owner.admin_site.each_context(request)}
    request.current_app = owner.admin_site.name
    return TemplateResponse(request, template, context)
