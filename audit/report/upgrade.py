"""Replaces a template's report by a model's, when a visitor asks for it and the chain can write again."""

from dataclasses import dataclass

from audit.models import Report, Scan
from audit.report import jobs, prompts
from audit.report.generate import FALLBACK
from llm import stats

MOST_VERSIONS = 5  # of one scan, asked for by visitors; staff may make more


@dataclass(frozen=True, slots=True)
class Upgrade:
    """`offered`: the visitor may ask for a model's report; `writing`: one is being written, beside the one shown."""

    offered: bool = False
    writing: bool = False


def upgrade(scan: Scan) -> Upgrade:
    """What the page offers beside the report that is shown. Reads only."""
    rows = list(Report.objects.filter(scan=scan))
    unfinished = next((row for row in rows if row.status in Report.UNFINISHED), None)
    if (
        unfinished is not None
        and unfinished.status == Report.Status.WRITING
        and not jobs.is_stalled(unfinished)
    ):
        return Upgrade(writing=any(row.status == Report.Status.READY for row in rows))
    return Upgrade(offered=_over(scan, rows) is not None)


def start(scan: Scan) -> None:
    """Has a model's report written, if one is on offer; a second press, or one from an old page, changes nothing."""
    over = _over(scan, list(Report.objects.filter(scan=scan)))
    if over is not None:
        jobs.start_new_version(scan, after=over)


def may_rewrite(scan: Scan) -> bool:
    """Whether the report that is shown was put together by rule, so that another language costs nothing."""
    rows = list(Report.objects.filter(scan=scan))
    ready = next((row for row in rows if row.status == Report.Status.READY), None)
    return ready is not None and ready.provider == FALLBACK and len(rows) <= MOST_VERSIONS


def rewrite(scan: Scan, *, lang: str) -> None:
    """Puts the report together again in another language, if that one was put together too. Calls nobody."""
    if lang == scan.lang or not may_rewrite(scan):
        return
    scan.lang = lang
    scan.save(update_fields=["lang"])
    jobs.put_together_version(scan)


def _over(scan: Scan, rows: list[Report]) -> Report | None:
    """The template's report that a model's may follow; None while there is none, or nobody could write it."""
    shown = next((row for row in rows if row.status == Report.Status.READY), None)
    if shown is None or shown.provider != FALLBACK or not scan.ai or len(rows) > MOST_VERSIONS:
        return None
    room = prompts.tokens_out(scan.lang)
    return shown if stats.can_answer(tokens_in=prompts.MAX_TOKENS_IN, max_tokens=room) else None
