"""The status line of the chain, on whichever page staff are."""

from collections.abc import Iterator
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from llm.status.verdict import State, Verdict

register = template.Library()
# Shapes, since colour alone says nothing to some.
MARKS = {State.HEALTHY: "●", State.DEGRADED: "▲", State.TEMPLATE_ONLY: "■"}

PAGES = (
    (_("Chain"), "admin:llm_chain", "llm.view_provider"),
    (_("Playground"), "admin:llm_playground", "llm.test_provider"),
    (_("First run"), "admin:llm_setup", "llm.add_credential"),
)


@register.inclusion_tag("admin/llm/status_line.html", takes_context=True)
def status_line(context: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    """The word for everybody; sentences for whoever may see providers; the button for whoever may use it."""
    user = context["request"].user
    return {
        "verdict": verdict,
        "mark": MARKS[verdict.state],
        "may_know": user.has_perm("llm.view_provider"),
        "more": verdict.troubles[1:],
        "command": verdict.help.command if verdict.help and not verdict.help.page else "",
        "button": _button(verdict, user, context["request"].path),
        "pages": list(_pages(user, context["request"].path)),
    }


def _pages(user: Any, here: str) -> Iterator[dict[str, Any]]:
    for label, page, permission in PAGES:
        if user.has_perm(permission) and (url := _url(page)):
            yield {"url": url, "label": label, "here": url == here}


def _url(page: str) -> str:
    try:
        return reverse(page)
    except NoReverseMatch:  # a project without that page
        return ""


def _button(verdict: Verdict, user: Any, here: str) -> dict[str, Any] | None:
    help_ = verdict.help
    if help_ is None or not help_.page or not user.has_perm(help_.permission):
        return None
    url = _url(help_.page)
    return {"url": url, "label": help_.label} if url not in ("", here) else None
