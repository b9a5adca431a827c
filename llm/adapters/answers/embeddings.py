"""Vectors in OpenAI's shape: as many as there were texts, each of the right length, all of numbers."""

import base64
import json
import struct
from collections.abc import Mapping
from typing import Any

from llm.adapters.answers.usage import Usage, note_openai
from llm.adapters.base import Answer, Request
from llm.failures.kinds import Failure, Kind

MOST = 3.4028234663852886e38  # in the 32 bits that a client may ask for


def read_embeddings(text: str, headers: Mapping[str, str], request: Request) -> Answer:
    """The Answer in the body of a 200. Raises Failure when it is none, or of another length than was asked for."""
    try:
        body = json.loads(text)
        data = sorted(body["data"], key=lambda each: each.get("index", 0))
        vectors = [_vector(each["embedding"]) for each in data]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError, struct.error):
        raise Failure(Kind.PROVIDER_DOWN, "200 without vectors", status=200) from None
    if len(vectors) != len(request.inputs or ()) or not all(vectors):
        raise Failure(
            Kind.EMPTY_OUTPUT, f"{len(vectors)} vectors for {len(request.inputs or ())} texts", status=200
        )
    if any(len(vector) != request.dimensions for vector in vectors):
        lengths = sorted({len(vector) for vector in vectors})
        raise Failure(
            Kind.REJECTED_OUTPUT, f"vectors of {lengths} numbers, not {request.dimensions}", status=200
        )
    usage = Usage()
    stated = body.get("usage")
    note_openai(usage, stated)
    total = stated.get("total_tokens") if isinstance(stated, dict) else None  # some state nothing else
    counted = usage.tokens_in or (total if isinstance(total, int) else None)
    return Answer(text="", vectors=vectors, tokens_in=counted, tokens_out=0, headers=headers)


def _vector(told: Any) -> list[float]:
    """Numbers, or OpenAI's base64 of them. Raises ValueError, TypeError, OverflowError, struct.error."""
    if isinstance(told, str):
        packed = base64.b64decode(told, validate=True)
        told = struct.unpack(f"<{len(packed) // 4}f", packed)
    found = [float(number) for number in told]
    if not all(abs(number) <= MOST for number in found):
        raise ValueError("no number that base64 has room for")
    return found
