"""What the templates show, worked out from data. Pure: no request, no query, no clock.

Words come in already translated (catalogue.py); the few that belong to pages alone are here.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import cos, pi, sin

from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

from audit import formats
from audit.bank.catalogue import OptionText, QuestionText
from audit.bank.findings import Case, Details, Weakness
from audit.scans import replay, tested
from audit.scans.form import Sent
from audit.scoring import formula

FIRST_FIXES = 3
QUICK_WINS = 3
QUICK_MINUTES = 30
NAMED_CRITICAL = 3

BAND_WORDS = formats.BAND_WORDS
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


# -- the gauge -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A place in the gauge's drawing."""

    x: str
    y: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A band in the gauge's drawing: `dash` places it on the arc, `least` is its lowest score."""

    name: str
    label: str
    least: int
    dash: str
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A half circle from 0 to 100 in four zones: `knob` is where the score stands, `raw` marks the raw score
    where a cap lowered it, with its number at `raw_label`.
    """

    score: int
    raw_score: int
    band: str
    label: str
    zones: tuple[Zone, ...]
    knob: Point
    raw: tuple[Point, Point] | None
    raw_label: Point | None


CENTRE_X, CENTRE_Y, RADIUS, HALF_WIDTH = 120, 122, 96, 8
ZONE_GAP = 0.4


def _at(score: float, radius: float = RADIUS) -> Point:
    angle = pi * (1 - score / 100)
    return Point(x=f"{CENTRE_X + radius * cos(angle):.1f}", y=f"{CENTRE_Y - radius * sin(angle):.1f}")


def _zones(band: str) -> tuple[Zone, ...]:
    """The bands from left to right, with a small gap between them."""
    found, end = [], 100.0
    for least, name in formula.BANDS:
        start = least + (ZONE_GAP if least else 0)
        found.append(
            Zone(
                name=name,
                label=str(BAND_WORDS[name]),
                least=least,
                dash=f"0 {start:g} {end - start:g} 100",
                on=name == band,
            )
        )
        end = least - ZONE_GAP
    return tuple(reversed(found))


def gauge(*, score: int, raw_score: int) -> Gauge:
    """The gauge of a score; the raw score is marked only where a cap lowered it."""
    band = formula.band(score)
    capped = raw_score > score
    words = {"score": score, "band": str(BAND_WORDS[band]), "raw": raw_score}
    return Gauge(
        score=score,
        raw_score=raw_score,
        band=band,
        label=(
            gettext("%(score)d of 100, %(band)s; %(raw)d without the cap")
            if capped
            else gettext("%(score)d of 100, %(band)s")
        )
        % words,
        zones=_zones(band),
        knob=_at(score),
        raw=(_at(raw_score, RADIUS - HALF_WIDTH - 4), _at(raw_score, RADIUS + HALF_WIDTH + 4))
        if capped
        else None,
        raw_label=_at(raw_score, RADIUS - HALF_WIDTH - 17) if capped else None,
    )


# -- the result ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Points kept in a category, of those that apply there. `max` 0: nothing there was assessed."""

    label: str
    kept: Decimal
    max: Decimal

    @property
    def share(self) -> str:
        """0 to 100, as an SVG number."""
        return f"{100 * self.kept / self.max:.1f}" if self.max else "0"

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
class Fix:
    """What a fix does to the score; `capped`: an answer that is still there limits it afterwards."""

    question: str
    before: int
    after: int
    capped: bool

    @property
    def gain(self) -> int:
        return self.after - self.before


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


def fix_order(
    *,
    bank: Sequence[formula.Item],
    answers: Mapping[str, str],
    assessment: formula.Assessment,
    count: int = FIRST_FIXES,
) -> list[Fix]:
    """The fixes that raise the score fastest, each on top of the ones before it.

    Without a cap that is the order of points lost. Under a cap the answer that causes it comes first: nothing
    else can raise the score until it is gone. Several causes are taken one after the other.
    An answer that today's bank does not know ends the list early.
    """
    fixes: list[Fix] = []
    score, capped = assessment.score, assessment.capped
    waiting = list(assessment.findings)
    while waiting and len(fixes) < count:
        done = [fix.question for fix in fixes]
        try:
            trials = [(_after(bank, answers, [*done, finding.question]), finding) for finding in waiting]
        except (ValueError, KeyError):
            break
        # The first of equals loses more points; under a cap, what causes the lowest one goes before it.
        after, finding = max(
            trials, key=lambda trial: (trial[0].score, -(trial[1].cap or 100) if capped else 0)
        )
        fixes.append(Fix(question=finding.question, before=score, after=after.score, capped=after.capped))
        score, capped = after.score, after.capped
        waiting.remove(finding)
    return fixes


def _after(
    bank: Sequence[formula.Item], answers: Mapping[str, str], questions: Collection[str]
) -> formula.Assessment:
    return formula.assess(bank, formula.fix(bank, answers, questions))


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


# -- small words -----------------------------------------------------------------------------------
def kept_of(kept: Decimal, most: Decimal) -> str:
    """`24 of 38`; where nothing applied, that it was not assessed."""
    if not most:
        return gettext("not assessed")
    return gettext("%(kept)s of %(max)s") % {"kept": formats.number(kept), "max": formats.number(most)}


def signed(amount: int | Decimal) -> str:
    """A difference: `+8`, `−2.5` (with a true minus sign), `0`."""
    sign = "+" if amount > 0 else "−" if amount < 0 else ""
    return sign + formats.number(abs(amount))
