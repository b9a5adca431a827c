"""A receipt in plain words, in the active language."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from audit import formats
from audit.report import attempts
from llm.chain import receipts

# Names of gates as reports have them (audit/gates); others, of other callers, show as they are.
GATES = {
    "length": _("long enough"),
    "refusal": _("no refusal"),
    "language": _("one language"),
    "sections": _("every section there"),
    "ending": _("not broken off"),
    "citations": _("only real cases, at least two"),
    "links": _("no foreign address"),
    "secrets": _("asks for no secret"),
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
    words = {"model": receipt.model, "provider": receipt.provider}
    if receipt.cached:
        return gettext("Written by %(model)s (%(provider)s) for an earlier, identical question.") % words
    return gettext("Written by %(model)s (%(provider)s).") % words


def _attempt(tried: receipts.Tried) -> str:
    if tried.outcome == "ok":
        return gettext("%(provider)s, %(model)s: answered") % {
            "provider": tried.provider,
            "model": tried.model,
        }
    why = attempts.sentence({"provider": tried.provider, "outcome": tried.outcome}, today=None)
    return f"{why} ({tried.model})"
