"""Asks one deployment, whatever the plan would choose: for checks and rehearsals.

It is a call like any other (`llm.chain.run`), with a plan of one: ledgered, and others learn from it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from django.utils import timezone

from llm.calls import tokens
from llm.calls.deployment import Deployment
from llm.calls.spec import CallSpec
from llm.chain import run
from llm.chain.aftermath import ChainExhausted
from llm.chain.opening import CallState
from llm.chain.plan import refusal
from llm.chain.selector import Selector, site_budget_usd
from llm.chain.sync import Desk
from llm.failures.kinds import Kind
from llm.ledger import bookkeeper, books
from llm.limits.quota import LedgerMeter, learned_limits
from llm.models import Call, Pause
from llm.pauses import breaker, probes

# What an answer disproves. A quota that is used up is none of it: it comes back when it does.
DISPROVED = (*probes.AT_THE_EDGE, Kind.KEY_INVALID, Kind.CREDITS_DEPLETED, Kind.MODEL_GONE)


@dataclass
class OneDeployment(Selector):
    """Chooses this deployment, paused or not, once."""

    only: Deployment = field(kw_only=True)

    def look(self) -> Deployment | None:
        """Raises bookkeeper.NoRoom when quota or budgets have no room for it."""
        if self.looked:
            return None
        self.looked = True
        self.meter = LedgerMeter(timezone.now(), learned_limits())
        if reason := refusal(self.only, self.want, self.meter, site_budget_usd()):
            raise bookkeeper.NoRoom(reason)
        return self.only


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
    """The finished call of one plain request, which may take the provider's `timeout_s`. For threads.

    Its text is in `call.text`, but neither that nor the prompt is stored: they may be copies of a user's.
    keep_prose: whether a refusal's own words may be kept; not where the prompt is a user's.
    Raises bookkeeper.NoRoom when quota or budgets have no room, Failure when there is no answer.
    """
    estimated, timeout_s = tokens.estimate(messages), deployment.provider.timeout_s
    want = CallSpec(
        tokens_in=round(estimated * tokens.correction(lang)), estimated_in=estimated, max_tokens=max_tokens
    )
    state = CallState(
        call=bookkeeper.open_call(purpose=purpose, lang=lang, deadline_s=timeout_s, messages=[]),
        messages=messages,
        selector=OneDeployment(
            want=want, end=math.inf, begin_by=math.inf, only=replace(deployment, probes=())
        ),
        streamed=False,
        temperature=temperature,
        params={},
        on_content_block="next",
        on_broken_stream="restart",
        accept=None,
        client=None,
        keep_text=False,
        keep_prose=keep_prose,
        patience_s=timeout_s,
        retried=True,
        learns_all=True,
    )
    desk = Desk()
    try:
        reply = desk.wait(run.last(run.events(state, desk)))
    except ChainExhausted:
        if (failure := state.trials[-1].failure) is None:
            raise
        raise failure from failure.__cause__
    books.run(partial(_close_disproved, deployment))
    state.call.text = reply.text
    return state.call


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
