"""Pages that a secret address opens."""

from typing import TypeVar

from django.http import HttpRequest, HttpResponse

Response = TypeVar("Response", bound=HttpResponse)


def private(response: Response) -> Response:
    """No cache keeps the answer, no index lists it, no link carries its address away."""
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response


def from_elsewhere(request: HttpRequest) -> bool:
    """Whether the browser says that another site sent this request. Browsers too old to say are let in."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}
