"""Sessions that end after a time without a click, for one write in five minutes instead of one a request."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase

SEEN, EVERY_S = "seen", 300


class SlidingSession:
    """Saves the session of whoever is there, which lets it live for SESSION_COOKIE_AGE from now."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.path_info.startswith("/admin/"):
            seen = request.session.get(SEEN)
            if seen is not None and time.time() - seen > EVERY_S:
                request.session[SEEN] = time.time()
        return self.get_response(request)


@receiver(user_logged_in)
def _begin(request: HttpRequest | None, **names: Any) -> None:
    if request is not None and hasattr(request, "session"):
        request.session[SEEN] = time.time()
