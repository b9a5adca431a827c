"""State that a provider wants back with the next turn, packed into one string for protocols without a field for it.

Responses carry it as a reasoning item's `encrypted_content`, Messages as a thinking block's `signature`. It is the
client's to send back, as in chat completions, so what comes back is checked like any other input.
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from llm.chain import Reply
from llm.gateway.protocols.chat_messages import state
from llm.text import sendable

MARK = "gl1."
MOST_BYTES = 2**20  # unpacked
OF_CALLS = ("extra_content",)


def packed(reply: Reply, *, reasoning: bool = False) -> str:
    """What has to come back with this reply; empty when nothing has. reasoning: it is told nowhere else."""
    calls = {call["id"]: kept for call in reply.tool_calls if (kept := state(call, OF_CALLS))}
    message = dict(reply.state)
    if reasoning and reply.reasoning:
        message = {"reasoning_content": reply.reasoning, **message}
    found = {name: value for name, value in (("message", message), ("calls", calls)) if value}
    if not found:
        return ""
    return MARK + base64.urlsafe_b64encode(zlib.compress(json.dumps(found).encode())).decode()


def unpacked(text: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """The state of the message, and that of its calls by their ids; both empty for what is not ours."""
    if not isinstance(text, str) or not text.startswith(MARK):
        return {}, {}
    try:
        unpacker = zlib.decompressobj()
        found = json.loads(unpacker.decompress(base64.urlsafe_b64decode(text[len(MARK) :]), MOST_BYTES))
        found = sendable(found, "state")
    except (ValueError, zlib.error, RecursionError):
        return {}, {}
    if not isinstance(found, dict):
        return {}, {}
    message, calls = found.get("message"), found.get("calls")
    of_calls = calls.items() if isinstance(calls, dict) else ()
    return (
        state(message) if isinstance(message, dict) else {},
        {id: state(kept, OF_CALLS) for id, kept in of_calls if isinstance(kept, dict)},
    )


def joined(
    messages: Sequence[dict[str, Any]], of_message: Mapping[str, Any], of_calls: Mapping[str, Any]
) -> None:
    """Puts state into the last message of the assistant, and into its calls."""
    if messages and messages[-1]["role"] == "assistant":
        messages[-1].update(of_message)
        for call in messages[-1].get("tool_calls", ()):
            call.update(of_calls.get(call["id"], {}))
