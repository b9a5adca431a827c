"""A scan's findings with their words and real cases, in the active language.

The written reports and the API are made of this; they see the same words as the pages.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import get_language

from audit import formats
from audit.bank import catalogue, rows
from audit.bank import sources as bank_sources
from audit.bank.catalogue import OptionText, QuestionText
from audit.models import Incident, Scan
from audit.scoring.formula import Assessment, Finding

CASES_A_FINDING = 3


@dataclass(frozen=True, slots=True)
class Case:
    """An incident in words. `kind`: the kind of attack as a code; `loss` is empty where it is unknown; `sources`
    are https addresses.
    """

    slug: str
    kind: str
    name: str
    date: str
    loss: str
    what_happened: str
    lesson: str
    note: str
    sources: tuple[str, ...]

    @property
    def cited(self) -> tuple[bank_sources.Source, ...]:
        """The sources with their publishers, primary ones first."""
        return bank_sources.cited(self.sources)

    @property
    def facts(self) -> str:
        """Date and loss: `May 3, 2024, $68M`."""
        return ", ".join(filter(None, (self.date, self.loss)))


@dataclass(frozen=True, slots=True)
class Weakness:
    """A finding with the question, the answer that was given, and the strongest cases behind it."""

    finding: Finding
    question: QuestionText
    option: OptionText
    cases: tuple[Case, ...]

    @property
    def title(self) -> str:
        """What is wrong, in a few words."""
        return self.option.title or self.option.label

    @property
    def action(self) -> str:
        """What to do about it, as a heading."""
        return self.option.action or self.title


@dataclass(frozen=True, slots=True)
class Details:
    """Everything that can be said about a scan. `passed`: the questions answered safely; `kept`: those answers."""

    assessment: Assessment
    weaknesses: tuple[Weakness, ...]
    passed: tuple[QuestionText, ...]
    capped_by: tuple[Weakness, ...]
    kept: tuple[OptionText, ...] = ()

    @property
    def cases(self) -> tuple[Case, ...]:
        """The cases of all weaknesses, each once, in their order."""
        return tuple({case.slug: case for weakness in self.weaknesses for case in weakness.cases}.values())


def details(scan: Scan) -> Details:
    """The scan's stored result in today's words, in the active language. Three queries."""
    assessment = scan.assessment
    questions = catalogue.questions_by_id()
    cases = _cases(rows.read(Incident), get_language() or "")
    weaknesses = tuple(_weakness(finding, questions, cases) for finding in assessment.findings)
    because = assessment.cap.because if assessment.cap else ()
    passed = tuple(questions[name] for name in assessment.passed if name in questions)
    return Details(
        assessment=assessment,
        weaknesses=weaknesses,
        passed=passed,
        kept=tuple(each.option(scan.answers[each.id]) for each in passed if each.id in scan.answers),
        capped_by=tuple(each for each in weaknesses if each.finding.question in because),
    )


def case(incident: Incident) -> Case:
    """The incident in the active language."""
    return Case(
        slug=incident.slug,
        kind=incident.vector,
        name=catalogue.translated(incident.name),
        date=formats.day(incident.date),
        loss=formats.money(incident.loss_usd) if incident.loss_usd else "",
        what_happened=catalogue.translated(incident.what_happened),
        lesson=catalogue.translated(incident.lesson),
        note=catalogue.translated(incident.note),
        sources=tuple(url for url in incident.sources if catalogue.is_link(url)),
    )


@lru_cache(maxsize=8)
def _cases(incidents: rows.Rows, lang: str) -> Mapping[str, tuple[Case, ...]]:
    """The strongest cases behind each answer. lang: the active one"""
    by_answer = catalogue.incidents_by_answer(incidents)
    return {answer: tuple(map(case, found[:CASES_A_FINDING])) for answer, found in by_answer.items()}


def _weakness(
    finding: Finding, questions: Mapping[str, QuestionText], cases: Mapping[str, tuple[Case, ...]]
) -> Weakness:
    question = questions.get(finding.question) or QuestionText(
        finding.question, finding.category, finding.weight, finding.question, "", "", (), ()
    )
    return Weakness(
        finding=finding,
        question=question,
        option=question.option(finding.value),
        cases=cases.get(f"{finding.question}.{finding.value}", ()),
    )
