"""Stored answers of /v1/responses, which a later request continues by `previous_response_id`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm.chain import Reply
from llm.gateway.errors import ApiError
from llm.models import Client, StoredResponse
from llm.storage.transactions import write_transaction


@dataclass(frozen=True, slots=True)
class Told:
    """What was said up to an answer, and the conversation's name."""

    messages: list[dict[str, Any]]
    thread: str


def may_keep(client: Client) -> bool:
    """Whether the ledger keeps this client's texts."""
    return client.data_class != Client.DataClass.PERSONAL


def keep(
    client: Client,
    reply: Reply,
    body: Mapping[str, Any],
    *,
    said: Sequence[Mapping[str, Any]],
    thread: str,
) -> None:
    """Stores an answer and the new messages of its turn. thread: of the conversation, empty for a new one."""
    answer: dict[str, Any] = {"role": "assistant", "content": reply.text or None, **reply.state}
    if reply.reasoning:
        answer["reasoning_content"] = reply.reasoning
    if reply.tool_calls:
        answer["tool_calls"] = list(reply.tool_calls)
    StoredResponse.objects.create(
        id=body["id"], client=client.name, call_id=reply.call_id, thread=thread or body["id"],
        previous=body["previous_response_id"] or "", said=list(said), answer=answer, body=dict(body),
    )  # fmt: skip


def before(client: Client, id: str) -> Told:
    """The conversation up to and with this answer. Raises ApiError: it is not there, or one before it is not."""
    last = find(client, id, param="previous_response_id", status=400)
    thread = {one.pk: one for one in StoredResponse.objects.filter(client=client.name, thread=last.thread)}
    turns: list[StoredResponse] = []
    step: StoredResponse | None = last
    while step is not None:
        turns.append(step)
        if step.previous and step.previous not in thread:
            raise _missing(step.previous, param="previous_response_id", status=400)
        step = thread.get(step.previous)
    messages = [message for turn in reversed(turns) for message in (*turn.said, turn.answer)]
    return Told(messages, last.thread)


def find(client: Client, id: str, *, param: str | None = None, status: int = 404) -> StoredResponse:
    """One of the client's own answers. Raises ApiError."""
    found = StoredResponse.objects.filter(client=client.name, pk=id[:60]).first()
    if found is None:
        raise _missing(id, param=param, status=status)
    return found


def forget(client: Client, id: str) -> None:
    """Deletes an answer. Raises ApiError (404)."""
    with write_transaction():
        find(client, id).delete()


def _missing(id: str, *, param: str | None, status: int) -> ApiError:
    code = "previous_response_not_found" if status == 400 else "not_found"
    text = f"There is no response '{id[:80]}': it was never kept, is deleted, or has aged out."
    return ApiError(status, text, param=param, code=code)
