"""The chain: one call, tried on one deployment after another until one of them answers.

`events` is the call itself: it waits, for a provider or for time to pass, and hands everything that the database has
to know to `llm.chain.opening` and `llm.chain.aftermath`, by way of `llm.ledger.books`. `astream` and `acomplete` are
for those on an event loop; `llm.chain.sync` is the same for threads.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

from llm import clock, gates
from llm.adapters import Answer
from llm.cache import responses, single_flight
from llm.calls import current, tracing
from llm.calls.events import AttemptFailed, AttemptStarted, Completed, Delta, Event, Reply
from llm.chain import aftermath, opening, slow_start
from llm.chain.attempt import AttemptRun
from llm.chain.opening import CallState
from llm.clients import access as clients
from llm.failures.kinds import Failure, Kind
from llm.ledger import bookkeeper
from llm.ledger import books as ledger_books
from llm.ledger.bookkeeper import NoRoom
from llm.ledger.books import Books
from llm.models import Call
from llm.operations import overdue, upkeep

log = logging.getLogger(__name__)


async def acomplete(*, on_event: Callable[[Event], Any] | None = None, **arguments: Any) -> Reply:
    """Asks the chain once and waits. Takes the arguments of `astream`; sends plain requests.

    on_event: told what happens meanwhile; on the event loop, so it must be quick.
    Raises ChainExhausted when nobody answered, ValueError for unusable arguments.
    Cancelling the task ends the provider's request at once, and is accounted before the task ends.
    """
    return await last(events(*await _prepared(streamed=False, **arguments)), on_event)


def astream(**arguments: Any) -> AsyncGenerator[Event, None]:
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
        it may raise, ends the call. A plain function runs in a thread, an async one on the loop
    repair: give a model whose text is not accepted one more turn with the reason, before the next one is tried; or
        repair(reason) -> whether it gets that turn
    fresh: do not look for a kept reply (see `llm.cache`), and keep none
    use: llm.calls.terms.DataPolicy, what the data is and for whom: providers whose terms forbid it are skipped
    client: llm.models.Client whose limits hold
    keep_text: whether the ledger keeps what was asked and answered
    vectors: (family, dimensions): embeddings of each message's text instead of an answer, in `Reply.vectors`; only from
        models of that family
    session: the conversation (`llm.calls.affinity.key_of`): it stays with the account that holds its beginning

    Raises ChainExhausted when nobody answered, llm.clients.access.Refused when the client may not ask now,
    ValueError for unusable arguments. Whoever leaves before the end closes the generator (`contextlib.aclosing`) or
    cancels the task: that ends the provider's request at once, and is accounted first.
    """
    return _begun(streamed=True, **arguments)


async def _begun(**arguments: Any) -> AsyncGenerator[Event, None]:
    async with aclosing(events(*await _prepared(**arguments))) as told:
        async for event in told:
            yield event


async def _prepared(**arguments: Any) -> tuple[CallState, Books]:
    """The call, and where its work is done. Raises ValueError."""
    books = ledger_books.here()
    if opening.must_read():
        await books.do(opening.read)
    if opening.is_large(*map(arguments.get, opening.TEXTS)):
        return await books.ask(partial(opening.prepare, **arguments)), books
    return opening.prepare(**arguments), books


async def last(told: AsyncGenerator[Event, None], on_event: Callable[[Event], Any] | None = None) -> Reply:
    """The reply that a call ends with."""
    event: Event | None = None
    try:
        async for event in told:
            if on_event is not None:
                on_event(event)
    finally:
        await told.aclose()  # on_event may have raised
    if not isinstance(event, Completed):
        raise AssertionError("a call ends with Completed or raises")
    return event.reply


def events(state: CallState, books: Books) -> AsyncGenerator[Event, None]:
    """What happens in a call. Its database work, and its caller's functions, run where `books` says."""
    told = _told(state, books)
    return tracing.watched(told, state.asked) if tracing.is_on() else told


def _told(state: CallState, books: Books) -> AsyncGenerator[Event, None]:
    if not state.cache_key:
        return _asked(state, books)
    admit = partial(clients.admit, state.client) if state.client else None
    return single_flight.through(
        partial(_asked, state, books), books=books, call=state.call, key=state.cache_key, accept=state.accept,
        end=state.selector.begin_by, admit=admit,
    )  # fmt: skip


async def _asked(
    state: CallState, books: Books, claim: responses.Claim | None = None
) -> AsyncGenerator[Event, None]:
    """The call, sent to providers. Raises AlreadyClaimed before the first event when another has the claim."""
    state.claim = claim
    try:
        while (trial := await _next(state, books)) is not None:
            yield AttemptStarted(*_names(trial), max_tokens=state.lowered(trial))
            told: list[str] = []
            try:
                timing = partial(state.selector.timing, trial.deployment.provider, streamed=state.streamed)
                if state.streamed:
                    flowing = trial.run(
                        temperature=state.temperature, params=state.params, timing=timing, so_far=state.so_far
                    )
                    async with aclosing(flowing) as pieces:
                        async for piece in pieces:
                            if isinstance(piece, Delta):
                                told.append(piece.text)
                            if state.must_prolong:
                                await books.do(partial(aftermath.prolong, state, trial))
                            yield piece
                else:
                    whole = await trial.ask(temperature=state.temperature, params=state.params, timing=timing)
                    for piece in whole:
                        yield piece
                answer = await _judged(state, books, trial, "".join(told))
            except Failure as failure:
                yield await _failed(state, books, trial, failure, "".join(told))
                if aftermath.cannot_go_on(state, trial):
                    break
            else:
                trial.finish(Call.Outcome.OK)
                yield Completed(await _answered(state, books, trial, answer))
                return
        raise await books.do(partial(aftermath.exhausted, state))
    except (clients.Refused, responses.AlreadyClaimed, NoRoom):
        raise  # nothing was sent, and nothing written
    except gates.Unjudgeable as error:
        await books.do(partial(aftermath.unjudgeable, state, error))
        raise
    except BaseException:  # the consumer left, at whatever moment, or interrupted us
        if not state.closed:
            await books.do(partial(aftermath.abandoned, state))
        raise
    finally:
        upkeep.after_a_call()


async def _next(state: CallState, books: Books) -> AttemptRun | None:
    """The next attempt, already in the ledger, as soon as there is room for it; None when nothing is left."""
    while isinstance(
        found := await books.do(partial(opening.next_attempt, state), durable=False, withdraw=True), float
    ):
        if state.selector.for_others and clock.sleep is asyncio.sleep:
            began = clock.monotonic()
            await slow_start.news(found, state.selector.news_of)
            state.selector.waited_s += clock.monotonic() - began - found
        else:
            await books.ask(clock.sleep, found)
    if found is not None:
        current.call_id.set(state.call.pk)
    return found


async def _judged(state: CallState, books: Books, trial: AttemptRun, told: str) -> Answer:
    """The attempt's answer, with what was told before, once it is good enough for the caller. Raises Failure."""
    answer = trial.answer
    if answer is None:
        raise Failure(Kind.EMPTY_OUTPUT, "no answer", status=200)
    if state.so_far:
        answer = replace(answer, text=state.so_far + told)
    if answer.vectors:
        return answer
    if answer.tool_calls and state.params.get("tools"):  # a call of a tool is no text to judge
        return answer
    if not answer.text.strip():
        raise Failure(Kind.EMPTY_OUTPUT, "called a tool that nobody offered", status=200)
    if state.accept is None:
        return answer
    trial.row.judged = True
    try:
        why = await books.ask(state.accept, answer.text)
    except gates.Unjudgeable:
        raise  # no other text would be judged either
    except Exception:
        log.exception("accept() raised; its text counts as rejected")
        why = "the gate itself failed"
    if why:
        raise Failure(Kind.REJECTED_OUTPUT, why, status=200)
    return answer


async def _answered(state: CallState, books: Books, trial: AttemptRun, answer: Answer) -> Reply:
    """The reply, in the ledger. Where that cannot be written now, it is written later: the answer is paid for."""
    try:
        return await books.do(partial(aftermath.answered, state, trial, answer))
    except Exception:
        log.exception("the end of call %s could not be written; it is tried again aside", state.call.pk)
        reply = aftermath.concluded(state, trial, answer)
        overdue.keep(partial(bookkeeper.close_call, state.call, state.rows))
        return reply


async def _failed(
    state: CallState, books: Books, trial: AttemptRun, failure: Failure, told: str
) -> AttemptFailed:
    trial.finish(failure.kind, failure)
    repair = state.repair
    if failure.kind is not Kind.REJECTED_OUTPUT or not trial.text.strip():
        repair = False
    elif callable(repair):
        repair = bool(await books.ask(repair, failure.detail))
    then = await books.do(partial(aftermath.failed, state, trial, failure, repair=repair))
    if then.rest_s:
        await books.ask(clock.sleep, then.rest_s)
    aftermath.keep_what_came(state, trial, failure, told)
    return AttemptFailed(
        failure.kind,
        *_names(trial),
        detail=failure.detail,
        until=then.until,
        window=failure.window,
        kept=bool(state.so_far),
    )


def _names(trial: AttemptRun) -> tuple[str, str, str, str]:
    deployment = trial.deployment
    return deployment.provider.slug, deployment.key.label, deployment.model.name, deployment.location
