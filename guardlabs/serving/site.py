"""The ASGI application: doors on the event loop, pages in threads.

Doors are what may wait for long or must answer at once: the gateway, live progress, liveness. They pass the few
middlewares of DOORS_MIDDLEWARE and hold no thread while they wait. All else is plain Django, with all of MIDDLEWARE,
wholly in one of WEB_THREADS threads, which keep their database connections. A page never waits for a call.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from contextvars import copy_context
from functools import lru_cache
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core import signals
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import response_for_exception
from django.http import HttpResponse, HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch, resolve, set_script_prefix
from django.utils import translation
from django.utils.module_loading import import_string

from guardlabs.serving.exchange import WHOLE
from guardlabs.serving.request import Gone, Receive, Request
from guardlabs.serving.threads import Left, Pipe, Threads
from guardlabs.web.correlation import request_id
from guardlabs.web.headers import most_bytes
from llm.calls import current
from llm.conf import conf
from llm.gateway.middleware import is_gateway
from llm.gateway.serving.answers import Answer

log = logging.getLogger(__name__)

Send = Callable[[Any], Awaitable[None]]
View = Callable[[Request], Awaitable[Any]]
failed: Any = sync_to_async(response_for_exception, thread_sensitive=False)
DOORS = re.compile(r"/healthz$|/[a-z]{2}/r/[^/]+/events$")
SMALL_FILE = 2**20
ASIDE = 16  # threads for what the doors' views cannot do on the loop: a look into the database, a long text


class Site:
    """One for a process. `started` and `stopped` are awaited when serving begins and ends; `stopping` is called
    when no more requests come, before the last ones are waited for."""

    def __init__(self) -> None:
        self.started: list[Callable[[], Awaitable[object]]] = []
        self.stopped: list[Callable[[], Awaitable[object]]] = []
        self.on_stopping: list[Callable[[], object]] = []
        self._pages = BaseHandler()
        self._pages.load_middleware()
        self._around = [import_string(name)(self._door) for name in settings.DOORS_MIDDLEWARE]
        self._page_threads = Threads(settings.WEB_THREADS, "page")
        self._api_threads = Threads(settings.WEB_THREADS, "api")
        self._security = SecurityMiddleware(lambda request: HttpResponse())

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is served here, not {scope['type']}")
        try:
            request = Request(scope, receive)
        except UnicodeDecodeError:  # a query that is no UTF-8
            await self._send(HttpResponse(status=400), send)
            return
        path = request.path_info
        try:
            if is_gateway(path):
                answer = await self._door(request, self._gateway)
            elif DOORS.match(path):
                answer = await self._door(request, self._page_on_loop)
            else:
                await self._answer_page(request, send)
                return
            await self._send_door(answer, send, scope.get("extensions", {}).get(WHOLE))
        except Gone:
            log.debug("the client left before its request was whole")

    def stopping(self) -> None:
        for tell in self.on_stopping:
            tell()

    # -- doors ---------------------------------------------------------------------------------------------

    async def _door(self, request: Request, view: View) -> Answer | HttpResponseBase:
        """What a door's view answers, between the middlewares, which wait for nothing: each `before` and, backwards,
        each `after`. What is raised becomes an answer where Django would make it one."""
        passed, response = [], None
        try:
            for middleware in self._around:
                passed.append(middleware)
                if (response := middleware.before(request)) is not None:
                    break
            else:
                try:
                    response = await view(request)
                except Exception as error:
                    response = await failed(request, error)
            for middleware in reversed(passed):
                response = middleware.after(request, response)
        except Exception as error:
            response = await failed(request, error)
        return response  # type: ignore[no-any-return]

    def _gateway(self, request: Request) -> Awaitable[Answer | HttpResponseBase]:
        """The gateway has no language, and says by itself what it thinks of http."""
        match = request.resolver_match = _gateway_view(request.path_info, conf.ROOT_URLCONF)
        door: Any = match.func
        return door.door(request, **match.kwargs)  # type: ignore[no-any-return]

    async def _page_on_loop(self, request: Request) -> HttpResponseBase:
        """Progress and liveness, in the language that the address names."""
        if redirect := self._security.process_request(request):
            return redirect
        request.get_host()  # which raises DisallowedHost
        path = request.path_info
        with translation.override(translation.get_language_from_path(path) or settings.LANGUAGE_CODE):
            match = request.resolver_match = resolve(path)
            return await match.func(request, *match.args, **match.kwargs)  # type: ignore[no-any-return]

    # -- pages ---------------------------------------------------------------------------------------------

    async def _answer_page(self, request: Request, send: Send) -> None:
        limit = most_bytes(request.path_info)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if (
            length.isdecimal() and int(length) <= limit
        ):  # else it is refused unread, by the middleware or the view
            await request.fill(limit)
        # Who waits at the JSON API for a report keeps no page waiting.
        threads = self._api_threads if request.path_info.startswith("/api/") else self._page_threads
        context = copy_context()
        response = await threads.run(self._page, request, context=context)
        # For the access log, which is written after this.
        request_id.set(context.get(request_id, ""))
        current.call_id.set(context.get(current.call_id))
        await self._send(response, send)

    def _page(self, request: Request) -> HttpResponseBase:
        """In a thread: plain Django, from the first middleware to the last."""
        set_script_prefix("/")
        signals.request_started.send(sender=type(self._pages), scope=request.scope)
        response = self._pages.get_response(request)
        response._handler_class = type(self._pages)  # type: ignore[attr-defined]  # which signals name
        if response.streaming and _is_small_file(response):
            response = _read(response)
        if not response.streaming:
            response.close()  # here, where its database connection is
        return response

    # -- answers -------------------------------------------------------------------------------------------

    async def _send(self, response: Any, send: Send) -> None:
        """Sends a page's answer; one that is still made meanwhile is closed at its end, or when its reader leaves."""
        if response.streaming and not response.is_async:
            pipe = Pipe()
            await pipe.drain(self._page_threads.run(_stream, response, pipe), send)  # the thread closes it
        elif response.streaming:
            with closing(response):
                await self._send_door(response, send)
        else:
            await self._send_door(response, send)

    async def _send_door(self, response: Any, send: Send, whole: Any = None) -> None:
        """Sends an answer that is ready, or comes by itself on the loop. whole: see serving/exchange.py.

        A door has used no database connection here, so there is nothing that its end would have to give back.
        """
        is_ours = isinstance(response, Answer)
        body = response.body if is_ours else _body(response)
        if isinstance(body, bytes):
            if is_ours and whole is not None:
                await whole(response.status_code, response.headers, body)
                return
            response.headers.setdefault("Content-Length", str(len(body)))
            await send(_start(response))
            await send({"type": "http.response.body", "body": body})
            return
        try:
            await send(_start(response))
            async for piece in body:
                if piece:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body"})
        finally:
            if is_ours:
                await body.aclose()

    # -- the process ---------------------------------------------------------------------------------------

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(ASIDE, "aside"))
                for begin in self.started:
                    await begin()
                await send({"type": "lifespan.startup.complete"})
            else:
                for end in self.stopped:
                    try:
                        await end()
                    except Exception:
                        log.exception("something did not end as it should")
                await send({"type": "lifespan.shutdown.complete"})
                return


@lru_cache(maxsize=256)
def _gateway_view(path: str, urlconf: str) -> ResolverMatch:
    """Which of the gateway's views answers a path: they are asked for the same few, and the same in every language."""
    return resolve(path, urlconf)


def _body(response: Any) -> Any:
    """All of it, or what gives its pieces."""
    return response if response.streaming else response.content


def _start(response: Answer | HttpResponseBase) -> dict[str, Any]:
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.headers.items()]
    headers += [
        (b"Set-Cookie", morsel.output(header="").strip().encode()) for morsel in response.cookies.values()
    ]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}


def _read(response: Any) -> HttpResponse:
    """A file's answer with the file in it."""
    whole = HttpResponse(b"".join(response), status=response.status_code, headers=response.headers)
    whole.cookies = response.cookies
    response.close()
    return whole


def _is_small_file(response: HttpResponseBase) -> bool:
    length = response.headers.get("Content-Length", "")
    return length.isdecimal() and int(length) <= SMALL_FILE


def _stream(response: Any, pipe: Pipe) -> None:
    """In a thread: a body of unknown length, made and sent piece by piece, while somebody reads it."""
    with suppress(Left), closing(response):
        pipe.put(_start(response))
        for piece in response:
            pipe.put({"type": "http.response.body", "body": piece, "more_body": True})
        pipe.put({"type": "http.response.body"})
