"""What pages that a secret address opens have in common: nothing keeps them, and nothing leads away from them."""

from typing import TypeVar

from django.http import Http404, HttpRequest, HttpResponseBase

from audit.models import Scan
from audit.scans import service as scans

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


def from_elsewhere(request: HttpRequest) -> bool:
    """Whether the browser says that another site sent this request. Browsers too old to say are let in."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}
