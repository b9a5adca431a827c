"""What an adapter is: one outside wire format behind one method. Subclasses say only what differs."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol, TypeVar

from llm import clock
from llm.adapters import transport
from llm.adapters.output import Output
from llm.failures.ownership import out_of_time
from llm.failures.rules import Failure, Kind
from llm.text import is_half, mend

T = TypeVar("T")
MOST_TOKENS = 10**9  # what the ledger's columns hold; whoever counts more has miscounted
USAGE_GRACE_S = 1.0  # after the last word a stream may still bring its usage, or never end


@dataclass(frozen=True, kw_only=True)
class Request:
    """What one deployment is asked. `max_tokens` includes the reserve for hidden reasoning."""

    model: str
    messages: Sequence[Mapping[str, Any]]
    max_tokens: int
    temperature: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False
    output: Output = field(default_factory=Output)  # what has come out so far, for the bill


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A complete answer: a text, calls of the caller's tools, or both. Tokens are None when nobody counted them.

    `tool_calls` have OpenAI's shape: {"id", "type": "function", "function": {"name", "arguments"}}.
    """

    text: str
    tool_calls: Sequence[Mapping[str, Any]] = ()
    finish_reason: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Timing:
    """When to give up on an attempt, as moments of `clock.monotonic()`.

    first_token: on the first sign of life of a stream; end: on all of it (infinity: words may flow for hours)
    idle_s: on a stream that has begun, after so much silence
    first_byte_s, timeout_s: how long the provider may take of its own right; an attempt that had less, and ended,
    was cut short
    """

    first_token: float
    end: float
    idle_s: float = 15.0
    first_byte_s: float = 0
    timeout_s: float = 0
    heard: float = field(default_factory=lambda: clock.monotonic())  # the last sign of life, or the beginning
    started: bool = False

    def alive(self) -> None:
        """Something came that counts: text, reasoning, a piece of a tool call. Blank and comment lines do not."""
        self.started, self.heard = True, clock.monotonic()

    def next_event(self) -> float:
        """Until when to wait for the next event of a stream."""
        return min(self.end, self.heard + self.idle_s if self.started else self.first_token)

    def whole(self) -> float:
        """Until when to wait for an answer in one piece from a service that does not stream."""
        return min(self.end, self.heard + self.timeout_s) if self.timeout_s else self.end

    def ran_out(self, *, streamed: bool, connecting: bool = False) -> Failure:
        """The failure of an attempt that has just run into one of these limits."""
        patience_s = self.timeout_s
        if streamed:
            patience_s = self.idle_s if self.started else self.first_byte_s
        if connecting:
            patience_s = min(transport.CONNECT_TIMEOUT_S, patience_s)
        return out_of_time(silent_s=clock.monotonic() - self.heard, patience_s=patience_s)


# Ids of models, with the price that the list states (USD per million tokens in and out), if it does.
Listed = Mapping[str, tuple[Decimal, Decimal] | None]


class Adapter(Protocol):
    """Talks to one provider with one credential (in one location)."""

    @property
    def retries(self) -> int:
        """How often the client library tries again by itself; the chain wants 0."""
        ...

    def run(self, request: Request, timing: Timing) -> Generator[str, None, Answer]:
        """Yields visible text as it comes (once, for a plain request) and returns the whole Answer.

        Raises Failure, and nothing else, when there is none.
        """
        ...

    def list_models(self, end: float) -> Listed:
        """The model ids that the provider offers to this credential. Raises Failure."""
        ...


def goes_on(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a model is asked to continue half an answer."""
    return bool(messages) and messages[-1].get("role") == "assistant"


class Visible:
    """Takes a leading `<think>…</think>` out of a text that may come in pieces."""

    OPEN, CLOSE = ("<think>", "<thinking>"), ("</think>", "</thinking>")

    def __init__(self, *, goes_on: bool = False) -> None:
        """goes_on: the text continues one that was given, so the space that it begins with is part of it."""
        self._goes_on = goes_on
        self._held = ""  # not yet known to be visible
        self._half = ""  # of a character that was cut between two pieces
        self._state = "start"
        self.text = ""

    def feed(self, piece: str) -> str:
        """The part of what has come so far that turned out to be visible."""
        piece, self._half = self._half + piece, ""
        if piece and is_half(piece[-1]):
            piece, self._half = piece[:-1], piece[-1]
        return self._feed(mend(piece))

    def _feed(self, piece: str) -> str:
        if self._state == "visible":
            return self._show(piece)
        self._held += piece
        if self._state == "start":
            head = self._held.lstrip()
            if head.startswith(self.OPEN):
                self._state = "thinking"
            elif any(tag.startswith(head) for tag in self.OPEN):
                return ""  # may still become a tag
            else:
                self._state = "visible"
                return self._show(self._held if self._goes_on else head)
        for tag in self.CLOSE:
            _, found, rest = self._held.partition(tag)
            if found:
                self._held, self._state = "", "start"  # some models think twice
                return self._feed(rest)
        return ""

    def finish(self) -> str:
        """What was held back and is no tag after all. Unclosed thinking stays hidden."""
        return self._show(self._held.lstrip()) if self._state == "start" and self._held.strip() else ""

    def _show(self, piece: str) -> str:
        self.text += piece
        return piece


def visible_text(text: str) -> str:
    """A complete text without its leading reasoning, also when the opening tag was left out."""
    for opened, closed in zip(Visible.OPEN, Visible.CLOSE, strict=True):
        if closed in text and opened not in text:
            text = text.split(closed, 1)[1]
    visible = Visible()
    visible.feed(text)
    visible.finish()
    return visible.text


def count(value: object) -> int | None:
    """A number of tokens as a provider states it; None for what cannot be one."""
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


def stated_price(pricing: Any) -> tuple[Decimal, Decimal] | None:
    """USD per million tokens of a list's `pricing` (OpenRouter's: USD per token, negative where it varies)."""
    if not isinstance(pricing, Mapping):
        return None
    try:
        price_in, price_out = (Decimal(str(pricing[name])) * 10**6 for name in ("prompt", "completion"))
    except (KeyError, InvalidOperation):
        return None
    known = price_in.is_finite() and price_out.is_finite() and price_in >= 0 and price_out >= 0
    return (price_in, price_out) if known else None


def checked(answer: Answer) -> Answer:
    """The answer, or Failure when there is nothing in it for the caller."""
    if not answer.text.strip() and not answer.tool_calls:
        raise Failure(Kind.EMPTY_OUTPUT, f"no visible text (finish reason {answer.finish_reason or 'unknown'})",
                      status=200)  # fmt: skip
    return answer


def pull(iterator: Iterator[T], end: float) -> T | None:
    """The iterator's next item, waiting no longer than `end`; None when it is over."""
    with transport.until(end):
        return next(iterator, None)
