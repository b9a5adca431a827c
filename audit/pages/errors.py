"""Error pages in the visitor's language. They say what to do next and never what went wrong inside.

None of them needs the database, so they still work when the database is what failed.
"""

import logging
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers

from audit.pages import context

logger = logging.getLogger(__name__)

# For the day on which even the templates cannot be read.
LAST_RESORT = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>GuardLabs: something went wrong</title>"
    "<h1>Something went wrong</h1><p>Please try again in a minute."
)


def _error(*, template: str, status: int, extra: dict[str, Any] | None = None) -> HttpResponse:
    try:
        body: str = render_to_string(template, {**context.page(None), **(extra or {})})
    except Exception:  # an error page has nobody left to report to but the log
        logger.exception("the error page %s cannot be rendered", template)
        body = LAST_RESORT
    response = HttpResponse(body, status=status)
    add_never_cache_headers(response)
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(template="400.html", status=400)


def too_large(request: HttpRequest) -> HttpResponse:
    """413, before any middleware has chosen a language."""
    with translation.override(translation.get_language_from_request(request, check_path=True)):
        return _error(template="400.html", status=413)


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    return _error(template="403.html", status=403, extra=_of_staff(request))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(template="404.html", status=404, extra=_of_staff(request))


def _of_staff(request: HttpRequest) -> dict[str, Any]:
    """Within the admin the way back leads to its desk."""
    desk = reverse("admin:index")
    return {"desk": desk if request.path.startswith(desk) else ""}


def too_many(request: HttpRequest, *, retry_after_s: int) -> HttpResponse:
    """429 for a page that has no form to show again; `retry_after_s` also goes into Retry-After."""
    response = _error(template="429.html", status=429, extra={"minutes": max(1, -(-retry_after_s // 60))})
    response["Retry-After"] = str(retry_after_s)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    return _error(template="500.html", status=500)


def unavailable(request: HttpRequest) -> HttpResponse:
    """503: nothing can be stored at the moment."""
    return _error(template="503.html", status=503)
