"""OpenAI's embeddings: texts in, vectors out. https://platform.openai.com/docs/api-reference/embeddings"""

import base64
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from llm.chain import Reply
from llm.gateway import catalogue, values
from llm.gateway.ask import OWN, Ask, made
from llm.gateway.protocols.base import Protocol, Writer, model_of
from llm.gateway.values import Body, unsupported, wrong
from llm.models import Client

MOST_INPUTS, MOST_DIMENSIONS = 2048, 16_384


class Embeddings(Protocol):
    prefix = "embd-"

    def read(self, body: Body, meta: Mapping[str, Any]) -> Ask:
        if body.get("stream"):
            raise unsupported("Embeddings are not streamed.", "stream")
        params = {"input_type": kind} if (kind := values.text(body, "input_type")) else {}
        return made(
            body, meta,
            place="input",
            messages=[{"role": "user", "content": text} for text in _inputs(body)],
            params=params,
            max_tokens=1,
            temperature=None,
            own={
                "dimensions": values.number(body, "dimensions", least=1, most=MOST_DIMENSIONS, whole=True),
                "base64": values.choice(body, "encoding_format", "float", "base64") == "base64",
            },
            ignored=values.ignored(body, READ),
        )  # fmt: skip

    def arguments(self, ask: Ask, client: Client) -> dict[str, Any]:
        return catalogue.vectors(ask.model, client, ask.max_usd, ask.own["dimensions"])

    def answer(self, replies: Sequence[Reply], ask: Ask, id: str) -> dict[str, Any]:
        reply = replies[0]
        data = [
            {
                "object": "embedding",
                "index": index,
                "embedding": _packed(vector) if ask.own["base64"] else vector,
            }
            for index, vector in enumerate(reply.vectors)
        ]
        usage = {"prompt_tokens": reply.tokens_in, "total_tokens": reply.tokens_in}
        return {"object": "list", "data": data, "model": model_of(reply), "usage": usage}

    def writer(self, ask: Ask, id: str, *, hold: bool) -> Writer:
        raise unsupported("Embeddings are not streamed.", "stream")


def _inputs(body: Body) -> list[str]:
    value = body.get("input")
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not 0 < len(texts) <= MOST_INPUTS:
        raise wrong(f"'input' must be a text, or a list of up to {MOST_INPUTS}.", "input")
    for index, text in enumerate(texts):
        if not isinstance(text, str) or not text:
            raise wrong(
                "Each input must be a text that is not empty: tokens are not taken.", f"input[{index}]"
            )
    return texts


def _packed(vector: Sequence[float]) -> str:
    """As OpenAI packs it: base64 of little-endian floats of 32 bits."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


READ = {*OWN, "model", "input", "dimensions", "encoding_format", "input_type", "stream", "user"}
