"""Which proxy headers to believe."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from audit.client_address import from_trusted_proxy

FORWARDING_HEADERS = ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST")
TELLING = (
    *FORWARDING_HEADERS,
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_REAL_IP",
)  # that a request came through one


class TrustedProxy:
    """Drops forwarding headers that did not come from a trusted proxy, before anything reads them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not from_trusted_proxy(request):
            # A proxy that nobody declared: its own address must not pass for the client's (see metrics.py).
            request.META["guardlabs.undeclared_proxy"] = any(h in request.META for h in TELLING)
            for header in FORWARDING_HEADERS:
                request.META.pop(header, None)
        return self.get_response(request)
