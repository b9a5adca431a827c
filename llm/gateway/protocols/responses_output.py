"""A reply as a `response` with its items, and as the events in which it comes."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from llm.chain import Reply
from llm.gateway.ask import Ask
from llm.gateway.errors import ApiError
from llm.gateway.protocols import carried, responses_tools
from llm.gateway.protocols.base import Writer, event, model_of, total

# What a call gives its tool, by the type of its item: the field, the events' name, and whether they name the tool.
CALLS = {
    "function_call": ("arguments", "function_call_arguments", True),
    "custom_tool_call": ("input", "custom_tool_call_input", False),
}
# How an answer ended that is not whole. https://platform.openai.com/docs/api-reference/responses/object
INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def response(reply: Reply, ask: Ask, id: str, items: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """The whole response. items: where their ids have been told already."""
    reason = INCOMPLETE.get(reply.finish_reason)
    if items is None:
        items = []
        if reply.reasoning or carried.packed(reply):
            items.append(_reasoning(reply.reasoning, carried.packed(reply)))
        if reply.text:
            items.append(_message(_id("msg"), reply.text, "incomplete" if reason else "completed"))
        items += [_call(call, ask) for call in reply.tool_calls]
    tokens_in, tokens_out, cached = total([reply])
    return {
        **_frame(ask, id, model_of(reply), int(time.time())),
        "status": "incomplete" if reason else "completed",
        "incomplete_details": {"reason": reason} if reason else None,
        "completed_at": int(time.time()),
        "output": items,
        "usage": {
            "input_tokens": tokens_in,
            "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
            "output_tokens": tokens_out,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens_in + tokens_out,
        },
    }


def _frame(ask: Ask, id: str, model: str, created: int) -> dict[str, Any]:
    return {
        "id": id, "object": "response", "created_at": created, "status": "in_progress", "background": False,
        "completed_at": None, "error": None, "incomplete_details": None, "model": model, "output": [], "usage": None,
        "store": ask.own["store"], "service_tier": "default", "max_tool_calls": None, "top_logprobs": 0,
        **ask.own["repeated"],
    }  # fmt: skip


def _id(kind: str) -> str:
    return f"{kind}_{uuid4().hex}"


def _message(id: str, text: str, status: str) -> dict[str, Any]:
    return {
        "id": id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [_text(text)] if text else [],
    }


def _text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _call(call: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    item = responses_tools.called(call, ask.own["tools"])
    kind = "fc" if item["type"] == "function_call" else "ctc"
    return {"id": _id(kind), "type": item["type"], "status": "completed", **item}


def _reasoning(summary: str, state: str = "") -> dict[str, Any]:
    parts = [{"type": "summary_text", "text": summary}] if summary else []
    found = {"id": _id("rs"), "type": "reasoning", "status": "completed", "summary": parts}
    return {**found, "encrypted_content": state} if state else found


class ResponsesWriter(Writer):
    """Typed events, counted by `sequence_number`. One item is open at a time; what is told is kept for the end."""

    def __init__(self, ask: Ask, id: str, *, hold: bool) -> None:
        super().__init__(ask, id, hold=hold)
        self.created, self.number = int(time.time()), 0
        self.items: list[dict[str, Any]] = []
        self.open: dict[str, Any] | None = None  # the item that is being told
        self.pieces: list[str] = []

    def opening(self) -> bytes:
        frame = _frame(self.ask, self.id, self.model, self.created)
        return self._event("response.created", response=frame) + self._event(
            "response.in_progress", response=frame
        )

    def text(self, text: str) -> bytes:
        found = b""
        if not self._is_open("message"):
            found = self._close() + self._begin(_message(_id("msg"), "", "in_progress"))
            found += self._part("response.content_part.added", "content_index", part=_text(""))
        self.pieces.append(text)
        return found + self._part("response.output_text.delta", "content_index", delta=text, logprobs=[])

    def reasoning(self, text: str) -> bytes:
        found = b""
        if not self._is_open("reasoning"):
            found = self._close() + self._begin({**_reasoning(""), "status": "in_progress"})
            empty = {"type": "summary_text", "text": ""}
            found += self._part("response.reasoning_summary_part.added", "summary_index", part=empty)
        self.pieces.append(text)
        return found + self._part("response.reasoning_summary_text.delta", "summary_index", delta=text)

    def finish(self, reply: Reply) -> bytes:
        reason = INCOMPLETE.get(reply.finish_reason)
        found = self._close("incomplete" if reason else "completed")
        if state := carried.packed(reply):  # known at the end alone, as its owner tells it then
            found += self._whole_item(_reasoning("", state))
        for call in reply.tool_calls:
            found += self._called(_call(call, self.ask))
        self.body = response(reply, self.ask, self.id, self.items) | {"created_at": self.created}
        return found

    def end(self) -> bytes:
        return self._event(f"response.{self.body['status']}", response=self.body)

    def error(self, error: ApiError) -> bytes:
        frame = _frame(self.ask, self.id, self.model, self.created) | {
            "status": "failed",
            "output": self.items,
            "error": {"code": "server_error", "message": error.message},
        }
        return self._event("response.failed", response=frame)

    # -- items -----------------------------------------------------------------------------------------

    def _is_open(self, kind: str) -> bool:
        return self.open is not None and self.open["type"] == kind

    def _begin(self, item: dict[str, Any]) -> bytes:
        self.open, self.pieces = item, []
        return self._event("response.output_item.added", output_index=len(self.items), item=item)

    def _close(self, status: str = "completed") -> bytes:
        """The end of the open item, with its text as a whole."""
        item, whole = self.open, "".join(self.pieces)
        if item is None:
            return b""
        if item["type"] == "message":
            found = self._part("response.output_text.done", "content_index", text=whole, logprobs=[])
            found += self._part("response.content_part.done", "content_index", part=_text(whole))
            item = {**item, "status": status, "content": [_text(whole)]}
        else:
            part = {"type": "summary_text", "text": whole}
            found = self._part("response.reasoning_summary_text.done", "summary_index", text=whole)
            found += self._part("response.reasoning_summary_part.done", "summary_index", part=part)
            item = {**item, "status": "completed", "summary": [part]}
        self.open = None
        return found + self._done(item)

    def _called(self, item: dict[str, Any]) -> bytes:
        """A call of a tool, whose arguments (or text) come in one piece."""
        field, kind, named = CALLS[item["type"]]
        place = {"item_id": item["id"], "output_index": len(self.items)}
        given = ({"name": item["name"]} if named else {}) | {field: item[field]}
        return (
            self._event("response.output_item.added", output_index=len(self.items),
                        item={**item, "status": "in_progress", field: ""})
            + self._event(f"response.{kind}.delta", **place, delta=item[field])
            + self._event(f"response.{kind}.done", **place, **given)
            + self._done(item)
        )  # fmt: skip

    def _whole_item(self, item: dict[str, Any]) -> bytes:
        added = self._event("response.output_item.added", output_index=len(self.items), item=item)
        return added + self._done(item)

    def _done(self, item: dict[str, Any]) -> bytes:
        self.items.append(item)
        return self._event("response.output_item.done", output_index=len(self.items) - 1, item=item)

    def _part(self, name: str, index: str, **told: Any) -> bytes:
        """An event of the open item's one part."""
        item = self.open or {}
        return self._event(name, item_id=item.get("id"), output_index=len(self.items), **{index: 0}, **told)

    def _event(self, kind: str, /, **told: Any) -> bytes:
        self.number += 1
        return event({"type": kind, "sequence_number": self.number - 1, **told}, kind)
