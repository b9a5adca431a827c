"""The engineer's report: a template filled with the scan's findings, and its HTML."""

import re

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import override

from audit.bank import catalogue, findings
from audit.models import Order
from audit.report.text import render

MAX_CHARS = render.MAX_CHARS  # beyond it the renderer cuts
BLANK = "[…]"  # where the engineer writes; a report that still has one is not delivered
LINK = re.compile(r"https://[^\s<>()\"'\[\]]+")


def template(order: Order) -> str:
    """The Markdown to start from, in the order's language: what the self-audit found, and room for the engineer."""
    with override(order.lang):
        parts = [_heading(_("In short")), BLANK]
        if order.message:
            parts += [_heading(_("What you asked")), BLANK]
        found = findings.details(order.scan) if order.scan else None
        if found:
            score = {"score": found.assessment.score, "raw": found.assessment.raw_score}
            parts += [
                _heading(_("What the self-audit found")),
                _("Score: %(score)d of 100 (before caps: %(raw)d).") % score,
            ]
            for number, weakness in enumerate(found.weaknesses, start=1):
                parts += _finding(number, weakness)
        parts += [
            _heading(_("What to do, in this order")),
            f"1. {BLANK}",
            _heading(_("What is good already")),
        ]
        if found and found.kept:
            parts.append("\n".join(f"- {answer.title or answer.label}" for answer in found.kept))
        else:
            parts.append(BLANK)
    return "\n\n".join(parts)[:MAX_CHARS] + "\n"


def _heading(words: str) -> str:
    return f"## {words}"


def _finding(number: int, weakness: findings.Weakness) -> list[str]:
    steps = "\n".join(f"{place}. {step}" for place, step in enumerate(weakness.option.fix_steps, 1))
    return [
        f"### {number}. {weakness.title}",
        f"{weakness.question.text} **{weakness.option.label}**",
        *filter(None, [weakness.option.harm, steps]),
        _("For you: %(blank)s") % {"blank": BLANK},
    ]


def to_html(text: str) -> SafeString:
    """The report as the customer sees it. The engineer's own https links stay links, unlike a model's."""
    written = {link.rstrip(".,;:!?*_") for link in LINK.findall(text)}
    return render.to_html(text, links=written | set(catalogue.source_urls()))


def problem(text: str) -> str:
    """Why a report cannot be delivered, in the active language; empty when it can."""
    if not text.strip():
        return _("The report is empty.")
    if BLANK in text:
        return _("The report still has a place to fill in: %(blank)s") % {"blank": BLANK}
    if len(text) > MAX_CHARS:
        return _("The report is longer than %(count)d characters.") % {"count": MAX_CHARS}
    return ""
