"""One chat request being answered: its connection, its bookkeeping, and what behaviours are made of."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from llm.simulator.connection import Connection
from llm.simulator.limits import Hold, Limits, ProviderStatus
from llm.simulator.records import Record
from llm.simulator.report import compose
from llm.simulator.tokens import count_tokens, cut_to_tokens
from llm.simulator.wire import Answer, Ask, Wire

JSON: Final = {"content-type": "application/json"}
EVENTS: Final = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}


class Exchange:
    """What a behaviour needs to play. `settle` before the client can see the end of the answer."""

    def __init__(
        self, connection: Connection, ask: Ask, wire: Wire, record: Record, limits: Limits,
        hold: Hold | None, clock: Callable[[], float], serial: int, cached: int = 0,
    ) -> None:  # fmt: skip
        """cached: tokens of the prompt that the account's prompt cache held."""
        self.connection = connection
        self.ask = ask
        self.wire = wire
        self.serial = serial
        self._record = record
        self._limits = limits
        self._hold = hold
        self._clock = clock
        self._settled = False
        self._cached = cached

    def answer(
        self,
        text: str | None = None,
        *,
        reasoning: str = "",
        finish: str | None = "stop",
        usage: Mapping[str, Any] | None = None,
    ) -> Answer:
        """An answer that honours max_tokens. text None: what the prompt asks for. usage: counts to state."""
        text = compose(self.ask) if text is None else text
        limit = self.ask.max_tokens
        if limit is not None and count_tokens(reasoning) + count_tokens(text) > limit:
            reasoning = cut_to_tokens(reasoning, limit)
            text = cut_to_tokens(text, limit - count_tokens(reasoning))
            finish = finish and "length"
        thought = count_tokens(reasoning)
        counts = {"prompt_tokens": self.ask.prompt_tokens, "completion_tokens": thought + count_tokens(text)}
        stated = dict(usage or {})
        counts |= {name: stated.pop(name) for name in counts if name in stated}
        stated.pop("total_tokens", None)
        if self._cached:
            stated.setdefault("prompt_tokens_details", {"cached_tokens": self._cached})
        return Answer(
            text=text, reasoning=reasoning, finish=finish, reasoning_tokens=thought, usage=stated,
            serial=self.serial,
            prompt_tokens=counts["prompt_tokens"], completion_tokens=counts["completion_tokens"],
        )  # fmt: skip

    # -- bookkeeping ---------------------------------------------------------------------------------

    def note(self, status: int, prompt_tokens: int = 0, completion_tokens: int = 0) -> None:
        """What the record says of this request so far."""
        self._record.status = status
        self._record.prompt_tokens = prompt_tokens
        self._record.completion_tokens = completion_tokens

    def settle(self) -> None:
        """The call has ended, with what was noted; what it had reserved beyond that is free again."""
        if self._hold and not self._settled:
            self._settled = True
            prompt, written = self._record.prompt_tokens, self._record.completion_tokens
            if self.ask.provider == "groq":  # which does not count what it has cached
                prompt -= min(self._record.cached_tokens, prompt)
            self._limits.settle(self._hold, prompt + written, prompt)

    def finished(self, answer: Answer) -> None:
        """The call has ended with this answer, whole."""
        self.note(200, answer.prompt_tokens, answer.completion_tokens)
        details = answer.usage.get("prompt_tokens_details") or {}
        self._record.cached_tokens = int(details.get("cached_tokens") or 0)
        self.settle()

    def headers(self, base: Mapping[str, str]) -> dict[str, str]:
        """With the account's quota as it is now: before `settle` the call's reservation counts."""
        standing = ProviderStatus()
        if self._hold:
            standing = self._limits.standing(self._record.account, self.ask.model, self._clock())
        return {**base, **self.wire.rate_headers(self.ask, standing)}

    # -- whole answers -------------------------------------------------------------------------------

    def tell(self, answer: Answer) -> None:
        """A good, complete answer, in the form asked for, in one write."""
        if self.ask.stream:
            headers = self.headers(EVENTS)
            self.finished(answer)
            self.connection.send_chunked(headers, self.wire.events(self.ask, answer).all())
        else:
            self.finished(answer)
            self.connection.send(200, self.headers(JSON), self.wire.whole(self.ask, answer))

    def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Any answer as it is; it used no tokens unless they were noted."""
        self._record.status = status
        self.settle()
        self.connection.send(status, headers, body)
