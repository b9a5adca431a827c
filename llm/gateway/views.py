"""POST chat/completions, GET models, GET models/ID: plain views without session, language or cookie."""

import logging
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, cast

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from llm import chain, storage
from llm.clients import access as clients
from llm.gateway import answers, catalogue, errors, openapi
from llm.gateway.answers import Stream
from llm.gateway.errors import ApiError
from llm.gateway.request import Ask, read
from llm.models import Client

log = logging.getLogger(__name__)
View = Callable[..., HttpResponseBase]
PURPOSE = "gateway"
ON_BROKEN_STREAM = {"end": "error", "continue": "continue"}  # by Client.OnBreak
CLIENT_CLOSED = 499  # nginx's, for its log: nobody reads the answer


def endpoint(*methods: str, open_to_all: bool = False) -> Callable[[View], View]:
    """A view of the gateway: it gets the client whose key came along, and all that it raises is answered in shape."""

    def decorate(view: View) -> View:
        @csrf_exempt  # nothing here looks at a cookie
        @wraps(view)
        def handle(request: HttpRequest, **names: str) -> HttpResponseBase:
            try:
                if request.method not in methods:
                    raise ApiError(
                        405, "This method is not allowed here.", headers={"Allow": ", ".join(methods)}
                    )
                who = () if open_to_all else (_client(request),)
                response = view(request, *who, **names)
            except ApiError as error:
                response = error.response()
            except clients.Refused as refusal:
                response = errors.refused(refusal).response()
            except chain.ChainExhausted as failure:
                response = errors.exhausted(failure).response()
            except chain.gates.Unjudgeable as unjudgeable:
                response = errors.invalid_schema(unjudgeable).response()
            except chain.CallerLeft:
                response = HttpResponse(status=CLIENT_CLOSED)
            except Exception as error:
                response = _broken(error)
            response["Cache-Control"] = "no-store"
            response["X-Content-Type-Options"] = "nosniff"
            return response

        return handle

    return decorate


def _broken(error: Exception) -> HttpResponseBase:
    """What was neither answered nor refused: nothing can be stored now, it never can, or a bug of ours."""
    if storage.is_unstorable(error):
        log.warning("a request held what no row can: %s", type(error).__name__, exc_info=error)
        return errors.by_status(400).response()
    log.exception("the gateway failed")
    if storage.is_away(error) or isinstance(error, DatabaseError):
        storage.reconnect()
        return errors.by_status(503).response()
    return errors.by_status(500).response()


def _client(request: HttpRequest) -> Client:
    if (
        settings.SECURE_SSL_REDIRECT and not request.is_secure()
    ):  # a key that travels in the open is a lost key
        raise ApiError(403, "Use https.", code="https_required")
    scheme, _, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        text = "You did not provide an API key: send it as 'Authorization: Bearer KEY'."
        raise ApiError(401, text, code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"})
    return clients.authenticate(key.strip())


@endpoint("POST")
def completions(request: HttpRequest, client: Client) -> HttpResponseBase:
    """One chat completion, plain or streamed."""
    ask = read(request)
    wanted = _arguments(ask, client, request)
    if ask.stream:
        return _streamed(ask, client, wanted)
    reply = chain.complete(**wanted)
    id = answers.new_id()
    headers = {**answers.headers(reply), "x-request-id": id}
    return JsonResponse(
        answers.completion(reply, id), headers=headers, json_dumps_params={"ensure_ascii": False}
    )


def _streamed(ask: Ask, client: Client, wanted: dict[str, Any]) -> HttpResponseBase:
    hold = ask.gate is not None or (client.hold if ask.hold is None else ask.hold)
    on_break = "restart" if hold else ON_BROKEN_STREAM.get(ask.on_break or client.on_break, "error")
    events = chain.stream(on_broken_stream=on_break, **wanted)
    stream = Stream(cast(Any, events), include_usage=ask.include_usage, hold=hold)
    try:
        stream.start()
    except BaseException:
        stream.close()
        raise
    headers = {**stream.headers(), "x-request-id": stream.id, "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(stream, content_type="text/event-stream; charset=utf-8", headers=headers)


def has_left(request: HttpRequest) -> bool:
    """Whether the caller is gone, where the server sets `request.left`, a threading.Event; else False."""
    left = getattr(request, "left", None)
    return left is not None and left.is_set()


def _arguments(ask: Ask, client: Client, request: HttpRequest) -> dict[str, Any]:
    """What the chain is asked, within what the client may."""
    return {
        **catalogue.arguments(ask.model, client, ask.max_usd),
        "messages": ask.messages,
        "params": ask.params,
        "max_tokens": ask.max_tokens,
        "temperature": ask.temperature,
        "deadline_s": ask.deadline_s,
        "patience_s": float(getattr(settings, "LLM_GATEWAY_DEADLINE_S", 60)),
        "accept": ask.gate,
        "on_content_block": ask.on_content_block or client.on_content_block or Client.OnContentBlock.NEXT,
        "purpose": PURPOSE,
        "client": client,
        "use": clients.use_of(client),
        "has_left": partial(has_left, request),
        "fresh": client.cache == Client.Cache.OFF,
        "keep_text": client.data_class != Client.DataClass.PERSONAL,
    }


@endpoint("GET", "HEAD")
def models(request: HttpRequest, client: Client) -> HttpResponse:
    """The names that `model` may have."""
    return JsonResponse({"object": "list", "data": list(catalogue.listed(client))})


@endpoint("GET", "HEAD")
def model(request: HttpRequest, client: Client, name: str) -> HttpResponse:
    """One of them."""
    for entry in catalogue.listed(client):
        if entry["id"] == name:
            return JsonResponse(entry)
    raise catalogue.unknown(name)


@endpoint("GET", "HEAD", open_to_all=True)
def description(request: HttpRequest) -> HttpResponse:
    """The OpenAPI description of this endpoint."""
    return JsonResponse(openapi.document(request.path.removesuffix("/openapi.json") or "/"))


@endpoint("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", open_to_all=True)
def nothing(request: HttpRequest, rest: str = "") -> HttpResponse:
    raise ApiError(404, f"Unknown request URL: {request.method} {request.path[:200]}", code="unknown_url")
