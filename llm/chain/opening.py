"""How a call, and each of its attempts, begins: read the arguments, plan, reserve, write the rows.

Synchronous code: `next_attempt` is a job of `llm.ledger.books`, which runs it in a transaction. Nobody else plans
meanwhile, so what it finds free is free when it is written down.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from llm import clock
from llm.cache import responses
from llm.calls import affinity, tokens, tracing
from llm.calls.deployment import Deployment
from llm.calls.spec import CallSpec
from llm.calls.terms import DataPolicy, without_images
from llm.chain import arguments as spec
from llm.chain import slow_start
from llm.chain.attempt import AttemptRun
from llm.chain.selector import Selector
from llm.clients import access as clients
from llm.ledger import bookkeeper
from llm.models import Attempt, Call, Client
from llm.text import characters

PATIENCE_S = 45.0
AT_ONCE = 64 * 1024  # characters that are read in some milliseconds
TEXTS = ("user", "system", "messages", "params")  # arguments that may hold more
PROLONG_AFTER_S = 30.0  # less than the minute of grace that a call has beyond its deadline
Accept = Callable[[str], Any]


@dataclass
class CallState:
    """One call in progress: what was asked, and what has come of it so far."""

    call: Call  # not saved before its first attempt
    messages: Sequence[Mapping[str, Any]]
    selector: Selector
    streamed: bool
    temperature: float | None
    params: Mapping[str, Any]
    on_content_block: str
    on_broken_stream: str
    accept: Accept | None
    client: Client | None
    keep_text: bool
    keep_prose: bool  # a provider's words, which may repeat what it was asked
    patience_s: float
    repair: bool | Callable[[str], bool] = False  # still to be had
    learns_all: bool = False  # a check, which takes note of all that the provider states of its limits
    cache_key: str = ""  # empty: no kept reply is looked for, and none is kept
    started: float = field(default_factory=lambda: clock.monotonic())
    prolonged: float = field(default_factory=lambda: clock.monotonic())
    trials: list[AttemptRun] = field(default_factory=list)
    open: AttemptRun | None = None  # the attempt that has begun and not ended
    closed: bool = False  # its end is in the ledger
    retry: Deployment | None = None
    retried: bool = False
    so_far: str = ""  # what was told before the stream broke, and stands
    turn: Sequence[Mapping[str, Any]] = ()  # what the next attempt adds to the messages
    claim: responses.Claim | None = None  # to keep the answer

    @property
    def rows(self) -> list[Attempt]:
        return [trial.row for trial in self.trials]

    @property
    def asked(self) -> tracing.Asked:
        """What a trace says of the request."""
        return tracing.Asked(
            purpose=self.call.purpose, lang=self.call.lang, streamed=self.streamed,
            max_tokens=self.selector.want.max_tokens, temperature=self.temperature,
            messages=without_images(self.messages) if self.keep_text else None,
        )  # fmt: skip

    @property
    def must_prolong(self) -> bool:
        """Whether a call that may last for hours is to say again that it has not lost its worker."""
        return self.selector.end == math.inf and clock.monotonic() - self.prolonged > PROLONG_AFTER_S

    def lowered(self, trial: AttemptRun) -> int | None:
        """The cap that was sent, where the caller has named a higher one."""
        wanted, sent = self.selector.want, trial.want.max_tokens
        return sent if wanted.named and sent < wanted.max_tokens else None


def prepare(
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
    accept: Accept | None = None,
    repair: bool | Callable[[str], bool] = False,
    fresh: bool = False,
    use: DataPolicy | None = None,
    client: Client | None = None,
    keep_text: bool = True,
    session: str = "",
    vectors: tuple[str, int] | None = None,
) -> CallState:
    """The call that these arguments of `astream` describe; its time begins now. Raises ValueError.

    Asks the database only when `must_read` says so.
    """
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
    if vectors is not None:
        want = replace(want, vectors=vectors, max_tokens=1, named=True)  # nothing is written
    now = clock.monotonic()
    begin_by = now + limit_s
    key = ""
    if not fresh and keep_text and vectors is None and responses.is_on():  # texts are kept, no vectors
        shared = client is not None and client.cache == Client.Cache.SHARED
        key = responses.key_of(
            messages, lang=lang, want=want, temperature=temperature, params=params, shared=shared
        )
    return CallState(
        call=bookkeeper.open_call(
            purpose=purpose, lang=lang, deadline_s=limit_s, client=want.client, session=session,
            messages=without_images(messages) if keep_text else [],
        ),
        messages=messages,
        selector=Selector(
            want=want,
            end=math.inf if streamed and deadline_s is None else begin_by,
            begin_by=begin_by,
            own_deadline=deadline_s is not None,
            streamed=streamed,
        ),
        streamed=streamed,
        temperature=temperature,
        params=params,
        on_content_block=on_content_block,
        on_broken_stream=on_broken_stream,
        accept=accept,
        client=client,
        keep_text=keep_text,
        keep_prose=keep_text,
        patience_s=limit_s,
        repair=repair,
        cache_key=key,
        started=now,
        prolonged=now,
    )  # fmt: skip


def is_large(*values: Any) -> bool:
    """Whether `prepare` would keep an event loop for long with these: 7 MB take it half a second."""
    return characters(values, AT_ONCE) > AT_ONCE


def must_read() -> bool:
    """Whether `prepare` would ask the database now, as it does every ten minutes."""
    return tokens.is_due() or responses.is_unmeasured()


def read() -> None:
    """Reads what `prepare` needs. A job."""
    tokens.correction("")
    responses.is_on()


def next_attempt(state: CallState) -> AttemptRun | float | None:
    """The next attempt, reserved and in the ledger; or the seconds to wait before the next look; None: nothing is left.

    Raises clients.Refused when the client may not ask now, responses.AlreadyClaimed.
    """
    session = "" if state.selector.looked else state.call.session
    if session and (home := affinity.home_of(session, state.messages)):
        state.selector.want = replace(state.selector.want, home=home)
    deployment, again = _take_retry(state), True
    if deployment is None:
        found = state.selector.look()
        if not isinstance(found, Deployment):
            return found
        deployment, again = found, False
    want, messages = _take_turn(state)
    again = again or want is not state.selector.want
    want = state.selector.fitted(deployment, want)
    if state.client is not None and state.call._state.adding:
        state.call.started_at = clients.admit(state.client)
    if again and (reason := state.selector.refusal(deployment, want)):  # asked for more than the plan knew of
        state.selector.pass_over(deployment, reason)
        return 0.0
    if state.claim is not None:
        state.claim.take(state.call)
    trial = AttemptRun(deployment=deployment, want=want, messages=messages, keep_prose=state.keep_prose)
    bookkeeper.begin(state.call, trial.row)
    state.selector.meter.look_again()
    state.trials.append(trial)
    state.open = trial
    provider = deployment.provider
    if state.selector.left_s() >= (provider.first_byte_s if state.streamed else provider.timeout_s):
        slow_start.begun(
            provider.slug, trial.row.id
        )  # who has less time finds out nothing, and holds nobody back
    return trial


def _take_turn(state: CallState) -> tuple[CallSpec, Sequence[Mapping[str, Any]]]:
    """What to ask now: the call's messages, or these and the complaint, or these and the answer's beginning."""
    want, turn, state.turn = state.selector.want, state.turn, ()
    if state.so_far:
        turn = [{"role": "assistant", "content": state.so_far}]
    if not turn:
        return want, state.messages
    more = tokens.estimate(turn)
    grown = replace(
        want,
        tokens_in=want.tokens_in + more,
        estimated_in=want.estimated_in + more,
        most_in=want.most_in + tokens.most(turn),
    )
    return grown, [*state.messages, *turn]


def _take_retry(state: CallState) -> Deployment | None:
    """What is to be tried once more, unless somebody has paused it meanwhile."""
    deployment, state.retry = state.retry, None
    if deployment is None or state.turn or not state.selector.is_paused(deployment):
        return deployment
    state.selector.skips.deployments.add(deployment.name)
    return None
