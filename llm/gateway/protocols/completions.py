"""OpenAI's old completions: a prompt in, a text out. The prompt is asked as a user's message."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from llm.chain import Reply
from llm.gateway import values
from llm.gateway.ask import OWN, Ask, made
from llm.gateway.protocols.base import Protocol, Writer, event, model_of
from llm.gateway.protocols.chat import MOST_ANSWERS, PARAMS, usage
from llm.gateway.values import Body, unsupported, wrong

SAME = ("top_p", "presence_penalty", "frequency_penalty", "seed", "stop")  # as in chat completions
REASONS = {"length", "content_filter"}


class Completions(Protocol):
    prefix = "cmpl-"

    def read(self, body: Body, meta: Mapping[str, Any]) -> Ask:
        for name in ("suffix", "echo", "logprobs"):
            if body.get(name):
                raise unsupported(f"'{name}' is not supported.", name)
        n = values.number(body, "n", least=1, most=MOST_ANSWERS, whole=True) or 1
        if (values.number(body, "best_of", least=1, most=100, whole=True) or n) > n:
            raise unsupported("'best_of' above 'n' is not supported: all answers are told.", "best_of")
        params = {name: value for name in SAME if (value := PARAMS[name](body, name)) is not None}
        return made(
            body, meta,
            place="prompt",
            messages=[{"role": "user", "content": _prompt(body)}],
            params=params,
            max_tokens=values.number(body, "max_tokens", least=1, most=values.MOST_TOKENS, whole=True),
            temperature=values.number(body, "temperature", least=0, most=2),
            session=body.get("user"),
            n=n,
            own={"include_usage": bool(values.mapping(body, "stream_options").get("include_usage"))},
            ignored=values.ignored(body, READ),
        )  # fmt: skip

    def answer(self, replies: Sequence[Reply], ask: Ask, id: str) -> dict[str, Any]:
        choices = [_choice(index, reply.text, _reason(reply)) for index, reply in enumerate(replies)]
        return {**_frame(id, model_of(replies[0])), "choices": choices, "usage": usage(replies)}

    def writer(self, ask: Ask, id: str, *, hold: bool) -> Writer:
        return CompletionsWriter(ask, id, hold=hold)


class CompletionsWriter(Writer):
    def __init__(self, ask: Ask, id: str, *, hold: bool) -> None:
        super().__init__(ask, id, hold=hold)
        self.index = 0

    def opening(self) -> bytes:
        return b""

    def text(self, text: str) -> bytes:
        return self._event(_choice(self.index, text, None))

    def reasoning(self, text: str) -> bytes:
        return b""

    def finish(self, reply: Reply) -> bytes:
        self.index += 1
        return self._event(_choice(self.index - 1, "", _reason(reply)))

    def end(self) -> bytes:
        told = b""
        if self.ask.own["include_usage"]:
            told = event({**_frame(self.id, self.model), "choices": [], "usage": usage(self.replies)})
        return told + b"data: [DONE]\n\n"

    def _event(self, choice: dict[str, Any]) -> bytes:
        return event({**_frame(self.id, self.model), "choices": [choice]})


def _prompt(body: Body) -> str:
    prompt = body.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:  # as LangChain sends it
        prompt = prompt[0]
    if not isinstance(prompt, str) or not prompt:
        raise wrong("'prompt' must be a text, or a list with one: ask once for each.", "prompt")
    return prompt


def _reason(reply: Reply) -> str:
    return reply.finish_reason if reply.finish_reason in REASONS else "stop"


def _choice(index: int, text: str, reason: str | None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": reason}


def _frame(id: str, model: str) -> dict[str, Any]:
    return {"id": id, "object": "text_completion", "created": int(time.time()), "model": model}


READ = {
    *SAME, *OWN, "model", "prompt", "max_tokens", "temperature", "n", "best_of", "suffix", "echo", "logprobs", "user",
    "stream", "stream_options",
}  # fmt: skip
