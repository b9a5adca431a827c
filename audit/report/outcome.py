"""What a finished report means for its scan: who wrote it, of which tier, and what the list of scans shows."""

from decimal import Decimal

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
