"""Which proxy headers to believe."""

from django.http import HttpRequest

from audit.client_address import from_trusted_proxy
from guardlabs.web.middleware import Middleware

FORWARDING_HEADERS = ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST")
TELLING = (
    *FORWARDING_HEADERS,
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_REAL_IP",
)  # that a request came through one


class TrustedProxy(Middleware):
    """Drops forwarding headers that did not come from a trusted proxy, before anything reads them."""

    def before(self, request: HttpRequest) -> None:
        if not from_trusted_proxy(request):
            # A proxy that nobody declared: its own address must not pass for the client's (see metrics.py).
            told = not request.META.keys().isdisjoint(TELLING)
            request.META["guardlabs.undeclared_proxy"] = told
            if told:
                for header in FORWARDING_HEADERS:
                    request.META.pop(header, None)
