"""One way to run an adapter against the simulator: every wire format behind the same few words."""

import json

from llm import clock, loop
from llm.adapters import Answer, Reasoning, Request, Timing, adapter_for

KINDS = ("groq", "openai", "vertex")
OPENAI_KINDS = ("groq", "openai")
HELLO = [{"role": "user", "content": "Say hello."}]


def make_adapter(sim, kind, *, slug=None):
    """An adapter of this kind and the name by which the simulator knows its key."""
    if kind == "vertex":
        key = json.dumps(sim.service_account(project="proj", label="vertex"))
        options = {"base_url": f"{sim.url}/vertex/global", "project": "proj", "location": "global"}
        return adapter_for(kind=kind, key=key, **options), "vertex"
    slug = slug or ("groq" if kind == "groq" else "other")
    path = slug if kind == "groq" else f"{slug}/v1"
    return adapter_for(kind=kind, base_url=f"{sim.url}/{path}", key="key"), "key"


def drive(adapter, request, timing):
    """The pieces that an adapter yields for a request, and its answer. Raises Failure."""

    async def collect():
        if request.stream:
            return [each async for each in adapter.run(request, timing)]
        answer = await adapter.ask(request, timing)
        return [*answer.pieces(), answer]

    *pieces, answer = loop.run(collect())
    assert isinstance(answer, Answer)
    return pieces, answer


class Ran:
    """One attempt: its text and its reasoning as they were told, and the answer. Raises Failure."""

    def __init__(self, sim, kind, behaviour, *, stream, slug=None, limit_s=5.0, messages=HELLO, **asked):
        adapter, name = make_adapter(sim, kind, slug=slug)
        sim.script(name, behaviour)
        request = Request(
            **{"model": "m", "messages": messages, "max_tokens": 4000, "stream": stream, **asked}
        )
        now = clock.monotonic()
        timing = Timing(first_token=now + limit_s, end=now + limit_s)
        self.pieces, self.answer = drive(adapter, request, timing)
        self.sent = sim.requests[-1].body

    @property
    def text(self):
        return "".join(piece for piece in self.pieces if isinstance(piece, str))

    @property
    def reasoning(self):
        return "".join(piece.text for piece in self.pieces if isinstance(piece, Reasoning))


def chunk(delta=None, *, finish=None, **more):
    """One event of an OpenAI stream."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more}


def gemini(*parts, finish=None, usage=None):
    """One event of a Gemini stream, or its whole body."""
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], **({"usageMetadata": usage} if usage else {})}


def completion(message, *, finish="stop", **more):
    """A plain body of OpenAI's."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion", "model": "m", **more, "choices": [choice]}
