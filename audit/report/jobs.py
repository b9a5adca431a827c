"""Starts the writing of reports: one worker for each, and another one if that one dies (`claims`).

Asking is a POST: nothing here is called by a GET except `current` and `shown`.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from audit.models import Report, Scan
from audit.report import attempts, claims, generate, outcome, tasks
from llm import chain

log = logging.getLogger(__name__)

DRAFT_EVERY_S = 0.4
POLL_S = 0.25

is_stalled = claims.is_stalled
# Told the scan's id whenever a report of this process has changed, in whichever thread that was.
on_change: list[Callable[[int], object]] = []


def start_report(scan: Scan) -> Report:
    """Has the scan's report written, unless it is ready or someone is writing it. Returns at once.

    A report without AI is ready on return; another is written by a task, into the row. While this process writes as
    many as it may, it waits, and is begun by whichever process has a place first.
    """
    if not scan.ai:
        if (claimed := claims.claim(scan)) is not None:
            async_to_sync(_work)(claimed, streamed=False)
    elif tasks.is_full():
        tasks.later(scan.pk, lambda: start_report(scan))
    elif (claimed := claims.claim(scan)) is not None:
        tasks.spawn(claimed.claim, partial(_work, claimed, streamed=True))
    return current(scan)


async def written(scan: Scan) -> Report:
    """The scan's report, written while the caller waits. If another worker has it, waits for that one.

    Still unfinished on return only when that worker died, or needs longer than the deadline.
    """
    until = time.monotonic() + settings.REPORT_DEADLINE_S
    while True:
        claimed = None
        if not (scan.ai and tasks.is_full()):
            claimed = await sync_to_async(claims.claim)(scan)
        if claimed is not None:
            with tasks.kept(claimed.claim):
                await _work(claimed, streamed=False)
        latest = await sync_to_async(current)(scan)
        if latest.status == Report.Status.READY or claimed is not None or time.monotonic() >= until:
            return latest
        await asyncio.sleep(POLL_S)


def write_report_now(scan: Scan) -> Report:
    """The same for a thread."""
    return async_to_sync(written)(scan)


def start_new_version(scan: Scan, *, after: Report | None = None) -> Report:
    """Has a further version written, and returns it at once, as far as it is; the ready ones stay.

    Until it is ready, the version before is shown. A version that is waiting, or whose writer died, is taken
    up instead of a second one; one that somebody is writing is left to them. With `after`, only if no version
    came after that one: a page that was left open cannot ask for what is already there. Without consent to AI
    the version is put together by rule, and is ready on return.
    """
    claims.add_version(scan, after)
    start_report(scan)
    return Report.objects.filter(scan=scan).first() or Report(scan=scan)


def put_together_version(scan: Scan) -> Report:
    """A further version, put together by rule, whatever is shown now. Shown on return; calls nobody.

    A version that is waiting becomes this one; one that is being written stays out of sight when it is done.
    """
    claimed = claims.claim(scan)
    if claimed is not None:
        async_to_sync(_work)(claimed, streamed=False, by_rule=True)
    else:
        Report.objects.create(scan=scan, status=Report.Status.READY, **_finished(generate.put_together(scan)))
        outcome.follow(scan.pk)
    return current(scan)


def current(scan: Scan) -> Report:
    """The report to show: the newest ready one, else the one that is waiting or being written."""
    return shown([scan.pk]).get(scan.pk) or Report(scan=scan)


def shown(scans: Iterable[int]) -> dict[int, Report]:
    """`current` of many scans, in one query, by their ids; nothing for a scan without a report."""
    found: dict[int, Report] = {}
    for row in Report.objects.filter(scan__in=list(scans)):  # newest first
        known = found.get(row.scan_id)
        if known is None or (row.status == Report.Status.READY and known.status != Report.Status.READY):
            found[row.scan_id] = row
    return found


def unfinished(scan: Scan) -> Report | None:
    """The version that is waiting or being written, also while an earlier one is shown."""
    return Report.objects.filter(scan=scan, status__in=Report.UNFINISHED).first()


def forget_calls(**which: Any) -> None:
    """Removes the wording (prompt, answer, kept copy) of the chain's calls; the ledger keeps their numbers."""
    chain.forget_calls(**which)


async def _work(row: Report, *, streamed: bool, by_rule: bool = False) -> None:
    """Writes the claimed report. If even that fails, the claim is free again and the error in the log."""
    try:
        await _write(row, streamed=streamed, by_rule=by_rule)
    except Exception:
        log.exception("a report could not be written")
        await sync_to_async(claims.release)([row.claim])
    _tell(row.scan_id)


async def _write(row: Report, *, streamed: bool, by_rule: bool) -> None:
    if by_rule:
        report = await sync_to_async(generate.put_together)(row.scan)
    else:
        again = await sync_to_async(_has_a_models)(
            row.scan
        )  # who asks for another one does not want the same
        observer = _Progress(row.claim, row.scan_id) if streamed else None
        report = await generate.write(row.scan, observer, fresh=again)
    await sync_to_async(_finish)(row, report, by_rule=by_rule)


def _finish(row: Report, written: generate.Written, *, by_rule: bool) -> None:
    lesser = written.provider == generate.FALLBACK and not by_rule and _has_a_models(row.scan)
    status = Report.Status.SHELVED if lesser else Report.Status.READY
    if claims.own(row.claim).update(status=status, **_finished(written)):
        log.info("a report was written by %s", written.provider)
        outcome.follow(row.scan_id)
    else:
        log.info("a report was deleted or taken over while it was being written")
        if written.call_id is not None and not Scan.objects.filter(pk=row.scan_id).exists():
            forget_calls(pk=written.call_id)


def _finished(written: generate.Written) -> dict[str, Any]:
    return {
        "finished_at": timezone.now(),
        "draft": "",
        "markdown": written.markdown,
        "provider": written.provider,
        "model": written.model,
        "cost_usd": written.cost_usd,
        "prompt_version": written.prompt_version,
        "flags": written.flags,
        "receipt": written.receipt,
        "progress": written.attempts,
        "call_id": written.call_id,
    }


def _has_a_models(scan: Scan) -> bool:
    """Whether a model's report is ready: a template must not push it out of sight."""
    ready = Report.objects.filter(scan=scan, status=Report.Status.READY)
    return ready.exclude(provider=generate.FALLBACK).exists()


def _tell(scan_id: int) -> None:
    for tell in on_change:
        tell(scan_id)


class _Progress:
    """Shows the chain's events in the report's row: attempts at once, the text every DRAFT_EVERY_S seconds.

    Called on the event loop; what it returns is for a thread to do.
    """

    def __init__(self, claim: str, scan_id: int) -> None:
        self.claim, self.scan_id = claim, scan_id
        self.attempts: list[dict[str, str]] = []
        self.text = ""
        self.saved_at = 0.0

    def __call__(self, event: chain.Event, shown: Callable[[str], str]) -> Callable[[], None] | None:
        match event:
            case chain.AttemptStarted():
                self.text = ""
                return partial(self._begin, event)
            case chain.Delta():
                self.text += event.text
                if time.monotonic() - self.saved_at >= DRAFT_EVERY_S:
                    return lambda: self._save(draft=shown(self.text))
            case chain.AttemptFailed():
                self.text = ""  # what came so far is void
                self.attempts[-1] |= attempts.failed(event)
                return lambda: self._save(draft="", progress=self.attempts)
            case chain.Completed():
                return lambda: self._save(draft=shown(event.reply.text + "\n"))
        return None

    def _begin(self, event: chain.AttemptStarted) -> None:
        line = generate.attempt_line(
            credential=event.credential, model=event.model, location=event.location, outcome="trying"
        )
        self.attempts.append(line)
        self._save(draft="", progress=self.attempts)

    def _save(self, **fields: Any) -> None:
        self.saved_at = time.monotonic()
        try:
            claims.own(self.claim).update(**fields)
        except DatabaseError:  # a picture of the progress is not worth the report
            log.warning("progress of a report was not saved", exc_info=True)
        _tell(self.scan_id)
