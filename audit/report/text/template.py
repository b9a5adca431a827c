"""The report that needs no language model: the same parts, facts and words, put together by rule.

Written when every provider failed, and for visitors who want no AI. Deterministic: the same scan, language and
bank give the same text.
"""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.bank.findings import Details
from audit.report.facts import Facts, again, facts_of, happened, labels, quoted
from audit.report.text import slots
from audit.report.text.citations import plain

LINKED = 2  # weaknesses told together
KEPT = 2  # answers named as worth keeping


def write(details: Details) -> str:
    """The report as Markdown, in the active language."""
    facts = facts_of(details, cases=1)
    heading, *rest = facts.parts
    parts = [f"## {heading}"]
    if details.weaknesses:
        parts += [*_story(facts), f"## {rest[0]}", *_plan(facts)]
    else:
        parts.append(
            _(
                "**Your score is %(score)s.** No answer lost a point. Keep these habits: most thefts happen on a day "
                "when "
                "a careful person is in a hurry."
            )
            % {"score": "{score}"}
        )
    parts += [f"## {rest[-1]}", *_keep(facts)]
    return slots.fill("\n\n".join(parts), facts.words())


def _story(facts: Facts) -> Iterator[str]:
    result, worst = facts.details.assessment, facts.details.weaknesses[:LINKED]
    if result.capped:
        yield ngettext(
            "**Your score is %(score)s.** Your answers add up to %(raw)s, but one answer alone can cost you "
            "everything, "
            "and it limits the score: %(why)s.",
            "**Your score is %(score)s.** Your answers add up to %(raw)s, but some answers alone can cost you "
            "everything, "
            "and they limit the score: %(why)s.",
            len(facts.details.capped_by),
        ) % {
            "score": "{score}",
            "raw": result.raw_score,
            "why": "; ".join(quoted(plain(each.title)) for each in facts.details.capped_by),
        }
    else:
        yield _("**Your score is %(score)s.** It would most likely go like this:") % {"score": "{score}"}
    yield "\n".join(
        f"{place}. **{plain(each.title)}.** {plain(each.option.harm)}" for place, each in enumerate(worst, 1)
    )
    if facts.cases:
        yield happened(1)


def _plan(facts: Facts) -> Iterator[str]:
    lines = [
        f"- **{label}:** " + "; ".join(f"{{fix:{number}}}" for number in fixes)
        for label, fixes in zip(labels(), facts.plan, strict=True)
        if fixes
    ]
    yield "\n".join(lines)


def _keep(facts: Facts) -> Iterator[str]:
    kept = "; ".join(f"{{keep:{number}}}" for number, _each in enumerate(facts.details.kept[:KEPT], 1))
    if kept:
        yield _("Already right, and worth keeping: %(kept)s.") % {"kept": kept}
    yield again()
