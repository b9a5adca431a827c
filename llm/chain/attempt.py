"""One try of one deployment: from its row in the ledger to its answer or its failure."""

from asyncio import to_thread
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from llm import clock
from llm.adapters import Adapter, Answer, Piece, Reasoning, Request, Timing, adapter_for, is_kept
from llm.adapters.answers.output import Output
from llm.calls.deployment import Deployment
from llm.calls.events import Delta, ReasoningDelta
from llm.calls.spec import CallSpec
from llm.chain import shaping, slow_start
from llm.chain.continuation import Continuation
from llm.configuration.snapshot import ProviderConf
from llm.failures import ownership
from llm.failures.evidence import Asked
from llm.failures.kinds import Failure, Kind
from llm.failures.rules import in_view_of
from llm.ledger import billing, bookkeeper
from llm.limits import quota
from llm.models import Attempt


def states_own_organisation(provider: ProviderConf) -> bool:
    """Whether an organisation in a provider's text is the one that our key belongs to there."""
    host = urlsplit(provider.base_url).hostname or ""
    return provider.kind == "groq" or (provider.kind == "openai" and host in {"", "api.openai.com"})


@dataclass(kw_only=True)
class AttemptRun:
    """Its row is written (`bookkeeper.begin`) before it is run, then it is finished exactly once."""

    deployment: Deployment
    want: CallSpec
    messages: Sequence[Mapping[str, Any]]
    keep_prose: bool = True  # a provider's words may repeat what it was asked
    row: Attempt = field(init=False)
    began: float = field(default_factory=lambda: clock.monotonic())
    first_token_s: float | None = None
    output: Output = field(default_factory=Output)
    sent: bool = False
    alive: bool = False  # something has come
    text: str = ""
    answer: Answer | None = None
    failure: Failure | None = None

    def __post_init__(self) -> None:
        self.row = bookkeeper.attempt_for(
            self.deployment,
            self.want,
            reserved_tokens=quota.reserved_tokens(self.deployment, self.want),
        )

    async def ask(
        self, *, temperature: float | None, params: Mapping[str, Any], timing: Callable[[], Timing]
    ) -> list[Delta | ReasoningDelta]:
        """What the answer to a plain request tells; then `answer` is there. Raises Failure, and nothing else.

        timing: asked once the adapter is there, since to import its library is not the provider's time.
        """
        try:
            adapter, request = await self._adapter(), self._request(False, temperature, params)
            self.answer = await adapter.ask(request, self._begin(timing(), streamed=False))
            return [self._heard(piece) for piece in self.answer.pieces()]
        except Exception as error:
            failure = self._failure(error, params)
            raise failure from error.__cause__ if failure is error else error

    async def run(
        self,
        *,
        temperature: float | None,
        params: Mapping[str, Any],
        timing: Callable[[], Timing],
        so_far: str = "",
    ) -> AsyncGenerator[Delta | ReasoningDelta, None]:
        """Yields the text of a stream as it comes; then `answer` is there. Raises Failure, and nothing else.

        Whoever leaves early closes it, which ends the provider's request.
        timing: see `ask`
        so_far: what the caller has of an answer that this one goes on with: only what is new is yielded
        """
        new = Continuation(so_far)
        try:
            adapter, request = await self._adapter(), self._request(True, temperature, params)
            limits = self._begin(timing(), streamed=True)
            async with aclosing(adapter.run(request, limits)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Answer):
                        self.answer = piece
                        continue
                    told = self._heard(piece)
                    if so_far and isinstance(told, Delta):
                        told = Delta(new.feed(told.text))
                    if told.text:
                        yield told
                if held := new.end():
                    yield Delta(held)
        except Exception as error:
            failure = self._failure(error, params)
            raise failure from error.__cause__ if failure is error else error

    def _begin(self, limits: Timing, *, streamed: bool) -> Timing:
        """Notes that the request is sent now. Raises Failure where there is no time left to send it in."""
        self.began = clock.monotonic()
        if (limits.first_token if streamed else limits.end) <= self.began:
            raise Failure(Kind.CUT_SHORT, "no time was left to send it")
        self.sent = True
        return limits

    def _heard(self, piece: Piece) -> Delta | ReasoningDelta:
        """What a piece tells the caller."""
        if not self.alive:
            self._comes_alive()
        if isinstance(piece, Reasoning):
            return ReasoningDelta(piece.text)
        if self.first_token_s is None:
            self.first_token_s = clock.monotonic() - self.began
        self.text += piece
        return Delta(piece)

    def _comes_alive(self) -> None:
        """The first sign of life: others need not wait to see whether the provider answers."""
        self.alive = True
        slug = self.deployment.provider.slug
        slow_start.ended(slug, self.row.pk)
        slow_start.note(slug, alive=True)

    def _failure(self, error: Exception, params: Mapping[str, Any]) -> Failure:
        """The failure that an error is, once what was asked, and by whose key, is taken into account."""
        if not isinstance(error, Failure):
            return ownership.of_ours(error)
        return self._owned(error, params)

    def _owned(self, failure: Failure, params: Mapping[str, Any]) -> Failure:
        asked = Asked(
            model=self.deployment.model.name, messages=self.messages, params=params, needs=self.want.needs
        )
        failure.mask(self.deployment.key.key)  # it stays the cause of what is raised
        failure = in_view_of(failure, asked)
        if not states_own_organisation(self.deployment.provider):
            failure.organisation = failure.account = ""  # another service's, which was passed on to us
        if self.deployment.key.declared:
            failure.account = ""
        failure.mask(self.deployment.key.key)
        if not self.keep_prose:
            failure.hide_prose()
        return failure

    async def _adapter(self) -> Adapter:
        """Raises Failure for a key or a library that cannot be used."""
        provider = self.deployment.provider
        identity = {
            "kind": provider.kind, "base_url": provider.base_url, "key": self.deployment.key.key,
            "project": provider.project, "location": self.deployment.location,
        }  # fmt: skip
        return adapter_for(**identity) if is_kept(**identity) else await to_thread(adapter_for, **identity)

    def _request(self, streamed: bool, temperature: float | None, params: Mapping[str, Any]) -> Request:
        provider, model = self.deployment.provider, self.deployment.model
        messages, effort, shown = self.messages, None, None
        if params:
            messages, params = shaping.fit(messages, params, model)
            params = dict(params)
            effort, shown = params.pop("reasoning_effort", None), params.pop("include_reasoning", None)
        return Request(
            model=model.name,
            messages=messages,
            max_tokens=self.want.max_tokens + model.reasoning_reserve,
            temperature=temperature,
            params={**model.params, **params},
            effort=effort,
            show_reasoning=shown,
            dialect=provider.dialect,
            stream=streamed,
            output=self.output,
            **self._embedding(self.want.vectors[1]) if self.want.vectors else {},
        )

    def _embedding(self, dimensions: int) -> dict[str, Any]:
        """What a request for vectors has, beside a name and parameters."""
        return {
            "inputs": [str(message["content"]) for message in self.messages],
            "dimensions": dimensions,
            "shorten": dimensions != self.deployment.model.dimensions,
        }

    def finish(self, outcome: str, failure: Failure | None = None) -> None:
        """Notes how it ended and what it cost; `bookkeeper.save_attempt` or `bookkeeper.close_call` writes it."""
        self.failure = failure
        bill = billing.bill(
            sent=self.sent, estimated_in=self.want.tokens_in,
            most_out=self.want.max_tokens + self.deployment.model.reasoning_reserve, output=self.output,
            answer=self.answer, text=self.text, failure=failure,
        )  # fmt: skip
        bookkeeper.finish(
            self.row,
            outcome=outcome,
            failure=failure,
            bill=bill,
            latency_s=clock.monotonic() - self.began,
            first_token_s=self.first_token_s,
        )
        if failure is None and self.answer is not None and self.keep_prose:
            self.row.detail = self.answer.doubt[:300]
        if failure is not None and failure.kind is Kind.REJECTED_OUTPUT and not self.keep_prose:
            self.row.detail = ""  # a gate's reason may repeat the answer
