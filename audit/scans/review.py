"""What staff do with a scan: review it, note something, hide it; and what the list of scans shows of its report."""

from decimal import Decimal
from typing import Any

from django.utils import timezone

from audit.models import Report, Scan
from audit.report.generate import FALLBACK

TEMPLATE_TIER = Decimal(4)  # behind every provider's


def follow(scan_id: int) -> None:
    """Notes the tier of a scan's finished reports, and on the scan what its list shows. Called after each report."""
    for row in Report.objects.filter(scan=scan_id, tier=None, finished_at__isnull=False).select_related(
        "call"
    ):
        tier = TEMPLATE_TIER if row.provider == FALLBACK else row.call.tier if row.call else None
        Report.objects.filter(pk=row.pk).update(tier=tier)
    shown = Report.objects.filter(scan=scan_id, status=Report.Status.READY).first()
    if shown is not None:
        Scan.objects.filter(pk=scan_id).update(
            tier=shown.tier, provider=shown.provider, flagged=bool(shown.flags)
        )


def set_reviewed(scan: Scan, *, by: str | None) -> None:
    """Marks a scan as reviewed by somebody, or (None) as still to be reviewed."""
    _update(scan, reviewed_at=timezone.now() if by else None, reviewed_by=by or "")


def set_note(scan: Scan, *, text: str) -> None:
    _update(scan, note=text.strip())


def set_hidden(scan: Scan, *, hidden: bool) -> None:
    """A hidden scan's link opens nothing, for page and API alike, until it is shown again."""
    _update(scan, hidden_at=timezone.now() if hidden else None)


def _update(scan: Scan, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(scan, name, value)
    scan.save(update_fields=list(fields))
