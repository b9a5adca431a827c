"""What a call to the chain tells its caller while it runs, and what it returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from llm.failures.kinds import Kind


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    provider: str
    credential: str
    model: str
    location: str
    max_tokens: int | None = None  # where the caller's cap was lowered to fit


@dataclass(frozen=True, slots=True)
class Delta:
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of what the model thinks, where its provider tells it: no part of the text."""

    text: str


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """After a Delta it also means: discard the text so far; unless it is `kept`, since the next one goes on from it."""

    kind: Kind
    provider: str
    credential: str
    model: str
    location: str
    detail: str
    until: datetime | None = None
    window: str | None = None  # of a quota: minute, day, month
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and how it came about. `provider` is the credential's label; `cost_usd` None is unknown.

    `reasoning` is what the model thought, as far as its provider told it; `state` what the provider wants back with
    the next turn, beside the text (`reasoning_details`, `extra_content`).
    `vectors` are embeddings of the messages, in their order, where these were asked for.
    `tokens_cached` of `tokens_in` were in the provider's prompt cache.
    `max_tokens` is the cap that the answer had where that is lower than the one that the caller has named.
    """

    text: str
    provider: str
    model: str
    finish_reason: str
    cost_usd: Decimal | None
    tokens_in: int
    tokens_out: int
    latency_ms: int
    attempts: list[dict[str, Any]]
    skipped: list[dict[str, Any]]
    call_id: int
    cached: bool = False
    tool_calls: Sequence[Mapping[str, Any]] = ()
    max_tokens: int | None = None
    reasoning: str = ""
    tokens_cached: int = 0
    vectors: Sequence[Sequence[float]] = ()
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Completed:
    reply: Reply


Event = AttemptStarted | Delta | ReasoningDelta | AttemptFailed | Completed
