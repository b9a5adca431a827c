"""Claims on a report's row, so that exactly one worker writes it; one that died loses its claim after a lease.

A claim is one conditional UPDATE; only its owner writes to the row, and only while it is its own. It is a lease: a
claim without a heartbeat for STALE_S is free for whoever asks next.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit.models import Report, Scan

STALE_S = 15.0  # several heartbeats
CLOCKS_DIFFER = timedelta(minutes=1)  # of machines that are all right


def claim(scan: Scan) -> Report | None:
    """Takes the scan's unfinished report, if it has one that is free. One UPDATE decides between many tabs."""
    if not Report.objects.filter(scan=scan).exists():  # staff removed them
        add_version(scan)
    now, name = timezone.now(), uuid.uuid4().hex
    stale = Q(heartbeat_at__isnull=True) | ~Q(heartbeat_at__range=_alive(now))
    free = Q(status=Report.Status.PENDING) | Q(status=Report.Status.WRITING) & stale
    taken = Report.objects.filter(free, scan=scan).update(
        status=Report.Status.WRITING, claim=name, claimed_at=now, heartbeat_at=now, draft="", progress=[]
    )
    return Report.objects.select_related("scan").get(claim=name) if taken else None


def own(name: str) -> Any:
    """The row of a claim, as long as it is still its owner's: a queryset of one or none."""
    return Report.objects.filter(claim=name, status=Report.Status.WRITING)


def beat(names: list[str]) -> None:
    """Prolongs the leases of these claims."""
    Report.objects.filter(claim__in=names).update(heartbeat_at=timezone.now())


def release(names: list[str]) -> None:
    """Gives claims back, so that the next POST need not wait until they are stale."""
    if names:
        rows = Report.objects.filter(claim__in=names, status=Report.Status.WRITING)
        rows.update(status=Report.Status.PENDING, claim="", draft="")


def add_version(scan: Scan, after: Report | None = None) -> None:
    """A row for one more version, unless one is unfinished already or came `after` the one given."""
    with transaction.atomic():
        if not Scan.objects.select_for_update().filter(pk=scan.pk).exists():
            return  # deleted meanwhile
        newest = Report.objects.filter(scan=scan).first()
        if newest is None or (newest.status not in Report.UNFINISHED and after in {None, newest}):
            Report.objects.create(scan=scan)


def is_stalled(row: Report) -> bool:
    """Whether its worker seems to be dead: the next POST takes over."""
    if row.status != Report.Status.WRITING:
        return False
    alive_from, alive_to = _alive(timezone.now())
    return row.heartbeat_at is None or not alive_from <= row.heartbeat_at <= alive_to


def _alive(now: datetime) -> tuple[datetime, datetime]:
    """Between which times the last heartbeat of a living worker lies; one far ahead is of a clock that was wrong."""
    return now - timedelta(seconds=STALE_S), now + CLOCKS_DIFFER
