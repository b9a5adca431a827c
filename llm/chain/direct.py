"""Asks one deployment, whatever the plan would choose: for checks and rehearsals. Ledgered like any call."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from django.utils import timezone

from llm import clock
from llm.adapters import Answer, Timing
from llm.calls import tokens
from llm.calls.deployment import Deployment
from llm.calls.spec import CallSpec
from llm.chain.attempt import AttemptRun
from llm.chain.plan import refusal
from llm.chain.selector import site_budget_usd
from llm.chain.sync import Desk
from llm.failures.kinds import Failure, Kind
from llm.ledger import bookkeeper
from llm.ledger.books import Books
from llm.limits.headers import observed
from llm.limits.quota import LedgerMeter, learned_limits
from llm.models import Call, Pause
from llm.operations import alerts
from llm.pauses import breaker, probes

# What an answer disproves. A quota that is used up is none of it: it comes back when it does.
DISPROVED = (*probes.AT_THE_EDGE, Kind.KEY_INVALID, Kind.CREDITS_DEPLETED, Kind.MODEL_GONE)


def ask(
    deployment: Deployment,
    *,
    messages: Sequence[Mapping[str, Any]],
    purpose: str,
    lang: str = "",
    max_tokens: int,
    temperature: float | None = None,
    keep_prose: bool = True,
) -> Call:
    """The finished call of one plain request; others learn from it as from any. For threads.

    Its text is in `call.text`, but neither that nor the prompt is stored: they may be copies of a user's.
    keep_prose: whether a refusal's own words may be kept; not where the prompt is a user's.
    Raises bookkeeper.NoRoom when quota or budgets have no room, Failure when there is no answer.
    """
    estimated = tokens.estimate(messages)
    want = CallSpec(
        tokens_in=round(estimated * tokens.correction(lang)), estimated_in=estimated, max_tokens=max_tokens
    )
    timeout_s = deployment.provider.timeout_s
    call = bookkeeper.open_call(purpose=purpose, lang=lang, deadline_s=timeout_s, messages=[])
    trial = AttemptRun(deployment=deployment, want=want, messages=messages, keep_prose=keep_prose)
    desk = Desk()
    answer = desk.wait(_run(call, trial, temperature, desk))
    call.text = answer.text
    return call


async def _run(call: Call, trial: AttemptRun, temperature: float | None, books: Books) -> Answer:
    began = clock.monotonic()
    await books.do(partial(_begin, call, trial), durable=False, withdraw=True)
    try:
        running = trial.run(
            streamed=False,
            temperature=temperature,
            params={},
            timing=lambda: _timing(trial.deployment.provider.timeout_s),
        )
        async with aclosing(running):
            async for _ in running:
                pass
    except Failure as failure:
        trial.finish(failure.kind, failure)
        await books.do(partial(_failed, call, trial, failure, began))
        raise
    except BaseException:
        trial.finish(Call.Outcome.CANCELLED)
        await books.do(partial(_close, call, trial, Call.Outcome.CANCELLED, began))
        raise
    answer = trial.answer or Answer(text=trial.text)
    trial.finish(Call.Outcome.OK)
    await books.do(partial(_answered, call, trial, answer, began))
    return answer


def _begin(call: Call, trial: AttemptRun) -> None:
    meter = LedgerMeter(timezone.now(), learned_limits())
    if reason := refusal(trial.deployment, trial.want, meter, site_budget_usd()):
        raise bookkeeper.NoRoom(reason)
    bookkeeper.begin(call, trial.row)


def _answered(call: Call, trial: AttemptRun, answer: Answer, began: float) -> None:
    deployment = trial.deployment
    call.tier = deployment.provider.tier
    call.provider, call.model = deployment.label, deployment.model.name
    _close_disproved(deployment)
    if seen := observed(answer.headers, kind=deployment.provider.kind):
        meter = LedgerMeter(timezone.now(), learned_limits())
        meter.learn(deployment, seen, trial.row, all_of_it=True)
    _close(call, trial, Call.Outcome.OK, began)


def _failed(call: Call, trial: AttemptRun, failure: Failure, began: float) -> None:
    breaker.open_for(failure, trial.deployment)
    alerts.tell(failure, trial.deployment)
    _close(call, trial, Call.Outcome.EXHAUSTED, began)


def _close(call: Call, trial: AttemptRun, outcome: str, began: float) -> None:
    bookkeeper.conclude(
        call, outcome, attempts=[trial.row], latency_s=clock.monotonic() - began, paid_prices=[]
    )
    bookkeeper.close_call(call, [trial.row])


def _timing(timeout_s: float) -> Timing:
    end = clock.monotonic() + timeout_s
    return Timing(first_token=end, end=end, timeout_s=timeout_s)


def _close_disproved(deployment: Deployment) -> None:
    """Ends pauses that say the deployment does not work: it has just worked. Staff's own pauses stay."""
    rows = Pause.objects.filter(provider=deployment.provider.slug, closed_at=None, kind__in=DISPROVED)
    names = {
        "credential": deployment.key.label, "account": deployment.key.account,
        "model": deployment.model.name, "location": deployment.location,
    }  # fmt: skip
    for name, value in names.items():
        rows = rows.filter(**{f"{name}__in": ["", value]})
    breaker.close(rows.exclude(source=Pause.Source.STAFF), by="answered again")
