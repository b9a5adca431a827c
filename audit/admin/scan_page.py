"""What the page of a scan shows to staff: answers, findings, versions of the report, and what was tried for them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils import translation
from django.utils.safestring import SafeString

from audit.admin.said import marked
from audit.bank import catalogue
from audit.bank import findings as details
from audit.bank.catalogue import OptionText, QuestionText
from audit.formats import BAND_WORDS
from audit.models import Report, Scan
from audit.presentation.report import ReportView, present
from audit.presentation.scan import SEVERITY_WORDS
from audit.report import jobs
from audit.report.text import render
from audit.scoring import formula


@dataclass(frozen=True, slots=True)
class Answer:
    question: QuestionText
    option: OptionText
    lost: float
    severity: str
    term: str
    said: bool  # whether the shown version of the report speaks of it


@dataclass(frozen=True, slots=True)
class Version:
    """One version with the attempts behind it, oldest first, as the ledger has them."""

    report: Report
    attempts: list[Any]
    shown: bool


class ScanPage:
    """Reads for one scan; the number of queries does not depend on versions or attempts."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan

    @cached_property
    def details(self) -> details.Details:
        """In the language of the scan, as its report is."""
        with translation.override(self.scan.lang):
            return details.details(self.scan)

    @property
    def band(self) -> str:
        return str(BAND_WORDS[formula.band(self.scan.score)])

    @cached_property
    def answers(self) -> list[Answer]:
        lost = {each.question: each for each in self.details.assessment.findings}
        said = as_read(render.to_html(self.shown.markdown), self.details)[1] if self.shown else frozenset()
        found = []
        for question in catalogue.questionnaire():
            value = self.scan.answers.get(question.id)
            if value is not None:
                finding = lost.get(question.id)
                found.append(
                    Answer(
                        question,
                        question.option(value),
                        float(finding.lost) if finding else 0.0,
                        str(SEVERITY_WORDS[finding.severity]) if finding else "",
                        f"{finding.term} = {finding.lost}" if finding else "",
                        question.id in said,
                    )
                )
        return found

    @cached_property
    def shown(self) -> Report | None:
        """The version that the visitor sees."""
        return next((each.report for each in self.versions if each.shown), None)

    @cached_property
    def versions(self) -> list[Version]:
        rows = list(
            Report.objects.filter(scan=self.scan).select_related("call").prefetch_related("call__attempts")
        )
        ready = [row for row in rows if row.status == Report.Status.READY]
        shown = (ready or rows)[:1]
        return [Version(row, list(row.call.attempts.all()) if row.call else [], row in shown) for row in rows]


def as_read(html: str, told: details.Details) -> tuple[SafeString, frozenset[str]]:
    """A version's HTML, with anchors where it speaks of a weakness, and of which it does.

    told: the scan's details in the language of the report.
    """
    titles = {each.finding.question: each.title for each in told.weaknesses}
    return marked(html, titles)


def version(row: Report) -> ReportView:
    """A version as its reader sees it, in the active language."""
    return present(row, ai=row.scan.ai, stalled=jobs.is_stalled(row), to_html=render.to_html)
