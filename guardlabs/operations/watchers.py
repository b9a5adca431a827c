"""Who may read /metrics and the details of /readyz."""

import hmac
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

from guardlabs.web.proxy import TELLING


def is_watcher(request: HttpRequest) -> bool:
    """Whoever brings METRICS_TOKEN as a bearer token; without that setting, this machine itself."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if settings.METRICS_TOKEN:
        return scheme.lower() == "bearer" and hmac.compare_digest(
            token.strip().encode(), settings.METRICS_TOKEN.encode()
        )
    if request.META.get("guardlabs.undeclared_proxy") or any(h in request.META for h in TELLING):
        return False  # whoever it came through, it came from elsewhere
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
