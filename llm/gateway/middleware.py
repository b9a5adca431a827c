"""A short way for requests to the gateway, which needs neither session nor language nor cookie nor page headers."""

import re
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.urls import resolve

SHORT = re.compile(r"/(v1|(chat/completions|completions|responses|messages|embeddings|models|quota)(/.*)?)")


def is_gateway(path: str) -> bool:
    """Whether an address is one of the gateway's."""
    return (
        path.startswith(getattr(settings, "LLM_GATEWAY_PREFIX", "/v1/")) or SHORT.fullmatch(path) is not None
    )


class GatewayFastPath:
    """Answers what begins with LLM_GATEWAY_PREFIX (`/v1/`), or is one of its doors without it, before the rest of the
    middleware.

    Place it first, or right behind whatever decides which proxy headers to believe.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        self.prefix = getattr(settings, "LLM_GATEWAY_PREFIX", "/v1/")
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info == "/" and request.method == "HEAD":  # an SDK looks whether anybody is there
            request.path_info = self.prefix
        if not is_gateway(request.path_info):
            return self.get_response(request)
        match = resolve(request.path_info)
        return match.func(request, *match.args, **match.kwargs)  # on a loop: something to await
