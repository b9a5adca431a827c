"""How a report looks to its reader while it waits, is being written, and when it is there. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from audit.models import Report
from audit.report import FALLBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """`state`: waiting (nobody has started it), writing or ready; `status` says so; `byline`: by whom, when."""

    state: str
    status: str
    html: str = ""
    byline: str = ""


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
        )
    if report.status == Report.Status.WRITING and not stalled:
        return ReportView(state="writing", status=writing_status(report.progress), html=to_html(report.draft))
    return ReportView(state="waiting", status=gettext("Your report has not been started."))


def writing_status(progress: Sequence[Mapping[str, str]]) -> str:
    """Who is writing now, and how many could not."""
    if not progress:
        return gettext("Your report is being written. This takes less than a minute.")
    failed = sum(attempt["outcome"] not in {"trying", "ok"} for attempt in progress)
    if not failed:
        return gettext("%(provider)s is writing your report.") % progress[-1]
    return ngettext(
        "%(count)d service could not answer; %(provider)s is trying now.",
        "%(count)d services could not answer; %(provider)s is trying now.",
        failed,
    ) % {"count": failed, "provider": progress[-1]["provider"]}


def byline(report: Report, *, ai: bool) -> str:
    """Who wrote the report and when, honestly."""
    when = date_format(report.finished_at, "DATETIME_FORMAT") if report.finished_at else ""
    if report.provider != FALLBACK:
        return gettext(
            "Written by the language model %(model)s (%(provider)s), %(when)s UTC. Models make mistakes; your score "
            "and your findings do not come from it."
        ) % {"model": report.model, "provider": report.provider, "when": when}
    if ai:
        return gettext(
            "Put together from our own texts, without AI, because no language model was available. %(when)s UTC."
        ) % {"when": when}
    return gettext("Put together from our own texts, without AI, as you chose. %(when)s UTC.") % {
        "when": when
    }
