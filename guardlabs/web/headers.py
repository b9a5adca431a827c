"""What every answer says to browsers, whoever made it: page, API, file, error or gateway.

The views' own word counts more; this fills in what is missing. Placed before whatever answers early (static files,
the gateway), so that nothing leaves without it.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from audit.pages import errors as views_errors
from guardlabs.web.middleware import Middleware
from llm.conf import conf

# Features that no page here uses, switched off for the pages and for whatever might be injected into them.
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen",
        "geolocation", "gyroscope", "hid", "idle-detection", "magnetometer", "microphone", "midi", "payment",
        "picture-in-picture", "publickey-credentials-get", "screen-wake-lock", "serial", "usb",
        "xr-spatial-tracking",
    )
)  # fmt: skip
NO_PAGE = "default-src 'none'; frame-ancestors 'none'"  # of an answer that is no page of ours
ALWAYS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": NO_PAGE,
}
PRIVATE = "/admin/"
OWN_LIMIT = ("/v1/", "/api/")  # which answer 413 in their own shape, before they read
FORM_EXTRA = 16 * 1024  # what a multipart form adds to its fields
LARGER = {"/stripe/webhook": 1024 * 1024}  # what Stripe signs may be long, and has to be answered 200


class Headers(Middleware):
    """Headers of the answer; and 413 for a body that no form of ours can have, before a byte of it is read."""

    def before(self, request: HttpRequest) -> HttpResponseBase | None:
        return views_errors.too_large(request) if _is_too_large(request) else None

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path_info.startswith(conf.STATIC_URL):
            # A report that staff look at is sandboxed, so that even our own styles come from elsewhere to it.
            response.headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
        for name, value in ALWAYS.items():
            response.headers.setdefault(name, value)
        if conf.HTTPS and request.is_secure():
            response.headers.setdefault("Strict-Transport-Security", _hsts())
        if request.path_info.startswith(PRIVATE):
            response.headers.setdefault("Cache-Control", "private, no-store")
        elif response.cookies:
            response.cookies.clear()  # whatever came in: no public page sets one
        return response


def _hsts() -> str:
    below = "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
    return (
        f"max-age={settings.SECURE_HSTS_SECONDS}{below}{'; preload' if settings.SECURE_HSTS_PRELOAD else ''}"
    )


def _is_too_large(request: HttpRequest) -> bool:
    if request.path_info.startswith(OWN_LIMIT) or settings.DATA_UPLOAD_MAX_MEMORY_SIZE is None:
        return False
    length = request.META.get("CONTENT_LENGTH") or "0"
    return not length.isdecimal() or int(length) > most_bytes(request.path_info)


def most_bytes(path: str) -> int:
    """How long the body of a page's request may be."""
    return LARGER.get(path, (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) + FORM_EXTRA)
