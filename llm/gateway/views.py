"""The doors: one view for all protocols that ask the chain, and what is answered without it.

Views without session, language or cookie. They wait on the event loop; a client that leaves cancels what is done for
it. What asks the database, and views that are not async, have a thread for that.
"""

import logging
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from llm import chain
from llm.calls import affinity
from llm.chain import Event, Reply, opening, run
from llm.clients import access as clients
from llm.clients import known
from llm.conf import conf
from llm.gateway import catalogue, conversations, errors, quota
from llm.gateway.ask import Ask, counted_in
from llm.gateway.description import openapi
from llm.gateway.errors import ApiError
from llm.gateway.protocols.base import Protocol
from llm.gateway.protocols.chat import Chat
from llm.gateway.protocols.completions import Completions
from llm.gateway.protocols.embeddings import Embeddings
from llm.gateway.protocols.messages import Messages
from llm.gateway.protocols.responses import Responses
from llm.gateway.serving import body, cors, headers, threads
from llm.gateway.serving.answers import Answer, as_response
from llm.gateway.serving.streaming import Stream
from llm.ledger import books
from llm.models import Client
from llm.storage import faults
from llm.text import encoded

log = logging.getLogger(__name__)
View = Callable[..., Any]  # an answer, or something to await for it
Shape = Callable[[ApiError], dict[str, Any]]
CHAT, COMPLETIONS, RESPONSES, MESSAGES = Chat(), Completions(), Responses(), Messages()
EMBEDDINGS = Embeddings()
PURPOSE = "gateway"
ON_BROKEN_STREAM = {"end": "error", "continue": "continue"}  # by Client.OnBreak
CACHE_OFF, PERSONAL = Client.Cache.OFF.value, Client.DataClass.PERSONAL.value
NEXT = Client.OnContentBlock.NEXT.value
STREAMED = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
MESSAGES_PATH = re.compile(r"/messages(/|$)")
LARGE = 64 * 1024  # bytes of a body whose reading would keep the event loop for milliseconds


def endpoint(
    *methods: str, open_to_all: bool = False, admits: bool = False, shape: Shape | None = None
) -> Callable[[View], View]:
    """A view of the gateway: it gets the client whose key came along, and all that it raises is answered in shape.

    The view's `door` is the same for a server with an event loop that knows Answers.
    admits: the view does nothing that the chain has not admitted the client for, so that it need not be read anew
    shape: makes an error's body; left out: OpenAI's, or Anthropic's for whoever speaks so.
    """

    def decorate(view: View) -> View:
        ask = view if iscoroutinefunction(view) else partial(in_thread, view)

        async def answer(request: HttpRequest, **names: str) -> Answer | HttpResponseBase:
            if request.method == "OPTIONS" and (asked := cors.preflight(request)) is not None:
                cors.mark(request, asked)
                return asked
            try:
                if request.method not in methods:
                    raise ApiError(
                        405, "This method is not allowed here.", code="method_not_allowed",
                        headers={"Allow": ", ".join(methods)},
                    )  # fmt: skip
                found = _known_client(request) if admits else None
                who = () if open_to_all else (found or await _client(request),)
                response: Answer | HttpResponseBase = await ask(request, *who, **names)
            except Exception as error:
                if await body.fill(request) is None:
                    await in_thread(body.drain, request)
                response = (await _refusal(error)).response(shape or _shape_of(request))
            cors.mark(request, response)
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Content-Type-Options"] = "nosniff"
            return response

        async def later(request: HttpRequest, **names: str) -> HttpResponseBase:
            return as_response(await answer(request, **names))

        @wraps(view, updated=())
        def handle(request: HttpRequest, **names: str) -> Any:
            """The answer; on an event loop something to await for it."""
            if threads.has_loop():
                return later(request, **names)
            return threads.answered(answer(request, **names))

        handle.csrf_exempt = True  # type: ignore[attr-defined]  # nothing here looks at a cookie
        handle.door = answer  # type: ignore[attr-defined]
        return handle

    return decorate


async def in_thread(function: Callable[..., Any], *arguments: Any, **names: Any) -> Any:
    """Calls what may block, where that keeps nobody waiting."""
    return await books.here().ask(partial(function, *arguments, **names))


def _shape_of(request: HttpRequest) -> Shape | None:
    return MESSAGES.error if "anthropic-version" in request.headers else None


async def _refusal(error: Exception) -> ApiError:
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
    return await _broken(error)


async def _broken(error: Exception) -> ApiError:
    """What was neither answered nor refused: nothing can be stored now, it never can, or a bug of ours."""
    if faults.is_unstorable(error):
        log.warning("a request held what no row can: %s", type(error).__name__, exc_info=error)
        return errors.by_status(400)
    log.exception("the gateway failed")
    if faults.is_away(error) or isinstance(error, DatabaseError):
        await in_thread(faults.reconnect)
        return errors.by_status(503)
    return errors.by_status(500)


def _known_client(request: HttpRequest) -> Client | None:
    """Whose key came along, if that was read before. Raises ApiError."""
    return known.find(_key(request)) if has_bookkeeper() else None


async def _client(request: HttpRequest) -> Client:
    """Whose key came along, as the database has it now. Raises ApiError, clients.Refused."""
    return await in_thread(_read_client, _key(request))  # type: ignore[no-any-return]


def _read_client(key: str) -> Client:
    known.drop(key)
    if not has_bookkeeper():
        return clients.authenticate(key)
    row = known.row(clients.id_of(key))
    return known.keep(key, clients.authenticate(key), row)


def has_bookkeeper() -> bool:
    """Whether the database's work is done elsewhere, so that a look into it is worth to be spared."""
    return books.here() is books.bookkeeper


def _key(request: HttpRequest) -> str:
    """The key that came along; of two the one that looks like ours. Raises ApiError."""
    if conf.SECURE_SSL_REDIRECT and not request.is_secure():  # a key in the open is a lost key
        raise ApiError(403, "Use https.", code="https_required")
    scheme, _, bearer = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    bearer = bearer.strip() if scheme.lower() == "bearer" else ""
    other = request.META.get("HTTP_X_API_KEY", "").strip()
    if bearer and other:
        # x-api-key is the own one of the protocol of Messages.
        told = (other, bearer) if MESSAGES_PATH.search(request.path_info) else (bearer, other)
        return next(filter(clients.is_ours, told), told[0])
    key = bearer or other
    if not key:
        text = (
            "You did not provide an API key: send it as 'Authorization: Bearer KEY', or as 'x-api-key: KEY'."
        )
        raise ApiError(401, text, code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"})
    return key


def door(protocol: Protocol) -> View:
    """The view that answers requests of a protocol, plain or streamed."""

    @endpoint("POST", admits=True, shape=protocol.error)
    async def ask(request: HttpRequest, client: Client) -> Answer:
        size = await body.fill(request)
        small = size is not None and size <= LARGE and not body.is_packed(request)
        asked = _read(protocol, request) if small else await in_thread(_read, protocol, request)
        if protocol.looks_up(asked):
            client, small = await _client(request), False
        try:
            return await _answered(protocol, asked, client, small)
        except clients.Changed:  # before anything was sent
            return await _answered(protocol, asked, await _client(request), small)

    return ask


async def _answered(protocol: Protocol, ask: Ask, client: Client, small: bool) -> Answer:
    """small: the request is known to hold too little to keep the event loop for long."""
    if protocol.looks_up(ask):
        ask = await in_thread(protocol.prepared, ask, client)
    else:
        ask = protocol.prepared(ask, client)
    # What the name of a model means for this client. Names of ours are looked up nowhere.
    if ask.model in catalogue.OWN and type(protocol).arguments is Protocol.arguments:
        wanted = protocol.arguments(ask, client)
    else:
        wanted = await in_thread(protocol.arguments, ask, client)
    if small or not opening.is_large(ask.messages):
        wanted |= _arguments(ask, client)
    else:
        wanted |= await in_thread(_arguments, ask, client)
    try:
        if ask.stream:
            return await _streamed(protocol, ask, client, wanted)
        replies = []
        for number in range(ask.n):
            replies.append(await run.acomplete(**wanted, fresh=_is_fresh(client, number)))
    except chain.ChainExhausted as failure:
        tokens = await in_thread(counted_in, ask)
        raise errors.exhausted(failure, tokens_in=tokens) from failure
    id = protocol.new_id()
    answer = protocol.answer(replies, ask, id)
    if protocol.keeps(ask):
        await books.here().do(partial(protocol.keep, ask, client, replies[-1], answer))
    return Answer(encoded(answer), headers.of_answer(replies, ask, id) | {"Content-Type": "application/json"})


def _read(protocol: Protocol, request: HttpRequest) -> Ask:
    return protocol.read(body.read(request), request.META)


async def _streamed(protocol: Protocol, ask: Ask, client: Client, wanted: dict[str, Any]) -> Answer:
    hold = ask.gate is not None or (client.hold if ask.hold is None else ask.hold)
    on_break = "restart" if hold else ON_BROKEN_STREAM.get(ask.on_break or client.on_break, "error")
    writer = protocol.writer(ask, protocol.new_id(), hold=hold)

    def told(number: int) -> AsyncGenerator[Event, None]:
        return run.astream(on_broken_stream=on_break, fresh=_is_fresh(client, number), **wanted)

    async def all_told() -> AsyncGenerator[Event, None]:
        for number in range(ask.n):
            async with aclosing(told(number)) as events:
                async for event in events:
                    yield event

    async def keep(reply: Reply) -> None:
        if protocol.keeps(ask):
            await books.here().do(partial(protocol.keep, ask, client, reply, writer.body))

    stream = Stream(told(0) if ask.n == 1 else all_told(), writer, keep)
    try:
        await stream.start()
    except BaseException:
        await stream.aclose()
        raise
    return Answer(stream, headers.of_stream(writer) | STREAMED)


def _is_fresh(client: Client, number: int) -> bool:
    """Whether an answer, of several, has to be a new one: the same one twice is no second answer."""
    return number > 0 or client.cache == CACHE_OFF


def _arguments(ask: Ask, client: Client) -> dict[str, Any]:
    """What the chain is asked, beside which model."""
    return {
        "messages": ask.messages,
        "params": ask.params,
        "max_tokens": ask.max_tokens,
        "temperature": ask.temperature,
        "deadline_s": ask.deadline_s,
        "patience_s": float(conf.LLM_GATEWAY_DEADLINE_S),
        "accept": ask.gate,
        "on_content_block": ask.on_content_block or client.on_content_block or NEXT,
        "purpose": PURPOSE,
        "client": client,
        "use": clients.use_of(client),
        "session": affinity.key_of(client.name, ask.model, ask.session, ask.messages),
        "keep_text": client.data_class != PERSONAL,
    }


chat = door(CHAT)
completions = door(COMPLETIONS)
embeddings = door(EMBEDDINGS)
responses = door(RESPONSES)
messages = door(MESSAGES)


@endpoint("POST", shape=MESSAGES.error)
async def count_tokens(request: HttpRequest, client: Client) -> HttpResponse:
    """How many tokens a request of Messages has, estimated: no provider is asked."""
    await body.fill(request)
    return JsonResponse({"input_tokens": await in_thread(lambda: counted_in(_read(MESSAGES, request)))})


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
