"""What services that speak OpenAI's chat format want said differently: defaults by address and model, and staff's word.

A provider's `dialect` in the providers file overrides every default:

    max_tokens      the field's name: "max_tokens", or "max_completion_tokens"
    stream_options  whether usage may be asked for in a stream (those that refuse the field send it anyway)
    temperature     whether the field is taken at all
    null_content    whether a message that only calls tools may have `content: null` ("" otherwise)
    call_ids        "any", "mistral" (nine letters and digits) or "openai" (at most 40 characters)
    reasoning       how reasoning is asked for: "effort" (reasoning_effort), "openrouter" (reasoning.effort),
                    "thinking" (thinking.type, as DeepSeek and Z.ai), "none" (not at all)
    state           what it wants back of its own answers: "reasoning_content", "reasoning_details", "google" or ""

Sources: the providers' API references; https://github.com/anomalyco/opencode/issues/1680 (Mistral's ids);
https://ai.google.dev/gemini-api/docs/thought-signatures; https://api-docs.deepseek.com/guides/thinking_mode.
"""

import hashlib
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

ALPHABET = string.digits + string.ascii_letters
CHOICES: Mapping[str, tuple[object, ...]] = {
    "max_tokens": ("max_tokens", "max_completion_tokens"),
    "stream_options": (True, False),
    "temperature": (True, False),
    "null_content": (True, False),
    "call_ids": ("any", "mistral", "openai"),
    "reasoning": ("effort", "openrouter", "thinking", "none"),
    "state": ("", "reasoning_content", "reasoning_details", "google"),
}
# Gemini 3 refuses a call of a tool without the signature that came with it. A call that another model made has none;
# this value is the documented way to say so.
NO_SIGNATURE = "skip_thought_signature_validator"
# DeepSeek refuses an absent and an empty `reasoning_content` beside a call of a tool, and takes a blank one.
NO_REASONING = " "
STATE = ("reasoning_content", "reasoning", "reasoning_details", "extra_content")
_REWORDED = frozenset((*STATE, "tool_call_id"))  # fields of a message that are not passed on as they are
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one model of one provider is spoken to."""

    max_tokens: str = "max_tokens"
    stream_options: bool = True
    temperature: bool = True
    null_content: bool = True
    call_ids: str = "any"
    reasoning: str = "effort"
    state: str = ""


ANY = re.compile(r"")
# (part of the address, pattern of the model's id, what differs); all that match hold, the last one first.
_DEFAULTS: tuple[tuple[str, re.Pattern[str], dict[str, Any]], ...] = (
    ("", re.compile(r"(^|/)(gpt-5|o[1345](-|$))"), {"max_tokens": "max_completion_tokens", "temperature": False}),
    ("", re.compile(r"(^|/)(open-)?(mi[sx]tral|ministral|devstral|codestral|magistral|pixtral)"),
     {"call_ids": "mistral"}),
    ("", re.compile(r"^@cf/"), {"null_content": False}),
    ("", re.compile(r"(^|/)gemini-"), {"state": "google"}),
    ("", re.compile(r"^deepseek-"), {"reasoning": "thinking", "state": "reasoning_content"}),
    ("", re.compile(r"^(deepseek-ai|moonshotai|zai-org|z-ai)/"), {"state": "reasoning_content"}),
    ("", re.compile(r"(^|/)kimi-"), {"state": "reasoning_content"}),
    ("", re.compile(r"^glm-"), {"reasoning": "thinking", "state": "reasoning_content"}),
    ("api.openai.com", ANY, {"max_tokens": "max_completion_tokens", "call_ids": "openai"}),
    ("openai.azure.com", ANY, {"max_tokens": "max_completion_tokens", "call_ids": "openai"}),
    ("mistral", ANY, {"call_ids": "mistral", "stream_options": False}),
    ("cloudflare", ANY, {"null_content": False}),
    ("googleapis.com", ANY, {"state": "google"}),
    ("deepseek", ANY, {"reasoning": "thinking", "state": "reasoning_content"}),
    ("moonshot", ANY, {"reasoning": "thinking", "state": "reasoning_content"}),
    ("api.z.ai", ANY, {"reasoning": "thinking", "state": "reasoning_content"}),
    ("openrouter", ANY, {"reasoning": "openrouter", "state": "reasoning_details"}),
    ("groq", ANY, {"state": ""}),  # refuses unknown fields of a message
)  # fmt: skip
# The efforts that a model knows, where it does not know them all.
_EFFORTS = (
    (re.compile(r"gpt-oss"), ("low", "medium", "high")),
    (re.compile(r"(^|/)gemini-3"), ("minimal", "low", "medium", "high")),
)


def dialect_of(base_url: str, model: str, stated: Mapping[str, Any]) -> Dialect:
    """How to speak to a model. stated: the provider's `dialect` as staff wrote it."""
    usual = _usual(base_url, model)
    if not stated:
        return usual
    known = {name: value for name, value in stated.items() if name in CHOICES}
    return replace(usual, **known) if known else usual


@lru_cache(1024)
def _usual(base_url: str, model: str) -> Dialect:
    values: dict[str, Any] = {}
    for address, pattern, differs in _DEFAULTS:
        if address in base_url and pattern.search(model.lower()):
            values |= differs
    return Dialect(**values)


# -- messages --------------------------------------------------------------------------------------


def messages_for(
    dialect: Dialect, messages: Sequence[Mapping[str, Any]], *, thinks: bool = True
) -> list[Mapping[str, Any]]:
    """The messages as this service takes them. State of other providers' answers stays behind."""
    if dialect.call_ids == "mistral":  # which refuses an answer that says nothing
        messages = [each for each in messages if not _is_empty_answer(each)]
    return [_message(dialect, message, thinks=thinks) for message in messages]


def _is_empty_answer(message: Mapping[str, Any]) -> bool:
    return message.get("role") == "assistant" and not (message.get("content") or message.get("tool_calls"))


def _message(dialect: Dialect, message: Mapping[str, Any], *, thinks: bool) -> Mapping[str, Any]:
    if message.get("role") != "assistant" and _REWORDED.isdisjoint(message):
        return message
    said = {name: value for name, value in message.items() if name not in STATE}
    if "tool_call_id" in said:
        said["tool_call_id"] = call_id(dialect, str(said["tool_call_id"]))
    if message.get("role") != "assistant":
        return said
    calls = [call for call in message.get("tool_calls") or () if isinstance(call, Mapping)]
    if "tool_calls" in said:
        said["tool_calls"] = [_call(dialect, call, first=number == 0) for number, call in enumerate(calls)]
    if said.get("content") is None and not dialect.null_content:
        said["content"] = ""
    return said | _state(dialect, message, called=bool(calls), thinks=thinks)


def _state(dialect: Dialect, message: Mapping[str, Any], *, called: bool, thinks: bool) -> dict[str, Any]:
    """What of an answer's state goes back to where it came from."""
    if dialect.state == "reasoning_content":
        told = message.get("reasoning_content") or message.get("reasoning")
        if isinstance(told, str) and told:
            return {"reasoning_content": told}
        return (
            {"reasoning_content": NO_REASONING}
            if called and thinks and dialect.reasoning == "thinking"
            else {}
        )
    if dialect.state == "reasoning_details" and isinstance(message.get("reasoning_details"), list):
        return {"reasoning_details": message["reasoning_details"]}
    if dialect.state == "google" and (extra := google_state(message)):
        return {"extra_content": extra}
    return {}


def _call(dialect: Dialect, call: Mapping[str, Any], *, first: bool) -> dict[str, Any]:
    said = {name: value for name, value in call.items() if name != "extra_content"}
    said["id"] = call_id(dialect, str(call.get("id") or ""))
    function = said.get("function")
    if isinstance(function, Mapping) and function.get("arguments") in (
        None,
        "",
    ):  # no JSON, so many refuse it
        said["function"] = {**function, "arguments": "{}"}
    if dialect.state == "google":
        if extra := google_state(call):
            said["extra_content"] = extra
        elif first:  # of several calls at once only the first is signed
            said["extra_content"] = {"google": {"thought_signature": NO_SIGNATURE}}
    return said


def google_state(told: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `extra_content` that is Google's, under either of its names."""
    extra = told.get("extra_content")
    found = {name: extra.get(name) for name in ("google", "vertex")} if isinstance(extra, Mapping) else {}
    return {name: value for name, value in found.items() if isinstance(value, Mapping)}


def call_id(dialect: Dialect, id: str) -> str:
    """An id of a call as the service takes it, and the same one each time."""
    if dialect.call_ids == "mistral" and not re.fullmatch(r"[a-zA-Z0-9]{9}", id):
        number = int.from_bytes(hashlib.sha256(id.encode()).digest()[:8], "big")
        letters = []
        for _ in range(9):
            number, place = divmod(number, len(ALPHABET))
            letters.append(ALPHABET[place])
        return "".join(letters)
    if dialect.call_ids == "openai" and len(id) > 40:
        return "call_" + hashlib.sha256(id.encode()).hexdigest()[:24]
    return id


# -- reasoning -------------------------------------------------------------------------------------


def with_reasoning(
    dialect: Dialect,
    model: str,
    params: Mapping[str, Any],
    *,
    effort: str | None,
    shown: bool | None,
    groq: bool,
) -> Mapping[str, Any]:
    """The parameters with the caller's wish for reasoning, in the service's words.

    effort: one of EFFORTS, None for the model's own setting. shown: whether the reasoning is to come along; None: it
    is when an effort was named.
    """
    if effort is None and shown is None:
        return params
    found = dict(params)
    if shown is None:
        shown = effort != "none"
    if dialect.reasoning == "effort":
        if effort is not None:
            found["reasoning_effort"] = _nearest(effort, model, groq=groq)
        if "reasoning_format" in found:
            found["reasoning_format"] = "parsed" if shown else "hidden"
        elif "include_reasoning" in found:
            found["include_reasoning"] = shown
    elif dialect.reasoning == "openrouter":
        wish = dict(found["reasoning"]) if isinstance(found.get("reasoning"), Mapping) else {}
        found["reasoning"] = wish | ({"effort": effort} if effort else {}) | {"exclude": not shown}
    elif dialect.reasoning == "thinking" and effort is not None:
        found["thinking"] = {"type": "disabled" if effort == "none" else "enabled"}
        if effort in ("xhigh", "max"):
            found["reasoning_effort"] = "max"
    return found


def _nearest(effort: str, model: str, *, groq: bool) -> str:
    if groq and "qwen" in model.lower():  # knows none and default alone
        return "none" if effort == "none" else "default"
    for pattern, known in _EFFORTS:
        if pattern.search(model.lower()) and effort in EFFORTS:
            place = EFFORTS.index(effort)
            return min(known, key=lambda each: abs(EFFORTS.index(each) - place))
    return effort


def thinks(params: Mapping[str, Any]) -> bool:
    """Whether parameters leave a model its reasoning; what they do not say is left to it."""
    if not params:
        return True
    thinking, reasoning = params.get("thinking"), params.get("reasoning")
    return not (
        params.get("reasoning_effort") == "none"
        or (isinstance(thinking, Mapping) and thinking.get("type") == "disabled")
        or (
            isinstance(reasoning, Mapping)
            and (reasoning.get("effort") == "none" or reasoning.get("enabled") is False)
        )
        or params.get("enable_thinking") is False
    )
