"""Reads an answer in OpenAI's shape: the chunks of a stream one by one, or a whole body as the only one."""

import json
import re
from collections.abc import Mapping
from typing import Any

from llm.adapters.answers.decoding import decoded
from llm.adapters.answers.finish import Ending, Finish
from llm.adapters.answers.sse import EventParser
from llm.adapters.answers.toolcalls import ToolCalls, names_of, written
from llm.adapters.answers.usage import Usage, note_openai
from llm.adapters.answers.visible import Leaked, Piece, Visible
from llm.adapters.base import Answer, Request
from llm.failures.kinds import Failure, Kind
from llm.failures.rules import classify

MAX_CHARACTERS = 2_000_000  # of text, reasoning and arguments: more than any model writes in one answer
_REASONING = ("reasoning_content", "reasoning", "reasoning_text", "thinking")


class Reading:
    """One answer as it is read. `started`: something of it has come, if only reasoning."""

    def __init__(self, request: Request, *, whole: bool = False) -> None:
        self.ending = Ending()
        self.usage = Usage()
        tools = request.params.get("tools")
        self.tools = ToolCalls(names_of(tools) if tools else ())
        self.visible = Visible(
            request.model,
            whole=whole,
            thinks=whole or request.thinks,  # which a whole text tells by itself
            goes_on=request.messages[-1].get("role") == "assistant",
            named=request.says,
        )
        self.output = request.output
        self.started = False
        self.said = False  # whether the latest chunk brought some of the answer
        self._whole = whole
        self._index: object = None
        self._refusal = ""
        self._details: list[dict[str, Any]] = []
        self._extra: dict[str, Any] = {}
        self._size = 0

    def feed(self, chunk: Mapping[str, Any]) -> list[Piece]:
        """The pieces that a chunk brings. Raises Failure."""
        found: list[Piece] = []
        self.said = False
        if chunk.get("error") or chunk.get("object") == "error":
            raise error_in_body(chunk if chunk.get("error") else {"error": dict(chunk)})
        if reason := block_reason(chunk):
            raise Failure(Kind.CONTENT_BLOCKED, f"prompt blocked: {reason}", status=200)
        if stated := chunk.get("usage"):
            self._count(stated)
        if isinstance(beside := chunk.get("x_groq"), dict) and (stated := beside.get("usage")):
            self._count(stated)
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and self._is_first(choice.get("index")):
                found += self._choice(choice, chunk)
        return found

    def _count(self, stated: object) -> None:
        note_openai(self.usage, stated)
        self.output.counted(tokens_in=self.usage.tokens_in, tokens_out=self.usage.tokens_out)

    def _is_first(self, index: object) -> bool:
        """One choice was asked for; what a provider says beside it is not read."""
        self._index = index if self._index is None else self._index
        return index in (None, self._index)

    def _choice(self, choice: Mapping[str, Any], chunk: Mapping[str, Any]) -> list[Piece]:
        if choice.get("error") or choice.get("finish_reason") == "error":
            raise error_in_body({"error": choice.get("error") or chunk.get("error")})
        self.ending.note(choice.get("finish_reason"))
        if stated := choice.get("usage"):
            self._count(stated)
        delta = _mapping(choice.get("message" if self._whole else "delta"))
        if not delta and not self._whole and not self.started:  # the whole message as the only chunk
            delta = _mapping(choice.get("message"))
        return self._delta(delta)

    def _delta(self, delta: Mapping[str, Any]) -> list[Piece]:
        content, reasoning = _parts(delta)
        google = (
            _mapping(extra.get("google")) if isinstance(extra := delta.get("extra_content"), dict) else {}
        )
        if google and google.get("thought") is True:
            content, reasoning = "", content + reasoning
        if refusal := delta.get("refusal"):
            self._refusal = self._refusal or str(refusal)
        self.output.wrote(content, reasoning, refusal)
        if calls := _calls(delta):
            if self._whole and isinstance(calls, list):
                calls = [{**call, "index": at} for at, call in enumerate(calls) if isinstance(call, dict)]
            self.output.wrote(*written(calls))
            self.tools.feed(calls)
        details = delta.get("reasoning_details")
        sealed = self._keep_state(details, google) if details or google else False
        self.said = bool(content or reasoning or calls or sealed)
        self.started = self.started or self.said
        self._size += len(content) + len(reasoning) + (len(str(calls)) if calls else 0)
        if self._size > MAX_CHARACTERS:
            raise Failure(
                Kind.PROVIDER_DOWN, f"the answer is longer than {MAX_CHARACTERS} characters", status=200
            )
        try:
            found = self.visible.think(reasoning) if reasoning else []
            return found + self.visible.feed(content) if content else found
        except Leaked:
            raise leaked() from None

    def _keep_state(self, details: object, google: Mapping[str, Any]) -> bool:
        """What the provider wants back with the next turn. Returns whether reasoning came that is encrypted."""
        sealed = False
        for item in details if isinstance(details, list) else ():
            if isinstance(item, dict):
                _join(self._details, item)
                sealed = sealed or bool(item.get("data"))
        if google:
            kept = {name: value for name, value in google.items() if name != "thought"}
            self._extra = {"google": {**_mapping(self._extra.get("google")), **kept}} if kept else self._extra
        return sealed

    def end(self) -> list[Piece]:
        """What was held back, once no more will come. Raises Failure."""
        try:
            return self.visible.finish(cut=self.ending.finish is Finish.LENGTH)
        except Leaked:
            raise leaked() from None

    def answer(self, headers: Mapping[str, str], doubt: str = "") -> Answer:
        """The whole answer. Raises Failure when its ending says that it is none."""
        text, reasoning = self.visible.text, self.visible.reasoning
        if self._refusal and not text:
            raise Failure(Kind.CONTENT_BLOCKED, "finish reason refusal", status=200)
        self.ending.check()
        calls = self.tools.calls()
        state: dict[str, Any] = {}
        if self._details:
            state["reasoning_details"] = self._details
        if self._extra:
            state["extra_content"] = self._extra
        written = text + reasoning
        for call in calls:
            written += call["function"]["arguments"]
        return Answer(
            text=text,
            reasoning=reasoning,
            tool_calls=calls,
            state=state,
            finish_reason=self.ending.word(called=bool(calls)),
            doubt=doubt or self.ending.doubt,
            tokens_in=self.usage.tokens_in,
            tokens_out=self.usage.plausible_out(written),
            tokens_cached=self.usage.tokens_cached,
            headers=headers,
        )


def read_completion(text: str, headers: Mapping[str, str], request: Request) -> Answer:
    """The Answer in the body of a plain 200. Raises Failure when it is none."""
    try:
        body = decoded(text)
    except (ValueError, RecursionError):
        raise Failure(Kind.PROVIDER_DOWN, f"200 with {'no' if not text.strip() else 'a malformed'} body",
                      status=200) from None  # fmt: skip
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        raise Failure(Kind.PROVIDER_DOWN, "200 with a body that is no object", status=200)
    reading = Reading(request, whole=True)
    reading.feed(body)
    choices = body.get("choices")
    if not (isinstance(choices, list) and choices and isinstance(choices[0], dict) and choices[0]):
        raise Failure(Kind.PROVIDER_DOWN, "200 without choices", status=200)
    reading.end()
    return reading.answer(headers)


def are_events(text: str) -> bool:
    """Whether a body that calls itself JSON is a stream of events all the same."""
    return text.lstrip("\ufeff\r\n ").startswith(("data:", "event:", "id:", "retry:", ":"))


def read_events(text: str, headers: Mapping[str, str], request: Request) -> Answer:
    """The Answer in a stream of events that came whole. Raises Failure when it is none."""
    reading, parser = Reading(request), EventParser()
    for chunk in [*parser.feed(text.encode()), *parser.end()]:
        reading.feed(chunk)
    if not (reading.ending.finish or parser.done) or parser.malformed:
        raise Failure(Kind.PROVIDER_DOWN, "the stream ended before the answer did", status=200)
    reading.end()
    return reading.answer(headers)


def leaked() -> Failure:
    """The failure of an answer whose reasoning was taken for its text."""
    return Failure(Kind.EMPTY_OUTPUT, "reasoning was told as the text, without its mark", status=200)


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
    if not isinstance(feedback, dict):
        return ""
    reason = str(feedback.get("blockReason") or feedback.get("block_reason") or "")[:60]
    return "" if reason.endswith("_UNSPECIFIED") else reason


def _parts(message: Mapping[str, Any]) -> tuple[str, str]:
    """Text and reasoning of a message or a delta. Some put both into a list of parts, some tell reasoning twice."""
    content = message.get("content")
    text = thought = ""
    if isinstance(content, str):
        text = content
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, dict):
                kind = part.get("type", "text")
                if kind in ("text", "output_text"):
                    text += _string(part.get("text"))
                elif kind in ("thinking", "reasoning", "thought"):
                    thought += _string(part.get("thinking") or part.get("text") or part.get("reasoning"))
            elif isinstance(part, str):
                text += part
    told = ""
    for name in _REASONING:
        if name in message and (told := _string(message[name])):
            break
    if not told and isinstance(details := message.get("reasoning_details"), list):
        told = "".join(
            _string(each.get("text") or each.get("summary")) for each in details if isinstance(each, dict)
        )
    return text, thought + told


def _string(value: object) -> str:
    """A text, or the texts of a list of parts."""
    if isinstance(value, list):
        return "".join(_string(part.get("text") if isinstance(part, dict) else part) for part in value)
    if isinstance(value, dict):
        return _string(value.get("content") or value.get("text"))
    return value if isinstance(value, str) else ""


def _calls(delta: Mapping[str, Any]) -> Any:
    """What a delta states of calls of tools, or of a call in OpenAI's older form."""
    if calls := delta.get("tool_calls"):
        return calls
    call = delta.get("function_call")
    return [{"index": 0, "function": call}] if isinstance(call, dict) else []


def _join(details: list[dict[str, Any]], item: dict[str, Any]) -> None:
    """Adds a piece of OpenRouter's `reasoning_details` to the block that it continues."""
    last = details[-1] if details else {}
    same = last and item.get("index") is not None and last.get("index") == item["index"]
    if not same or last.get("type") != item.get("type"):
        details.append(dict(item))
        return
    for name, value in item.items():
        grows = (
            name in ("text", "summary", "data") and isinstance(value, str) and isinstance(last.get(name), str)
        )
        last[name] = last[name] + value if grows else value if value is not None else last.get(name)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
