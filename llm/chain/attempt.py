"""One try of one deployment: from its row in the ledger to its answer or its failure."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llm.adapters import Answer, Request, Timing, adapter_for
from llm.chain import shaping
from llm.chain.events import Delta
from llm.chain.plan import Deployment, Skipped, Want
from llm.failures.rules import Failure
from llm.ledger import bookkeeper
from llm.limits import quota, tokens
from llm.models import Attempt, Call


@dataclass(kw_only=True)
class Trial:
    """Begin, run, then finish exactly once. The row is written before anything is sent."""

    deployment: Deployment
    want: Want
    messages: Sequence[Mapping[str, Any]]
    row: Attempt = field(init=False)
    began: float = field(default_factory=time.monotonic)
    first_token_s: float | None = None
    text: str = ""
    answer: Answer | None = None

    def __post_init__(self) -> None:
        self.row = bookkeeper.attempt_for(
            self.deployment,
            self.want,
            reserved_tokens=quota.reserved_tokens(self.deployment, self.want),
        )

    def begin(self, call: Call, refusal: Callable[[], Skipped | None]) -> None:
        """Reserves room and writes the row. Raises ledger.NoRoom when somebody else was quicker."""
        bookkeeper.begin(call, self.row, refusal, lambda: quota.lock(self.deployment))
        self.began = time.monotonic()

    def run(
        self, *, streamed: bool, temperature: float | None, params: Mapping[str, Any], timing: Timing
    ) -> Generator[Delta, None, Answer]:
        """Yields the text as it comes and returns the answer. Raises Failure."""
        provider, model = self.deployment.provider, self.deployment.model
        adapter = adapter_for(
            kind=provider.kind,
            base_url=provider.base_url,
            key=self.deployment.key.key,
            project=provider.project,
            location=self.deployment.location,
        )
        messages, params = shaping.fit(self.messages, params, model)
        request = Request(
            model=model.name,
            messages=messages,
            max_tokens=self.want.max_tokens + model.reasoning_reserve,
            temperature=temperature,
            params={**model.params, **params},
            stream=streamed,
        )
        pieces = adapter.run(request, timing)
        try:
            while True:
                piece = next(pieces)
                if self.first_token_s is None:
                    self.first_token_s = time.monotonic() - self.began
                self.text += piece
                yield Delta(piece)
        except Failure as failure:
            failure.mask(self.deployment.key.key)
            raise
        except StopIteration as stop:
            self.answer = stop.value
            return stop.value  # type: ignore[no-any-return]
        finally:
            pieces.close()  # a consumer that leaves stops the provider, too

    def finish(self, outcome: str, failure: Failure | None = None) -> None:
        """Notes how it ended; `ledger.save_attempt` or `ledger.close_call` writes it.

        What a provider did not count it bills all the same, so our estimate stands in: also for a stream
        that died half-way.
        """
        tokens_in = tokens_out = 0
        if self.answer is not None or self.text:
            counted = self.answer or Answer(text=self.text)
            tokens_in = self.want.tokens_in if counted.tokens_in is None else counted.tokens_in
            tokens_out = tokens.estimate_answer(counted) if counted.tokens_out is None else counted.tokens_out
        bookkeeper.finish(
            self.row,
            outcome=outcome,
            failure=failure,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            latency_s=time.monotonic() - self.began,
            first_token_s=self.first_token_s,
        )
