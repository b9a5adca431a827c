"""OpenAI-compatible services through the openai SDK: DeepSeek, OpenRouter, Hugging Face, Ollama, anything."""

import json
import re
import time
from collections.abc import Generator, Iterator, Mapping
from types import ModuleType
from typing import Any

import httpcore2
import httpx2
import openai

from llm.adapters import transport
from llm.adapters.base import (
    USAGE_GRACE_S,
    Answer,
    Listed,
    Request,
    Timing,
    Visible,
    checked,
    count,
    pull,
    stated_price,
    visible_text,
)  # fmt: skip
from llm.adapters.output import Output
from llm.adapters.toolcalls import ToolCalls, read_tool_calls
from llm.failures.ownership import of_ours, unsendable
from llm.failures.rules import Failure, Kind, classify
from llm.hosts import BASE_URLS

# Parts of a delta that show that a model is at work; reasoning has a name of its own at most providers.
SIGNS_OF_LIFE = ("content", "tool_calls", "reasoning_content", "reasoning", "reasoning_details", "refusal")
BLOCKED_REASONS = {"content_filter", "safety", "refusal"}


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

    def run(self, request: Request, timing: Timing) -> Generator[str, None, Answer]:
        try:
            if request.stream:
                return checked((yield from self._stream(request, timing)))
            answer = checked(self._complete(request, timing))
            if answer.text:
                yield answer.text
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
        temperature = {} if request.temperature is None else {"temperature": request.temperature}
        return {
            "model": request.model,
            "messages": list(request.messages),
            "max_tokens": request.max_tokens,
            **temperature,
            **{name: value for name, value in request.params.items() if value is not None},
        }

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
        return read_completion(response.text, dict(response.headers), request.output)

    # -- streamed ------------------------------------------------------------------------------------

    def _stream(self, request: Request, timing: Timing) -> Generator[str, None, Answer]:
        with transport.until(timing.next_event()):
            extra = {} if "stream_options" in request.params else {"stream_options": {"include_usage": True}}
            stream = self._post(
                {**extra, **self._body(request), "stream": True},
                cast_to=object,
                stream=True,
                stream_cls=self.sdk.Stream[object],
            )
        try:
            if "json" in stream.response.headers.get("content-type", ""):  # it does not stream
                with transport.until(timing.whole()):
                    body = stream.response.read().decode()
                answer = read_completion(body, dict(stream.response.headers), request.output)
                if answer.text:
                    yield answer.text
                return answer
            return (yield from self._read_stream(stream, timing, request.output))
        finally:
            stream.response.close()  # a caller that leaves stops the provider, too

    def _read_stream(self, stream: Any, timing: Timing, output: Output) -> Generator[str, None, Answer]:
        visible, finish_reason, usage, tools = Visible(), "", None, ToolCalls()
        chunks: Iterator[Any] = iter(stream)
        while True:
            grace = time.monotonic() + USAGE_GRACE_S
            end = min(grace, timing.end) if finish_reason else timing.next_event()
            try:
                chunk = pull(chunks, end)
            except Exception:
                if finish_reason:
                    break  # complete; only the usage or the closing mark is missing
                raise
            if chunk is None:
                break
            if reason := block_reason(chunk):
                raise Failure(Kind.CONTENT_BLOCKED, f"prompt blocked: {reason}", status=200)
            usage = chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage") or usage
            output.counted(**read_usage(usage))
            for choice in chunk.get("choices") or ():
                if choice.get("error") or choice.get("finish_reason") == "error":
                    raise error_in_body({"error": choice.get("error") or chunk.get("error")})
                finish_reason = choice.get("finish_reason") or finish_reason
                delta = choice.get("delta") or {}
                output.wrote_message(delta)
                if any(delta.get(name) for name in SIGNS_OF_LIFE):
                    timing.alive()
                tools.feed(delta.get("tool_calls"))
                if piece := visible.feed(content_text(delta.get("content"))):
                    yield piece
            if finish_reason and usage:
                break
        if finish_reason in BLOCKED_REASONS:
            raise Failure(Kind.CONTENT_BLOCKED, f"finish reason {finish_reason}", status=200)
        if not finish_reason:
            raise Failure(Kind.PROVIDER_DOWN, "the stream ended before the answer did", status=200)
        if piece := visible.finish():
            yield piece
        return Answer(
            text=visible.text,
            tool_calls=tools.calls(),
            finish_reason=finish_reason,
            headers=dict(stream.response.headers),
            **read_usage(usage),
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
        if isinstance(error, (self.sdk.APIConnectionError, *self.http_errors)):
            return classify(exception=f"{type(cause).__name__}: {cause}")
        if isinstance(error, self.sdk.APIError):
            return error_in_body({"error": error.body})
        if isinstance(error, ValueError):  # what came is no JSON, or no text
            return Failure(Kind.PROVIDER_DOWN, "malformed answer", status=200)
        return of_ours(error)


def error_in_body(body: Mapping[str, Any]) -> Failure:
    """The failure that a body with status 200 tells of; without a telling code it is the provider's fault."""
    error = body.get("error")
    inner = error if isinstance(error, dict) else {}
    failure = classify(status=200, body=json.dumps(body, default=str))
    code = str(inner.get("code") or inner.get("status") or "")
    if failure.kind is Kind.PROVIDER_DOWN and re.fullmatch(r"[45]\d\d", code, re.A):
        return classify(status=int(code), body=json.dumps(body, default=str))
    return failure


def block_reason(body: Mapping[str, Any]) -> str:
    """Why Google blocked the prompt, as bridges to Gemini pass it on beside an empty list of choices."""
    feedback = body.get("promptFeedback") or body.get("prompt_feedback")
    feedback = feedback if isinstance(feedback, dict) else {}
    return str(feedback.get("blockReason") or feedback.get("block_reason") or "")[:60]


def content_text(content: object) -> str:
    """The text of a message: a string, or the text parts of a list (some providers put thinking beside them)."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(
            str(part.get("text") or "")
            for part in content
            if isinstance(part, dict) and part.get("type", "text") in ("text", "output_text")
        )
    return ""


def read_usage(usage: object) -> dict[str, int | None]:
    """tokens_in and tokens_out as the provider counted them; hidden reasoning is part of tokens_out."""
    usage = usage if isinstance(usage, dict) else {}
    counts = {"tokens_in": usage.get("prompt_tokens"), "tokens_out": usage.get("completion_tokens")}
    return {name: count(value) for name, value in counts.items()}


def read_completion(text: str, headers: Mapping[str, str], output: Output | None = None) -> Answer:
    """The Answer in the body of a plain 200. Raises Failure when it is none."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise Failure(Kind.PROVIDER_DOWN, f"200 with {'no' if not text.strip() else 'a malformed'} body",
                      status=200) from None  # fmt: skip
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        raise Failure(Kind.PROVIDER_DOWN, "200 with a body that is no object", status=200)
    output = output or Output()
    output.counted(**read_usage(body.get("usage")))
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    if body.get("error"):
        raise error_in_body(body)
    finish_reason = str(choice.get("finish_reason") or "")
    if choice.get("error") or finish_reason == "error":
        raise error_in_body({"error": choice.get("error")})
    if reason := block_reason(body):
        raise Failure(Kind.CONTENT_BLOCKED, f"prompt blocked: {reason}", status=200)
    if not choice:
        raise Failure(Kind.PROVIDER_DOWN, "200 without choices", status=200)
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    output.wrote_message(message)
    content = content_text(message.get("content"))
    if finish_reason in BLOCKED_REASONS or (not content and message.get("refusal")):
        raise Failure(Kind.CONTENT_BLOCKED, f"finish reason {finish_reason or 'refusal'}", status=200)
    return Answer(
        text=visible_text(content), tool_calls=read_tool_calls(message.get("tool_calls")),
        finish_reason=finish_reason, headers=headers,
        **read_usage(body.get("usage")),
    )  # fmt: skip
