"""Of identical calls one asks, the others wait for its answer: inside a process by an event, beyond it by the claim.

A call is looked up in `llm.cache.responses` first. What is kept there is its answer; if nobody fetches it yet, it does.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import F
from django.utils import timezone

from llm import clock
from llm.cache.responses import LEASE, AlreadyClaimed, Claim, ttl
from llm.calls import current
from llm.calls.events import Completed, Delta, Event, Reply
from llm.configuration import snapshot
from llm.ledger import bookkeeper
from llm.ledger.books import Books
from llm.models import CachedReply, Call
from llm.storage import rows

log = logging.getLogger(__name__)

PATIENCE = 0.75  # of its time a call waits for another's answer; with the rest it asks for itself
FIRST_WAIT_S, LONGEST_WAIT_S = 0.02, 0.25  # between two looks at what another process fetches
# Calls of this process that fetch a reply now, by event loop and key.
_flights: dict[tuple[asyncio.AbstractEventLoop, str], asyncio.Event] = {}


async def through(
    events: Callable[[Claim | None], AsyncGenerator[Event, None]],
    *,
    books: Books,
    call: Call,
    key: str,
    accept: Callable[[str], Any] | None,
    end: float,
    admit: Callable[[], datetime] | None = None,
) -> AsyncGenerator[Event, None]:
    """The events of a call that is looked up first: a hit is Delta and Completed, a miss runs `events`.

    events: asks the chain; takes the claim with its first reservation and fills it with its end, so that a miss
    writes no oftener than a call without a cache; call: not yet saved; end: of the call's time, a
    `clock.monotonic()`; admit: raises when a hit may not be served either, within the transaction that writes it.
    Raises what `events` raises.
    """
    began = clock.monotonic()
    patience, wait_s = began + (end - began) * PATIENCE, FIRST_WAIT_S
    refused: datetime | None = None
    while True:
        row: CachedReply | None = await books.do(partial(_find, key), durable=False, withdraw=True)
        now = timezone.now()
        if row is not None and row.filled_at is not None and now < row.expires_at <= now + ttl() + LEASE:
            if row.filled_at != refused and await _accepted(row.text, accept, books):
                reply = await books.do(partial(_serve, row, call, began, admit))
                current.call_id.set(reply.call_id)
                yield Delta(reply.text)
                yield Completed(reply)
                return
            refused = row.filled_at
        if row is None or row.lease_until is None or not now < row.lease_until <= now + 2 * LEASE:
            try:
                async with aclosing(_lead(events, Claim(key, row), books)) as told:
                    async for event in told:
                        yield event
                return
            except AlreadyClaimed:
                pass
        if clock.monotonic() + wait_s > patience:  # it takes others too long
            async with aclosing(events(None)) as told:
                async for event in told:
                    yield event
            return
        if not await _joined(key, patience):
            await books.ask(clock.sleep, wait_s)
            wait_s = min(wait_s * 1.5, LONGEST_WAIT_S)


def _find(key: str) -> CachedReply | None:
    pk = rows.pk_of(CachedReply, "key", key)
    return CachedReply.objects.filter(pk=pk).first() if pk else None


async def _lead(
    events: Callable[[Claim | None], AsyncGenerator[Event, None]], claim: Claim, books: Books
) -> AsyncGenerator[Event, None]:
    """Fetches it; those on the same loop who ask the same wait for its end, see `_joined`."""
    flight = (asyncio.get_running_loop(), claim.key)
    is_first = flight not in _flights  # the others, who asked at the same moment, find that it has the claim
    landed = _flights.setdefault(flight, asyncio.Event())
    try:
        async with aclosing(events(claim)) as fetching:
            async for event in fetching:
                if claim.is_ageing():
                    await books.do(claim.renew)
                yield event
    finally:
        if is_first and _flights.get(flight) is landed:
            del _flights[flight]
        try:
            if claim.row is not None and not claim.filled:
                await books.do(claim.release)
        except Exception:  # what was fetched is given all the same
            log.exception("a claim could not be released; its lease will end")
        finally:
            if is_first:
                landed.set()


async def _joined(key: str, until: float) -> bool:
    """Waits for a call of this loop that fetches the same; False when there is none."""
    landed = _flights.get((asyncio.get_running_loop(), key))
    if landed is None:
        return False
    try:
        async with asyncio.timeout_at(clock.on_loop(until)):
            await landed.wait()
    except TimeoutError:
        pass
    return True


async def _accepted(text: str, accept: Callable[[str], Any] | None, books: Books) -> bool:
    """The caller's gate judges a kept reply as it would a new one."""
    try:
        return accept is None or not await books.ask(accept, text)
    except Exception:
        log.exception("accept() raised; the kept reply counts as rejected")
        return False


def _serve(row: CachedReply, call: Call, began: float, admit: Callable[[], datetime] | None) -> Reply:
    """Writes the hit into the ledger: a call without attempts that cost nothing. The reply keeps its counts."""
    paid = [m.price for p in snapshot.providers() if not p.free for m in p.models if m.price.known]
    instead = [price.cost(row.tokens_in, row.tokens_out) for price in paid]
    call.cached, call.cached_reply = True, row.pk
    call.outcome, call.finished_at = Call.Outcome.OK, timezone.now()
    call.text, call.provider, call.model, call.tier = row.text, row.provider, row.model, row.tier
    call.cost_usd = Decimal(0)
    call.saved_usd = min((cost for cost in instead if cost is not None), default=None)
    call.latency_ms = round((clock.monotonic() - began) * 1000)
    if admit is not None:
        call.started_at = admit()
    bookkeeper.enter(call)
    CachedReply.objects.filter(pk=row.pk).update(hits=F("hits") + 1)
    return Reply(
        text=row.text, provider=row.provider, model=row.model, finish_reason=row.finish_reason,
        cost_usd=call.cost_usd, tokens_in=row.tokens_in, tokens_out=row.tokens_out, latency_ms=call.latency_ms,
        attempts=[], skipped=[], call_id=call.pk, cached=True,
    )  # fmt: skip
