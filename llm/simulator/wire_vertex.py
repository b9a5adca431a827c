"""The wire format of Gemini on Vertex AI: generateContent and streamGenerateContent."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from llm.simulator.limits import Denial, ProviderStatus
from llm.simulator.strict import check_gemini
from llm.simulator.tokens import count_tokens
from llm.simulator.wire import Answer, Ask, Events, Reply, dump, pieces_of

JSON = {"content-type": "application/json; charset=UTF-8"}
FINISH = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
STATUSES = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 502: "UNAVAILABLE", 503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}  # fmt: skip
SIGNATURE = "c2ln"  # base64, as Google sends it
METRICS = {
    "rpm": "generate_content_requests_per_minute_per_project_per_base_model",
    "tpm": "generate_content_input_tokens_per_minute_per_base_model",
    "rpd": "generate_content_requests_per_day_per_project_per_base_model",
    "tpd": "generate_content_input_tokens_per_day_per_base_model",
}


class VertexWire:
    """Candidates, whole or in server-sent events."""

    def whole(self, ask: Ask, answer: Answer) -> bytes:
        parts = [{"text": answer.reasoning, "thought": True}] if answer.reasoning else []
        parts += [{"text": answer.text}] if answer.text else _calls(answer)
        return dump(_response(ask, answer, parts, finish=answer.finish, usage=True))

    def events(self, ask: Ask, answer: Answer) -> Events:
        """The last piece of text does not end a stream: an event of its own brings reason and usage."""
        return Events(
            opening=[
                _event(_response(ask, answer, [{"text": piece, "thought": True}]))
                for piece in pieces_of(answer.reasoning)
            ],
            pieces=[_event(_response(ask, answer, [{"text": piece}])) for piece in pieces_of(answer.text)],
            closing=[_event(_response(ask, answer, _calls(answer), finish=answer.finish, usage=True))]
            if answer.finish
            else [],
            done=[],
        )

    def finished_early(self, ask: Ask, answer: Answer, piece: bytes) -> bytes:
        event = json.loads(piece.removeprefix(b"data: "))
        event["candidates"][0]["finishReason"] = FINISH.get(answer.finish or "", "STOP")
        event["usageMetadata"] = {"promptTokenCount": answer.prompt_tokens, "candidatesTokenCount": 1,
                                  "totalTokenCount": answer.prompt_tokens + 1}  # fmt: skip
        return _event(event)

    def error(self, status: int, message: str) -> dict[str, Any]:
        return {"error": {"code": status, "message": message, "status": STATUSES.get(status, "UNKNOWN")}}

    def hidden(self, ask: Ask, thought: str) -> tuple[str, str]:
        return "", thought

    def keepalive(self, ask: Ask) -> bytes:
        return b"\r\n"

    def unauthorised(self, provider: str, *, missing: bool) -> Reply:
        text = "Request is missing required authentication credential." if missing else (
            "Request had invalid authentication credentials. Expected OAuth 2 access token."
        )  # fmt: skip
        return Reply(status=401, headers=JSON, body=dump(self.error(401, text)))

    def denied(self, ask: Ask, denial: Denial, now: float) -> Reply:
        """The project's own quota. The capacity that all projects share is the payload vertex-429-dsq."""
        text = (
            f"Quota exceeded for aiplatform.googleapis.com/{METRICS.get(denial.window, denial.window)} "
            f"with base model: {ask.model}. Please submit a quota increase request. "
            "https://cloud.google.com/vertex-ai/docs/generative-ai/quotas-genai."
        )
        return Reply(status=429, headers=JSON, body=dump(self.error(429, text)))

    def rate_headers(self, ask: Ask, standing: ProviderStatus) -> dict[str, str]:
        return {}

    def models(self, ids: Sequence[str]) -> Reply:
        listed = [{"name": f"publishers/google/models/{name}", "versionId": "default"} for name in ids]
        return Reply(status=200, headers=JSON, body=dump({"publisherModels": listed}))


def read(
    provider: str, credential: str, body: Mapping[str, Any], *, model: str, location: str, stream: bool
) -> Ask:
    """The request in a body of generateContent. Raises ValueError with the provider's complaint."""
    contents = body.get("contents")
    if not isinstance(contents, list) or not all(isinstance(each, dict) for each in contents):
        raise ValueError("Unable to submit request because at least one contents field is required.")
    check_gemini(model, contents)
    texts = [(content.get("role"), _text(content)) for content in contents]
    system = body.get("systemInstruction")
    prompt = "\n".join([*([_text(system)] if isinstance(system, dict) else []), *(text for _, text in texts)])
    config = body.get("generationConfig")
    config = config if isinstance(config, dict) else {}
    limit = config.get("maxOutputTokens")
    return Ask(
        provider=provider,
        credential=credential,
        model=model,
        location=location,
        stream=stream,
        prompt=prompt,
        user=next((text for role, text in reversed(texts) if role in {"user", None}), ""),
        prompt_tokens=count_tokens(prompt),
        max_tokens=limit if isinstance(limit, int) else None,
        wants_json=config.get("responseMimeType") == "application/json",
        schema=config.get("responseJsonSchema") or config.get("responseSchema"),
        body=body,
    )


def _response(
    ask: Ask, answer: Answer, parts: list[dict[str, Any]], *, finish: str | None = None, usage: bool = False
) -> dict[str, Any]:
    content: dict[str, Any] = {"role": "model", "parts": parts} if parts else {"role": "model"}
    candidate: dict[str, Any] = {"content": content, "index": 0}
    if finish:
        candidate["finishReason"] = FINISH.get(finish, finish)
    response: dict[str, Any] = {"candidates": [candidate], "modelVersion": ask.model,
                                "responseId": f"sim{answer.serial}"}  # fmt: skip
    if usage:
        counts = {
            "promptTokenCount": answer.prompt_tokens,
            "candidatesTokenCount": answer.completion_tokens - answer.reasoning_tokens,
            "totalTokenCount": answer.prompt_tokens + answer.completion_tokens,
        }
        if answer.reasoning_tokens:
            counts["thoughtsTokenCount"] = answer.reasoning_tokens
        response["usageMetadata"] = counts
    return response


def _calls(answer: Answer) -> list[dict[str, Any]]:
    """The calls, of which Gemini signs the first."""
    calls: list[dict[str, Any]] = [
        {"functionCall": {"name": name, "args": json.loads(arguments) if answer.how != "cut" else {}}}
        for name, arguments in answer.tools
    ]
    if calls:
        calls[0]["thoughtSignature"] = SIGNATURE
    return calls


def _text(content: Mapping[str, Any]) -> str:
    parts = content.get("parts")
    return "".join(str(part.get("text") or "") for part in parts or [] if isinstance(part, dict))


def _event(value: object) -> bytes:
    return b"data: " + dump(value) + b"\r\n\r\n"
