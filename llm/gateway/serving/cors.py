"""Pages of other sites that may ask the gateway: those of LLM_CORS_ORIGINS. https://fetch.spec.whatwg.org/#http-cors-protocol

No cookie is ever looked at, so a page has what its key has, and nothing more.
"""

import re

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from llm.conf import conf
from llm.gateway.serving.answers import Answer

METHODS = "GET, POST, DELETE, OPTIONS"
TOLD = ", ".join((
    "retry-after", "x-should-retry", "x-request-id", "request-id", "x-guardlabs-provider", "x-guardlabs-attempts",
    "x-guardlabs-cost-usd", "x-guardlabs-call", "x-guardlabs-cached", "x-guardlabs-max-tokens", "x-guardlabs-ignored",
))  # fmt: skip
NAMES = re.compile(r"[A-Za-z0-9 ,_-]{1,2000}", re.ASCII)
PREFLIGHT_S = "7200"  # no browser remembers one for longer


def allowed(request: HttpRequest) -> str:
    """The origin that asks, if it may; else empty."""
    origin = str(request.META.get("HTTP_ORIGIN", ""))
    origins = conf.LLM_CORS_ORIGINS
    return origin if origin and (origin in origins or "*" in origins) else ""


def preflight(request: HttpRequest) -> HttpResponse | None:
    """The answer to a browser that asks whether it may ask; None for any other request."""
    if request.method != "OPTIONS" or "HTTP_ACCESS_CONTROL_REQUEST_METHOD" not in request.META:
        return None
    response = HttpResponse(status=204)
    if allowed(request):
        wanted = str(request.META.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", ""))
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Max-Age"] = PREFLIGHT_S
        if NAMES.fullmatch(wanted):
            response.headers["Access-Control-Allow-Headers"] = wanted
    return response


def mark(request: HttpRequest, response: Answer | HttpResponseBase) -> None:
    """Lets a page of an allowed origin read the answer."""
    if not conf.LLM_CORS_ORIGINS:
        return
    response.headers["Vary"] = "Origin"
    if origin := allowed(request):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = TOLD
