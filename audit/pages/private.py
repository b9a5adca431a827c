"""What pages behind a secret address share: finding the scan, forged requests, and the question before a deletion."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from audit.confidential import private
from audit.models import Scan
from audit.scans import service as scans


def scan_or_404(token: str) -> Scan:
    """The scan of a token; a forged, mistyped, deleted or hidden one answers 404."""
    scan = scans.get_scan(token)
    if scan is None:
        raise Http404
    return scan


def from_elsewhere(request: HttpRequest) -> bool:
    """Whether the browser says that another site sent this request. Browsers too old to say are let in."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}


def are_you_sure(
    request: HttpRequest, *, question: str, consequence: str, confirm: str, keep: str, back: str
) -> HttpResponse:
    """The page before what cannot be undone: its button posts to the same address, the link beside it leads `back`."""
    context = {
        "question": question,
        "consequence": consequence,
        "confirm": confirm,
        "keep": keep,
        "back": back,
        "action": request.path,
    }
    return private(render(request, "audit/confirm.html", context))
