"""What a protocol is: a request read, a reply worded, and the same reply worded piece by piece as it comes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from llm.chain import AttemptStarted, Completed, Delta, Event, ReasoningDelta, Reply
from llm.gateway import catalogue
from llm.gateway.ask import Ask
from llm.gateway.errors import ApiError
from llm.models import Client
from llm.secrets import new_id
from llm.text import encoded


class Protocol(ABC):
    """One way to ask and to answer. It holds no state: what belongs to one request is in its Ask and its Writer."""

    prefix: ClassVar[str]  # of the ids of its answers

    def new_id(self) -> str:
        return self.prefix + new_id()

    @abstractmethod
    def read(self, body: Mapping[str, Any], meta: Mapping[str, Any]) -> Ask:
        """The request in a body. meta: its headers, as Django's META names them. Raises ApiError."""

    def arguments(self, ask: Ask, client: Client) -> dict[str, Any]:
        """Which models may answer, as arguments of the chain. Raises ApiError."""
        return catalogue.arguments(ask.model, client, ask.max_usd)

    def looks_up(self, ask: Ask) -> bool:
        """Whether `prepared` needs the database, and the client as it is now."""
        return False

    def prepared(self, ask: Ask, client: Client) -> Ask:
        """The request with what is known of it. Raises ApiError."""
        return ask

    def keeps(self, ask: Ask) -> bool:
        """Whether `keep` stores the answers to this request."""
        return False

    @abstractmethod
    def answer(self, replies: Sequence[Reply], ask: Ask, id: str) -> dict[str, Any]:
        """The whole answer: one reply, or as many as were asked for."""

    @abstractmethod
    def writer(self, ask: Ask, id: str, *, hold: bool) -> "Writer":
        """The answer as events."""

    def keep(self, ask: Ask, client: Client, reply: Reply, body: Mapping[str, Any]) -> None:
        """Called with each answer before it is told as whole, in a transaction: stores what may be asked for later."""
        raise NotImplementedError

    def error(self, error: ApiError) -> dict[str, Any]:
        """An error's body."""
        return error.body()


class Writer(ABC):
    """A reply as the server-sent events of one protocol. Events of the chain are fed to it as they happen.

    hold: the text is told only once it is whole, since it cannot be taken back.
    Until the first bytes nothing was told, so a failure may still have its status.
    """

    def __init__(self, ask: Ask, id: str, *, hold: bool) -> None:
        self.ask, self.id, self.hold = ask, id, hold
        self.attempt: AttemptStarted | None = None
        self.attempts = 0
        self.replies: list[Reply] = []
        self.body: Mapping[str, Any] = {}  # of the last whole reply, where its protocol has one
        self._opened = self._told = self._thought = False

    @property
    def model(self) -> str:
        """Who answers, as far as that is known."""
        if self.replies:
            return model_of(self.replies[-1])
        return f"{self.attempt.provider}/{self.attempt.model}" if self.attempt else ""

    def feed(self, event: Event) -> bytes:
        """What is to be sent now; often nothing."""
        match event:
            case Delta(text):
                if self._may_tell():
                    self._told = True
                    return self._open() + self.text(text)
            case ReasoningDelta(text):
                if self._may_tell():
                    self._thought = True
                    return self._open() + self.reasoning(text)
            case AttemptStarted():
                self.attempt, self.attempts = event, self.attempts + 1
            case Completed(reply):
                self.replies.append(reply)
                return self._open() + self._whole(reply)
        return b""

    def _may_tell(self) -> bool:
        """A text without an attempt was kept: who gave it comes with its end, which is there already."""
        return not self.hold and self.attempt is not None

    def _open(self) -> bytes:
        if self._opened:
            return b""
        self._opened = True
        return self.opening()

    def _whole(self, reply: Reply) -> bytes:
        told, thought, self._told, self._thought = self._told, self._thought, False, False
        found = self.reasoning(reply.reasoning) if reply.reasoning and not thought else b""
        found += self.text(reply.text) if reply.text and not told else b""
        return found + self.finish(reply)

    @abstractmethod
    def opening(self) -> bytes:
        """Before the first piece."""

    @abstractmethod
    def text(self, text: str) -> bytes:
        """A piece of the text."""

    @abstractmethod
    def reasoning(self, text: str) -> bytes:
        """A piece of what the model thinks."""

    @abstractmethod
    def finish(self, reply: Reply) -> bytes:
        """What is left of a reply whose text and reasoning have been told: calls of tools, how it ended."""

    @abstractmethod
    def end(self) -> bytes:
        """After the last reply."""

    def error(self, error: ApiError) -> bytes:
        """Instead of the rest."""
        return event(error.body())


def event(value: Mapping[str, Any], name: str = "") -> bytes:
    """One server-sent event."""
    data = b"data: %b\n\n" % encoded(value)
    return b"event: %b\n%b" % (name.encode(), data) if name else data


def model_of(reply: Reply) -> str:
    """`slug/model-id`, a name that /models lists. A kept reply has no attempt to tell the slug."""
    return f"{reply.attempts[-1]['provider']}/{reply.model}" if reply.attempts else reply.model


def cost(replies: Sequence[Reply]) -> str:
    """USD of all of them; `unknown` when a price is."""
    found = Decimal(0)
    for reply in replies:
        if reply.cost_usd is None:
            return "unknown"
        found += reply.cost_usd
    return f"{found:.6f}"


def total(replies: Sequence[Reply]) -> tuple[int, int, int]:
    """Tokens in, out, and of those in the ones from a cache, of whole calls, failed attempts included."""
    tokens_in = tokens_out = cached = 0
    for reply in replies:
        tokens_in += reply.tokens_in
        tokens_out += reply.tokens_out
        cached += reply.tokens_cached
    return tokens_in, tokens_out, cached
