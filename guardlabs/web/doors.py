"""What an error looks like at each door: a page, the JSON API, the gateway's OpenAI shape.

Two kinds of exceptions are nobody's bug, wherever they come from:

- the database is away (full or read-only disk, locked, gone, frozen): 503 with Retry-After, and the connection is
  dropped, so that the next request finds out anew;
- a value that no row can hold (a number of 30 digits, NUL, half a character): 400.
"""

import logging
import sys
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django.utils.translation import gettext as _

from audit.api import errors as api_errors
from audit.pages import errors as pages
from llm.gateway import errors as gateway_errors
from llm.gateway.middleware import SHORT
from llm.storage import faults

log = logging.getLogger(__name__)

RETRY_AFTER_S = 5
PAGES = {400: pages.bad_request, 500: pages.server_error, 503: pages.unavailable}


class Doors:
    """Turns such exceptions of views into answers. Place it last, so that it sees them first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return answer(request, error)


def answer(request: HttpRequest, error: BaseException | None) -> HttpResponse | None:
    """The answer to an exception of the two kinds (llm.storage); None for every other, which is a bug of ours."""
    if faults.is_away(error):
        log.error("the database is away: %s: %s", type(error).__name__, str(error).partition("\n")[0][:200])
        faults.reconnect()
        return unavailable(request)
    if faults.is_unstorable(error):
        log.warning("a request held what no row can: %s", type(error).__name__, exc_info=error)
        return _shaped(request, 400)
    return None


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404: a page for people; who comes with a key of the gateway's gets its shape."""
    if "HTTP_X_API_KEY" in request.META or request.META.get("HTTP_AUTHORIZATION", "").lower().startswith(
        "bearer "
    ):
        return gateway_errors.unknown_url(request).response()
    return pages.not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: also of what middleware raises, which process_exception does not see."""
    return answer(request, sys.exc_info()[1]) or _shaped(request, 500)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler400."""
    return _shaped(request, 400)


def unavailable(request: HttpRequest) -> HttpResponse:
    """503: come back in RETRY_AFTER_S seconds."""
    response = _shaped(request, 503)
    response["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _shaped(request: HttpRequest, status: int) -> HttpResponse:
    path = request.path_info
    if path.startswith("/v1/") or SHORT.fullmatch(path):
        return gateway_errors.by_status(status).response()
    with translation.override(_language(request)):
        if path.startswith(("/api/", "/stripe/", "/healthz", "/readyz")):
            words = {
                400: _("The request is not valid."),
                503: _("The server cannot store anything now. Try again in a few seconds."),
            }
            problem = api_errors.Problem(status, words.get(status) or _("Something went wrong on our side"))
            return api_errors.respond(request, problem)
        return PAGES[status](request)


def _language(request: HttpRequest) -> str:
    """The page's own language, also before LocaleMiddleware has chosen it."""
    return translation.get_language_from_request(request, check_path=True)
