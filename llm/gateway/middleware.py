"""A short way for requests to the gateway, which needs neither session nor language nor cookie nor page headers."""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import resolve

SHORT = re.compile(r"/(v1|(chat/completions|completions|responses|messages|embeddings|models|quota)(/.*)?)")


class GatewayFastPath:
    """Answers what begins with LLM_GATEWAY_PREFIX (`/v1/`), or is one of its doors without it, before the rest of the
    middleware.

    Place it first, or right behind whatever decides which proxy headers to believe.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.prefix = getattr(settings, "LLM_GATEWAY_PREFIX", "/v1/")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == "/" and request.method == "HEAD":
            request.path_info = (
                self.prefix
            )  # an SDK that looks whether anybody is there; people come with GET
        if not (request.path_info.startswith(self.prefix) or SHORT.fullmatch(request.path_info)):
            return self.get_response(request)
        match = resolve(request.path_info)
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return response
