"""A short way for requests to the gateway, which needs neither session nor language nor cookie nor page headers."""

import re
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import resolve

SHORT = re.compile(r"/(v1|(chat/completions|completions|responses|messages|embeddings|models|quota)(/.*)?)")


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
        if not (request.path_info.startswith(self.prefix) or SHORT.fullmatch(request.path_info)):
            return self.get_response(request)
        match = resolve(request.path_info)
        if self._is_async:
            return _later(match, request)
        view = async_to_sync(match.func) if iscoroutinefunction(match.func) else match.func
        return view(request, *match.args, **match.kwargs)


async def _later(match: Any, request: HttpRequest) -> HttpResponseBase:
    view = match.func if iscoroutinefunction(match.func) else sync_to_async(match.func)
    return await view(request, *match.args, **match.kwargs)  # type: ignore[no-any-return]
