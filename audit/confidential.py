"""The headers of private pages: no cache keeps them, no search engine lists them, links carry no referrer."""

from typing import TypeVar

from django.http import HttpResponseBase

Response = TypeVar("Response", bound=HttpResponseBase)


def private(response: Response) -> Response:
    """For every answer under /r/: no cache keeps it, no index lists it, no link carries its address away."""
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response
