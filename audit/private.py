"""What every page under /r/ has in common: the token opens it, and nothing keeps it or leads away from it."""

from typing import TypeVar

from django.http import Http404, HttpResponseBase

from audit import scans
from audit.models import Scan

Response = TypeVar("Response", bound=HttpResponseBase)


def scan_or_404(token: str) -> Scan:
    """The scan of a token; a forged, mistyped, deleted or hidden one answers 404."""
    scan = scans.get_scan(token)
    if scan is None:
        raise Http404
    return scan


def private(response: Response) -> Response:
    """For every answer under /r/: no cache keeps it, no index lists it, no link carries its address away."""
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response
