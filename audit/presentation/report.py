"""How a report looks to its reader while it waits, is being written, and when it is there.

Reads no more than the clock and the settings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from audit import formats
from audit.models import Report
from audit.report import attempts
from audit.report.generate import FALLBACK, author
from audit.report.text import drafts


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """`state`: waiting (nobody has started it), writing or ready; `status`: what is to be announced of it.

    While it is being written, `steps`: what was tried and failed; `working`: who is at it now; `elapsed_s`: of the
    deadline's seconds. `html`: the text so far; `byline`: by whom, when;
    `receipt`: signed, see llm/ledger/receipts.py.
    """

    state: str
    status: str
    steps: list[str] = field(default_factory=list)
    working: str = ""
    elapsed_s: float = 0.0
    deadline_s: int = 0
    html: str = ""
    byline: str = ""
    receipt: str = ""


def present(report: Report, *, ai: bool, stalled: bool, to_html: Callable[[str], SafeString]) -> ReportView:
    """How far a report is, and its text so far.

    `ai`: the visitor agreed to a language model; `stalled`: its writer died, so that somebody must start it
    again; `to_html` turns Markdown into safe HTML.
    """
    if report.status == Report.Status.READY:
        return ReportView(
            state="ready",
            status=gettext("Your report is ready."),
            html=to_html(report.markdown),
            byline=byline(report, ai=ai),
            receipt=report.receipt,
        )
    if report.status == Report.Status.WRITING and not stalled:
        steps = attempts.lines(report.progress, today=report.claimed_at)
        working = at_work(report.progress)
        return ReportView(
            state="writing",
            status=steps[-1] if steps else working,
            steps=steps,
            working=working,
            elapsed_s=elapsed_s(report),
            deadline_s=settings.REPORT_DEADLINE_S,
            html=to_html(drafts.settled(report.draft)),
        )
    return ReportView(state="waiting", status=gettext("Your report has not been started."))


def at_work(progress: Sequence[Mapping[str, str]]) -> str:
    """Who is writing now."""
    if progress and progress[-1]["outcome"] in {"trying", "ok"}:
        last = progress[-1]
        return gettext("%(provider)s is writing your report.") % {
            "provider": last.get("who") or last["provider"]
        }
    return gettext("Your report is being written.")


def elapsed_s(report: Report) -> float:
    """Seconds since the writer took the report, by the server's clock, at most the deadline's."""
    if report.claimed_at is None:
        return 0.0
    passed = (timezone.now() - report.claimed_at).total_seconds()
    return round(min(max(passed, 0.0), float(settings.REPORT_DEADLINE_S)), 1)


def byline(report: Report, *, ai: bool) -> str:
    """Who wrote the report and when, honestly."""
    when = formats.utc(report.finished_at)
    if report.provider != FALLBACK:
        return gettext(
            "Written by %(who)s, %(when)s UTC. Models make mistakes; your score and your findings do not come from it."
        ) % {"who": author(report.provider, report.model), "when": when}
    if ai:
        return gettext(
            "Assembled from our own texts, without AI, because no language model was available. %(when)s UTC."
        ) % {"when": when}
    return gettext("Assembled from our own texts, without AI, as you chose. %(when)s UTC.") % {"when": when}
