"""The card that shows a score and nothing else. It exists while its owner wants it.

Its token is made of a random id of its own, signed with another salt, so neither says anything about the private
link, and taking the card back is forgetting that id.
"""

from audit.models import Scan
from audit.scans import tokens


def share(scan: Scan) -> None:
    """Makes the card; one that is there already keeps its address."""
    Scan.objects.filter(pk=scan.pk, share_id=None).update(share_id=tokens.new_id())


def unshare(scan: Scan) -> None:
    """Takes the card back: its address is never valid again."""
    Scan.objects.filter(pk=scan.pk).update(share_id=None)


def share_token(scan: Scan) -> str:
    """The token of the scan's card, empty while there is none."""
    return tokens.sign(scan.share_id, salt=tokens.SHARE) if scan.share_id else ""


def shared_scan(token: str) -> Scan | None:
    """The scan of a card's token; None for one that was forged, taken back, deleted or hidden by staff."""
    share_id = tokens.unsign(token, salt=tokens.SHARE)
    return Scan.objects.filter(share_id=share_id, hidden_at=None).first() if share_id else None
