"""Who writes a report, and when: exactly one worker for each, and another one if that one dies.

A report is claimed by one conditional UPDATE; only the claim's owner writes to the row, and only while it is
its own. A claim without a heartbeat for STALE_S is free for whoever asks next. Asking is a POST: nothing here
is called by a GET except `current`.
"""

import atexit
import logging
import time
import uuid
from collections.abc import Callable
from contextvars import copy_context
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.db.models import Q
from django.utils import timezone

from audit.models import Report, Scan
from audit.report import attempts, generate, heartbeat, outcome
from llm import chain

log = logging.getLogger(__name__)

STALE_S = 15.0  # several heartbeats
CLOCKS_DIFFER = timedelta(minutes=1)  # of machines that are all right
DRAFT_EVERY_S = 0.4
POLL_S = 0.25
SHUTDOWN_GRACE_S = 5.0

_live: dict[str, Thread] = {}


def start_report(scan: Scan) -> Report:
    """Has the scan's report written, unless it is ready or someone is writing it. Returns at once.

    A report without AI is ready on return; another is written by a thread, into the row.
    """
    claimed = _claim(scan)
    if claimed is not None:
        if scan.ai:
            spawn(claimed.claim, lambda: _work(claimed, streamed=True))
        else:
            _work(claimed, streamed=False)
    return current(scan)


def write_report_now(scan: Scan) -> Report:
    """The scan's report, written while the caller waits. If another worker has it, waits for that one.

    Still unfinished on return only when that worker died, or needs longer than the deadline.
    """
    claimed = _claim(scan)
    if claimed is not None:
        _work(claimed, streamed=False)
        return current(scan)
    patience = time.monotonic() + settings.REPORT_DEADLINE_S
    while (latest := current(scan)).status != Report.Status.READY and time.monotonic() < patience:
        time.sleep(POLL_S)
        if is_stalled(latest):
            return write_report_now(scan)
    return latest


def start_new_version(scan: Scan, *, after: Report | None = None) -> Report:
    """Has a further version written, and returns it at once, as far as it is; the ready ones stay.

    Until it is ready, the version before is shown. A version that is waiting, or whose writer died, is taken
    up instead of a second one; one that somebody is writing is left to them. With `after`, only if no version
    came after that one: a page that was left open cannot ask for what is already there. Without consent to AI
    the version is put together by rule, and is ready on return.
    """
    _add_version(scan, after)
    start_report(scan)
    return Report.objects.filter(scan=scan).first() or Report(scan=scan)


def put_together_version(scan: Scan) -> Report:
    """A further version, put together by rule, whatever is shown now. Shown on return; calls nobody.

    A version that is waiting becomes this one; one that is being written stays out of sight when it is done.
    """
    claimed = _claim(scan)
    if claimed is not None:
        _work(claimed, streamed=False, by_rule=True)
    else:
        Report.objects.create(scan=scan, status=Report.Status.READY, **_finished(generate.put_together(scan)))
        outcome.follow(scan.pk)
    return current(scan)


def current(scan: Scan) -> Report:
    """The report to show: the newest ready one, else the one that is waiting or being written."""
    rows = list(Report.objects.filter(scan=scan))  # newest first
    ready = [row for row in rows if row.status == Report.Status.READY]
    return (ready or rows or [Report(scan=scan)])[0]


def unfinished(scan: Scan) -> Report | None:
    """The version that is waiting or being written, also while an earlier one is shown."""
    return Report.objects.filter(scan=scan, status__in=Report.UNFINISHED).first()


def is_stalled(row: Report) -> bool:
    """Whether its worker seems to be dead: the next POST takes over."""
    if row.status != Report.Status.WRITING:
        return False
    alive_from, alive_to = _alive(timezone.now())
    return row.heartbeat_at is None or not alive_from <= row.heartbeat_at <= alive_to


def _alive(now: datetime) -> tuple[datetime, datetime]:
    """Between which times the last heartbeat of a living worker lies; one far ahead is of a clock that was wrong."""
    return now - timedelta(seconds=STALE_S), now + CLOCKS_DIFFER


def forget_calls(**which: Any) -> None:
    """Removes the wording (prompt, answer, kept copy) of the chain's calls; the ledger keeps their numbers."""
    chain.forget_calls(**which)


def spawn(claim: str, job: Callable[[], None]) -> None:
    """Runs the job in a thread of its own. A thread must not outlive the process: see `_leave`."""
    whose = copy_context()  # the request and its call, for the log
    thread = Thread(target=whose.run, args=(_run, claim, job), name=f"report-{claim[:8]}", daemon=True)
    if not _live:
        atexit.unregister(_leave)
        atexit.register(_leave)
    _live[claim] = thread
    try:
        thread.start()
    except RuntimeError:  # no threads left: whoever asks next tries again
        _live.pop(claim, None)
        _release([claim])
        log.exception("no thread for a report")


def _run(claim: str, job: Callable[[], None]) -> None:
    try:
        job()
    finally:
        _live.pop(claim, None)
        connections.close_all()


def _leave() -> None:
    """At the end of the process: a moment for what is nearly done, then the rest is free for others."""
    until = time.monotonic() + SHUTDOWN_GRACE_S
    for thread in list(_live.values()):
        thread.join(max(0.0, until - time.monotonic()))
    _release(list(_live))


def _release(claims: list[str]) -> None:
    """Gives claims back, so that the next POST need not wait until they are stale."""
    if claims:
        own = Report.objects.filter(claim__in=claims, status=Report.Status.WRITING)
        own.update(status=Report.Status.PENDING, claim="", draft="")


def _claim(scan: Scan) -> Report | None:
    """Takes the scan's unfinished report, if it has one that is free. One UPDATE decides between many tabs."""
    if not Report.objects.filter(scan=scan).exists():  # staff removed them
        _add_version(scan)
    now, claim = timezone.now(), uuid.uuid4().hex
    stale = Q(heartbeat_at__isnull=True) | ~Q(heartbeat_at__range=_alive(now))
    free = Q(status=Report.Status.PENDING) | Q(status=Report.Status.WRITING) & stale
    taken = Report.objects.filter(free, scan=scan).update(
        status=Report.Status.WRITING, claim=claim, claimed_at=now, heartbeat_at=now, draft="", progress=[]
    )
    return Report.objects.select_related("scan").get(claim=claim) if taken else None


def _add_version(scan: Scan, after: Report | None = None) -> None:
    """A row for one more version, unless one is unfinished already or came `after` the one given."""
    with transaction.atomic():
        if not Scan.objects.select_for_update().filter(pk=scan.pk).exists():
            return  # deleted meanwhile
        newest = Report.objects.filter(scan=scan).first()
        if newest is None or (newest.status not in Report.UNFINISHED and after in {None, newest}):
            Report.objects.create(scan=scan)


def _work(row: Report, *, streamed: bool, by_rule: bool = False) -> None:
    """Writes the claimed report. If even that fails, the claim is free again and the error in the log."""
    try:
        _write(row, streamed=streamed, by_rule=by_rule)
    except Exception:
        log.exception("a report could not be written")
        _release([row.claim])


def _write(row: Report, *, streamed: bool, by_rule: bool) -> None:
    with heartbeat.beating(row.claim):
        if by_rule:
            written = generate.put_together(row.scan)
        else:
            again = _has_a_models(row.scan)  # who asks for another report does not want the same one
            written = generate.write(row.scan, _Progress(row.claim) if streamed else None, fresh=again)
        lesser = written.provider == generate.FALLBACK and not by_rule and _has_a_models(row.scan)
        status = Report.Status.SHELVED if lesser else Report.Status.READY
        finished = _own(row.claim).update(status=status, **_finished(written))
    if finished:
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


def _own(claim: str) -> Any:
    return Report.objects.filter(claim=claim, status=Report.Status.WRITING)


class _Progress:
    """Shows the chain's events in the report's row: attempts at once, the text every DRAFT_EVERY_S seconds."""

    def __init__(self, claim: str) -> None:
        self.claim = claim
        self.attempts: list[dict[str, str]] = []
        self.text = ""
        self.saved_at = 0.0

    def __call__(self, event: chain.Event, shown: Callable[[str], str]) -> None:
        match event:
            case chain.AttemptStarted():
                self._begin(event)
            case chain.Delta():
                self.text += event.text
                if time.monotonic() - self.saved_at >= DRAFT_EVERY_S:
                    self._save(draft=shown(self.text))
            case chain.AttemptFailed():
                self.text = ""  # what came so far is void
                self.attempts[-1] |= attempts.failed(event)
                self._save(draft="", progress=self.attempts)
            case chain.Completed():
                self._save(draft=shown(event.reply.text + "\n"))

    def _begin(self, event: chain.AttemptStarted) -> None:
        self.text = ""
        self.attempts.append(
            generate.attempt_line(
                credential=event.credential, model=event.model, location=event.location, outcome="trying"
            )
        )
        self._save(draft="", progress=self.attempts)

    def _save(self, **fields: Any) -> None:
        self.saved_at = time.monotonic()
        try:
            _own(self.claim).update(**fields)
        except DatabaseError:  # a picture of the progress is not worth the report
            log.warning("progress of a report was not saved", exc_info=True)
