"""The facts of one scan as a report may name them: numbered weaknesses and fixes, cases, kept answers, the plan."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from audit import formats
from audit.bank.findings import Case, Details, Weakness
from audit.report.text import citations, slots
from audit.report.text.citations import plain

TODAY_MINUTES = 30
RETEST_DAYS = 90
TODAY_FIXES, WEEK_FIXES, MONTH_FIXES = 3, 3, 4
QUOTES = {"ru": ("«", "»"), "es": ("«", "»")}


def headings() -> tuple[str, str, str]:
    """The parts of a report, written or put together, in the active language."""
    return _("The likeliest way you lose it"), _("Your plan"), _("What to keep")


def labels() -> tuple[str, str, str]:
    """The times of the plan, as they stand at the beginning of its lines."""
    return pgettext("plan", "Today"), pgettext("plan", "This week"), pgettext("plan", "This month")


def happened(number: int) -> str:
    """The sentence that names a case."""
    return _("It has happened: %(case)s.") % {"case": f"{{case:{number}}}"}


def habits() -> tuple[str, ...]:
    """What to do again and again: a report ends with one of them."""
    return (
        _("A habit to keep: if a message or a caller is in a hurry, let it wait until tomorrow."),
        _(
            "A habit to keep: before each transfer, read the whole address once more on the device that signs."
        ),
        _("A habit to keep: go to your exchange and your wallet from your own bookmarks, never from a link."),
        _("A habit to keep: once a month, take away what apps, extensions and approvals no longer need."),
    )


def again() -> str:
    """When to look again, and what the score is not."""
    return _(
        "Take the test again in %(days)d days, or sooner after a new device, wallet or phone number. The score rests "
        "on your own answers, and no score means that you are safe. Nobody honest ever asks for your seed phrase, and "
        "neither do we."
    ) % {"days": RETEST_DAYS}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report may say of a scan. Weaknesses are numbered from 1 in their order, so are cases and kept answers.

    plan: the numbers of the fixes for today (at most 30 minutes in all), this week and this month.
    """

    details: Details
    cases: tuple[Case, ...]
    plan: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]

    @property
    def parts(self) -> tuple[str, ...]:
        """The headings of this report: without a weakness there is nothing to plan."""
        story, plan, keep = headings()
        return (story, plan, keep) if self.details.weaknesses else (_("Where you stand"), keep)

    @property
    def times(self) -> tuple[str, ...]:
        """The labels of the plan that have a fix."""
        return tuple(label for label, fixes in zip(labels(), self.plan, strict=True) if fixes)

    @property
    def score(self) -> str:
        return _("%(score)s of 100") % {"score": self.details.assessment.score}

    def words(self) -> slots.Words:
        """What stands in each slot, as Markdown in the active language."""
        first = {
            "score": self.score,
            "again": again(),
            **{f"habit:{n}": each for n, each in enumerate(habits(), 1)},
        }
        later = dict[str, str]()
        minutes = dict[str, int]()
        for number, weakness in enumerate(self.details.weaknesses, start=1):
            anchor = f"<#finding-{weakness.finding.question}>"
            first[f"fix:{number}"] = f"[{plain(action(weakness))}]({anchor})"
            short = _("fix %(number)d") % {"number": number}
            later[f"fix:{number}"] = f"[{short}]({anchor})"
            first[f"finding:{number}"] = quoted(plain(weakness.title))
            later[f"finding:{number}"] = _("weak spot %(number)d") % {"number": number}
            minutes[f"fix:{number}"] = weakness.finding.minutes
        for number, case in enumerate(self.cases, start=1):
            first[f"case:{number}"] = citations.named(case)
            later[f"case:{number}"] = citations.again(case)
        for number, option in enumerate(self.details.kept, start=1):
            first[f"keep:{number}"] = quoted(plain(option.title or option.label))
        return slots.Words(
            first=first,
            again=later,
            minutes=minutes,
            labels=labels(),
            duration=formats.duration,
            after=self._cases_below,
        )

    def _cases_below(self, named: Sequence[str]) -> str:
        told = [case for number, case in enumerate(self.cases, start=1) if f"case:{number}" in named]
        return citations.listed(told)


def facts_of(details: Details, cases: int = 0) -> Facts:
    """The facts of a scan, with at most that many cases."""
    return Facts(details, pick(details, cases), _plan(details))


def action(weakness: Weakness) -> str:
    """What to do about it, as a title."""
    return weakness.action.rstrip(".")


def quoted(words: str) -> str:
    """The words in the active language's quotation marks."""
    opening, closing = QUOTES.get(get_language() or "", ("“", "”"))
    return f"{opening}{words.rstrip('.')}{closing}"


def pick(details: Details, count: int) -> tuple[Case, ...]:
    """The strongest case of each weakness, worst first, then the second ones, each case once."""
    ranks = max((len(weakness.cases) for weakness in details.weaknesses), default=0)
    ordered = [
        weakness.cases[rank]
        for rank in range(ranks)
        for weakness in details.weaknesses
        if rank < len(weakness.cases)
    ]
    return tuple({case.slug: case for case in ordered}.values())[:count]


def _plan(details: Details) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Today what gains most for its minutes and fits, this week the worst of the rest, this month what follows."""
    numbers = {each.finding.question: n for n, each in enumerate(details.weaknesses, start=1)}
    today, left = list[int](), TODAY_MINUTES
    for finding in details.assessment.by_speed:
        if 0 < finding.minutes <= left and len(today) < TODAY_FIXES:
            today.append(numbers[finding.question])
            left -= finding.minutes
    rest = [number for number in numbers.values() if number not in today]
    return tuple(today), tuple(rest[:WEEK_FIXES]), tuple(rest[WEEK_FIXES : WEEK_FIXES + MONTH_FIXES])
