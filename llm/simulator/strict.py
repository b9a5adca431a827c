"""What the real services refuse, though their format is the same: each in its own words, as recorded.

Sources: https://github.com/anomalyco/opencode/issues/1680 (Mistral's ids), /karthink/gptel/issues/1146 (Gemini's
signatures), /SillyTavern/SillyTavern/issues/4857 (DeepSeek's reasoning_content), the services' API references.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NEWER_OPENAI = re.compile(r"(^|/)(gpt-5|o[1345](-|$))")
MISTRAL = re.compile(r"(^|/)(open-)?(mi[sx]tral|ministral|devstral|codestral|magistral|pixtral)")
STATE = ("reasoning_content", "reasoning_details", "extra_content")


class Rejected(ValueError):
    """A request that the service does not take, with the status and the body of its answer."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(str(body))
        self.status, self.body = status, body


def check_openai(provider: str, model: str, body: Mapping[str, Any]) -> None:
    """Raises Rejected for what this provider refuses of a chat completion."""
    if NEWER_OPENAI.search(model) and "max_tokens" in body:
        raise _openai(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            param="max_tokens", code="unsupported_parameter",
        )  # fmt: skip
    if provider == "mistral" and "stream_options" in body:
        raise Rejected(422, {"object": "error", "message": {"detail": [
            {"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}
        ]}, "type": "invalid_request_error"})  # fmt: skip
    called: list[str] = []
    for place, message in enumerate(body.get("messages") or ()):
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in called:
                raise _openai(
                    "messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
                )
            continue
        calls = message.get("tool_calls") or []
        called = [str(call.get("id")) for call in calls]
        _check_message(provider, model, body, message, place, called)


def _check_message(
    provider: str,
    model: str,
    body: Mapping[str, Any],
    message: Mapping[str, Any],
    place: int,
    called: Sequence[str],
) -> None:
    if provider == "mistral" or MISTRAL.search(model):
        if message.get("role") == "assistant" and not (called or message.get("content")):
            text = "Assistant message must have either content or tool_calls, but not none."
            raise Rejected(400, {"object": "error", "message": text, "type": "invalid_request_assistant_message",
                                 "param": None, "code": "3240"})  # fmt: skip
        for id in called:
            if not re.fullmatch(r"[a-zA-Z0-9]{9}", id):
                text = f"Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9."
                raise Rejected(400, {"object": "error", "message": text, "type": "invalid_function_call",
                                     "param": None, "code": "3280"})  # fmt: skip
    if (provider == "cloudflare" or model.startswith("@cf/")) and message.get("content") is None:
        text = (
            "AiError: Bad input: Error: oneOf at '/' not met: Type mismatch of "
            f"'/messages/{place}/content', 'string' not in 'null'"
        )
        raise Rejected(400, {"errors": [{"message": text, "code": 5006}], "success": False})
    if provider == "groq" and (names := [name for name in STATE if name in message]):
        raise _openai(
            f"'messages.{place}' : for 'role:assistant' the following must be satisfied"
            f"[('messages.{place}' : property '{names[0]}' is unsupported)]"
        )
    thinking = body.get("thinking")
    off = isinstance(thinking, Mapping) and thinking.get("type") == "disabled"
    if provider == "deepseek" and called and not off and not message.get("reasoning_content"):
        raise _openai(
            "The `reasoning_content` in the thinking mode must be passed back to the API.",
            code="invalid_request_error",
        )
    if provider == "gemini" and called:
        state = (message["tool_calls"][0].get("extra_content") or {}).get("google") or {}
        if not state.get("thought_signature"):
            name = message["tool_calls"][0]["function"]["name"]
            raise Rejected(400, _google(_unsigned(name, place)))


def check_gemini(model: str, contents: Sequence[Mapping[str, Any]]) -> None:
    """Raises Rejected for turns that Gemini does not take."""
    calls, previous = 0, "user"
    for place, content in enumerate(contents):
        parts = content.get("parts") or []
        if not parts or not all(_filled(part) for part in parts):
            raise Rejected(400, _google(
                "Unable to submit request because it must have a text parameter. Add a text parameter and try again."
            ))  # fmt: skip
        called = list(_named(parts, "functionCall", "function_call"))
        results = len(list(_named(parts, "functionResponse", "function_response")))
        if (results or calls) and results != calls:
            raise Rejected(400, _google(
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            ))  # fmt: skip
        if called and previous == "model":
            raise Rejected(400, _google(
                "Please ensure that function call turn comes immediately after a user turn or after a function "
                "response turn."
            ))  # fmt: skip
        signed = any("thoughtSignature" in part or "thought_signature" in part for part in parts)
        if called and "gemini-3" in model and not signed:
            raise Rejected(400, _google(_unsigned(str(called[0].get("name")), place)))
        calls, previous = len(called), str(content.get("role") or "user")


def _filled(part: Mapping[str, Any]) -> bool:
    return any(value not in (None, "", {}) for name, value in part.items() if "hought" not in name)


def _named(parts: Sequence[Mapping[str, Any]], *names: str) -> Iterator[Mapping[str, Any]]:
    return (part[name] for part in parts for name in names if name in part)


def _unsigned(name: str, place: int) -> str:
    return (
        "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
        "correctly, and missing thought_signature may lead to degraded model performance. Additional data, function "
        f"call `default_api:{name}` , position {place}. Please refer to "
        "https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
    )


def _openai(message: str, *, param: str | None = None, code: str | None = None) -> Rejected:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Rejected(400, {"error": error})


def _google(message: str) -> dict[str, Any]:
    return {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}
