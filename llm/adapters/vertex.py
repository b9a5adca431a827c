"""Gemini on Vertex AI through google.genai with a service account; one client a location."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import google.auth.exceptions
import google.auth.transport
import httpx
from google import genai
from google.genai import errors, types
from google.oauth2 import service_account

from llm.adapters import gemini, transport
from llm.adapters.answers.sse import MAX_MALFORMED
from llm.adapters.base import (
    Answer,
    Listed,
    Listing,
    Patience,
    Piece,
    Request,
    Timing,
    checked,
    pull,
)
from llm.adapters.gemini_reading import GeminiReading
from llm.adapters.session import PerLoop, trusted
from llm.failures.kinds import Failure, Kind
from llm.failures.ownership import of_ours, unsendable
from llm.failures.rules import classify

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
# The library may go on by itself: it calls functions, and asks again for the rest of an answer. The chain does that.
ALONE = {"automatic_function_calling": {"disable": True}, "automatic_continuation": False}


class _TokenRequest(google.auth.transport.Request):
    """google-auth's HTTP. It signs and waits in a thread; its requests go through the loop and the client there."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http, self._loop = http, asyncio.get_running_loop()
        self._sent: Future[httpx.Response] | None = None
        self._over = False

    def __call__(self, url: str, method: str = "GET", body: Any = None, headers: Any = None,
                 timeout: Any = None, **options: Any) -> Any:  # fmt: skip
        if self._over:
            raise google.auth.exceptions.TransportError("given up")  # type: ignore[no-untyped-call]
        request = self._http.request(method, url, content=body, headers=headers)
        self._sent = asyncio.run_coroutine_threadsafe(request, self._loop)
        try:
            return _TokenResponse(self._sent.result())
        except httpx.HTTPError as error:
            raise google.auth.exceptions.TransportError(error) from error  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Ends a request that is on its way."""
        self._over = True
        if self._sent is not None:
            self._sent.cancel()


class _TokenResponse(google.auth.transport.Response):
    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    @property
    def data(self) -> bytes:
        return self._response.content


class Vertex:
    """One service account in one location. `key` is the account's JSON, whose token_uri is honoured."""

    http = transport.client(httpx, clean_events=True)  # the library's reader knows no odd event

    def __init__(self, *, base_url: str, key: str, user_agent: str, project: str, location: str) -> None:
        try:
            info = json.loads(key)
            self._credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                info, scopes=SCOPES
            )
        except (ValueError, KeyError, TypeError) as error:
            raise Failure(Kind.KEY_INVALID, "the secret is not a service account's JSON") from error
        self._authorising = PerLoop(asyncio.Lock)
        self._client = genai.Client(
            vertexai=True,
            project=project or info.get("project_id"),
            location=location,
            credentials=self._credentials,
            http_options=types.HttpOptions(
                base_url=base_url.replace("{location}", location) or None,
                headers={"User-Agent": user_agent},
                httpx_async_client=self.http,
                async_client_args={
                    "verify": trusted(),
                    "ssl": trusted(),
                },  # or it reads the list twice, unused
            ),
        )

    @property
    def retries(self) -> int:
        options = self._client._api_client._http_options.retry_options
        return (options.attempts or 5) - 1 if options else 0  # the library's own default is 5 attempts

    async def ask(self, request: Request, timing: Timing) -> Answer:
        arguments = self._arguments(request)
        try:
            async with transport.until(timing.end, timing.longer):
                await self._authorise()
                response = await self._client.aio.models.generate_content(**arguments)
            reading = GeminiReading(request, whole=True)
            for _ in (*reading.feed(response), *reading.end()):
                pass
            return checked(reading.answer({}), request)
        except Failure:
            raise
        except Exception as error:
            raise _failure(error, timing) from error

    async def run(self, request: Request, timing: Timing) -> AsyncGenerator[Piece | Answer]:
        arguments = self._arguments(request)
        try:
            # Read to the end: Gemini has no closing mark, and a finish reason may come early.
            reading, patience, exchange = GeminiReading(request), Patience(timing), transport.Exchange()
            try:
                async with transport.until(patience.until):
                    await self._authorise()
                    with _watched(exchange):
                        chunks = await self._client.aio.models.generate_content_stream(**arguments)
                while (chunk := await self._next(chunks, exchange, reading, patience)) is not None:
                    request.output.unread = exchange.lost > 0
                    if exchange.lost > MAX_MALFORMED:
                        raise Failure(Kind.PROVIDER_DOWN, "malformed events in the stream", status=200)
                    for piece in reading.feed(chunk):
                        yield piece
                    patience.heard(said=reading.said, finished=bool(reading.ending.finish))
            finally:
                exchange.close()  # the library's own generators would do so a little later
            for piece in reading.end():
                yield piece
            doubt = "an event of the stream was malformed" if exchange.lost else ""
            yield checked(reading.answer({}, doubt), request)
        except Failure:
            raise
        except Exception as error:
            raise _failure(error, timing, streamed=True) from error

    @staticmethod
    async def _next(
        chunks: AsyncIterator[Any], exchange: transport.Exchange, reading: GeminiReading, patience: Patience
    ) -> Any:
        """The next chunk of a stream, None at its end; an answer that is complete need not have one."""
        try:
            with _watched(exchange):
                return await pull(chunks, patience.until)
        except Exception:
            if reading.ending.finish:
                return None
            raise

    async def list_models(self, end: float) -> Listed:
        try:
            async with transport.until(end):
                await self._authorise()
                models = await self._client.aio.models.list()
                return {str(model.name).rsplit("/", 1)[-1]: Listing() async for model in models}
        except Exception as error:
            raise _failure(error, Timing(first_token=end, end=end)) from error

    async def _authorise(self) -> None:
        """Fetches a token when there is none, here, so that its failure is told apart and timed."""
        if self._credentials.valid:
            return
        async with self._authorising():
            if not self._credentials.valid:
                request = _TokenRequest(self.http)
                try:
                    await asyncio.to_thread(self._credentials.refresh, request)
                finally:
                    request.close()

    def _arguments(self, request: Request) -> dict[str, Any]:
        """The request in the library's types. Raises Failure for what is none."""
        if request.inputs is not None:  # Gemini's are served in OpenAI's shape too: see docs/recipes.md
            raise Failure(Kind.REQUEST_REJECTED, "embeddings are asked of kind openai only", status=400)
        try:
            return self._typed(request)
        except Failure:
            raise
        except Exception as error:  # not the network's: what Google's library takes for no request
            raise unsendable(error) from error

    def _typed(self, request: Request) -> dict[str, Any]:
        config = {
            "max_output_tokens": request.max_tokens,
            "system_instruction": gemini.system(request.messages),
            "temperature": request.temperature,
            **gemini.config(request.params),
            **{
                name: value
                for name, value in ALONE.items()
                if name in types.GenerateContentConfig.model_fields
            },
            **gemini.thinking(request.model, request.params, request.effort, request.show_reasoning),
        }
        contents = gemini.contents(request.messages)
        if not contents:
            raise Failure(Kind.REQUEST_REJECTED, "nothing but a system message, which Gemini does not take")
        return {
            "model": request.model,
            "contents": contents,
            "config": types.GenerateContentConfig(
                **{name: value for name, value in config.items() if value is not None}
            ),
        }


@contextmanager
def _watched(exchange: transport.Exchange) -> Iterator[None]:
    """Within the block the request that is sent, and its answer, are noted there."""
    before = transport.exchange.set(exchange)
    try:
        yield
    finally:
        transport.exchange.reset(before)


def _failure(error: Exception, timing: Timing, *, streamed: bool = False) -> Failure:
    """The one Failure that an exception of google.genai, google-auth or httpx means."""
    if isinstance(error, errors.APIError):
        response = error.response
        headers = dict(getattr(response, "headers", None) or {})
        body = getattr(response, "text", "") or json.dumps(error.details, default=str)
        return classify(status=error.code if 100 <= error.code <= 599 else None, headers=headers, body=body)
    cause = error.__cause__ or error
    if isinstance(error, httpx.TimeoutException | TimeoutError) or isinstance(cause, httpx.TimeoutException):
        return timing.ran_out(streamed=streamed, connecting=isinstance(cause, httpx.ConnectTimeout))
    if isinstance(error, google.auth.exceptions.RefreshError):
        return classify(exception=str(error.args[0] if error.args else error))
    if transport.is_too_large(cause):
        return Failure(Kind.PROVIDER_DOWN, transport.TOO_LARGE, status=200)
    if isinstance(error, httpx.HTTPError | google.auth.exceptions.TransportError):
        return classify(exception=f"{type(cause).__name__}: {cause}")
    if isinstance(error, ValueError):
        return Failure(Kind.PROVIDER_DOWN, "malformed answer", status=200)
    return of_ours(error)
