"""OpenAI-compatible services through the openai SDK: DeepSeek, OpenRouter, Hugging Face, Ollama, anything."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import suppress
from types import ModuleType
from typing import Any

import httpx2
import openai

from llm import clock
from llm.adapters import session, transport
from llm.adapters.answers.embeddings import read_embeddings
from llm.adapters.answers.reading import Reading, are_events, error_in_body, read_completion, read_events
from llm.adapters.answers.sse import MAX_MALFORMED, EventParser
from llm.adapters.base import (
    MAX_AT_ONCE,
    Answer,
    Listed,
    Patience,
    Piece,
    Request,
    Timing,
    apart,
    checked,
    listing,
    pull,
)  # fmt: skip
from llm.adapters.dialects import dialect_of, messages_for, thinks, with_reasoning
from llm.adapters.prepared import Prepared, Received
from llm.failures.kinds import Failure, Kind
from llm.failures.ownership import of_ours, unsendable
from llm.failures.rules import classify
from llm.hosts import BASE_URLS
from llm.text import characters, encoded

END_S = 0.03  # seconds that a stream's end may take to follow its closing mark


class OpenAICompatible:
    """One base URL with one key. A subclass may use another SDK of the same family (Stainless)."""

    sdk: ModuleType = openai
    library: ModuleType = httpx2  # that the SDK speaks HTTP with
    http = transport.client(httpx2)  # one for all keys: its connections are ordered by host
    default_base_url = BASE_URLS["openai"]
    chat_path = "/chat/completions"
    embeddings_path = "/embeddings"

    def __init__(self, *, base_url: str, key: str, user_agent: str) -> None:
        session.trusted()
        self.client = self._client(
            api_key=key or "keyless",
            base_url=base_url or self.default_base_url,
            max_retries=0,  # the chain owns retries
            timeout=None,
            http_client=self.http,
            default_headers={"User-Agent": user_agent},
        )
        self._base = str(self.client.base_url).rstrip("/")
        # A keyless service may refuse a made-up key, so none is sent.
        self._headers = {} if key else {"Authorization": self.sdk.Omit()}
        self._prepared: dict[str, Prepared] = {}  # by path

    def _client(self, **options: Any) -> Any:
        return openai.AsyncOpenAI(**options)

    @property
    def retries(self) -> int:
        return int(self.client.max_retries)

    async def ask(self, request: Request, timing: Timing) -> Answer:
        try:
            async with transport.until(timing.end, timing.longer):
                received = await self._post(request)
                text = await received.text()
            if received.status != 200:
                raise classify(status=received.status, headers=received.headers, body=text)
            return await apart(len(text), _read, text, received.headers, request)
        except Failure:
            raise
        except Exception as error:
            raise self._failure(error, timing) from error

    async def run(self, request: Request, timing: Timing) -> AsyncGenerator[Piece | Answer]:
        try:
            async with transport.until(timing.next_event()):
                received = await self._post(request)
                is_good = 200 <= received.status < 300
                if not is_good:
                    text = await received.text()
            if not is_good:
                raise classify(status=received.status, headers=received.headers, body=text)
            if "json" in received.content_type:
                async with transport.until(timing.whole()):
                    text = await received.text()
                answer = await apart(len(text), _read, text, received.headers, request)
                for piece in answer.pieces():
                    yield piece
                yield answer
                return
            try:
                reading, events, patience = Reading(request), EventParser(), Patience(timing)
                data = received.pieces()
                while not events.done:
                    came = await self._next(data, reading, patience)
                    for chunk in events.end() if came is None else events.feed(came):
                        for piece in reading.feed(chunk):
                            yield piece
                        patience.heard(said=reading.said, finished=bool(reading.ending.finish))
                    _check(events, request)
                    if came is None:
                        break
                for piece in _ended(reading, events):
                    yield piece
                await _rest(data)
            finally:
                received.close()  # a caller that leaves stops the provider, too
            doubt = "an event of the stream was malformed" if events.malformed else ""
            yield checked(reading.answer(received.headers, doubt), request)
        except Failure:
            raise
        except Exception as error:
            raise self._failure(error, timing, streamed=True) from error

    async def list_models(self, end: float) -> Listed:
        try:
            async with transport.until(end):
                raw = await self.client.models.with_raw_response.list(extra_headers=self._headers)
            body = json.loads(raw.http_response.text)
            return {str(model["id"]): listing(model) for model in body["data"]}
        except Exception as error:
            raise self._failure(error, Timing(first_token=end, end=end)) from error

    def _body(self, request: Request) -> dict[str, Any]:
        """The request in the service's dialect."""
        if request.inputs is not None:
            size = {"dimensions": request.dimensions} if request.shorten else {}
            texts = {"model": request.model, "input": list(request.inputs), "encoding_format": "float"}
            return {**texts, **size, **request.params}
        dialect = dialect_of(self._base, request.model, request.dialect)
        params = with_reasoning(
            dialect, request.model, request.params,
            effort=request.effort, shown=request.show_reasoning, groq=self.sdk is not openai,
        )  # fmt: skip
        body: dict[str, Any] = {
            "model": request.model,
            "messages": messages_for(dialect, request.messages, thinks=thinks(params)),
            dialect.max_tokens: request.max_tokens,
        }
        if request.temperature is not None and dialect.temperature:
            body["temperature"] = request.temperature
        if request.stream:
            if dialect.stream_options:
                body["stream_options"] = {"include_usage": True}
            body["stream"] = True
        if params:
            body |= {name: value for name, value in params.items() if value is not None}
        return body

    def _packed(self, request: Request) -> bytes:
        """The body that is sent. Raises Failure for what is no JSON."""
        try:
            body = self._body(request)
        except Exception as error:
            raise of_ours(error) from error
        try:
            return encoded(body)
        except Exception as error:
            raise unsendable(error) from error

    async def _post(self, request: Request) -> Received:
        """What came, its body unread: a provider that answers in types of its own is ours to judge, not the SDK's.

        Raises the SDK's error when nothing came; Failure for what cannot be sent.
        """
        size = characters((request.messages, request.inputs), MAX_AT_ONCE)
        body = await apart(size, self._packed, request)
        path = self.chat_path if request.inputs is None else self.embeddings_path
        if (prepared := self._prepared.get(path)) is None:
            prepared = self._prepared[path] = await self._prepare(path)
        try:
            return Received(self.library, await prepared.post(body))
        except self.library.HTTPError as error:
            raise self.sdk.APIConnectionError(request=prepared.request) from error

    async def _prepare(self, path: str) -> Prepared:
        """The request that the SDK sends to this path. Raises Failure for what it would not send."""
        try:
            with transport.unsent():
                response = await self.client.post(
                    self._base + path,
                    content=b"",
                    options={"headers": self._headers},
                    cast_to=self.library.Response,
                )
            return Prepared(self.library, response.request)
        except Exception as error:
            raise unsendable(error) from error

    @staticmethod
    async def _next(data: AsyncIterator[bytes], reading: Reading, patience: Patience) -> bytes | None:
        """What comes next of a stream, None at its end; an answer that is complete need not have one."""
        try:
            return await pull(data, patience.until)
        except Exception:
            if reading.ending.finish:
                return None  # only the usage or the closing mark is missing
            raise

    # -- failures ------------------------------------------------------------------------------------

    def _failure(self, error: Exception, timing: Timing, *, streamed: bool = False) -> Failure:
        """The one Failure that an exception of the SDK, or below it, means."""
        cause, library = error.__cause__ or error, self.library
        if isinstance(
            error, (self.sdk.APITimeoutError, library.TimeoutException, TimeoutError)
        ) or isinstance(cause, library.TimeoutException):
            connecting = isinstance(cause, library.ConnectTimeout)
            return timing.ran_out(streamed=streamed, connecting=connecting)
        if isinstance(error, self.sdk.APIStatusError):  # of a list of models
            response = error.response
            return classify(status=response.status_code, headers=dict(response.headers), body=response.text)
        if isinstance(cause, (library.LocalProtocolError, library.UnsupportedProtocol, library.InvalidURL)):
            return unsendable(cause)
        if transport.is_too_large(cause):
            return Failure(Kind.PROVIDER_DOWN, transport.TOO_LARGE, status=200)
        if isinstance(error, (self.sdk.APIConnectionError, library.HTTPError)):
            return classify(exception=f"{type(cause).__name__}: {cause}")
        if isinstance(error, self.sdk.APIError):
            return error_in_body({"error": error.body})
        if isinstance(error, ValueError):  # what came is no JSON, or no text
            return Failure(Kind.PROVIDER_DOWN, "malformed answer", status=200)
        return of_ours(error)


def _read(text: str, headers: Mapping[str, str], request: Request) -> Answer:
    """The Answer in the body of a 200 that came whole. Raises Failure when it is none."""
    if request.inputs is not None:
        return read_embeddings(text, headers, request)
    read = read_events if request.stream and are_events(text) else read_completion
    return checked(read(text, headers, request), request)


async def _rest(data: AsyncIterator[bytes]) -> None:
    """Reads what comes after the closing mark, for a moment: a connection that was read to its end is used again."""
    with suppress(Exception):
        async with transport.until(clock.monotonic() + END_S):
            async for _ in data:
                pass


def _check(events: EventParser, request: Request) -> None:
    """Raises Failure once more of a stream is lost than an answer may miss."""
    request.output.unread = events.malformed > 0
    if events.malformed > MAX_MALFORMED:
        raise Failure(Kind.PROVIDER_DOWN, "malformed events in the stream", status=200)


def _ended(reading: Reading, events: EventParser) -> Iterator[Piece]:
    """What was held back of a stream that is over. Raises Failure when it ended too early."""
    if not (reading.ending.finish or events.done):
        raise Failure(Kind.PROVIDER_DOWN, "the stream ended before the answer did", status=200)
    yield from reading.end()
