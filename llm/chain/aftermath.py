"""How an attempt, and a call, ends: what others learn from it, what this call does next, what it cost.

Synchronous code: jobs of `llm.ledger.books`, each in one transaction. What happens on a failure is decided in three
places only: `failures.rules` says what it was, `pauses.breaker` for how long others should not try the same, and
`failed` below what this call tries next.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from llm import clock
from llm.adapters import Answer
from llm.calls import affinity, serializers
from llm.calls.events import Reply
from llm.calls.terms import PREFILL
from llm.chain import slow_start
from llm.chain.attempt import AttemptRun
from llm.chain.opening import CallState
from llm.chain.selector import LEAST_SHARE_S
from llm.chain.slow_start import LATELY_S
from llm.clients import access as clients
from llm.failures.kinds import Failure, Kind, Owner
from llm.ledger import bookkeeper
from llm.limits.headers import observed
from llm.models import Attempt, Call
from llm.operations import alerts
from llm.pauses import breaker
from llm.pauses import probes as edges

RETRY_AFTER_S = (0.1, 0.4)
ONE_OFF = {None, 500, 502}  # None: the connection was reset
# What this call does not try again after a failure; other calls learn from the pause.
NEXT_PROVIDER = {Kind.REQUEST_REJECTED, Kind.CONTENT_BLOCKED, Kind.REJECTED_OUTPUT, Kind.CUT_SHORT}
NEXT_MODEL = {Kind.REQUEST_TOO_LARGE, Kind.EMPTY_OUTPUT}
STATES_LIMITS = {413, 429}
ENOUGH_TOKENS = 16  # of visible text, for a model to say anything
REPAIR = "Your answer was not accepted: %s. Write it again, complete, with this put right."


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


# -- the end of an attempt -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Consequence:
    """Until when a failure's scope is paused, if it is; and how long to wait before the same is tried once more."""

    until: datetime | None = None
    rest_s: float = 0.0


def failed(state: CallState, trial: AttemptRun, failure: Failure, *, repair: bool) -> Consequence:
    """Writes how a finished attempt failed, what others learn from it (a pause), and what this call will not try again.

    repair: the model gets one more turn with the reason, if there is time for it
    """
    deployment, selector = trial.deployment, state.selector
    if failure.kind is Kind.EMPTY_OUTPUT and _may_be_asked_for(state):
        failure.owner = Owner.CALLER
    _end(state, trial, failed=not failure.says_nothing)
    if failure.kind in slow_start.SUSPECT:
        slow_start.note(deployment.provider.slug, alive=False)
    if trial.text:
        selector.extend(state.patience_s)
    bookkeeper.save_attempt(state.call, trial.row)
    selector.spent(trial.row.cost_usd)
    if _deserves_retry(state, failure, trial):
        state.retry, state.retried = deployment, True
        return Consequence(rest_s=random.uniform(*RETRY_AFTER_S))
    breaker.learn_organisation(deployment, failure.organisation)
    if not failure.says_nothing:
        # A refusal of the request may quote whatever the request says of limits.
        prose = failure.detail if failure.status in STATES_LIMITS else ""
        _learn(state, trial, failure.headers, prose)
    if repair and selector.left_s() > 2 * LEAST_SHARE_S:
        state.retry, state.repair = deployment, False
        state.turn = [
            {"role": "assistant", "content": trial.text},
            {"role": "user", "content": REPAIR % failure.detail},
        ]
        selector.skips.providers.add(deployment.provider.slug)  # whatever becomes of it
        return Consequence()
    pause = breaker.open_for(failure, deployment, cost_s=trial.row.latency_ms / 1000)
    alerts.tell(failure, deployment)
    if failure.lasting:
        breaker.remember_lack(failure, deployment)
    if failure.says_nothing:
        breaker.release_probes(deployment.probes)
    elif failure.kind not in edges.AT_THE_EDGE:  # it failed in another way, so at least it is there again
        breaker.close([p for p in deployment.probes if p.kind in edges.AT_THE_EDGE], by="answered again")
    slug, model = deployment.provider.slug, deployment.model.name
    selector.skips.deployments.add(deployment.name)
    if pause is not None:
        selector.learn(pause)
    if _may_be_a_hiccup(state, failure) and not (trial.text or deployment.probes):
        selector.again.add(deployment.name)
    if failure.silent:
        selector.skips.silent.add(slug)
    elif failure.kind in NEXT_PROVIDER and not failure.lacks:
        selector.skips.providers.add(slug)
    elif failure.kind in NEXT_MODEL or failure.lacks:
        selector.skips.models.add((slug, model))
    return Consequence(until=pause.until if pause else None)


def _end(state: CallState, trial: AttemptRun, *, failed: bool = False) -> None:
    state.open = None
    slow_start.ended(trial.deployment.provider.slug, trial.row.id, failed=failed)


def _may_be_asked_for(state: CallState) -> bool:
    """Whether an answer without text may be the caller's own doing: then it pauses the model for nobody else."""
    want = state.selector.want
    return (want.named and want.max_tokens < ENOUGH_TOKENS) or bool(state.params.get("stop"))


def keep_what_came(state: CallState, trial: AttemptRun, failure: Failure, told: str) -> None:
    """When a stream broke: the next provider shall go on from there, so it must take a prefill."""
    broke = state.streamed and failure.kind is Kind.PROVIDER_DOWN and bool(trial.text)
    if broke and state.on_broken_stream == "continue":
        state.so_far += told
        want = state.selector.want
        state.selector.want = replace(want, needs=want.needs | {PREFILL})


def cannot_go_on(state: CallState, trial: AttemptRun) -> bool:
    """Whether the call ends here: it was refused, or half a text can be neither taken back nor continued."""
    if state.on_content_block == "error" and trial.row.outcome == Kind.CONTENT_BLOCKED:
        return True
    if not (state.streamed and trial.text) or state.on_broken_stream == "restart":
        return False
    return state.on_broken_stream == "error" or trial.row.outcome != Kind.PROVIDER_DOWN


def _deserves_retry(state: CallState, failure: Failure, trial: AttemptRun) -> bool:
    """A hiccup of a free deployment gets one quick retry, which is cheaper than the next tier."""
    return (
        _may_be_a_hiccup(state, failure)
        and failure.status in ONE_OFF
        and trial.deployment.provider.free
        and not trial.deployment.probes
        and not trial.text
        and state.selector.left_s() > 2 * LEAST_SHARE_S
        and not _others_failed(state, trial)
    )


def _may_be_a_hiccup(state: CallState, failure: Failure) -> bool:
    """Refused at once, without a time to wait, and for the first time in this call."""
    return (
        failure.kind is Kind.PROVIDER_DOWN
        and not failure.silent
        and failure.retry_after_s is None
        and not state.retried
        and not state.selector.rested
    )


def _others_failed(state: CallState, trial: AttemptRun) -> bool:
    """Whether the provider's last word to another call was the same: then it is no hiccup."""
    lately = trial.row.started_at - timedelta(seconds=LATELY_S)
    rows = Attempt.objects.filter(provider=trial.deployment.provider.slug, started_at__gt=lately)
    last = rows.exclude(finished_at=None).exclude(call=state.call).order_by("-finished_at", "-id").first()
    return last is not None and last.outcome == Kind.PROVIDER_DOWN


def _learn(state: CallState, trial: AttemptRun, headers: Mapping[str, str], text: str = "") -> None:
    """Lets what the provider says of its limits correct our count."""
    if seen := observed(headers, text, kind=trial.deployment.provider.kind):
        state.selector.meter.learn(trial.deployment, seen, trial.row, all_of_it=state.learns_all)


# -- the end of a call -----------------------------------------------------------------------------------


def answered(state: CallState, trial: AttemptRun, answer: Answer) -> Reply:
    """Writes the answer of a finished attempt, and what the call cost. Returns it with how it came about."""
    reply = concluded(state, trial, answer)
    _learn(state, trial, answer.headers)
    if trial.deployment.probes:
        breaker.answered(trial.deployment)
    bookkeeper.close_call(state.call, state.rows)
    if state.claim is not None:
        state.claim.fill(answer, state.call)
    return reply


def concluded(state: CallState, trial: AttemptRun, answer: Answer) -> Reply:
    """The answer of a finished attempt, with how it came about and what it cost. Writes nothing."""
    deployment, call = trial.deployment, state.call
    _end(state, trial)
    slow_start.note(deployment.provider.slug, alive=True)
    if call.session:
        affinity.note(call.session, deployment, trial.row.account)
    call.text = answer.text if state.keep_text else ""
    call.tier, call.provider, call.model = deployment.provider.tier, deployment.label, deployment.model.name
    rows = state.rows
    _conclude(state, Call.Outcome.OK, rows)
    state.closed = True
    return Reply(
        text=answer.text,
        tool_calls=answer.tool_calls,
        reasoning=answer.reasoning,
        state=answer.state,
        provider=deployment.label,
        model=deployment.model.name,
        finish_reason=answer.finish_reason,
        cost_usd=call.cost_usd,
        tokens_in=call.tokens_in,
        tokens_out=call.tokens_out,
        latency_ms=call.latency_ms,
        attempts=serializers.attempts(rows),
        skipped=serializers.skipped(rows, state.selector.skipped.values()),
        call_id=call.id,
        max_tokens=state.lowered(trial),
        tokens_cached=call.tokens_cached,
        vectors=answer.vectors,
    )


def exhausted(state: CallState) -> ChainExhausted:
    """Writes that nobody answered, and returns what the caller is told. Raises clients.Refused.

    A call for which nothing could be sent counts for its client, too.
    """
    if state.client is not None and state.call._state.adding:
        state.call.started_at = clients.admit(state.client)
    last = state.trials[-1].row.outcome if state.trials else ""
    blocked = state.on_content_block == "error" and last == Kind.CONTENT_BLOCKED
    _close(state, Call.Outcome.BLOCKED if blocked else Call.Outcome.EXHAUSTED)
    state.closed = True
    return ChainExhausted(
        attempts=serializers.attempts(state.rows),
        skipped=serializers.skipped(state.rows, state.selector.skipped.values()),
        call_id=state.call.pk,
        content_blocked=blocked,
    )


def unjudgeable(state: CallState, error: Exception) -> None:
    """Writes that the caller's gate can judge no text at all."""
    if (trial := state.open) is not None:
        failure = Failure(Kind.REJECTED_OUTPUT, f"not judged: {error}", status=200)
        trial.finish(Kind.REJECTED_OUTPUT, failure)
        breaker.release_probes(trial.deployment.probes)
        _end(state, trial)
    _close(state, Call.Outcome.EXHAUSTED)
    state.closed = True


def abandoned(state: CallState) -> None:
    """Writes that the caller has left, or that we ourselves could not go on: no failure of the provider's."""
    if (trial := state.open) is not None:
        trial.finish(Call.Outcome.CANCELLED)
        breaker.release_probes(trial.deployment.probes)
        _end(state, trial)
    _close(state, Call.Outcome.CANCELLED)
    state.closed = True


def _close(state: CallState, outcome: str) -> None:
    rows = state.rows
    _conclude(state, outcome, rows)
    bookkeeper.close_call(state.call, rows)


def _conclude(state: CallState, outcome: str, rows: list[Attempt]) -> None:
    bookkeeper.conclude(
        state.call,
        outcome,
        attempts=rows,
        latency_s=clock.monotonic() - state.started,
        paid_prices=[
            m.price for p in state.selector.providers if not p.free for m in p.models if m.price.known
        ],
    )


def prolong(state: CallState, trial: AttemptRun) -> None:
    """A call without a deadline has not lost its worker, and will not have for as long as its attempt may be silent."""
    state.prolonged = clock.monotonic()
    bookkeeper.prolong(state.call, max(state.patience_s, trial.deployment.provider.timeout_s))
