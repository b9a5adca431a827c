"""A receipt in plain words, in the active language."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from audit import formats
from audit.report import attempts
from audit.report.generate import author
from llm.chain import receipts

# Names of gates as reports have them (audit.report.gates), and had them; those of other callers show as they are.
GATES = {
    "length": _("long enough"),
    "markup": _("nothing but prose"),
    "refusal": _("no refusal"),
    "language": _("one language"),
    "address": _("speaks to you informally"),
    "sections": _("every section there"),
    "ending": _("not broken off"),
    "citations": _("only real cases, at least two"),
    "links": _("no foreign address"),
    "secrets": _("asks for no secret"),
    "advice": _("no steps but ours"),
    "figures": _("no figures but ours"),
    "names": _("no foreign name"),
    "promises": _("promises and sells nothing"),
    "reader": _("fits your answers"),
    "cases": _("no case but ours"),
    "slots": _("facts from our list"),
    "form": _("no advice but ours"),
    "voice": _("tells only what a thief does"),
    "whole": _("nothing left out"),
    "plan": _("the whole plan"),
    "shape": _("the right length"),
    "repeats": _("nothing said twice"),
    "second reader": _("read by another model"),
}


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """Each line is a sentence; `tried` has one for each attempt; `issued` is the time with its zone."""

    writer: str
    tried: list[str]
    untold: int
    checks: str
    cost: str
    issued: str
    prompt: str
    fingerprint: str


def view(receipt: receipts.Receipt) -> ReceiptView:
    return ReceiptView(
        writer=_writer(receipt),
        tried=[_attempt(each) for each in receipt.attempts],
        untold=receipt.attempt_count - len(receipt.attempts),
        checks=", ".join(str(GATES.get(name, name)) for name in receipt.gates),
        cost=cost(receipt.cost_usd),
        issued=gettext("%(when)s UTC") % {"when": formats.utc(receipt.issued_at)},
        prompt=receipt.prompt_version,
        fingerprint=receipt.fingerprint,
    )


def summary(receipt: receipts.Receipt) -> str:
    """The receipt in one line, for under the report."""
    count, passed = receipt.attempt_count, len(receipt.gates)
    parts = [
        ngettext("%(count)d attempt", "%(count)d attempts", count) % {"count": count} if count else "",
        ngettext("%(count)d check passed", "%(count)d checks passed", passed) % {"count": passed}
        if passed
        else "",
        gettext("cost %(cost)s") % {"cost": cost(receipt.cost_usd)},
    ]
    return ", ".join(filter(None, parts))


def cost(usd: Decimal | None) -> str:
    """Such as `$0.00012`, or that it is not known."""
    if usd is None:
        return gettext("unknown")
    return formats.usd(usd)


def _writer(receipt: receipts.Receipt) -> str:
    if receipt.template:
        return gettext("Assembled from our own texts, without AI.")
    if not receipt.provider:
        return gettext("Nobody answered: there is no text.")
    words = {"who": author(receipt.provider, receipt.model)}
    if receipt.cached:
        return gettext("Written by %(who)s for an earlier, identical question.") % words
    return gettext("Written by %(who)s.") % words


def _attempt(tried: receipts.Tried) -> str:
    who = author(tried.provider, tried.model)
    if tried.outcome == "ok":
        return gettext("%(who)s: answered") % {"who": who}
    return attempts.sentence({"provider": tried.provider, "who": who, "outcome": tried.outcome}, today=None)
