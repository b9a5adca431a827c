"""What an adapter is: one outside wire format behind one method. Subclasses say only what differs."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol, TypeVar

from llm import clock
from llm.adapters import session, transport
from llm.adapters.answers.output import Output
from llm.adapters.answers.toolcalls import calls_in_words, names_of, offered_name, whole_arguments
from llm.adapters.answers.visible import Piece, Reasoning
from llm.adapters.dialects import thinks
from llm.failures.kinds import Failure, Kind
from llm.failures.ownership import out_of_time
from llm.text import sendable

__all__ = [
    "Adapter", "Answer", "Listed", "Listing", "Patience", "Piece", "Reasoning", "Request", "Timing", "apart",
    "checked", "listing", "pull", "stated_price",
]  # fmt: skip
T = TypeVar("T")
MAX_AT_ONCE = 256 * 2**10  # characters of JSON that are read or written on the loop: a few milliseconds
USAGE_GRACE_S = 1.0  # after the last word a stream may still bring its usage, or never end
EARLY_FINISH_S = 5.0  # some state a finish reason in every chunk, so after text the next words are waited for


@dataclass(kw_only=True, slots=True)
class Request:
    """What one deployment is asked. `max_tokens` includes the reserve for hidden reasoning.

    effort, show_reasoning: what the caller wishes of the model's reasoning; None leaves it to `params`.
    dialect: what staff say of the provider's way to speak, see `dialects`.
    """

    model: str
    messages: Sequence[Mapping[str, Any]]
    max_tokens: int
    temperature: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False
    output: Output = field(default_factory=Output)  # what has come out so far, for the bill
    effort: str | None = None
    show_reasoning: bool | None = None
    inputs: Sequence[str] | None = None  # texts to embed, instead of messages to answer
    dimensions: int = 0  # that each vector must have
    shorten: bool = False  # the model's own vectors are longer
    dialect: Mapping[str, Any] = field(default_factory=dict)

    @property
    def thinks(self) -> bool:
        """Whether the model is left to reason."""
        return self.effort != "none" and (self.effort is not None or thinks(self.params))

    def says(self, words: str) -> bool:
        """Whether the messages hold these words, which stand in lower case, anywhere."""
        return words in json.dumps(self.messages, ensure_ascii=False, default=str).lower()


@dataclass(kw_only=True, slots=True)
class Answer:
    """A complete answer: a text, calls of the caller's tools, or both. Tokens are None when nobody counted them.

    `tool_calls` have OpenAI's shape: {"id", "type": "function", "function": {"name", "arguments"}}. `finish_reason` is
    stop, length or tool_calls. `reasoning` is what the model thought, as far as the provider told it; `state` what it
    wants back with the next turn (`reasoning_details`, `extra_content`). `doubt` says why this may not be the whole
    answer, which is then kept for nobody else.
    """

    text: str
    reasoning: str = ""
    state: Mapping[str, Any] = field(default_factory=dict)
    doubt: str = ""
    tool_calls: Sequence[Mapping[str, Any]] = ()
    finish_reason: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    vectors: Sequence[Sequence[float]] = ()  # embeddings, in the order of `Request.inputs`
    tokens_cached: int = 0  # of tokens_in: what the provider had in its prompt cache
    headers: Mapping[str, str] = field(default_factory=dict)

    def pieces(self) -> list[Piece]:
        """What a stream tells piece by piece, of an answer that came whole."""
        told: list[Piece] = [Reasoning(self.reasoning)] if self.reasoning else []
        return [*told, self.text] if self.text else told


@dataclass(kw_only=True)
class Timing:
    """When to give up on an attempt, as moments of `clock.monotonic()`.

    first_token: on the first sign of life of a stream; end: on all of it (infinity: words may flow for hours)
    longer: of a plain answer, asked once `end` has come: until when it may take indeed, which costs something to find
    idle_s: on a stream that has begun, after so much silence
    first_byte_s, timeout_s: how long the provider may take of its own right; an attempt that had less, and ended,
    was cut short
    """

    first_token: float
    end: float
    longer: Callable[[], float] | None = None
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
            patience_s = min(session.CONNECT_TIMEOUT_S, patience_s)
        return out_of_time(silent_s=clock.monotonic() - self.heard, patience_s=patience_s)


class Patience:
    """Until when the next event of a stream is waited for."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._grace: float | None = None  # set once a finish reason is there

    @property
    def until(self) -> float:
        """A moment of `clock.monotonic()`."""
        return self._timing.next_event() if self._grace is None else min(self._grace, self._timing.end)

    def heard(self, *, said: bool, finished: bool) -> None:
        """An event has come. said: it brought some of the answer, which alone is a sign of life; finished: a finish
        reason is there, so what may follow gets a short grace only."""
        if said:
            self._timing.alive()
        if finished and (said or self._grace is None):
            self._grace = clock.monotonic() + (EARLY_FINISH_S if said else USAGE_GRACE_S)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list says of a model, as far as it does: USD per million tokens in and out, and sizes in tokens."""

    price: tuple[Decimal, Decimal] | None = None
    context: int | None = None
    max_output: int | None = None


Listed = Mapping[str, Listing]  # by the models' ids


class Adapter(Protocol):
    """Talks to one provider with one credential (in one location)."""

    @property
    def retries(self) -> int:
        """How often the client library tries again by itself; the chain wants 0."""
        ...

    async def ask(self, request: Request, timing: Timing) -> Answer:
        """The answer to a plain request. Raises Failure, and nothing else, when there is none.

        Cancelled, it ends the request at once, and with it the connection.
        """
        ...

    def run(self, request: Request, timing: Timing) -> AsyncGenerator[Piece | Answer]:
        """Sends a request for a stream; yields text, and Reasoning, as they come and the whole Answer as the last item.

        Raises Failure, and nothing else, when there is none. Closed or cancelled, it ends the request at once, and
        with it the connection.
        """
        ...

    async def list_models(self, end: float) -> Listed:
        """The model ids that the provider offers to this credential. Raises Failure."""
        ...


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


def listing(model: Mapping[str, Any]) -> Listing:
    """Of an entry of `/models`, in the words of Groq (`context_window`), OpenRouter (`context_length`) and others."""
    top = model.get("top_provider")
    top = top if isinstance(top, Mapping) else {}
    return Listing(
        price=stated_price(model.get("pricing")),
        context=_size(model, "context_length", "context_window", "max_model_len", "max_context_length"),
        max_output=_size(model, "max_completion_tokens", "max_output_tokens")
        or _size(top, "max_completion_tokens"),
    )


def _size(model: Mapping[str, Any], *names: str) -> int | None:
    found = (model.get(name) for name in names)
    return next((size for size in found if type(size) is int and 0 < size < 2**31), None)


def checked(answer: Answer, request: Request) -> Answer:
    """The answer with its calls of tools in order. Raises Failure when there is nothing in it for the caller."""
    if answer.tool_calls or answer.state or request.params.get("tools"):
        calls = _usable_calls(answer, request)
        answer = replace(answer, tool_calls=calls, state=_sound(answer.state))
    if not answer.text.strip() and not answer.tool_calls:
        raise Failure(Kind.EMPTY_OUTPUT, f"no visible text (finish reason {answer.finish_reason or 'unknown'})",
                      status=200)  # fmt: skip
    return answer


def _usable_calls(answer: Answer, request: Request) -> Sequence[Mapping[str, Any]]:
    """Calls of offered tools, under the names by which they were offered. Raises Failure for any other."""
    offered = names_of(request.params.get("tools"))
    if request.params.get("tool_choice") == "none":
        offered = frozenset()
    if not answer.tool_calls and offered and calls_in_words(answer.text, offered):
        raise Failure(Kind.EMPTY_OUTPUT, "a call of a tool, written as text", status=200)
    if answer.tool_calls and not offered:
        if answer.text.strip():
            return ()  # a text beside it is an answer
        raise Failure(Kind.EMPTY_OUTPUT, "called a tool that nobody offered", status=200)
    found = []
    for call in answer.tool_calls:
        function = call["function"]
        name = offered_name(function["name"], offered)
        if not name:
            raise Failure(
                Kind.EMPTY_OUTPUT, f"called a tool that nobody offered: {function['name'][:60]}", status=200
            )
        if answer.finish_reason != "length" and not whole_arguments(function["arguments"]):
            raise Failure(Kind.EMPTY_OUTPUT, "a garbled call of a tool", status=200)
        found.append(_sound({**call, "function": {**function, "name": name}}, "extra_content"))
    return found


def _sound(told: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """What a provider wants back, without fields (those named, or any) that are no JSON: NaN, numbers without end."""
    found = {}
    for name, value in told.items():
        try:
            found[name] = sendable(value, name) if name in names or not names else value
        except ValueError:
            continue
    return found


async def apart(size: int, function: Callable[..., T], *arguments: Any) -> T:
    """The function's result. What has much to read or to write, in characters, does so off the loop."""
    return await asyncio.to_thread(function, *arguments) if size > MAX_AT_ONCE else function(*arguments)


async def pull(iterator: AsyncIterator[T], end: float) -> T | None:
    """The iterator's next item, None when it is over. Raises TimeoutError at `end`."""
    async with transport.until(end):
        return await anext(iterator, None)
