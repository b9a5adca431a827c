"""The wire format of OpenAI, and of everyone who copied it: Groq, DeepSeek, OpenRouter, Hugging Face, …"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from llm.simulator.limits import Denial, ProviderStatus, go_duration
from llm.simulator.strict import check_openai
from llm.simulator.tokens import count_tokens
from llm.simulator.wire import Answer, Ask, Events, Reply, dump, pieces_of

JSON = {"content-type": "application/json"}
WINDOWS = {
    "rpm": "requests per minute (RPM)", "rpd": "requests per day (RPD)",
    "tpm": "tokens per minute (TPM)", "tpd": "tokens per day (TPD)",
}  # fmt: skip
ERROR_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 402: "insufficient_balance",
    403: "permissions_error", 404: "invalid_request_error", 429: "rate_limit_error",
}  # fmt: skip
SIGNATURE = "c2lnbmF0dXJl"  # of Gemini, which wants it back
DIMENSIONS = 32  # of a vector
MODEL_NAMES_CREATED = 1_780_000_000  # epoch seconds


class OpenAIWire:
    """Chat completions and their events."""

    def whole(self, ask: Ask, answer: Answer) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
        if answer.text == "" and answer.finish != "content_filter":
            message["content"] = ""
        if answer.reasoning:
            message[_reasoning_field(ask)] = answer.reasoning
        if answer.tools:
            message["tool_calls"] = [_tool_call(ask, answer, place) for place in range(len(answer.tools))]
            if answer.how == "twice":
                message["tool_calls"] *= 2
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish}
        body = {**_base(ask, answer, "chat.completion"), "choices": [choice], "usage": _usage(answer)}
        if ask.provider == "groq":
            body["x_groq"] = {"id": f"req_sim{answer.serial}"}
        return dump(body)

    def events(self, ask: Ask, answer: Answer) -> Events:
        base = _base(ask, answer, "chat.completion.chunk")
        opening: dict[str, Any] = {**base, "choices": [_choice({"role": "assistant", "content": ""})]}
        if ask.provider == "groq":
            opening["x_groq"] = {"id": f"req_sim{answer.serial}"}
        thoughts = [
            {**base, "choices": [_choice({_reasoning_field(ask): piece})]}
            for piece in pieces_of(answer.reasoning)
        ]
        thoughts += [{**base, "choices": [_choice({"tool_calls": [d]})]} for d in _tool_deltas(ask, answer)]
        closing = {**base, "choices": [_choice({}, answer.finish)]} if answer.finish else None
        usage = _usage(answer)
        if closing and ask.provider == "groq":
            closing["x_groq"] = {"id": f"req_sim{answer.serial}", "usage": usage}
        if closing and ask.provider == "deepseek":
            closing["usage"] = usage
        options = ask.body.get("stream_options")
        wants_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        with_usage = {**base, "choices": [], "usage": usage} if wants_usage and closing else None
        # A template for the pieces: they differ in their text only, and are the bulk of a stream.
        before, after = dump({**base, "choices": [_choice({"content": "\0"})]}).split(b'"\\u0000"')
        return Events(
            opening=[_event(each) for each in (opening, *thoughts)],
            pieces=[b"data: %b%b%b\n\n" % (before, dump(piece), after) for piece in pieces_of(answer.text)],
            closing=[_event(each) for each in (closing, with_usage) if each],
            done=[b"data: [DONE]\n\n"],
        )

    def finished_early(self, ask: Ask, answer: Answer, piece: bytes) -> bytes:
        event = json.loads(piece.removeprefix(b"data: "))
        event["choices"][0]["finish_reason"] = answer.finish
        event["usage"] = {"prompt_tokens": answer.prompt_tokens, "completion_tokens": 1,
                          "total_tokens": answer.prompt_tokens + 1}  # fmt: skip
        return _event(event)

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind = ERROR_TYPES.get(status, "internal_server_error" if status >= 500 else "invalid_request_error")
        return {"error": {"message": message, "type": kind, "code": status}}

    def hidden(self, ask: Ask, thought: str) -> tuple[str, str]:
        return f"<think>\n{thought}", ""

    def keepalive(self, ask: Ask) -> bytes:
        return b": keep-alive\n\n" if ask.stream else b"\n"

    def unauthorised(self, provider: str, *, missing: bool) -> Reply:
        """Each provider's own words (as recorded)."""
        words: dict[str, Any] = {
            "openrouter": {
                "message": "No auth credentials found" if missing else "User not found.", "code": 401,
            },
            "huggingface": "Invalid credentials in Authorization header",
            "deepseek": {
                "message": "Authentication Fails, Your api key: ****here is invalid",
                "type": "authentication_error", "param": None, "code": "invalid_request_error",
            },
        }  # fmt: skip
        groq = {"message": "Invalid API Key", "type": "invalid_request_error", "code": "invalid_api_key"}
        return Reply(status=401, headers=JSON, body=dump({"error": words.get(provider, groq)}))

    def denied(self, ask: Ask, denial: Denial, now: float) -> Reply:
        if ask.provider == "openrouter" and denial.window in {"rpm", "rpd"}:
            return _denied_by_openrouter(denial, now)
        return _denied(ask, denial)

    def rate_headers(self, ask: Ask, standing: ProviderStatus) -> dict[str, str]:
        """Groq's, on every answer: requests are those of the day, tokens those of the minute."""
        if ask.provider != "groq":
            return {}
        return {
            "x-ratelimit-limit-requests": str(standing.limit_requests),
            "x-ratelimit-limit-tokens": str(standing.limit_tokens),
            "x-ratelimit-remaining-requests": str(standing.remaining_requests),
            "x-ratelimit-remaining-tokens": str(standing.remaining_tokens),
            "x-ratelimit-reset-requests": go_duration(standing.reset_requests_s),
            "x-ratelimit-reset-tokens": go_duration(standing.reset_tokens_s),
        }

    def models(self, ids: Sequence[str]) -> Reply:
        data = [
            {"id": name, "object": "model", "created": MODEL_NAMES_CREATED, "owned_by": "simulator",
             "active": True}
            for name in ids
        ]  # fmt: skip
        return Reply(status=200, headers=JSON, body=dump({"object": "list", "data": data}))


def read(provider: str, credential: str, body: Mapping[str, Any]) -> Ask:
    """The request in a body of `POST …/chat/completions`. Raises ValueError with the provider's complaint."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise ValueError("'messages' : minimum number of items is 1")
    if not isinstance(body.get("model"), str):
        raise ValueError("'model' : property 'model' is missing")
    check_openai(provider, body["model"], body)
    texts = [(message.get("role"), _text(message.get("content"))) for message in messages]
    prompt = "\n".join(text for _, text in texts)
    wanted = body.get("response_format")
    wanted = wanted if isinstance(wanted, dict) else {}
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    return Ask(
        provider=provider,
        credential=credential,
        model=body["model"],
        location=None,
        stream=bool(body.get("stream")),
        prompt=prompt,
        user=next((text for role, text in reversed(texts) if role == "user"), ""),
        prompt_tokens=count_tokens(prompt),
        max_tokens=limit if isinstance(limit, int) else None,
        wants_json=wanted.get("type") in {"json_object", "json_schema"},
        schema=(wanted.get("json_schema") or {}).get("schema"),
        body=body,
    )


def organisation(account: str) -> str:
    """The id that refusals give an account, like Groq's: the account itself if it looks like one."""
    if account.startswith("org_"):
        return account
    return "org_01" + hashlib.sha256(account.encode()).hexdigest()[:24]


def _denied(ask: Ask, denial: Denial) -> Reply:
    groq = ask.provider == "groq"
    tier = "service tier `on_demand` " if groq else ""
    owner = organisation(denial.account)
    where = f"for model `{ask.model}` in organization `{owner}` {tier}on {WINDOWS.get(denial.window, denial.window)}"
    upgrade = (
        "Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"
        if groq
        else "Raise the limits of your account to continue."
    )
    headers = dict(JSON)
    if denial.wait_s is None:
        status = 413
        text = (
            f"Request too large {where}: Limit {denial.limit}, Requested {denial.requested}, "
            f"please reduce your message size and try again. {upgrade}"
        )
    else:
        status = 429
        text = (
            f"Rate limit reached {where}: Limit {denial.limit}, Used {denial.used}, "
            f"Requested {denial.requested}. Please try again in {go_duration(denial.wait_s)}. {upgrade}"
        )
        headers["retry-after"] = str(ceil(denial.wait_s))
    kind = "requests" if denial.window in {"rpm", "rpd"} else "tokens"
    error: dict[str, Any] = {"message": text, "type": kind, "code": "rate_limit_exceeded"}
    return Reply(status=status, headers=headers, body=dump({"error": error}))


def _denied_by_openrouter(denial: Denial, now: float) -> Reply:
    per = "day" if denial.window == "rpd" else "min"
    advice = "Add 10 credits to unlock 1000 free model requests per day" if per == "day" else ""
    headers = {
        "X-RateLimit-Limit": str(denial.limit),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(ceil((now + (denial.wait_s or 0)) * 1000)),
    }
    error = {
        "message": f"Rate limit exceeded: free-models-per-{per}. {advice}",
        "code": 429,
        "metadata": {"headers": headers, "provider_name": None},
    }
    body = dump({"error": error, "user_id": "user_simulated"})
    return Reply(status=429, headers={**JSON, **headers}, body=body)


def _base(ask: Ask, answer: Answer, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-sim{answer.serial}",
        "object": kind,
        "created": 1_790_000_000 + answer.serial,
        "model": ask.model,
    }


def _choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _tool_call(ask: Ask, answer: Answer, place: int) -> dict[str, Any]:
    name, arguments = answer.tools[place]
    function = {"name": name, "arguments": json.loads(arguments) if answer.how == "object" else arguments}
    number = f"{place or ''}"
    call: dict[str, Any] = {
        "id": f"call_sim{answer.serial}{number}",
        "type": "function",
        "function": function,
    }
    if ask.provider == "gemini" and place == 0:  # only the first of several calls is signed
        call["extra_content"] = {"google": {"thought_signature": SIGNATURE}}
    return call


def _tool_deltas(ask: Ask, answer: Answer) -> list[dict[str, Any]]:
    """The calls in pieces, as a stream brings them: a name first, then its arguments bit by bit; or as `how` says."""
    found: list[dict[str, Any]] = []
    for place, (name, arguments) in enumerate(answer.tools):
        index = {} if answer.how == "no_index" else {"index": 0 if answer.how == "same_index" else place}
        whole = _tool_call(ask, answer, place)
        if answer.how in ("object", "twice"):
            found += [{**index, **whole}] * (2 if answer.how == "twice" else 1)
            continue
        named = {"name": name} if answer.how == "name_repeated" else {}
        id = {"id": whole["id"]} if answer.how == "no_index" else {}
        found.append({**index, **whole, "function": {"name": name, "arguments": ""}})
        found += [
            {**index, **id, "function": {**named, "arguments": piece}} for piece in pieces_of(arguments)
        ]
    return found


def vectors(body: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """An answer to a request for embeddings, and its tokens: as many numbers as are asked for, or DIMENSIONS.

    The same text has the same vector with every provider, as one family of models has it. Raises ValueError.
    """
    texts = body.get("input")
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise ValueError("'input' must be a text or a list of texts.")
    size = body.get("dimensions", DIMENSIONS)
    if not isinstance(size, int) or not 0 < size <= DIMENSIONS:
        raise ValueError(f"'dimensions' must be at most {DIMENSIONS}.")
    data = [
        {"object": "embedding", "index": place, "embedding": [
            byte / 255 for byte in hashlib.sha256(text.encode()).digest()[:size]
        ]}
        for place, text in enumerate(texts)
    ]  # fmt: skip
    tokens = sum(count_tokens(text) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": body.get("model"), "data": data, "usage": usage}, tokens


def _usage(answer: Answer) -> dict[str, Any]:
    usage: dict[str, Any] = {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
        **answer.usage,
    }
    if answer.reasoning_tokens:
        usage["completion_tokens_details"] = {"reasoning_tokens": answer.reasoning_tokens}
    return usage


def _reasoning_field(ask: Ask) -> str:
    return "reasoning" if ask.provider in ("groq", "openrouter", "cerebras") else "reasoning_content"


def _text(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _event(value: object) -> bytes:
    return b"data: " + dump(value) + b"\n\n"
