"""What staff do with a scan: review it, note something, hide it."""

from typing import Any

from django.utils import timezone

from audit.models import Scan


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
