"""Gemini on Vertex AI through google.genai with a service account; one client a location."""

import json
import threading
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import google.auth.exceptions
import google.auth.transport
import httpcore
import httpx
from google import genai
from google.genai import errors, types
from google.oauth2 import service_account

from llm.adapters import gemini, transport
from llm.adapters.answers.sse import MAX_MALFORMED
from llm.adapters.base import Answer, Listed, Patience, Piece, Reasoning, Request, Timing, checked, pull
from llm.adapters.gemini_reading import GeminiReading
from llm.failures.kinds import Failure, Kind
from llm.failures.ownership import of_ours, unsendable
from llm.failures.rules import classify

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


class _TokenRequest(google.auth.transport.Request):
    """google-auth's HTTP, over the client that keeps deadlines."""

    def __init__(self, http: Any) -> None:
        self._http = http

    def __call__(self, url: str, method: str = "GET", body: Any = None, headers: Any = None,
                 timeout: Any = None, **options: Any) -> Any:  # fmt: skip
        try:
            return _TokenResponse(self._http.request(method, url, content=body, headers=headers))
        except httpx.HTTPError as error:
            raise google.auth.exceptions.TransportError(error) from error  # type: ignore[no-untyped-call]


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

    http = transport.client(httpx, httpcore, clean_events=True)  # the library's reader knows no odd event

    def __init__(self, *, base_url: str, key: str, user_agent: str, project: str, location: str) -> None:
        try:
            info = json.loads(key)
            self._credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                info, scopes=SCOPES
            )
        except (ValueError, KeyError, TypeError) as error:
            raise Failure(Kind.KEY_INVALID, "the secret is not a service account's JSON") from error
        self._lock = threading.Lock()
        self._client = genai.Client(
            vertexai=True,
            project=project or info.get("project_id"),
            location=location,
            credentials=self._credentials,
            http_options=types.HttpOptions(
                base_url=base_url.replace("{location}", location) or None,
                headers={"User-Agent": user_agent},
                httpx_client=self.http,
            ),
        )

    @property
    def retries(self) -> int:
        options = self._client._api_client._http_options.retry_options
        return (options.attempts or 5) - 1 if options else 0  # the library's own default is 5 attempts

    def run(self, request: Request, timing: Timing) -> Generator[Piece, None, Answer]:
        try:
            arguments = self._arguments(request)
        except Failure:
            raise
        except Exception as error:  # not the network's: what Google's library takes for no request
            raise unsendable(error) from error
        try:
            if request.stream:
                return checked((yield from self._stream(arguments, request, timing)), request)
            with transport.until(timing.end):
                self._authorise()
                response = self._client.models.generate_content(**arguments)
            reading = GeminiReading(request, whole=True)
            for _ in (*reading.feed(response), *reading.end()):
                pass
            answer = checked(reading.answer({}), request)
            if answer.reasoning:
                yield Reasoning(answer.reasoning)
            if answer.text:
                yield answer.text
            return answer
        except Failure:
            raise
        except Exception as error:
            raise _failure(error, timing, streamed=request.stream) from error

    def list_models(self, end: float) -> Listed:
        try:
            with transport.until(end):
                self._authorise()
                models = self._client.models.list()
                return dict.fromkeys(str(model.name).rsplit("/", 1)[-1] for model in models)
        except Exception as error:
            raise _failure(error, Timing(first_token=end, end=end)) from error

    def _authorise(self) -> None:
        """Fetches a token when there is none, here, so that its failure is told apart and timed."""
        if not self._credentials.valid:
            with self._lock:
                if not self._credentials.valid:
                    self._credentials.refresh(_TokenRequest(self.http))

    def _arguments(self, request: Request) -> dict[str, Any]:
        config = {
            "max_output_tokens": request.max_tokens,
            "system_instruction": gemini.system(request.messages),
            "temperature": request.temperature,
            **gemini.config(request.params),
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

    def _stream(
        self, arguments: dict[str, Any], request: Request, timing: Timing
    ) -> Generator[Piece, None, Answer]:
        """Reads to the end: Gemini has no closing mark, and a finish reason may come early."""
        reading, patience, lost = GeminiReading(request), Patience(timing), 0
        with transport.until(patience.until):
            self._authorise()
            chunks: Iterator[Any] = self._client.models.generate_content_stream(**arguments)
        try:
            while True:
                try:
                    chunk = pull(chunks, patience.until)
                except Exception:
                    if reading.ending.finish:
                        break  # complete; only the end is missing
                    raise
                if chunk is None:
                    break
                lost = transport.lost_events()
                request.output.unread = lost > 0
                if lost > MAX_MALFORMED:
                    raise Failure(Kind.PROVIDER_DOWN, "malformed events in the stream", status=200)
                yield from reading.feed(chunk)
                patience.heard(said=reading.said, finished=bool(reading.ending.finish))
        finally:
            chunks.close()  # type: ignore[attr-defined]  # a generator: closes the response
        yield from reading.end()
        return reading.answer({}, "an event of the stream was malformed" if lost else "")


def _failure(error: Exception, timing: Timing, *, streamed: bool = False) -> Failure:
    """The one Failure that an exception of google.genai, google-auth or httpx means."""
    if isinstance(error, errors.APIError):
        response = error.response
        headers = dict(getattr(response, "headers", None) or {})
        body = getattr(response, "text", "") or json.dumps(error.details, default=str)
        return classify(status=error.code if 100 <= error.code <= 599 else None, headers=headers, body=body)
    cause = error.__cause__ or error
    if isinstance(error, httpx.TimeoutException) or isinstance(cause, httpx.TimeoutException):
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
