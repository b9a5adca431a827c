"""A short way for requests to the gateway, which needs neither session nor language nor cookie nor page headers."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import resolve


class GatewayFastPath:
    """Answers what begins with LLM_GATEWAY_PREFIX (`/v1/`) here, before the rest of the middleware.

    Place it first, or right behind whatever decides which proxy headers to believe.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.prefix = getattr(settings, "LLM_GATEWAY_PREFIX", "/v1/")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(self.prefix):
            return self.get_response(request)
        match = resolve(request.path_info)
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return response
