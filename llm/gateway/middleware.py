"""A short way for requests to the gateway, which needs neither session nor language nor cookie nor page headers."""

import re
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.urls import resolve

from llm.conf import conf

SHORT = re.compile(r"/(v1|(chat/completions|completions|responses|messages|embeddings|models|quota)(/.*)?)")


def is_gateway(path: str) -> bool:
    """Whether an address is one of the gateway's."""
    return path.startswith(conf.LLM_GATEWAY_PREFIX) or SHORT.fullmatch(path) is not None


class GatewayFastPath:
    """Answers what begins with LLM_GATEWAY_PREFIX (`/v1/`), or is one of its doors without it, before the rest of the
    middleware.

    Place it first, or right behind whatever decides which proxy headers to believe.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info == "/" and request.method == "HEAD":  # an SDK looks whether anybody is there
            request.path_info = conf.LLM_GATEWAY_PREFIX
        if not is_gateway(request.path_info):
            return self.get_response(request)
        match = resolve(request.path_info)
        return match.func(request, *match.args, **match.kwargs)  # on a loop: something to await
