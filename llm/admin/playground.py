"""The playground: ask the chain as a client would, watch the attempts, see the receipt. No key is shown."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

from asgiref.sync import sync_to_async
from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from llm import astream, stream
from llm.calls.events import AttemptFailed, AttemptStarted, Completed, Delta, Event, Reply
from llm.calls.terms import DataPolicy
from llm.chain.aftermath import ChainExhausted
from llm.ledger import receipts
from llm.ledger.wording import usd_word
from llm.models import Client, Provider
from llm.status import facts, words

PURPOSE, PERMISSION = "playground", "llm.test_provider"
DEADLINE_S, MOST_TOKENS = 60, 4000
DOORS = [
    ("chat", "/v1/chat/completions"), ("responses", "/v1/responses"), ("messages", "/v1/messages"),
]  # fmt: skip


class AskForm(forms.Form):
    """One question. It goes down the chain as a client's would: in the ledger, within quotas and budgets."""

    door = forms.ChoiceField(label=_("Door"), choices=DOORS)
    model = forms.CharField(
        label=_("Model"),
        initial="auto",
        max_length=160,
        required=False,
        widget=forms.TextInput(attrs={"list": "models"}),
    )
    system = forms.CharField(
        label=_("System prompt"),
        required=False,
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
    )
    user = forms.CharField(
        label=_("Question"),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 60, "required": True}),
    )
    max_tokens = forms.IntegerField(
        label=_("Tokens out"), initial=500, min_value=1, max_value=MOST_TOKENS, required=False
    )
    data_class = forms.ChoiceField(label=_("Data"), choices=Client.DataClass.choices, required=False)
    free = forms.BooleanField(label=_("Free only"), required=False, initial=True)


def urls(owner: "admin.ModelAdmin[Provider]") -> list[URLPattern]:
    """The page's addresses, below the list of providers."""

    def view(request: HttpRequest) -> HttpResponse:
        return page(request, owner)

    wrap = owner.admin_site.admin_view
    return [
        path("playground/", wrap(view), name="llm_playground"),
        path("playground/ask/", wrap(require_POST(ask)), name="llm_playground_ask"),
    ]


@never_cache
def page(request: HttpRequest, owner: Any) -> HttpResponse:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    context = {
        **owner.admin_site.each_context(request),
        "opts": Provider._meta,
        "title": gettext("Playground"),
        "verdict": facts.verdict(),
        "form": AskForm(),
        "snippets": [("http", "HTTP"), ("curl", "curl"), ("python", "Python"), ("node", "Node")],
        "origin": request.build_absolute_uri("/").rstrip("/"),
        "slugs": Provider.objects.filter(enabled=True).values_list("slug", flat=True),
    }
    request.current_app = owner.admin_site.name
    return TemplateResponse(request, "admin/llm/playground.html", context)


@never_cache
def ask(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The call as server-sent events: `attempt`, `failed`, `text`, then `done` or `lost`; 400 for a bad form."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    form = AskForm(request.POST)
    if not form.is_valid():
        texts = [error for errors in form.errors.values() for error in errors]
        return HttpResponse(json.dumps({"errors": texts}), content_type="application/json", status=400)
    on_a_loop = hasattr(request, "scope")  # a server that would collect what a plain generator yields
    events = _told_on_a_loop(form.cleaned_data) if on_a_loop else _told(form.cleaned_data)
    answer = StreamingHttpResponse(events, content_type="text/event-stream; charset=utf-8")
    answer["X-Accel-Buffering"] = "no"
    return answer


def _told(given: dict[str, Any]) -> Iterator[str]:
    try:
        for event in stream(**_arguments(given)):
            yield from _lines(event)
    except (ChainExhausted, ValueError) as error:
        yield _lost(error)


async def _told_on_a_loop(given: dict[str, Any]) -> AsyncIterator[str]:
    try:
        async with aclosing(astream(**await sync_to_async(_arguments)(given))) as told:
            async for event in told:
                for line in _lines(event):
                    yield line
    except (ChainExhausted, ValueError) as error:
        yield _lost(error)


def _lost(error: Exception) -> str:
    if isinstance(error, ChainExhausted):
        return _event("lost", {"why": gettext("Nobody answered."), "skipped": _skipped(error.skipped)})
    return _event("lost", {"why": str(error), "skipped": []})


def _arguments(given: dict[str, Any]) -> dict[str, Any]:
    """The form as arguments of `llm.stream`. The model means what it means at the gateway, as far as one can choose."""
    model = given["model"].strip() or "auto"
    arguments: dict[str, Any] = {
        "user": given["user"], "system": given["system"], "purpose": PURPOSE, "fresh": True,
        "max_tokens": given["max_tokens"] or 500, "deadline_s": DEADLINE_S, "max_usd": 0 if given["free"] else None,
        "use": DataPolicy(data_class=given["data_class"] or Client.DataClass.PUBLIC),
        "keep_text": given["data_class"] in ("", Client.DataClass.PUBLIC),
    }  # fmt: skip
    slug, _slash, rest = model.partition("/")
    known = set(Provider.objects.filter(enabled=True).values_list("slug", flat=True))
    if model == "free":
        arguments["max_usd"] = 0
    elif model in known:
        arguments["providers"] = [model]
    elif slug in known and rest:
        arguments |= {"providers": [slug], "models": [rest]}
    elif model != "auto":
        arguments["models"] = [model]
    return arguments


def _lines(event: Event) -> Iterator[str]:
    if isinstance(event, AttemptStarted):
        yield _event("attempt", _who(event))
    elif isinstance(event, AttemptFailed):
        told = {"why": words.why(event.kind), "detail": event.detail, "kept": event.kept}
        yield _event("failed", {**_who(event), **told})
    elif isinstance(event, Delta):
        yield _event("text", {"text": event.text})
    elif isinstance(event, Completed):
        yield _event("done", _done(event.reply))


def _who(event: AttemptStarted | AttemptFailed) -> dict[str, Any]:
    place = f":{event.location}" if event.location else ""
    return {"provider": event.provider, "credential": f"{event.credential}{place}", "model": event.model}


def _done(reply: Reply) -> dict[str, Any]:
    """What a client would learn of it: the answer's headers, the footer of `ask`, and the signed receipt."""
    return {
        "text": reply.text,
        "footer": f"{reply.provider} · {reply.model} · in {reply.tokens_in} · out {reply.tokens_out} · "
        f"{usd_word(reply.cost_usd)} · {reply.latency_ms / 1000:.1f} s",
        "headers": {
            "x-guardlabs-provider": reply.provider,
            "x-guardlabs-attempts": str(len(reply.attempts)),
            "x-guardlabs-cost-usd": "?" if reply.cost_usd is None else f"{reply.cost_usd:.6f}",
        },
        "skipped": _skipped(reply.skipped),
        "call": reply.call_id,
        "receipt": receipts.of_reply(reply),
    }


def _skipped(rows: Any) -> list[str]:
    found = []
    for row in rows:
        names = " · ".join(str(row[name]) for name in ("provider", "credential", "model") if row.get(name))
        found.append(f"{names}: {words.why(str(row['why']))}")
    return found


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, default=str)}\n\n"
