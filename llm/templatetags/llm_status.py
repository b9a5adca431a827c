"""The status line of the chain, on whichever page staff are."""

from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse

from llm.status.verdict import State, Verdict

register = template.Library()
# Shapes, since colour alone says nothing to some.
MARKS = {State.HEALTHY: "●", State.DEGRADED: "▲", State.TEMPLATE_ONLY: "■"}


@register.inclusion_tag("admin/llm/status_line.html", takes_context=True)
def status_line(context: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    """The word for everybody; sentences for whoever may see providers; the button for whoever may use it."""
    user = context["request"].user
    return {
        "verdict": verdict,
        "mark": MARKS[verdict.state],
        "may_know": user.has_perm("llm.view_provider"),
        "more": verdict.troubles[1:],
        "button": _button(verdict, user, context["request"].path),
    }


def _button(verdict: Verdict, user: Any, here: str) -> dict[str, Any] | None:
    help_ = verdict.help
    if help_ is None or not user.has_perm(help_.permission):
        return None
    try:
        url = reverse(help_.page)
    except NoReverseMatch:  # a project without that page
        return None
    return None if url == here else {"url": url, "label": help_.label}
