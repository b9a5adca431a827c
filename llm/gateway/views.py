"""The doors: one view for all protocols that ask the chain, and what is answered without it.

Plain views without session, language or cookie.
"""

import logging
from collections.abc import Callable, Generator
from functools import partial, wraps
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from llm import chain, storage
from llm.calls import affinity
from llm.chain import Event
from llm.clients import access as clients
from llm.gateway import catalogue, conversations, errors, quota
from llm.gateway.ask import Ask, counted_in
from llm.gateway.description import openapi
from llm.gateway.errors import ApiError
from llm.gateway.protocols.base import Protocol
from llm.gateway.protocols.chat import Chat
from llm.gateway.protocols.completions import Completions
from llm.gateway.protocols.messages import Messages
from llm.gateway.protocols.responses import Responses
from llm.gateway.serving import body, cors, headers
from llm.gateway.serving.streaming import Stream
from llm.models import Client

log = logging.getLogger(__name__)
View = Callable[..., HttpResponseBase]
Shape = Callable[[ApiError], dict[str, Any]]
CHAT, COMPLETIONS, RESPONSES, MESSAGES = Chat(), Completions(), Responses(), Messages()
PURPOSE = "gateway"
ON_BROKEN_STREAM = {"end": "error", "continue": "continue"}  # by Client.OnBreak
CLIENT_CLOSED = 499  # nginx's, for its log: nobody reads the answer


def endpoint(*methods: str, open_to_all: bool = False, shape: Shape | None = None) -> Callable[[View], View]:
    """A view of the gateway: it gets the client whose key came along, and all that it raises is answered in shape.

    shape: makes an error's body; left out: OpenAI's, or Anthropic's for whoever speaks so.
    """

    def decorate(view: View) -> View:
        @csrf_exempt  # nothing here looks at a cookie
        @wraps(view)
        def handle(request: HttpRequest, **names: str) -> HttpResponseBase:
            if (asked := cors.preflight(request)) is not None:
                cors.mark(request, asked)
                return asked
            try:
                if request.method not in methods:
                    raise ApiError(
                        405, "This method is not allowed here.", code="method_not_allowed",
                        headers={"Allow": ", ".join(methods)},
                    )  # fmt: skip
                who = () if open_to_all else (_client(request),)
                response = view(request, *who, **names)
            except chain.CallerLeft:
                response = HttpResponse(status=CLIENT_CLOSED)
            except Exception as error:
                body.drain(request)
                response = _refusal(error).response(shape or _shape_of(request))
            cors.mark(request, response)
            response["Cache-Control"] = "no-store"
            response["X-Content-Type-Options"] = "nosniff"
            return response

        return handle

    return decorate


def _shape_of(request: HttpRequest) -> Shape | None:
    return MESSAGES.error if "anthropic-version" in request.headers else None


def _refusal(error: Exception) -> ApiError:
    """What a client is told of what was raised."""
    match error:
        case ApiError():
            return error
        case clients.Refused():
            return errors.refused(error)
        case chain.ChainExhausted():
            return errors.exhausted(error)
        case chain.gates.Unjudgeable():
            return errors.invalid_schema(error)
    return _broken(error)


def _broken(error: Exception) -> ApiError:
    """What was neither answered nor refused: nothing can be stored now, it never can, or a bug of ours."""
    if storage.is_unstorable(error):
        log.warning("a request held what no row can: %s", type(error).__name__, exc_info=error)
        return errors.by_status(400)
    log.exception("the gateway failed")
    if storage.is_away(error) or isinstance(error, DatabaseError):
        storage.reconnect()
        return errors.by_status(503)
    return errors.by_status(500)


def _client(request: HttpRequest) -> Client:
    if (
        settings.SECURE_SSL_REDIRECT and not request.is_secure()
    ):  # a key that travels in the open is a lost key
        raise ApiError(403, "Use https.", code="https_required")
    scheme, _, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        key = request.META.get("HTTP_X_API_KEY", "")
    if not key.strip():
        text = (
            "You did not provide an API key: send it as 'Authorization: Bearer KEY', or as 'x-api-key: KEY'."
        )
        raise ApiError(401, text, code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"})
    return clients.authenticate(key.strip())


def door(protocol: Protocol) -> View:
    """The view that answers requests of a protocol, plain or streamed."""

    @endpoint("POST", shape=protocol.error)
    def ask(request: HttpRequest, client: Client) -> HttpResponseBase:
        asked = protocol.prepared(protocol.read(body.read(request), request.headers), client)
        wanted = _arguments(asked, client, request)
        try:
            return (_streamed if asked.stream else _whole)(protocol, asked, client, wanted)
        except chain.ChainExhausted as failure:
            raise errors.exhausted(failure, tokens_in=counted_in(asked)) from failure

    return ask


def _whole(protocol: Protocol, ask: Ask, client: Client, wanted: dict[str, Any]) -> HttpResponseBase:
    replies = [chain.complete(**wanted, fresh=fresh) for fresh in _rounds(ask, client)]
    id = protocol.new_id()
    answer = protocol.answer(replies, ask, id)
    protocol.keep(ask, client, replies[-1], answer)
    return JsonResponse(
        answer, headers=headers.of_answer(replies, ask, id), json_dumps_params={"ensure_ascii": False}
    )


def _streamed(protocol: Protocol, ask: Ask, client: Client, wanted: dict[str, Any]) -> HttpResponseBase:
    hold = ask.gate is not None or (client.hold if ask.hold is None else ask.hold)
    on_break = "restart" if hold else ON_BROKEN_STREAM.get(ask.on_break or client.on_break, "error")
    writer = protocol.writer(ask, protocol.new_id(), hold=hold)

    def events() -> Generator[Event, None, None]:
        for fresh in _rounds(ask, client):
            yield from chain.stream(on_broken_stream=on_break, fresh=fresh, **wanted)

    stream = Stream(events(), writer, lambda reply: protocol.keep(ask, client, reply, writer.body))
    try:
        stream.start()
    except BaseException:
        stream.close()
        raise
    told = {**headers.of_stream(writer), "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(stream, content_type="text/event-stream; charset=utf-8", headers=told)


def _rounds(ask: Ask, client: Client) -> list[bool]:
    """Whether each of the answers that are wanted has to be a new one: the same one twice is no second answer."""
    return [client.cache == Client.Cache.OFF or number > 0 for number in range(ask.n)]


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
        "session": affinity.key_of(client.name, ask.model, ask.session, ask.messages),
        "keep_text": client.data_class != Client.DataClass.PERSONAL,
    }


chat = door(CHAT)
completions = door(COMPLETIONS)
responses = door(RESPONSES)
messages = door(MESSAGES)


@endpoint("POST", shape=MESSAGES.error)
def count_tokens(request: HttpRequest, client: Client) -> HttpResponse:
    """How many tokens a request of Messages has, estimated: no provider is asked."""
    return JsonResponse({"input_tokens": counted_in(MESSAGES.read(body.read(request), request.headers))})


@endpoint("GET", "HEAD", "DELETE")
def response(request: HttpRequest, client: Client, id: str) -> HttpResponse:
    """A kept answer of Responses, or its end."""
    if request.method == "DELETE":
        conversations.forget(client, id)
        return JsonResponse({"id": id, "object": "response", "deleted": True})
    return JsonResponse(conversations.find(client, id).body)


@endpoint("GET", "HEAD", open_to_all=True)
def index(request: HttpRequest) -> HttpResponse:
    """For whoever tries the address itself."""
    return JsonResponse({"object": "gateway", "openapi": request.path.rstrip("/") + "/openapi.json"})


@endpoint("GET", "HEAD")
def models(request: HttpRequest, client: Client) -> HttpResponse:
    """The names that `model` may have."""
    found = list(catalogue.listed(client))
    ends = (found[0]["id"], found[-1]["id"]) if found else (None, None)
    page = {"has_more": False, "first_id": ends[0], "last_id": ends[1]}  # Anthropic's
    return JsonResponse({"object": "list", "data": found, **page})


@endpoint("GET", "HEAD")
def model(request: HttpRequest, client: Client, name: str) -> HttpResponse:
    """One of them."""
    return JsonResponse(catalogue.one(client, name))


@endpoint("GET", "HEAD")
def quota_left(request: HttpRequest, client: Client) -> HttpResponse:
    """What is left for this client, and until when."""
    return JsonResponse(quota.of(client))


@endpoint("GET", "HEAD", open_to_all=True)
def description(request: HttpRequest) -> HttpResponse:
    """The OpenAPI description of this endpoint."""
    return JsonResponse(openapi.document(request.path.removesuffix("/openapi.json") or "/"))


@endpoint("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", open_to_all=True)
def nothing(request: HttpRequest, rest: str = "") -> HttpResponse:
    """What is not there."""
    raise errors.unknown_url(request)
