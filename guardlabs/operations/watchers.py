"""Who may read /metrics and the details of /readyz."""

import hmac
import re
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

# What proxies, content networks and clouds add to a request that they pass on.
TELLS = re.compile(
    r"HTTP_(?:(?:X_)?(?:FORWARDED|ORIGINAL)|VIA\Z|X_REAL_|\w{0,40}CLIENT_?IP\Z|CF_|CDN_LOOP\Z"
    r"|X_(?:ENVOY|AMZN|AZURE|VERCEL|VARNISH|CACHE|CDN|NF|ARR)_|X_CLOUD_TRACE_CONTEXT\Z)"
)


def is_watcher(request: HttpRequest) -> bool:
    """Whoever brings METRICS_TOKEN as a bearer token; without that setting, this machine itself."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if settings.METRICS_TOKEN:
        return scheme.lower() == "bearer" and hmac.compare_digest(
            token.strip().encode(), settings.METRICS_TOKEN.encode()
        )
    if request.META.get("guardlabs.undeclared_proxy") or any(map(TELLS.match, request.META)):
        return False  # whoever it came through, it came from elsewhere
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
