"""A result as a file of one's own: Markdown to read, JSON to compute with. In the active language.

Neither holds the private link: whoever finds the file cannot open the result with it. Their names are neutral,
because a list of downloads is seen by others.
"""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from audit import formats
from audit.bank import catalogue
from audit.bank.catalogue import QuestionText
from audit.bank.findings import Details, Weakness
from audit.models import Report, Scan
from audit.presentation import scan as presentation
from audit.report.text.citations import plain, sources
from audit.report.text.render import to_markdown
from audit.scans import service as scans


def filename(scan: Scan, extension: str) -> str:
    """`checklist-2026-11-23.md`: when, not what."""
    return f"checklist-{scan.created_at:%Y-%m-%d}.{extension}"


def data(scan: Scan, details: Details, report: Report) -> dict[str, Any]:
    """The result as plain data: codes with their words, points as numbers, times in ISO 8601 (UTC)."""
    result = details.assessment
    ready = report.status == Report.Status.READY
    return {
        "format": 1,
        "made": scan.created_at.isoformat(),
        "kept_until": scans.kept_until(scan).isoformat(),
        "lang": scan.lang,
        "scoring_version": scan.scoring_version,
        "bank_version": scan.bank_version,
        "score": result.score,
        "raw_score": result.raw_score,
        "band": result.band,
        "cap": {"limit": result.cap.limit, "because": list(result.cap.because)} if result.cap else None,
        "assessed": result.assessed,
        "breakdown": [
            {"category": row.category, "lost": float(row.lost), "max": float(row.max)}
            for row in result.breakdown
        ],
        "answers": [
            {
                "question": question.id,
                "value": scan.answers[question.id],
                "text": question.text,
                "label": question.option(scan.answers[question.id]).label,
            }
            for question in _answered(scan)
        ],
        "findings": [_finding(weakness) for weakness in details.weaknesses],
        "report": {
            "markdown": to_markdown(report.markdown),
            "provider": report.provider,
            "model": report.model,
        }
        if ready
        else None,
    }


def _finding(weakness: Weakness) -> dict[str, Any]:
    return {
        "question": weakness.finding.question,
        "value": weakness.finding.value,
        "severity": weakness.finding.severity,
        "lost": float(weakness.finding.lost),
        "minutes": weakness.finding.minutes,
        "title": weakness.title,
        "harm": weakness.option.harm,
        "fix_steps": list(weakness.option.fix_steps),
        "tools": list(weakness.option.tools),
        "incidents": [
            {"slug": case.slug, "name": case.name, "sources": list(case.sources)} for case in weakness.cases
        ],
    }


def markdown(scan: Scan, details: Details, report: Report) -> str:
    """The result as Markdown: score, findings, all answers, and the written report if there is one."""
    return "\n\n".join(_parts(scan, details, report)) + "\n"


def _parts(scan: Scan, details: Details, report: Report) -> Iterator[str]:
    result = details.assessment
    words = {
        "score": result.score,
        "band": formats.BAND_WORDS[result.band],
        "raw": result.raw_score,
        "day": formats.day(scan.created_at.date().isoformat()),
        "scoring": scan.scoring_version,
        "bank": scan.bank_version,
    }
    yield "# " + _("%(score)s of 100: %(band)s") % words
    yield _("Made on %(day)s. Scoring version %(scoring)s, questions of %(bank)s.") % words
    if result.capped:
        why = "; ".join(plain(each.title) for each in details.capped_by)
        yield _("Your answers add up to %(raw)s; the score is capped because of: %(why)s.") % {
            **words,
            "why": why,
        }
    labels = catalogue.category_labels()
    yield "\n".join(
        f"- {labels.get(row.category, row.category)}: {formats.kept_of(row.max - row.lost, row.max)}"
        for row in result.breakdown
    )
    if details.weaknesses:
        yield "## " + _("What to fix, in this order")
    for number, weakness in enumerate(details.weaknesses, start=1):
        yield from _weakness(number, weakness)
    yield "## " + _("Your answers")
    yield "\n".join(
        f"- {plain(question.text)} **{plain(question.option(scan.answers[question.id]).label)}**"
        for question in _answered(scan)
    )
    if report.status == Report.Status.READY:
        yield "# " + _("Your written report")
        yield to_markdown(report.markdown).strip()


def _weakness(number: int, weakness: Weakness) -> Iterator[str]:
    option, finding = weakness.option, weakness.finding
    yield f"### {number}. {plain(weakness.title)}"
    severity = presentation.SEVERITY_WORDS[finding.severity]
    facts = [
        str(severity),
        "−" + formats.points(finding.lost),
        formats.duration(finding.minutes),
    ]
    yield f"*{' · '.join(filter(None, facts))}*"
    if option.harm:
        yield plain(option.harm)
    yield "\n".join(f"- [ ] {plain(step)}" for step in option.fix_steps)
    if option.tools:
        yield _("Tools: %(tools)s.") % {"tools": ", ".join(map(plain, option.tools))}
    if weakness.cases:
        case = weakness.cases[0]
        facts_of_case = {"name": plain(case.name), "facts": case.facts}
        known = _("A known case: %(name)s (%(facts)s).") % facts_of_case
        yield f"{known} {sources(case)}".strip()


def _answered(scan: Scan) -> list[QuestionText]:
    return [question for question in catalogue.questionnaire() if question.id in scan.answers]
