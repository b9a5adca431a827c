"""Everything that goes wrong, in OpenAI's shape or a protocol's own: the right status, why, and until when."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from llm.calls.fitting import ABOVE_LIMIT
from llm.chain import ChainExhausted
from llm.clients.access import Refused
from llm.configuration.limits import REASONS
from llm.failures.kinds import Kind

MOST_REASONS = 8  # told in one line; the error's `skipped` holds all
BUSY_RETRY_AFTER_S = 5
LIMITED = {Kind.RATE_LIMITED_KEY, Kind.RATE_LIMITED_PROVIDER, *REASONS}
TOO_LARGE = {Kind.REQUEST_TOO_LARGE, ABOVE_LIMIT}
# Why a provider is none for this call, whatever its size and however long one waits.
NEVER = {
    "no key", "no model", "price unknown", "free only", "over max_usd", "takes no images", "takes no tools",
    "takes no tool choice", "trial credit has ended", "trial credit is spent",
}  # fmt: skip
INCAPABLE = {"takes no images", "takes no tools", "takes no tool choice"}
CLIENT_BUDGET = "daily budget of the client spent"
# When all attempts ended alike, the fault lies in the request: (status, code, what is told).
ALIKE: Mapping[str, tuple[int, str, str]] = {
    Kind.REQUEST_REJECTED: (400, "request_rejected", "Every provider rejected the request"),
    Kind.REQUEST_TOO_LARGE: (400, "context_length_exceeded", "The request is too large for every model"),
    Kind.CONTENT_BLOCKED: (400, "content_filter", "The content was refused"),
    Kind.REJECTED_OUTPUT: (502, "invalid_output", "No provider's answer was valid"),
    Kind.EMPTY_OUTPUT: (502, "empty_output", "No provider's answer held any text"),
}
REFUSED_STATUS = {"invalid_api_key": 401}


class ApiError(Exception):
    """An error as it is answered. `retry_after_s`: seconds, None when waiting does not help."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after_s: float | None = None,
        attempts: Sequence[Mapping[str, Any]] = (),
        skipped: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.retry_after_s = retry_after_s
        self.attempts = attempts
        self.skipped = skipped
        self.headers = headers or {}
        self.tokens: tuple[int | None, int | None] = (
            None,
            None,
        )  # of a request, and of the largest door for it

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {
            "message": self.message, "type": _type(self.status, self.code), "param": self.param, "code": self.code,
        }  # fmt: skip
        if self.attempts or self.skipped:
            error |= {"attempts": list(self.attempts), "skipped": list(self.skipped)}
        return {"error": error}

    def response(self, shape: Callable[["ApiError"], dict[str, Any]] | None = None) -> JsonResponse:
        """shape: makes the body of another protocol than OpenAI's."""
        body = shape(self) if shape else self.body()
        response = JsonResponse(body, status=self.status, headers=dict(self.headers))
        if self.retry_after_s is not None:
            response["Retry-After"] = str(max(1, math.ceil(self.retry_after_s)))
        if (
            self.status in {409, 429} or self.status >= 500
        ):  # what the official SDKs would repeat by themselves
            response["x-should-retry"] = str(self.retry_after_s is not None).lower()
        if self.attempts or self.skipped:
            response["x-guardlabs-attempts"] = str(len(self.attempts))
        return response


def _type(status: int, code: str | None) -> str:
    if code in {"insufficient_quota", "daily_calls_exceeded"}:
        return "insufficient_quota"
    names = {
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        429: "rate_limit_error",
    }
    return names.get(status, "server_error" if status >= 500 else "invalid_request_error")


def unknown_url(request: HttpRequest) -> ApiError:
    """404."""
    return ApiError(404, f"Unknown request URL: {request.method} {request.path[:200]}", code="unknown_url")


def by_status(status: int) -> ApiError:
    """400 for what no row can hold, 503 while nothing can be stored, 500 for a bug of ours."""
    return {
        400: ApiError(400, "The request holds a value that cannot be stored.", code="invalid_request"),
        503: ApiError(
            503, "The server cannot store anything now.", code="server_busy", retry_after_s=BUSY_RETRY_AFTER_S
        ),
    }.get(status) or ApiError(500, "The server failed.", code="internal_error")


def invalid_schema(error: ValueError) -> ApiError:
    """A schema that is none, is too large, or takes too long to judge an answer by."""
    return ApiError(
        400, f"Invalid schema for response_format: {error}", code="invalid_schema",
        param="response_format.json_schema.schema",
    )  # fmt: skip


def refused(refusal: Refused) -> ApiError:
    """What a client is told that may not ask now."""
    status = REFUSED_STATUS.get(refusal.code, 429)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    # A day is longer than anybody should wait within a request.
    return ApiError(
        status, str(refusal), code=refusal.code, retry_after_s=refusal.retry_after_s, headers=headers
    )


def exhausted(failure: ChainExhausted, tokens_in: int | None = None) -> ApiError:
    """Why nobody answered, and from when on somebody may. tokens_in: what the request was estimated at."""
    attempts = [_public(attempt, "outcome", "status") for attempt in failure.attempts]
    skipped = [_public(skip, "why", "until") for skip in failure.skipped]
    told: dict[str, Any] = {"attempts": attempts, "skipped": skipped}
    outcomes = {attempt["outcome"] for attempt in attempts}
    whys = outcomes | {skip["why"] for skip in skipped}
    if whys & TOO_LARGE and whys <= TOO_LARGE | NEVER | _terms(whys):
        return _too_large(failure.skipped, tokens_in, told)
    if len(outcomes) == 1 and (alike := ALIKE.get(next(iter(outcomes)))):
        status, code, words = alike
        details = "; ".join(dict.fromkeys(a["detail"] for a in failure.attempts if a["detail"]))[:500]
        return ApiError(status, f"{words}: {details}" if details else f"{words}.", code=code, **told)
    reasons = {skip["why"] for skip in skipped}
    if not attempts and not skipped:  # no time was left, or another call is testing who is back
        text = "Nobody was free to answer in the time given."
        return ApiError(503, text, code="no_provider_available", retry_after_s=1)
    if not attempts and reasons <= INCAPABLE | _terms(reasons):
        return _incapable(reasons, told)
    wait_s = _soonest_s(failure.attempts, failure.skipped)
    why = f"No provider can answer now: {_reasons(attempts, skipped)}"
    if CLIENT_BUDGET in reasons and not attempts:
        return ApiError(429, why, code="insufficient_quota", retry_after_s=wait_s, **told)
    if outcomes | reasons <= LIMITED:
        return ApiError(429, why, code="rate_limit_exceeded", retry_after_s=wait_s, **told)
    return ApiError(503, why, code="no_provider_available", retry_after_s=wait_s, **told)


def _too_large(
    skipped: Sequence[Mapping[str, Any]], tokens_in: int | None, told: Mapping[str, Any]
) -> ApiError:
    """A prompt that fits nowhere: waiting does not help, and the largest of those that were looked at is named.

    Agents make room for themselves when they read OpenAI's words for it; a protocol with other words has the numbers.
    """
    text, largest = "The request is too large for every model that may serve it", None
    if limits := [skip for skip in skipped if skip.get("limit")]:
        door = max(limits, key=lambda skip: skip["limit"])
        largest = int(door["limit"])
        asked = f"; your messages are about {tokens_in}" if tokens_in else ""
        text = (
            f"This model's maximum context length is {largest} tokens{asked}. {text}; "
            f"the largest is {door['provider']}/{door['model']} with {largest} tokens"
        )
    error = ApiError(400, f"{text}.", code="context_length_exceeded", param="messages", **told)
    error.tokens = (tokens_in, largest)
    return error


def _terms(reasons: Iterable[str]) -> set[str]:
    return {why for why in reasons if why.startswith("terms: ")}


def _incapable(reasons: set[str], told: Mapping[str, Any]) -> ApiError:
    """Nobody was tried, for a reason that waiting does not change."""
    if "takes no images" in reasons:
        return ApiError(
            400, "No model that this API key may use takes images.", code="unsupported_content",
            param="messages", **told,
        )  # fmt: skip
    if "takes no tools" in reasons:
        return ApiError(
            400, "No model that this API key may use takes tools.", code="unsupported_parameter",
            param="tools", **told,
        )  # fmt: skip
    if "takes no tool choice" in reasons:
        return ApiError(
            400, "No model that this API key may use takes this tool_choice.", code="unsupported_parameter",
            param="tool_choice", **told,
        )  # fmt: skip
    text = "; ".join(sorted(why.removeprefix("terms: ") for why in reasons))
    return ApiError(
        403, f"Every provider's terms forbid this client's data: {text}.", code="terms_forbid", **told
    )


def _public(entry: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """What a client may know of an attempt or a skip: no account, no provider's own words."""
    return {name: entry[name] for name in ("provider", "credential", "model", *names)}


def _reasons(attempts: Sequence[Mapping[str, Any]], skipped: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"{_named(attempt)}: {attempt['outcome']}" for attempt in attempts]
    for skip in skipped:
        until = f" until {skip['until'][:19]}Z" if skip["until"] else ""
        lines.append(f"{_named(skip)}: {skip['why']}{until}")
    lines = list(dict.fromkeys(lines))
    more = f"; and {len(lines) - MOST_REASONS} more" if len(lines) > MOST_REASONS else ""
    return "; ".join(lines[:MOST_REASONS]) + more + "."


def _named(entry: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (entry["credential"] or entry["provider"], entry["model"])))


def _soonest_s(attempts: Sequence[Mapping[str, Any]], skipped: Sequence[Mapping[str, Any]]) -> float | None:
    """Seconds until the first of them may be back; None when nobody has said so."""
    now = timezone.now()
    untils = [datetime.fromisoformat(skip["until"]) for skip in skipped if skip["until"]]
    waits = [(until - now).total_seconds() for until in untils]
    waits += [attempt["retry_after_s"] for attempt in attempts if attempt["retry_after_s"] is not None]
    return max(min(waits), 0) if waits else None
