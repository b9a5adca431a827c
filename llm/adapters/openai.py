"""OpenAI-compatible services through the openai SDK: DeepSeek, OpenRouter, Hugging Face, Ollama, anything."""

import json
from collections.abc import Generator, Iterator
from types import ModuleType
from typing import Any

import httpcore2
import httpx2
import openai

from llm.adapters import transport
from llm.adapters.answers.reading import Reading, error_in_body, read_completion
from llm.adapters.answers.sse import MAX_MALFORMED, EventParser
from llm.adapters.base import (
    Answer,
    Listed,
    Patience,
    Piece,
    Reasoning,
    Request,
    Timing,
    checked,
    pull,
    stated_price,
)  # fmt: skip
from llm.adapters.dialects import dialect_of, messages_for, thinks, with_reasoning
from llm.failures.kinds import Failure, Kind
from llm.failures.ownership import of_ours, unsendable
from llm.failures.rules import classify
from llm.hosts import BASE_URLS


class OpenAICompatible:
    """One base URL with one key. A subclass may use another SDK of the same family (Stainless)."""

    sdk: ModuleType = openai
    http = transport.client(httpx2, httpcore2)  # one pool for all keys: it is ordered by host
    http_errors: tuple[type[Exception], ...] = (httpx2.HTTPError, httpx2.StreamError)
    timeouts: tuple[type[Exception], ...] = (httpx2.TimeoutException,)
    connect_timeout: type[Exception] = httpx2.ConnectTimeout
    unsendable: tuple[type[Exception], ...] = (
        httpx2.LocalProtocolError,
        httpx2.UnsupportedProtocol,
        httpx2.InvalidURL,
    )
    default_base_url = BASE_URLS["openai"]
    chat_path = "/chat/completions"
    response_type: type[Any] = httpx2.Response

    def __init__(self, *, base_url: str, key: str, user_agent: str) -> None:
        self.client = self._client(
            api_key=key or "keyless",
            base_url=base_url or self.default_base_url,
            max_retries=0,  # the chain owns retries
            timeout=self.http.timeout,
            http_client=self.http,
            default_headers={"User-Agent": user_agent},
        )
        # A keyless service may refuse a made-up key, so none is sent.
        self._headers = {} if key else {"Authorization": self.sdk.Omit()}

    def _client(self, **options: Any) -> Any:
        return openai.OpenAI(**options)

    @property
    def retries(self) -> int:
        return int(self.client.max_retries)

    def run(self, request: Request, timing: Timing) -> Generator[Piece, None, Answer]:
        try:
            if request.stream:
                return checked((yield from self._stream(request, timing)), request)
            answer = checked(self._complete(request, timing), request)
            yield from _told(answer)
            return answer
        except Failure:
            raise
        except Exception as error:
            raise self._failure(error, timing, streamed=request.stream) from error

    def list_models(self, end: float) -> Listed:
        try:
            with transport.until(end):
                body = json.loads(
                    self.client.models.with_raw_response.list(extra_headers=self._headers).http_response.text
                )
            return {str(model["id"]): stated_price(model.get("pricing")) for model in body["data"]}
        except Exception as error:
            raise self._failure(error, Timing(first_token=end, end=end)) from error

    def _body(self, request: Request) -> dict[str, Any]:
        """The request in the service's dialect."""
        dialect = dialect_of(str(self.client.base_url), request.model, request.dialect)
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
        return body | {name: value for name, value in params.items() if value is not None}

    def _post(self, body: dict[str, Any], **options: Any) -> Any:
        """What came, as JSON: a provider that answers in types of its own is ours to judge, not the SDK's.

        Raises the SDK's and the network's errors; Failure for what the SDK itself will not send.
        """
        try:
            return self.client.post(self.chat_path, body=body, options={"headers": self._headers}, **options)
        except (self.sdk.APIError, *self.http_errors):
            raise
        except Exception as error:
            raise unsendable(error) from error

    # -- plain ---------------------------------------------------------------------------------------

    def _complete(self, request: Request, timing: Timing) -> Answer:
        with transport.until(timing.end):
            response = self._post(self._body(request), cast_to=self.response_type)
        if response.status_code != 200:
            raise classify(status=response.status_code, headers=dict(response.headers), body=response.text)
        return read_completion(response.text, dict(response.headers), request)

    # -- streamed ------------------------------------------------------------------------------------

    def _stream(self, request: Request, timing: Timing) -> Generator[Piece, None, Answer]:
        with transport.until(timing.next_event()):
            stream = self._post(
                self._body(request), cast_to=object, stream=True, stream_cls=self.sdk.Stream[object]
            )
        response = stream.response
        try:
            if "json" in response.headers.get("content-type", ""):  # it does not stream
                with transport.until(timing.whole()):
                    body = response.read().decode("utf-8", "replace")
                answer = read_completion(body, dict(response.headers), request)
                yield from _told(answer)
                return answer
            return (yield from self._read_stream(response, request, timing))
        finally:
            response.close()  # a caller that leaves stops the provider, too

    def _read_stream(self, response: Any, request: Request, timing: Timing) -> Generator[Piece, None, Answer]:
        """Reads to the closing mark or the end, wherever the finish reason stands."""
        reading, events = Reading(request), EventParser()
        data: Iterator[bytes] = response.iter_bytes()
        patience, ended = Patience(timing), False
        while not (ended or events.done):
            try:
                received = pull(data, patience.until)
            except Exception:
                if reading.ending.finish:
                    break  # complete; only the usage or the closing mark is missing
                raise
            ended = received is None
            for chunk in events.end() if received is None else events.feed(received):
                yield from reading.feed(chunk)
                patience.heard(said=reading.said, finished=bool(reading.ending.finish))
            request.output.unread = events.malformed > 0
            if events.malformed > MAX_MALFORMED:
                raise Failure(Kind.PROVIDER_DOWN, "malformed events in the stream", status=200)
        if not (reading.ending.finish or events.done):
            raise Failure(Kind.PROVIDER_DOWN, "the stream ended before the answer did", status=200)
        yield from reading.end()
        return reading.answer(
            dict(response.headers), "an event of the stream was malformed" if events.malformed else ""
        )

    # -- failures ------------------------------------------------------------------------------------

    def _failure(self, error: Exception, timing: Timing, *, streamed: bool = False) -> Failure:
        """The one Failure that an exception of the SDK, or below it, means."""
        cause = error.__cause__ or error
        if isinstance(error, (self.sdk.APITimeoutError, *self.timeouts)) or isinstance(cause, self.timeouts):
            return timing.ran_out(streamed=streamed, connecting=isinstance(cause, self.connect_timeout))
        if isinstance(error, self.sdk.APIStatusError):
            response = error.response
            try:
                body = response.text
            except self.http_errors:  # its body died on the way
                body = ""
            return classify(status=response.status_code, headers=dict(response.headers), body=body)
        if isinstance(cause, self.unsendable):
            return unsendable(cause)
        if transport.is_too_large(cause):
            return Failure(Kind.PROVIDER_DOWN, transport.TOO_LARGE, status=200)
        if isinstance(error, (self.sdk.APIConnectionError, *self.http_errors)):
            return classify(exception=f"{type(cause).__name__}: {cause}")
        if isinstance(error, self.sdk.APIError):
            return error_in_body({"error": error.body})
        if isinstance(error, ValueError):  # what came is no JSON, or no text
            return Failure(Kind.PROVIDER_DOWN, "malformed answer", status=200)
        return of_ours(error)


def _told(answer: Answer) -> Iterator[Piece]:
    """A whole answer as the pieces of a stream."""
    if answer.reasoning:
        yield Reasoning(answer.reasoning)
    if answer.text:
        yield answer.text
