"""What the templates show, worked out from data. Pure: no request, no query, no clock.

Words come in already translated (catalogue.py); the few that belong to pages alone are here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy, pgettext_lazy

from audit.bank.catalogue import OptionText, QuestionText
from audit.bank.findings import Case, Details, Weakness
from audit.formats import BAND_WORDS
from audit.presentation.gauge import Gauge, gauge
from audit.scans import replay, tested
from audit.scans.form import Sent
from audit.scoring import formula
from audit.scoring.fixes import Fix, fix_order

FIRST_FIXES = 3
QUICK_WINS = 3
QUICK_MINUTES = 30
NAMED_CRITICAL = 3

BAND_SENTENCES = {
    "exposed": gettext_lazy(
        "Common attacks would work on you today. The good news: the first fixes change most."
    ),
    "fragile": gettext_lazy("You do some things well, but one bad day could cost you most of what you hold."),
    "fair": gettext_lazy("Your basics hold. A few gaps remain that thieves know and use."),
    "solid": gettext_lazy(
        "Your habits stop the attacks that rob most people. Keep them, and check again in 90 days."
    ),
}
SEVERITY_WORDS = {
    "critical": pgettext_lazy("severity", "Critical"),
    "high": pgettext_lazy("severity", "High"),
    "medium": pgettext_lazy("severity", "Medium"),
    "low": pgettext_lazy("severity", "Low"),
}


# -- the question form -----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A radio button."""

    option: OptionText
    checked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A question of the form, as it was answered so far, with what is wrong with the answer. `weak`: the answer of
    the result that is checked again loses points. `claim`: the answer that says something was tested; `tested`: in
    which month, as typed.
    """

    number: int
    question: QuestionText
    category: str
    choices: tuple[Choice, ...]
    error: str
    weak: bool
    claim: str
    tested: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A category beside the questions, with how many of them it has."""

    category: str
    label: str
    count: int


def stages(listed: Sequence[Field]) -> list[Stage]:
    """The categories in the order of the questions."""
    counts = Counter(each.question.category for each in listed)
    labels = {each.question.category: each.category for each in listed}
    return [Stage(category=name, label=labels[name], count=count) for name, count in counts.items()]


def fields(
    *,
    questionnaire: Iterable[QuestionText],
    categories: Mapping[str, str],
    sent: Sent,
    errors: Mapping[str, str],
) -> list[Field]:
    """The questions in order, answers kept."""
    return [
        Field(
            number=number,
            question=question,
            category=categories[question.category],
            choices=tuple(
                Choice(option=option, checked=sent.answers.get(question.id) == option.value)
                for option in question.shown
            ),
            error=errors.get(question.id, ""),
            claim=tested.CLAIMS.get(question.id, ""),
            tested=sent.tested.get(question.id, ""),
            weak=bool(sent.previous) and question.option(sent.answers.get(question.id, "")).risk > 0,
        )
        for number, question in enumerate(questionnaire, start=1)
    ]


# -- the result ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Points kept in a category, of those that apply there. `max` 0: nothing there was assessed."""

    label: str
    kept: Decimal
    max: Decimal

    @property
    def share(self) -> str:
        """0 to 100, as an SVG number; a bar without points still shows its colour, else it would look like no data."""
        return f"{max(100 * self.kept / self.max, Decimal(2)):.1f}" if self.max else "0"

    @property
    def band(self) -> str:
        return formula.band(int(100 * self.kept / self.max)) if self.max else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A finding in the list. `rank` is shared by equals; `open`: shown unfolded."""

    weakness: Weakness
    rank: int
    category: str
    severity: str
    open: bool

    @property
    def anchor(self) -> str:
        return f"finding-{self.weakness.finding.question}"

    @property
    def played(self) -> Case | None:
        """The strongest case that can be replayed; statistics cannot."""
        playable = (each for each in self.weakness.cases if replay.path_of(slug=each.slug, vector=each.kind))
        return next(playable, None)

    @property
    def more_cases(self) -> tuple[Case, ...]:
        """The cases after the strongest one."""
        return self.weakness.cases[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A fix in the order that raises the score fastest, done on top of the ones before it."""

    entry: Entry
    fix: Fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """The way to the next band: its name, the points that are missing, and the fixes that get there.

    `minutes` is 0 and `fixes` too where the answers are those of an older bank, which cannot be tried out.
    """

    band: str
    points: int
    fixes: int
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A question with the answer that was given."""

    question: QuestionText
    option: OptionText


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything the result page says before any report is written.

    `critical`: the first critical answers beside those that cap the score (`capped_by`), which are named anyway.
    """

    assessment: formula.Assessment
    band: str
    band_sentence: str
    gauge: Gauge
    capped_by: tuple[Entry, ...]
    critical: tuple[Entry, ...]
    critical_count: int
    steps: tuple[Step, ...]
    climb: Climb | None
    quick_wins: tuple[Entry, ...]
    bars: tuple[Bar, ...]
    entries: tuple[Entry, ...]
    passed: tuple[Answered, ...]
    not_assessed: tuple[Answered, ...]

    @property
    def more_critical(self) -> int:
        """Critical answers that are not named at the top."""
        return self.critical_count - len(self.critical)


def result(
    *,
    details: Details,
    answers: Mapping[str, str],
    bank: Sequence[formula.Item],
    questions: Mapping[str, QuestionText],
    categories: Mapping[str, str],
) -> Result:
    """The page of an assessment as it was stored; fixes are tried on today's bank."""
    assessment = details.assessment
    fixes = fix_order(bank=bank, answers=answers, assessment=assessment, count=len(assessment.findings))
    entries = _entries(details.weaknesses, categories=categories)
    by_question = {entry.weakness.finding.question: entry for entry in entries}
    capping = {each.finding.question for each in details.capped_by} if assessment.capped else set()
    critical = tuple(
        entry
        for entry in entries
        if entry.weakness.finding.critical and entry.weakness.finding.question not in capping
    )
    by_speed = (by_question[finding.question] for finding in assessment.by_speed)
    return Result(
        assessment=assessment,
        band=str(BAND_WORDS[assessment.band]),
        band_sentence=str(BAND_SENTENCES[assessment.band]),
        gauge=gauge(score=assessment.score, raw_score=assessment.raw_score),
        capped_by=tuple(by_question[each.finding.question] for each in details.capped_by),
        critical=critical[:NAMED_CRITICAL],
        critical_count=len(critical),
        steps=tuple(Step(entry=by_question[fix.question], fix=fix) for fix in fixes[:FIRST_FIXES]),
        climb=_climb(assessment, fixes, by_question),
        quick_wins=tuple(entry for entry in by_speed if 0 < entry.weakness.finding.minutes <= QUICK_MINUTES)[
            :QUICK_WINS
        ],
        bars=tuple(
            Bar(label=categories.get(row.category, row.category), kept=row.max - row.lost, max=row.max)
            for row in assessment.breakdown
        ),
        entries=entries,
        passed=_answered(assessment.passed, answers=answers, questions=questions),
        not_assessed=_answered(assessment.not_assessed, answers=answers, questions=questions),
    )


def _climb(
    assessment: formula.Assessment, fixes: Sequence[Fix], by_question: Mapping[str, Entry]
) -> Climb | None:
    """The way to the next band; None in the highest one."""
    above = [(least, name) for least, name in formula.BANDS if least > assessment.score]
    if not above:
        return None
    least, name = above[-1]
    needed = next((count for count, fix in enumerate(fixes, start=1) if fix.after >= least), 0)
    return Climb(
        band=str(BAND_WORDS[name]),
        points=least - assessment.score,
        fixes=needed,
        minutes=sum(by_question[fix.question].weakness.finding.minutes for fix in fixes[:needed]),
    )


def _entries(weaknesses: Sequence[Weakness], *, categories: Mapping[str, str]) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    for position, weakness in enumerate(weaknesses, start=1):
        finding = weakness.finding
        equal = bool(entries) and entries[-1].weakness.finding.lost == finding.lost
        entries.append(
            Entry(
                weakness=weakness,
                rank=entries[-1].rank if equal else position,
                category=categories.get(finding.category, finding.category),
                severity=str(SEVERITY_WORDS[finding.severity]),
                open=False,
            )
        )
    return tuple(entries)


def _answered(
    names: Iterable[str], *, answers: Mapping[str, str], questions: Mapping[str, QuestionText]
) -> tuple[Answered, ...]:
    return tuple(
        Answered(question=questions[name], option=questions[name].option(answers[name]))
        for name in names
        if name in questions and name in answers
    )
