"""What both wire formats share: a request as the simulator understands it, an answer before it is worded."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from llm.simulator.limits import Denial, ProviderStatus

DEFAULT_MAX_TOKENS = 1024  # reserved for a request that names no limit
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
PIECE = 24  # characters of text in one event of a stream


@dataclass(slots=True, kw_only=True)
class Ask:
    """One chat request. Tokens are those of `tokens.count_tokens`."""

    provider: str
    credential: str
    model: str
    location: str | None
    stream: bool
    prompt: str  # all messages, the system's too
    user: str  # the last user message
    prompt_tokens: int
    max_tokens: int | None
    wants_json: bool
    schema: Mapping[str, Any] | None  # JSON schema of the wanted answer
    body: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Answer:
    """What is said. finish: stop | length | content_filter | any other word; None: the finish reason is held back."""

    text: str
    reasoning: str = ""
    finish: str | None
    prompt_tokens: int
    completion_tokens: int  # reasoning included
    reasoning_tokens: int = 0
    usage: Mapping[str, Any] = field(
        default_factory=dict
    )  # what else it states of usage, such as cached tokens
    serial: int = 0  # makes ids differ
    tools: tuple[tuple[str, str], ...] = ()  # name and arguments (JSON) of calls of the caller's tools
    how: str = "usual"  # in which pieces a stream brings them, see `behaviours.tool_calls`


@dataclass(slots=True, kw_only=True)
class Events:
    """A streamed answer: events before the text, one event a piece of text, events after it, the end mark."""

    opening: list[bytes]
    pieces: list[bytes]
    closing: list[bytes]
    done: list[bytes]

    def all(self) -> list[bytes]:
        return [*self.opening, *self.pieces, *self.closing, *self.done]


@dataclass(slots=True, kw_only=True)
class Reply:
    """A whole HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire(Protocol):
    """One wire format."""

    def whole(self, ask: Ask, answer: Answer) -> bytes:
        """The body of a plain answer."""

    def events(self, ask: Ask, answer: Answer) -> Events:
        """A streamed answer."""

    def finished_early(self, ask: Ask, answer: Answer, piece: bytes) -> bytes:
        """An event of a piece of text, with a finish reason and a usage in it."""

    def error(self, status: int, message: str) -> dict[str, Any]:
        """The provider's error object, as it stands alone, in a body with status 200 or in a stream."""

    def hidden(self, ask: Ask, thought: str) -> tuple[str, str]:
        """Text and reasoning of an answer that never came to its visible part."""

    def keepalive(self, ask: Ask) -> bytes:
        """What is sent to keep a connection open before an answer."""

    def unauthorised(self, provider: str, *, missing: bool) -> Reply:
        """The refusal of a missing or unknown credential."""

    def denied(self, ask: Ask, denial: Denial, now: float) -> Reply:
        """The refusal of a request that the account's limits do not allow; now in epoch seconds."""

    def rate_headers(self, ask: Ask, standing: ProviderStatus) -> dict[str, str]:
        """What a good answer's headers tell about the account's quota."""

    def models(self, ids: Sequence[str]) -> Reply:
        """The list of models."""


def dump(value: object) -> bytes:
    """Compact JSON, in UTF-8 as providers send it."""
    return _ENCODER.encode(value).encode()


def pieces_of(text: str) -> list[str]:
    """The text in the pieces that a stream sends."""
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
