"""Reads the arguments of `complete` and `stream` into a CallSpec. Raises ValueError for every argument that is wrong.

Nothing is sent, reserved or stored before all of it has been read.
"""

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from django.conf import settings

from llm.calls import tokens
from llm.calls.fitting import UNKNOWN_MAX_OUTPUT
from llm.calls.spec import CallSpec
from llm.calls.terms import DataPolicy, needs
from llm.models import Client
from llm.text import sendable

MOST_TOKENS = 1_000_000_000  # what a column of 32 bits holds, and more than any model writes
MOST_DEADLINE_S = 7 * 86_400.0
MOST_USD = Decimal(10) ** 8
# The chain sets these itself: money and quotas are reserved by them.
OURS = {"model", "messages", "stream", "max_tokens", "max_completion_tokens", "max_output_tokens", "best_of"}
_NUMBERS = (int, float, Decimal)
ON_CONTENT_BLOCK, ON_BROKEN_STREAM = ("next", "error"), ("restart", "error", "continue")


def read_messages(user: Any, system: Any, messages: Any) -> list[dict[str, Any]]:
    """The call's messages, without characters that no database takes. Raises ValueError."""
    if messages is None:
        for name, text in (("user", user), ("system", system)):
            if text is not None and not isinstance(text, str):
                _refuse(name, "must be a str")
        messages = [{"role": "system", "content": system}] if system else []
        messages = [*messages, {"role": "user", "content": user or ""}]
    if isinstance(messages, (str, bytes)) or not isinstance(messages, Sequence):
        _refuse("messages", "must be a list of messages")
    found = [_message(message, f"messages[{place}]") for place, message in enumerate(messages)]
    for message in found:
        if message.get("content"):
            return found
    raise ValueError("there is nothing to ask: give user or messages")


def read_params(params: Any) -> dict[str, Any]:
    """Parameters that go to the provider as they are: JSON, and none of those that the chain sets."""
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        _refuse("params", "must be a mapping")
    if not params:
        return {}
    found: dict[str, Any] = sendable(params, "params")
    if ours := sorted(OURS & found.keys()):
        _refuse(f"params[{ours[0]!r}]", "is set by the chain: use its own argument")
    if found.get("n") not in (None, 1):
        _refuse("params['n']", "must be 1: a call has one answer")
    _check_format(found.get("response_format"))
    _check_tools(found.get("tools"))
    return found


def read_want(
    messages: Sequence[Mapping[str, Any]],
    params: Mapping[str, Any],
    *,
    lang: str,
    max_tokens: Any,
    max_usd: Any,
    providers: Any,
    tiers: Any,
    models: Any,
    use: Any,
    client: Any,
) -> CallSpec:
    """What a call needs, for the plan. Raises ValueError."""
    if use is not None and not isinstance(use, DataPolicy):
        _refuse("use", "must be a llm.calls.terms.DataPolicy")
    if client is not None and not isinstance(client, Client):
        _refuse("client", "must be a llm.models.Client")
    estimated = tokens.estimate(messages, params)
    return CallSpec(
        tokens_in=round(estimated * tokens.correction(lang)),
        estimated_in=estimated,
        most_in=tokens.most(messages, params),
        max_tokens=default_max_tokens() if max_tokens is None else _tokens(max_tokens),
        named=max_tokens is not None,
        providers=None if providers is None else _names(providers, "providers"),
        tiers=None if tiers is None else frozenset(_usd(tier, "tiers") for tier in _listed(tiers, "tiers")),
        max_usd=None if max_usd is None else _usd(max_usd, "max_usd"),
        models=None if models is None else _names(models, "models"),
        needs=needs(messages, params),
        use=use,
        client=client.name if client else "",
        client_budget_usd=client.daily_budget_usd if client else None,
    )


def check(
    *,
    purpose: Any,
    lang: Any,
    temperature: Any,
    deadline_s: Any,
    accept: Any,
    on_content_block: Any,
    on_broken_stream: Any,
) -> None:
    """The arguments that are taken as they are. Raises ValueError."""
    if not isinstance(purpose, str):
        _refuse("purpose", "must be a str")
    if not isinstance(lang, str):
        _refuse("lang", "must be a str")
    if not _is_number(deadline_s) or not 0 < deadline_s <= MOST_DEADLINE_S:
        _refuse("deadline_s", f"must be seconds above 0, and {MOST_DEADLINE_S:.0f} at most")
    if temperature is not None and not (_is_number(temperature) and 0 <= temperature <= 2):
        _refuse("temperature", "must be a number from 0 to 2")
    if accept is not None and not callable(accept):
        _refuse("accept", "must be callable")
    if on_content_block not in ON_CONTENT_BLOCK:
        _refuse("on_content_block", f"must be one of {', '.join(ON_CONTENT_BLOCK)}")
    if on_broken_stream not in ON_BROKEN_STREAM:
        _refuse("on_broken_stream", f"must be one of {', '.join(ON_BROKEN_STREAM)}")


def default_max_tokens() -> int:
    """Of a call that names none: LLM_MAX_TOKENS, or what nearly every model writes at most. See `plan.fitted`."""
    return int(getattr(settings, "LLM_MAX_TOKENS", None) or UNKNOWN_MAX_OUTPUT)


# -- values ----------------------------------------------------------------------------------------------


def _refuse(name: str, why: str) -> NoReturn:
    raise ValueError(f"{name} {why}")


def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool) and math.isfinite(value)


def _tokens(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_TOKENS:
        _refuse("max_tokens", f"must be a whole number from 1 to {MOST_TOKENS}")
    return value


def _usd(value: Any, name: str) -> Decimal:
    """A decimal from 0 on; a str may hold one."""
    try:
        found = Decimal(str(value)) if isinstance(value, str) or _is_number(value) else Decimal("NaN")
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or not 0 <= found <= MOST_USD:
        _refuse(name, "must be a number of at least 0")
    return found


def _listed(values: Any, name: str) -> list[Any]:
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
        _refuse(name, "must be a list")
    return list(values)


def _names(values: Any, name: str) -> frozenset[str]:
    found = _listed(values, name)
    if not all(isinstance(value, str) for value in found):
        _refuse(name, "must be a list of str")
    return frozenset(found)


def _message(message: Any, place: str) -> dict[str, Any]:
    is_mapping = type(message) is dict or isinstance(message, Mapping)
    if not (is_mapping and isinstance(message.get("role"), str)):
        _refuse(place, "must be a mapping with a role")
    found: dict[str, Any] = sendable(message, place)
    content = found.get("content")
    if content is not None and not isinstance(content, (str, list)):
        _refuse(f"{place}['content']", "must be a str or a list of parts")
    for part in content if isinstance(content, list) else ():
        if not isinstance(part, dict) or not isinstance(part.get("type", "text"), str):
            _refuse(f"{place}['content']", "must hold parts with a type")
        if part.get("type", "text") == "text" and not isinstance(part.get("text"), str):
            _refuse(f"{place}['content']", "must hold parts of text with a str")
    calls = found.get("tool_calls")
    if calls is not None and not (isinstance(calls, list) and all(map(_is_call, calls))):
        _refuse(f"{place}['tool_calls']", "must be a list of calls of functions")
    for call in calls or ():
        if isinstance(arguments := call["function"].get("arguments"), dict):
            call["function"]["arguments"] = json.dumps(arguments, ensure_ascii=False)
    return found


def _is_call(call: Any) -> bool:
    function = call.get("function") if isinstance(call, dict) else None
    return isinstance(function, dict) and isinstance(function.get("name"), str)


def _check_tools(tools: Any) -> None:
    if tools is not None and not (isinstance(tools, list) and all(map(_is_tool, tools))):
        _refuse("params['tools']", "must be a list of tools; a function has a name")


def _is_tool(tool: Any) -> bool:
    if not isinstance(tool, dict):
        return False
    function = tool.get("function")
    if function is None:
        return isinstance(tool.get("type"), str) and tool["type"] != "function"
    return isinstance(function, dict) and isinstance(function.get("name"), str) and bool(function["name"])


def _check_format(value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        _refuse("params['response_format']", "must be a mapping with a type")
    schema = value.get("json_schema")
    if schema is not None and not isinstance(schema, dict):
        _refuse("params['response_format']['json_schema']", "must be a mapping")
    if schema is not None and not isinstance(schema.get("schema") or {}, dict):
        _refuse("params['response_format']['json_schema']['schema']", "must be a mapping")
