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
from llm.adapters.base import Answer, Listed, Request, Timing, Visible, checked, count, pull, visible_text
from llm.adapters.output import Output
from llm.failures.ownership import of_ours, unsendable
from llm.failures.rules import Failure, Kind, classify

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
BLOCKED_REASONS = {
    "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "IMAGE_SAFETY", "LANGUAGE",
}  # fmt: skip
COMPLETE_REASONS = {"STOP", "MAX_TOKENS"}


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

    http = transport.client(httpx, httpcore)

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

    def run(self, request: Request, timing: Timing) -> Generator[str, None, Answer]:
        try:
            arguments = self._arguments(request)
        except Failure:
            raise
        except Exception as error:  # not the network's: what Google's library takes for no request
            raise unsendable(error) from error
        try:
            if request.stream:
                return checked((yield from self._stream(arguments, timing, request.output)))
            with transport.until(timing.end):
                self._authorise()
                response = self._client.models.generate_content(**arguments)
            _note(response, request.output)
            answer = checked(_read([response]))
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
        self, arguments: dict[str, Any], timing: Timing, output: Output
    ) -> Generator[str, None, Answer]:
        with transport.until(timing.next_event()):
            self._authorise()
            chunks: Iterator[Any] = self._client.models.generate_content_stream(**arguments)
        visible, seen = Visible(), []
        try:
            while (chunk := pull(chunks, timing.next_event())) is not None:
                seen.append(chunk)
                _note(chunk, output)
                if _candidate(chunk) and _candidate(chunk).content and _candidate(chunk).content.parts:
                    timing.alive()  # a thought and a call of a tool count as well
                if piece := visible.feed(_text(chunk)):
                    yield piece
                if _reason(chunk) and chunk.usage_metadata:
                    break  # Gemini has no closing mark: the reason and the usage come with the last chunk
        finally:
            chunks.close()  # type: ignore[attr-defined]  # a generator: closes the response
        if piece := visible.finish():
            yield piece
        return _read(seen)


def _candidate(response: Any) -> Any:
    return response.candidates[0] if response.candidates else None


def _reason(response: Any) -> str:
    candidate = _candidate(response)
    reason = candidate.finish_reason if candidate else None
    return str(getattr(reason, "value", reason) or "")


def _text(response: Any) -> str:
    candidate = _candidate(response)
    parts = (candidate.content.parts if candidate and candidate.content else None) or []
    return "".join(part.text for part in parts if part.text and not part.thought)


def _note(response: Any, output: Output) -> None:
    """What the model wrote, thoughts and calls of tools too, and what is counted of it so far."""
    candidate = _candidate(response)
    for part in (candidate.content.parts if candidate and candidate.content else None) or []:
        output.wrote(part.text, str(part.function_call.args or "") if part.function_call else "")
    output.counted(**_usage(response.usage_metadata))


def _usage(usage: Any) -> dict[str, int | None]:
    """tokens_in and tokens_out; thoughts are billed as output."""
    spoken, thought = (
        getattr(usage, name, None) for name in ("candidates_token_count", "thoughts_token_count")
    )
    return {
        "tokens_in": count(getattr(usage, "prompt_token_count", None)),
        "tokens_out": count((spoken or 0) + (thought or 0)) if usage else None,
    }


def _read(responses: list[Any]) -> Answer:
    """The Answer in one response or in all chunks of a stream. Raises Failure when it is none."""
    for response in responses:
        if (feedback := response.prompt_feedback) and feedback.block_reason:
            reason = getattr(feedback.block_reason, "value", feedback.block_reason)
            raise Failure(Kind.CONTENT_BLOCKED, f"prompt blocked: {reason}", status=200)
    reason = next((found for response in reversed(responses) if (found := _reason(response))), "")
    if reason in BLOCKED_REASONS:
        raise Failure(Kind.CONTENT_BLOCKED, f"finish reason {reason}", status=200)
    if not reason:
        raise Failure(Kind.PROVIDER_DOWN, "the answer ended before it was complete", status=200)
    if reason not in COMPLETE_REASONS:  # such as a malformed call of a tool: this answer's trouble alone
        raise Failure(Kind.EMPTY_OUTPUT, f"finish reason {reason}", status=200)
    usage = _usage(next((r.usage_metadata for r in reversed(responses) if r.usage_metadata), None))
    calls = gemini.tool_calls(responses)
    return Answer(
        text=visible_text("".join(map(_text, responses))),
        tool_calls=calls,
        finish_reason="length" if reason == "MAX_TOKENS" else "tool_calls" if calls else "stop",
        tokens_in=usage["tokens_in"],
        tokens_out=usage["tokens_out"],
    )


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
    if isinstance(error, httpx.HTTPError | google.auth.exceptions.TransportError):
        return classify(exception=f"{type(cause).__name__}: {cause}")
    if isinstance(error, ValueError):
        return Failure(Kind.PROVIDER_DOWN, "malformed answer", status=200)
    return of_ours(error)
