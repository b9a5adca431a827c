"""The chain: one call, tried on one deployment after another until one of them answers.

`complete` and `stream` are two views of the same generator of events, `_Run.events`. What happens on
a failure is decided in three places only: `failures.RULES` says what it was, `pauses` for how long
others should not try the same, and `_Run._after` below what this call tries next.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from django.utils import timezone

from llm import ledger, pauses, state, tokens
from llm.adapters import Answer, Request, Timing, adapter_for
from llm.failures import Failure, Kind
from llm.models import Attempt, Call
from llm.plan import HALF_OPEN_KINDS, CallSkips, Deployment, Skipped, Want, plan
from llm.quota import LedgerMeter
from llm.state import ProviderConf

log = logging.getLogger(__name__)

DEFAULT_MAX_TOKENS = 1024
LEAST_SHARE_S = 5.0  # what every later provider keeps of the deadline, where it is long enough
LEAST_ATTEMPT_S = 0.2  # less is not worth a request


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    provider: str
    credential: str
    model: str
    location: str


@dataclass(frozen=True, slots=True)
class Delta:
    text: str


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """After a Delta it also means: discard the text so far."""

    kind: Kind
    provider: str
    credential: str
    model: str
    location: str
    detail: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and how it came about. `provider` is the credential's label; `cost_usd` None is unknown."""

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


@dataclass(frozen=True, slots=True)
class Completed:
    reply: Reply


Event = AttemptStarted | Delta | AttemptFailed | Completed


class ChainExhausted(Exception):
    """Nobody answered. `attempts` and `skipped` say why; `content_blocked`, that a provider refused."""

    def __init__(
        self,
        *,
        attempts: list[dict[str, Any]],
        skipped: list[dict[str, Any]],
        call_id: int,
        content_blocked: bool,
    ) -> None:
        super().__init__(
            "the content was refused" if content_blocked else "every provider failed or was skipped"
        )
        self.attempts = attempts
        self.skipped = skipped
        self.call_id = call_id
        self.content_blocked = content_blocked


def complete(**arguments: Any) -> Reply:
    """Asks the chain once and waits. Takes the arguments of `stream`; sends plain requests.

    Raises ChainExhausted when nobody answered, ValueError for unusable arguments.
    """
    for event in _run(streamed=False, **arguments):
        if isinstance(event, Completed):
            return event.reply
    raise AssertionError("a run ends with Completed or raises")


def stream(**arguments: Any) -> Iterator[Event]:
    """Asks the chain once and yields what happens: AttemptStarted, Delta, AttemptFailed, Completed.

    user, system: the prompt; or messages: [{"role", "content"}, …]
    purpose, lang: for the ledger and the estimate of tokens
    max_tokens: of visible text (1024); temperature, params: passed on
    deadline_s: for the whole call, in seconds (45)
    max_usd: the most that the call may cost; 0 is free only, None is what the budgets allow
    providers, tiers: use only these (slugs, numbers)
    on_content_block: "next" provider, or "error"
    accept: accept(text) -> None, or a str that says why the text is not good enough

    Raises ChainExhausted when nobody answered, ValueError for unusable arguments.
    """
    return _run(streamed=True, **arguments)


def _run(
    *,
    streamed: bool,
    user: str | None = None,
    system: str | None = None,
    messages: Sequence[Mapping[str, Any]] | None = None,
    purpose: str = "",
    lang: str = "",
    max_tokens: int | None = None,
    temperature: float | None = None,
    params: Mapping[str, Any] | None = None,
    deadline_s: float = 45,
    max_usd: Decimal | float | str | None = None,
    providers: Sequence[str] | None = None,
    tiers: Sequence[Decimal | float | str] | None = None,
    on_content_block: Literal["next", "error"] = "next",
    accept: Callable[[str], str | None] | None = None,
) -> Iterator[Event]:
    if messages is None:
        messages = [
            *([{"role": "system", "content": system}] if system else []),
            {"role": "user", "content": user or ""},
        ]
    if not any(message.get("content") for message in messages):
        raise ValueError("there is nothing to ask: give user or messages")
    visible_tokens = DEFAULT_MAX_TOKENS if max_tokens is None else max_tokens
    if visible_tokens < 1 or deadline_s <= 0:
        raise ValueError("max_tokens and deadline_s must be above 0")
    want = Want(
        tokens_in=tokens.estimate(messages),
        max_tokens=visible_tokens,
        providers=None if providers is None else frozenset(providers),
        tiers=None if tiers is None else frozenset(Decimal(str(tier)) for tier in tiers),
        max_usd=None if max_usd is None else Decimal(str(max_usd)),
    )
    return _Run(
        messages=messages, want=want, streamed=streamed, temperature=temperature, params=params or {},
        deadline_s=deadline_s, on_content_block=on_content_block, accept=accept,
        call=ledger.open_call(
            purpose=purpose, lang=lang, deadline_s=deadline_s, messages=[dict(m) for m in messages]
        ),
    ).events()  # fmt: skip


@dataclass
class _Run:
    """One call in progress."""

    call: Call
    messages: Sequence[Mapping[str, Any]]
    want: Want
    streamed: bool
    temperature: float | None
    params: Mapping[str, Any]
    deadline_s: float
    on_content_block: str
    accept: Callable[[str], str | None] | None
    started: float = field(default_factory=time.monotonic)
    providers: tuple[ProviderConf, ...] = ()
    skips: CallSkips = field(default_factory=CallSkips)
    attempts: list[Attempt] = field(default_factory=list)
    skipped: dict[tuple[str, str | None, str | None], Skipped] = field(default_factory=dict)

    def events(self) -> Iterator[Event]:
        outcome = Call.Outcome.CANCELLED  # unless we get further: the consumer may leave at any yield
        try:
            while (deployment := self._next_deployment()) is not None:
                answer = yield from self._attempt(deployment)
                if answer is not None:
                    outcome = Call.Outcome.OK
                    self._close(outcome, deployment, answer)
                    yield Completed(self._reply(deployment, answer))
                    return
                if self.on_content_block == "error" and self.attempts[-1].outcome == Kind.CONTENT_BLOCKED:
                    outcome = Call.Outcome.BLOCKED
                    break
            else:
                outcome = Call.Outcome.EXHAUSTED
            self._close(outcome)
            raise ChainExhausted(
                attempts=self._told_attempts(), skipped=self._told_skipped(), call_id=self.call.pk,
                content_blocked=outcome == Call.Outcome.BLOCKED,
            )  # fmt: skip
        finally:
            if outcome == Call.Outcome.CANCELLED:
                self._close(outcome)

    # -- choosing ------------------------------------------------------------------------------------

    def _left_s(self) -> float:
        return self.started + self.deadline_s - time.monotonic()

    def _next_deployment(self) -> Deployment | None:
        """The first deployment of the plan as it is now; notes what the plan passes over."""
        now = timezone.now()
        self.providers = state.providers()
        for step in plan(self.providers, state.open_pauses(), LedgerMeter(now), self.want, self.skips, now):
            if isinstance(step, Skipped):
                self.skipped.setdefault((step.provider, step.credential, step.model), step)
            elif self._left_s() < LEAST_ATTEMPT_S:
                self.skipped.setdefault(("", None, None), Skipped("", "deadline"))
                return None
            elif self._may_probe(step, now):
                return step
        return None

    def _may_probe(self, deployment: Deployment, now: datetime) -> bool:
        """Of an ended pause only one call at a time tests whether it is over."""
        probes = [pause for pause in deployment.probes if pause.kind in HALF_OPEN_KINDS]
        if not probes or pauses.claim_probes(probes, now + timedelta(seconds=deployment.provider.timeout_s)):
            return True
        self.skips.deployments.add((deployment.key.label, deployment.model.name, deployment.location))
        return False

    def _timing(self, deployment: Deployment) -> Timing:
        """This attempt's share of the deadline: all but what the providers after it must keep."""
        now, left = time.monotonic(), self._left_s()
        slugs = [p.slug for p in self.providers if p.keys and p.slug not in self.skips.providers]
        later = (
            len(slugs) - slugs.index(deployment.provider.slug) - 1 if deployment.provider.slug in slugs else 0
        )
        if self.want.providers is not None:
            later = 0 if len(self.want.providers) == 1 else later
        share = left - later * min(LEAST_SHARE_S, left / (later + 1))
        end = now + min(deployment.provider.timeout_s, share)
        return Timing(first_token=min(now + deployment.provider.first_byte_s, end), end=end)

    # -- trying --------------------------------------------------------------------------------------

    def _attempt(self, deployment: Deployment) -> Generator[Event, None, Answer | None]:
        """One try, from the ledger's row to its end. Returns the accepted answer, or None after a failure."""
        provider, model = deployment.provider, deployment.model
        names = (provider.slug, deployment.key.label, model.name, deployment.location)
        reserved = self.want.tokens_in + self.want.max_tokens + model.reasoning_reserve
        attempt = ledger.begin(
            self.call, deployment, reserved_tokens=reserved,
            chars_in=sum(len(str(m.get("content") or "")) for m in self.messages),
        )  # fmt: skip
        self.attempts.append(attempt)
        began, first_token_s, answer = time.monotonic(), None, None
        pieces: Generator[str, None, Answer] | None = None
        request = Request(
            model=model.name, messages=self.messages, temperature=self.temperature, stream=self.streamed,
            max_tokens=self.want.max_tokens + model.reasoning_reserve, params={**model.params, **self.params},
        )  # fmt: skip
        try:
            yield AttemptStarted(*names)
            adapter = adapter_for(
                kind=provider.kind, base_url=provider.base_url, key=deployment.key.key,
                project=provider.project, location=deployment.location,
            )  # fmt: skip
            pieces = adapter.run(request, self._timing(deployment))
            while True:
                try:
                    piece = next(pieces)
                except StopIteration as stop:
                    answer = stop.value
                    break
                if first_token_s is None:
                    first_token_s = time.monotonic() - began
                yield Delta(piece)
            self._gate(answer.text)
        except Failure as failure:
            self._finish(attempt, failure.kind, began, first_token_s, answer, failure)
            until = self._after(failure, deployment)
            yield AttemptFailed(failure.kind, *names, detail=failure.detail, until=until)
            return None
        except GeneratorExit:  # the consumer left: no failure of the provider's
            if pieces is not None:
                pieces.close()
            self._finish(attempt, Call.Outcome.CANCELLED, began, first_token_s, answer)
            raise
        self._finish(attempt, Call.Outcome.OK, began, first_token_s, answer)
        if deployment.probes:
            pauses.close(deployment.probes, by="answered again")
        return answer

    def _gate(self, text: str) -> None:
        """Raises Failure when the caller does not accept the text."""
        if self.accept is None:
            return
        try:
            why = self.accept(text)
        except Exception:
            log.exception("accept() raised; its text counts as rejected")
            why = "the gate itself failed"
        if why:
            raise Failure(Kind.REJECTED_OUTPUT, why, status=200)

    def _finish(
        self,
        attempt: Attempt,
        outcome: str,
        began: float,
        first_token_s: float | None,
        answer: Answer | None,
        failure: Failure | None = None,
    ) -> None:
        """Notes how the attempt ended; `_after` or `_close` writes it."""
        tokens_in = tokens_out = 0
        if answer is not None:  # a provider that does not count still bills: our estimate stands in
            tokens_in = self.want.tokens_in if answer.tokens_in is None else answer.tokens_in
            tokens_out = (
                tokens.estimate([{"content": answer.text}])
                if answer.tokens_out is None
                else answer.tokens_out
            )
        ledger.finish(
            attempt, outcome=outcome, failure=failure, tokens_in=tokens_in, tokens_out=tokens_out,
            latency_s=time.monotonic() - began, first_token_s=first_token_s,
        )  # fmt: skip

    def _after(self, failure: Failure, deployment: Deployment) -> datetime | None:
        """What others learn from a failure (a pause), and what this call will not try again.

        Returns until when the scope is paused.
        """
        ledger.save_attempt(self.attempts[-1])
        pauses.learn_organisation(deployment, failure.organisation)
        pause = pauses.open_for(failure, deployment)
        if failure.kind not in {Kind.PROVIDER_DOWN, Kind.BLOCKED_PROVIDER} and deployment.probes:
            # It failed in another way, so at least it is there again.
            there = [p for p in deployment.probes if p.kind in {Kind.PROVIDER_DOWN, Kind.BLOCKED_PROVIDER}]
            pauses.close(there, by="answered again")
        slug, model = deployment.provider.slug, deployment.model.name
        self.skips.deployments.add((deployment.key.label, model, deployment.location))
        if (
            failure.kind in {Kind.REQUEST_REJECTED, Kind.CONTENT_BLOCKED, Kind.REJECTED_OUTPUT}
            or failure.silent
        ):
            self.skips.providers.add(slug)
        elif failure.kind in {Kind.REQUEST_TOO_LARGE, Kind.EMPTY_OUTPUT}:
            self.skips.models.add((slug, model))
        return pause.until if pause else None

    # -- telling -------------------------------------------------------------------------------------

    def _close(
        self, outcome: str, deployment: Deployment | None = None, answer: Answer | None = None
    ) -> None:
        if deployment is not None and answer is not None:
            self.call.text, self.call.tier = answer.text, deployment.provider.tier
            self.call.provider, self.call.model = deployment.label, deployment.model.name
        ledger.close_call(
            self.call, outcome, attempts=self.attempts, latency_s=time.monotonic() - self.started
        )

    def _reply(self, deployment: Deployment, answer: Answer) -> Reply:
        return Reply(
            text=answer.text, provider=deployment.label, model=deployment.model.name,
            finish_reason=answer.finish_reason, cost_usd=self.call.cost_usd, tokens_in=self.call.tokens_in,
            tokens_out=self.call.tokens_out, latency_ms=self.call.latency_ms, attempts=self._told_attempts(),
            skipped=self._told_skipped(), call_id=self.call.pk,
        )  # fmt: skip

    def _told_attempts(self) -> list[dict[str, Any]]:
        return [
            {
                "provider": a.provider, "credential": a.credential, "model": a.model, "location": a.location or None,
                "outcome": str(a.outcome), "status": a.status, "retry_after_s": a.retry_after_s,
                "latency_ms": a.latency_ms, "detail": a.detail,
            }
            for a in self.attempts
        ]  # fmt: skip

    def _told_skipped(self) -> list[dict[str, Any]]:
        """What got no request at all in this call."""
        tried = {(a.credential, a.model) for a in self.attempts}
        tried_providers = {a.provider for a in self.attempts}
        return [
            asdict(skip)
            for skip in self.skipped.values()
            if (skip.credential, skip.model) not in tried
            and not (skip.credential is None and skip.provider in tried_providers)
        ]
