"""What the pages around a result show, in the active language: the last one beside it, fixes tried out, and the
neutral sheet. (A case played through: replay_view.py.)
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext

from audit import formats
from audit.bank import catalogue, plain_words
from audit.bank.catalogue import OptionText
from audit.bank.findings import Case, Details, Weakness
from audit.models import Scan
from audit.presentation import scan as presentation
from audit.presentation.gauge import Gauge, gauge
from audit.scans import replay, tested
from audit.scoring import comparison, fixes, simulation


# -- the last result -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A category then and now; `delta` is signed (`+8`, `−2.5`, `0`)."""

    label: str
    then: str
    now: str
    delta: str
    better: bool
    worse: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedAnswer:
    """A question answered otherwise: both answers as the form words them, and the points as `signed` writes them."""

    question: str
    before: str
    after: str
    delta: str
    better: bool
    worse: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LastTime:
    """A comparison in words: by category, and answer by answer."""

    made: datetime
    comparison: comparison.Comparison
    delta: str
    changes: tuple[Change, ...]
    answers: tuple[ChangedAnswer, ...]


def last_time(scan: Scan) -> LastTime | None:
    """The scan beside the one that it repeats; None if it repeats none or that one was deleted."""
    last = scan.previous
    if last is None:
        return None
    same = (last.scoring_version, last.bank_version) == (scan.scoring_version, scan.bank_version)
    compared = comparison.compare(then=last.assessment, now=scan.assessment, same_rules=same)
    labels = catalogue.category_labels()
    questions = catalogue.questions_by_id()
    return LastTime(
        made=last.created_at,
        comparison=compared,
        delta=formats.signed(compared.delta),
        changes=tuple(
            Change(
                label=labels.get(change.category, change.category),
                then=formats.kept_of(change.then, change.then_max),
                now=formats.kept_of(change.now, change.now_max),
                delta=formats.signed(change.delta),
                better=change.delta > 0,
                worse=change.delta < 0,
            )
            for change in compared.changes
        ),
        answers=tuple(
            ChangedAnswer(
                question=questions[change.question].text,
                before=questions[change.question].option(change.before).label,
                after=questions[change.question].option(change.after).label,
                delta=formats.signed(change.delta),
                better=change.delta > 0,
                worse=change.delta < 0,
            )
            for change in comparison.changed_answers(
                then=last.assessment,
                now=scan.assessment,
                answers_then=last.answers,
                answers_now=scan.answers,
            )
            if change.question in questions
        ),
    )


# -- tests that age ----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """An answer that was tested, its month in words, and whether that is too long ago."""

    question: str
    day: str
    old: bool


def aged(scan: Scan) -> list[Aged]:
    """What the visitor has tested, as the answer words it. Two queries if there is any."""
    found = tested.ages(scan.tested, today=timezone.localdate())
    questions = catalogue.questions_by_id() if found else {}
    return [
        Aged(
            question=questions[each.question].option(scan.answers.get(each.question, "")).label,
            day=formats.day(each.month),
            old=each.old,
        )
        for each in found
        if each.question in questions
    ]


# -- the order of the fixes --------------------------------------------------------------------------
def fix_order(scan: Scan, details: Details) -> list[str]:
    """The questions in the order in which fixing them raises the score fastest; empty for an older bank's answers."""
    found = fixes.fix_order(
        bank=catalogue.scoring_bank(),
        answers=scan.answers,
        assessment=details.assessment,
        count=len(details.assessment.findings),
    )
    return [fix.question for fix in found]


# -- a case to be told beside the fixes --------------------------------------------------------------
def telling_case(details: Details) -> Case | None:
    """The strongest single theft behind the first findings; never a statistic."""
    return next((each for each in details.cases if replay.path_of(slug=each.slug, vector=each.kind)), None)


# -- fixes tried out -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A finding that can be ticked as done, and the answer that then counts."""

    weakness: Weakness
    severity: str
    safest: OptionText
    checked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationView:
    """The simulation in words. `capped_by`: what still limits the score afterwards."""

    simulation: simulation.Simulation
    gauge: Gauge
    before_band: str
    band: str
    delta: str
    capped_by: tuple[str, ...]
    ticks: tuple[Tick, ...]


def trial(*, scan: Scan, details: Details, done: Collection[str]) -> SimulationView | None:
    """The score with `done` fixed; None if the scan's answers are those of an older bank."""
    bank = catalogue.scoring_bank()
    tried = simulation.simulate(bank=bank, answers=scan.answers, done=done)
    if tried is None:
        return None
    items = {item.id: item for item in bank}
    after = tried.after
    because = after.cap.because if after.cap and after.capped else ()
    return SimulationView(
        simulation=tried,
        gauge=gauge(score=after.score, raw_score=after.raw_score),
        before_band=str(formats.BAND_WORDS[tried.before.band]),
        band=str(formats.BAND_WORDS[after.band]),
        delta=formats.signed(tried.gain),
        capped_by=tuple(each.title for each in details.weaknesses if each.finding.question in because),
        ticks=tuple(
            Tick(
                weakness=weakness,
                severity=str(presentation.SEVERITY_WORDS[weakness.finding.severity]),
                safest=weakness.question.option(items[weakness.finding.question].safest.value),
                checked=weakness.finding.question in tried.done,
            )
            for weakness in details.weaknesses
            if weakness.finding.question in items
        ),
    )


# -- the neutral sheet -----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class PlainItem:
    """A heading of the sheet with its boxes to tick; `minutes` as everywhere."""

    title: str
    steps: tuple[str, ...]
    minutes: int


def plain_sheet(details: Details) -> tuple[PlainItem, ...]:
    """The findings in words that betray nothing, the most important first."""
    return tuple(
        PlainItem(title=gettext(words.title), steps=tuple(map(gettext, words.steps)), minutes=finding.minutes)
        for finding in details.assessment.findings
        if (words := plain_words.PLAIN.get(finding.question))
    )
