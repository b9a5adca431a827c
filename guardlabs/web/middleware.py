"""A middleware that runs on the event loop and in threads alike, because it waits for nothing."""

from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase


class Middleware:
    """`before` may answer at once; `after` sees every answer. Neither may block."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self._is_async:
            return self._later(request)
        early = self.before(request)
        return self.after(request, self.get_response(request) if early is None else early)

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        early = self.before(request)
        return self.after(request, await self.get_response(request) if early is None else early)

    def before(self, request: HttpRequest) -> HttpResponseBase | None:
        """An answer that makes all further ones needless, or None."""
        return None

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return response
