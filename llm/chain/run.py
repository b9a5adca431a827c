"""The chain: one call, tried on one deployment after another until one of them answers.

`complete` and `stream` are two views of the same generator of events, `_Run.events`. What happens on
a failure is decided in three places only: `failures.rules` says what it was, `pauses.breaker` for how long
others should not try the same, and `_Run._after` below what this call tries next.
"""

import logging
import math
import random
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Literal

from django.utils import timezone

from llm import cache, clock, gates
from llm.adapters import Answer, transport
from llm.cache import forget_calls
from llm.calls import tokens
from llm.calls.deployment import Deployment, Skipped
from llm.calls.events import AttemptFailed, AttemptStarted, Completed, Delta, Event, ReasoningDelta, Reply
from llm.calls.spec import CallSpec
from llm.calls.terms import PREFILL, DataPolicy, without_images
from llm.chain import arguments as spec
from llm.chain import slow_start
from llm.chain.attempt import AttemptRun
from llm.chain.continuation import going_on
from llm.chain.selector import LEAST_SHARE_S, Selector
from llm.chain.slow_start import LATELY_S
from llm.clients import access as clients
from llm.failures.kinds import Failure, Kind
from llm.gates import purposes
from llm.ledger import bookkeeper, receipts, serializers
from llm.limits.headers import observed
from llm.models import Attempt, Call, Client
from llm.operations import alerts, upkeep
from llm.pauses import breaker
from llm.pauses import probes as edges
from llm.transactions import write_transaction

__all__ = [
    "AttemptFailed", "AttemptStarted", "CallerLeft", "ChainExhausted", "Completed", "Delta", "Event", "ReasoningDelta",
    "Reply", "complete", "forget_calls", "gates", "purposes", "receipts", "stream",
]  # fmt: skip
log = logging.getLogger(__name__)

PATIENCE_S = 45.0
RETRY_AFTER_S = (0.1, 0.4)
PROLONG_AFTER_S = 30.0  # less than the minute of grace that a call has beyond its deadline
ONE_OFF = {None, 500, 502}  # None: the connection was reset
# What this call does not try again after a failure; other calls learn from the pause.
NEXT_PROVIDER = {Kind.REQUEST_REJECTED, Kind.CONTENT_BLOCKED, Kind.REJECTED_OUTPUT, Kind.CUT_SHORT}
NEXT_MODEL = {Kind.REQUEST_TOO_LARGE, Kind.EMPTY_OUTPUT}
STATES_LIMITS = {413, 429}
REPAIR = "Your answer was not accepted: %s. Write it again, complete, with this put right."
sleep = time.sleep  # tests and benchmarks put their own clock here


class CallerLeft(BaseException):
    """Nobody waits for the answer any more. No Exception, so that no library takes it for a failure of the provider."""


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


def complete(*, on_event: Callable[[Event], None] | None = None, **arguments: Any) -> Reply:
    """Asks the chain once and waits. Takes the arguments of `stream`; sends plain requests.

    on_event: told what happens meanwhile.
    Raises ChainExhausted when nobody answered, ValueError for unusable arguments.
    """
    for event in _run(streamed=False, **arguments):
        if on_event is not None:
            on_event(event)
        if isinstance(event, Completed):
            return event.reply
    raise AssertionError("a run ends with Completed or raises")


def stream(**arguments: Any) -> Iterator[Event]:
    """Asks the chain once and yields what happens: AttemptStarted, ReasoningDelta, Delta, AttemptFailed, Completed.

    user, system: the prompt; or messages: [{"role", "content"}, …]
    purpose, lang: for the ledger and the estimate of tokens
    max_tokens: the most visible text; lowered to what a deployment can give at all (see `Reply.max_tokens`). None:
        the model's own maximum, within quota and budget, or the setting LLM_MAX_TOKENS
    temperature, params: passed on, `reasoning_effort` and `include_reasoning` in each provider's own words
    deadline_s: for the whole call, in seconds; None: a plain answer has `patience_s`, a stream must begin within
        that time and then lasts as long as words flow
    patience_s: how long to wait where no deadline is named (45 seconds)
    max_usd: the most that the call may cost; 0 is free only, None is what the budgets allow
    providers, tiers, models: use only these (slugs, numbers, ids)
    on_content_block: "next" provider, or "error"
    on_broken_stream: after a Delta, "restart" with the next provider, or "error" where a text cannot be taken back,
        or "continue": the next provider that can goes on from the text so far (AttemptFailed.kept)
    accept: accept(text) -> None, or a str that says why the text is not good enough; llm.gates.Unjudgeable, which
        it may raise, ends the call
    repair: give a model whose text is not accepted one more turn with the reason, before the next one is tried; or
        repair(reason) -> whether it gets that turn
    fresh: do not look for a kept reply (see `llm.cache`), and keep none
    use: llm.calls.terms.DataPolicy, what the data is and for whom: providers whose terms forbid it are skipped
    client: llm.models.Client whose limits hold
    keep_text: whether the ledger keeps what was asked and answered
    has_left: asked twice a second while the call waits, and before each attempt: whether the caller has left

    Raises ChainExhausted when nobody answered, CallerLeft when `has_left` says so,
    llm.clients.access.Refused when the client may not ask now,
    ValueError for unusable arguments.
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
    deadline_s: float | None = None,
    patience_s: float = PATIENCE_S,
    max_usd: Decimal | float | str | None = None,
    providers: Sequence[str] | None = None,
    tiers: Sequence[Decimal | float | str] | None = None,
    models: Sequence[str] | None = None,
    on_content_block: Literal["next", "error"] = "next",
    on_broken_stream: Literal["restart", "error", "continue"] = "restart",
    accept: Callable[[str], str | None] | None = None,
    repair: bool | Callable[[str], bool] = False,
    fresh: bool = False,
    use: DataPolicy | None = None,
    client: Client | None = None,
    keep_text: bool = True,
    has_left: Callable[[], bool] | None = None,
) -> Iterator[Event]:
    limit_s = patience_s if deadline_s is None else deadline_s
    spec.check(
        purpose=purpose, lang=lang, temperature=temperature, deadline_s=limit_s, accept=accept,
        on_content_block=on_content_block, on_broken_stream=on_broken_stream,
    )  # fmt: skip
    messages, params = spec.read_messages(user, system, messages), spec.read_params(params)
    want = spec.read_want(
        messages, params, lang=lang, max_tokens=max_tokens, max_usd=max_usd, providers=providers, tiers=tiers,
        models=models, use=use, client=client,
    )  # fmt: skip
    call = bookkeeper.open_call(
        purpose=purpose, lang=lang, deadline_s=limit_s, client=want.client,
        messages=without_images(messages) if keep_text else [],
    )  # fmt: skip
    begin_by = clock.monotonic() + limit_s
    run = _Run(
        call=call,
        messages=messages,
        selector=Selector(
            want=want,
            end=math.inf if streamed and deadline_s is None else begin_by,
            begin_by=begin_by,
            own_deadline=deadline_s is not None,
            streamed=streamed,
        ),
        patience_s=limit_s,
        has_left=has_left,
        streamed=streamed,
        temperature=temperature,
        params=params,
        on_content_block=on_content_block,
        on_broken_stream=on_broken_stream,
        accept=accept,
        client=client,
        keep_text=keep_text,
        repair=repair,
    )
    if fresh or not keep_text or not cache.is_on():
        return run.events()
    shared = client is not None and client.cache == Client.Cache.SHARED
    key = cache.key_of(messages, lang=lang, want=want, temperature=temperature, params=params, shared=shared)
    admit = partial(clients.admit, client) if client else None
    return cache.through(run.events, call=call, key=key, accept=accept, end=begin_by, admit=admit)


@dataclass
class _Run:
    """One call in progress."""

    call: Call
    messages: Sequence[Mapping[str, Any]]
    selector: Selector
    streamed: bool
    temperature: float | None
    params: Mapping[str, Any]
    on_content_block: str
    on_broken_stream: str
    accept: Callable[[str], str | None] | None
    client: Client | None
    keep_text: bool
    patience_s: float
    has_left: Callable[[], bool] | None
    started: float = field(default_factory=lambda: clock.monotonic())
    prolonged: float = field(default_factory=lambda: clock.monotonic())
    trials: list[AttemptRun] = field(default_factory=list)
    retry: Deployment | None = None
    retried: bool = False
    repair: bool | Callable[[str], bool] = False  # still to be had
    so_far: str = ""  # what was told before the stream broke, and stands
    told: str = ""  # by the present attempt
    turn: Sequence[Mapping[str, Any]] = ()  # what the next trial adds to the messages
    claim: cache.Claim | None = None  # to keep the answer

    def events(self, claim: cache.Claim | None = None) -> Generator[Event, None, None]:
        """Raises cache.AlreadyClaimed before the first event when another call has taken the claim."""
        self.claim = claim
        # Unless we get further: the consumer may leave at any yield.
        outcome: Call.Outcome | None = Call.Outcome.CANCELLED
        try:
            while (trial := self._next_trial()) is not None:
                answer = yield from self._try(trial)
                if answer is not None:
                    outcome = Call.Outcome.OK
                    self._close(outcome, trial.deployment, answer)
                    yield Completed(self._reply(trial, answer))
                    return
                if self.on_content_block == "error" and trial.row.outcome == Kind.CONTENT_BLOCKED:
                    outcome = Call.Outcome.BLOCKED
                    break
                if self._cannot_go_on(trial):
                    outcome = Call.Outcome.EXHAUSTED
                    break
            else:
                self._admit_unsent()
                outcome = Call.Outcome.EXHAUSTED
            self._close(outcome)
            raise ChainExhausted(
                attempts=serializers.attempts(self._rows()),
                skipped=serializers.skipped(self._rows(), self.selector.skipped.values()),
                call_id=self.call.pk,
                content_blocked=outcome == Call.Outcome.BLOCKED,
            )
        except (clients.Refused, cache.AlreadyClaimed):
            outcome = None  # nothing was sent, and nothing written
            raise
        except gates.Unjudgeable:
            outcome = Call.Outcome.EXHAUSTED
            self._close(outcome)
            raise
        finally:
            if outcome == Call.Outcome.CANCELLED:
                self._close(outcome)
            upkeep.after_a_call()

    def _tick(self) -> None:
        """Now and then while the call waits: is the caller still there? Raises CallerLeft.

        A call that may last for hours also says that it has not lost its worker.
        """
        if self.has_left is not None and self.has_left():
            raise CallerLeft
        if self.selector.end == math.inf and clock.monotonic() - self.prolonged > PROLONG_AFTER_S:
            self.prolonged = clock.monotonic()
            if not self.call._state.adding:
                bookkeeper.prolong(self.call, self.patience_s)

    def _wait(self, seconds: float) -> None:
        """Waits for a deployment; a caller may leave meanwhile. Raises CallerLeft."""
        end = clock.monotonic() + seconds
        while self.has_left is not None and (left := end - clock.monotonic()) > transport.TICK_S:
            self._tick()
            sleep(transport.TICK_S)
            seconds = max(left - transport.TICK_S, 0)
        sleep(seconds)
        self._tick()

    def _next_trial(self) -> AttemptRun | None:
        """The next deployment with room, its attempt already in the ledger; None when nothing is left."""
        while (deployment := self._take_retry() or self.selector.next(self._wait)) is not None:
            self._tick()
            want, messages = self._take_turn()
            want = self.selector.fitted(deployment, want)
            trial = AttemptRun(deployment=deployment, want=want, messages=messages, keep_prose=self.keep_text)
            try:
                trial.begin(self.call, partial(self._refusal, deployment, want))
            except bookkeeper.NoRoom:
                continue  # the plan will now see it full
            self.trials.append(trial)
            return trial
        return None

    def _refusal(self, deployment: Deployment, want: CallSpec) -> Skipped | None:
        """Under the lock: may the client ask, and is there still room? Raises clients.Refused, cache.AlreadyClaimed."""
        if self.client is not None and self.call._state.adding:
            self.call.started_at = clients.admit(self.client)
        refusal = self.selector.refusal(deployment, want)
        if refusal is None and self.claim is not None:
            self.claim.take(self.call)
        return refusal

    def _admit_unsent(self) -> None:
        """A call for which nothing could be sent counts for its client, too. Raises clients.Refused."""
        if self.client is not None and self.call._state.adding:
            with write_transaction():
                self.call.started_at = clients.admit(self.client)
                self.call.save(force_insert=True)

    def _take_turn(self) -> tuple[CallSpec, Sequence[Mapping[str, Any]]]:
        """What to ask now: the call's messages, or these and the complaint."""
        want, turn, self.turn = self.selector.want, self.turn, ()
        if self.so_far:
            turn = [{"role": "assistant", "content": self.so_far}]
        if not turn:
            return want, self.messages
        more = tokens.estimate(turn)
        grown = replace(
            want,
            tokens_in=want.tokens_in + more,
            estimated_in=want.estimated_in + more,
            most_in=want.most_in + tokens.most(turn),
        )
        return grown, [*self.messages, *turn]

    def _take_retry(self) -> Deployment | None:
        """What is to be tried once more, unless somebody has paused it meanwhile."""
        deployment, self.retry = self.retry, None
        if deployment is None or self.turn or not self.selector.is_paused(deployment):
            return deployment
        self.selector.skips.deployments.add(deployment.name)
        return None

    def _try(self, trial: AttemptRun) -> Generator[Event, None, Answer | None]:
        """Runs one trial to its end. Returns the accepted answer, or None after a failure."""
        deployment = trial.deployment
        names = (
            deployment.provider.slug, deployment.key.label, deployment.model.name, deployment.location,
        )  # fmt: skip
        try:
            yield AttemptStarted(*names, max_tokens=self._lowered(trial))
            pieces = trial.run(
                streamed=self.streamed,
                temperature=self.temperature,
                params=self.params,
                timing=lambda: self.selector.timing(deployment.provider, streamed=self.streamed),
            )
            if self.so_far:
                pieces = going_on(pieces, self.so_far)
            answer = yield from self._watched(pieces, deployment.provider.slug)
            answer = replace(answer, text=self.so_far + answer.text)
            if not (answer.tool_calls and self.params.get("tools")):  # a call of a tool is no text to judge
                if not answer.text.strip():
                    raise Failure(Kind.EMPTY_OUTPUT, "called a tool that nobody offered", status=200)
                self._gate(answer.text, trial.row)
        except Failure as failure:
            trial.finish(failure.kind, failure)
            if failure.kind in slow_start.SUSPECT:
                slow_start.note(deployment.provider.slug, alive=False)
            if trial.text:
                self.selector.extend(self.patience_s)
            until = self._after(failure, trial)
            self._keep_what_came(failure, trial)
            yield AttemptFailed(
                failure.kind,
                *names,
                detail=failure.detail,
                until=until,
                window=failure.window,
                kept=bool(self.so_far),
            )
            return None
        except gates.Unjudgeable as error:
            trial.finish(
                Kind.REJECTED_OUTPUT, Failure(Kind.REJECTED_OUTPUT, f"not judged: {error}", status=200)
            )
            breaker.release_probes(deployment.probes)
            raise
        except BaseException:  # the consumer left, or interrupted us: no failure of the provider's
            trial.finish(Call.Outcome.CANCELLED)
            breaker.release_probes(deployment.probes)
            raise
        trial.finish(Call.Outcome.OK)
        slow_start.note(deployment.provider.slug, alive=True)
        self._learn(trial, answer.headers)
        if deployment.probes:
            breaker.answered(deployment)
        return answer

    def _cannot_go_on(self, trial: AttemptRun) -> bool:
        """Whether half a text was told that can be neither taken back nor continued."""
        if not (self.streamed and trial.text) or self.on_broken_stream == "restart":
            return False
        return self.on_broken_stream == "error" or trial.row.outcome != Kind.PROVIDER_DOWN

    def _keep_what_came(self, failure: Failure, trial: AttemptRun) -> None:
        """When a stream broke: the next provider shall go on from there, so it must take a prefill."""
        if (
            self.on_broken_stream == "continue"
            and self.streamed
            and failure.kind is Kind.PROVIDER_DOWN
            and trial.text
        ):
            self.so_far += self.told
            want = self.selector.want
            self.selector.want = replace(want, needs=want.needs | {PREFILL})

    def _watched(
        self, pieces: Generator[Delta | ReasoningDelta, None, Answer], slug: str
    ) -> Generator[Event, None, Answer]:
        """The same pieces, with `_tick` while they are waited for."""
        alive, self.told = False, ""
        with closing(pieces):
            while True:
                try:
                    with transport.ticking(self._tick):
                        piece = next(pieces)
                except StopIteration as stop:
                    return stop.value  # type: ignore[no-any-return]
                if not alive:
                    slow_start.note(slug, alive=True)
                alive = True
                if isinstance(piece, Delta):
                    self.told += piece.text
                yield piece

    def _gate(self, text: str, row: Attempt) -> None:
        """Raises Failure when the caller does not accept the text. Notes on the row that it was judged."""
        if self.accept is None:
            return
        row.judged = True
        try:
            why = self.accept(text)
        except gates.Unjudgeable:
            raise  # no other text would be judged either
        except Exception:
            log.exception("accept() raised; its text counts as rejected")
            why = "the gate itself failed"
        if why:
            raise Failure(Kind.REJECTED_OUTPUT, why, status=200)

    def _after(self, failure: Failure, trial: AttemptRun) -> datetime | None:
        """What others learn from a failure (a pause), and what this call will not try again.

        Returns until when its scope is paused.
        """
        deployment = trial.deployment
        bookkeeper.save_attempt(trial.row)
        self.selector.spent(trial.row.cost_usd)
        if self._deserves_retry(failure, trial):
            self.retry, self.retried = deployment, True
            self._wait(random.uniform(*RETRY_AFTER_S))
            return None
        breaker.learn_organisation(deployment, failure.organisation)
        if not failure.says_nothing:
            # A refusal of the request may quote whatever the request says of limits.
            prose = failure.detail if failure.status in STATES_LIMITS else ""
            self._learn(trial, failure.headers, prose)
        if self._deserves_repair(failure, trial):
            self.retry, self.repair = deployment, False
            self.turn = [
                {"role": "assistant", "content": trial.text},
                {"role": "user", "content": REPAIR % failure.detail},
            ]
            self.selector.skips.providers.add(deployment.provider.slug)  # whatever becomes of it
            return None
        pause = breaker.open_for(failure, deployment, cost_s=trial.row.latency_ms / 1000)
        alerts.tell(failure, deployment)
        if failure.lasting:
            breaker.remember_lack(failure, deployment)
        if failure.says_nothing:
            breaker.release_probes(deployment.probes)
        elif failure.kind not in edges.AT_THE_EDGE:  # it failed in another way, so at least it is there again
            breaker.close([p for p in deployment.probes if p.kind in edges.AT_THE_EDGE], by="answered again")
        slug, model = deployment.provider.slug, deployment.model.name
        self.selector.skips.deployments.add(deployment.name)
        if pause is not None:
            self.selector.learn(pause)
        if self._may_be_a_hiccup(failure) and not (trial.text or deployment.probes):
            self.selector.again.add(deployment.name)
        if failure.silent:
            self.selector.skips.silent.add(slug)
        elif failure.kind in NEXT_PROVIDER and not failure.lacks:
            self.selector.skips.providers.add(slug)
        elif failure.kind in NEXT_MODEL or failure.lacks:
            self.selector.skips.models.add((slug, model))
        return pause.until if pause else None

    def _deserves_retry(self, failure: Failure, trial: AttemptRun) -> bool:
        """A hiccup of a free deployment gets one quick retry, which is cheaper than the next tier."""
        return (
            self._may_be_a_hiccup(failure)
            and failure.status in ONE_OFF
            and trial.deployment.provider.free
            and not trial.deployment.probes
            and not trial.text
            and not self.retried
            and self.selector.left_s() > 2 * LEAST_SHARE_S
            and not self._others_failed(trial)
        )

    def _may_be_a_hiccup(self, failure: Failure) -> bool:
        """Refused at once, without a time to wait, and for the first time in this call."""
        return (
            failure.kind is Kind.PROVIDER_DOWN
            and not failure.silent
            and failure.retry_after_s is None
            and not self.retried
            and not self.selector.rested
        )

    def _others_failed(self, trial: AttemptRun) -> bool:
        """Whether the provider's last word to another call was the same: then it is no hiccup."""
        lately = trial.row.started_at - timedelta(seconds=LATELY_S)
        rows = Attempt.objects.filter(provider=trial.deployment.provider.slug, started_at__gt=lately)
        last = rows.exclude(finished_at=None).exclude(call=self.call).order_by("-finished_at", "-id").first()
        return last is not None and last.outcome == Kind.PROVIDER_DOWN

    def _deserves_repair(self, failure: Failure, trial: AttemptRun) -> bool:
        return (
            (self.repair(failure.detail) if callable(self.repair) else self.repair)
            and failure.kind is Kind.REJECTED_OUTPUT
            and bool(trial.text.strip())
            and self.selector.left_s() > 2 * LEAST_SHARE_S
        )

    def _learn(self, trial: AttemptRun, headers: Mapping[str, str], text: str = "") -> None:
        """Lets what the provider says of its limits correct our count."""
        if seen := observed(headers, text, kind=trial.deployment.provider.kind):
            self.selector.meter.at(timezone.now()).learn(trial.deployment, seen, trial.row)

    def _rows(self) -> list[Attempt]:
        return [trial.row for trial in self.trials]

    def _close(
        self, outcome: str, deployment: Deployment | None = None, answer: Answer | None = None
    ) -> None:
        if deployment is not None and answer is not None:
            self.call.text = answer.text if self.keep_text else ""
            self.call.tier = deployment.provider.tier
            self.call.provider, self.call.model = deployment.label, deployment.model.name
        bookkeeper.close_call(
            self.call,
            outcome,
            attempts=self._rows(),
            latency_s=clock.monotonic() - self.started,
            paid_prices=[
                m.price for p in self.selector.providers if not p.free for m in p.models if m.price.known
            ],
            also=partial(self.claim.fill, answer, self.call) if answer is not None and self.claim else None,
        )

    def _lowered(self, trial: AttemptRun) -> int | None:
        """The cap that was sent, where the caller has named a higher one."""
        wanted, sent = self.selector.want, trial.want.max_tokens
        return sent if wanted.named and sent < wanted.max_tokens else None

    def _reply(self, trial: AttemptRun, answer: Answer) -> Reply:
        deployment = trial.deployment
        return Reply(
            text=answer.text,
            tool_calls=answer.tool_calls,
            reasoning=answer.reasoning,
            state=answer.state,
            provider=deployment.label,
            model=deployment.model.name,
            finish_reason=answer.finish_reason,
            cost_usd=self.call.cost_usd,
            tokens_in=self.call.tokens_in,
            tokens_out=self.call.tokens_out,
            latency_ms=self.call.latency_ms,
            attempts=serializers.attempts(self._rows()),
            skipped=serializers.skipped(self._rows(), self.selector.skipped.values()),
            call_id=self.call.pk,
            max_tokens=self._lowered(trial),
        )
