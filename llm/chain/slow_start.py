"""How many calls at once may go to a provider of which it is not known that it answers just now.

Fifty callers at once would send fifty requests to a provider before the first of them fails. So a few go first, one
if it has just failed; the others wait for a sign of life, and if none comes, for the pause that keeps them away. The
sign that they waited for lets all of them go, and whoever comes while signs keep coming. A provider that has lately
answered more than a few who asked together may be asked by as many again.

Those of one process who wait are woken by the sign; the others look for it in the ledger now and then.
"""

import asyncio
import contextlib
import math
from datetime import datetime, timedelta

from django.utils import timezone

from llm import clock
from llm.configuration.snapshot import ProviderConf
from llm.failures.kinds import Kind
from llm.models import Attempt

AT_ONCE = 3  # of all processes, to one that has not answered lately
AT_ONCE_HERE = 4  # of this process, to one that has: these, or as many as it has lately answered together
LATELY_S = 60.0
OPEN_S = 10.0  # between one sign of life and the next, while as many go as come
GRACE_S = 2.0  # until a failure is written down
LOOKED_AT = 50  # attempts
# What an attempt may end in that says that the provider is there.
ALIVE = {
    "ok", Kind.CONTENT_BLOCKED, Kind.EMPTY_OUTPUT, Kind.REJECTED_OUTPUT, Kind.REQUEST_TOO_LARGE, Kind.REQUEST_REJECTED,
}  # fmt: skip
SAY_NOTHING = {Kind.CUT_SHORT, "cancelled", "abandoned"}
SUSPECT = {Kind.PROVIDER_DOWN, Kind.BLOCKED_PROVIDER}
LOOKS_A_S = 50.0  # that the waiting calls of a process may have together
_waiting: dict[
    asyncio.Event, tuple[asyncio.AbstractEventLoop, str]
] = {}  # and for news of whom; "": of anybody
# What this process knows, by provider; moments are those of `clock.monotonic()`.
_alive: dict[str, float] = {}  # its last sign of life
_held: dict[str, float] = {}  # when a call last had to wait for one
_open: dict[str, float] = {}  # its last sign of life of those that let everybody go
_together: dict[str, tuple[int, float]] = {}  # the most that were under way when it showed one, and when
_unheard: dict[str, dict[int, float]] = {}  # attempts without a sign of life, and when they began


def begun(slug: str, attempt: int) -> None:
    """An attempt of this process has begun."""
    _unheard.setdefault(slug, {})[attempt] = clock.monotonic()


def ended(slug: str, attempt: int, *, failed: bool = False) -> None:
    """An attempt is over, or has shown a sign of life; failed: what is known of the provider may have changed."""
    if _unheard.get(slug, {}).pop(attempt, None) is not None and slug in _held:
        _tell(slug, everybody=failed)


def note(slug: str, *, alive: bool) -> None:
    """A provider has shown a sign of life, or failed."""
    now = clock.monotonic()
    if alive:
        _alive[slug] = now
        together = len(_unheard.get(slug, ())) + 1
        if together >= _answered_together(slug):
            _together[slug] = together, now
        if now - _open.get(slug, -math.inf) < OPEN_S or now - _held.pop(slug, -math.inf) < LATELY_S:
            _open[slug] = now
    else:
        _alive.pop(slug, None)
        _open.pop(slug, None)
        _together.pop(slug, None)
    if _waiting:
        _tell(slug)


def _tell(slug: str, *, everybody: bool = True) -> None:
    """Wakes who waits for news of a provider; not everybody: one of them, for whom there is room."""
    for event, (loop, of) in list(_waiting.items()):
        if of in ("", slug):
            with contextlib.suppress(RuntimeError):  # that loop has ended
                loop.call_soon_threadsafe(event.set)
            if of and not everybody:
                return


async def news(seconds: float, slug: str = "") -> None:
    """Waits until this provider, or any, shows a sign of life or fails, here; at most so long, or longer if many do."""
    event = asyncio.Event()
    _waiting[event] = (asyncio.get_running_loop(), slug)
    try:
        async with asyncio.timeout(max(seconds, len(_waiting) / LOOKS_A_S)):
            await event.wait()
    except TimeoutError:
        pass
    finally:
        _waiting.pop(event, None)


def is_full(provider: ProviderConf, *, patience_s: float) -> bool:
    """Whether as many calls as may are finding out whether the provider answers.

    patience_s: how long it may be silent. What takes longer is not waited for: it has shown a sign of life that this
    process has not seen, or has lost its worker.
    """
    slug, moment = provider.slug, clock.monotonic()
    if moment - _open.get(slug, -math.inf) < OPEN_S:
        return False
    if is_alive(slug):
        unheard = _unheard_of(slug, since=moment - patience_s - GRACE_S)
        full = unheard >= max(AT_ONCE_HERE, _answered_together(slug))
    else:
        full = _is_full_by_the_ledger(provider, now=timezone.now(), patience_s=patience_s)
    if full:
        _held[slug] = moment
    return full


def _unheard_of(slug: str, *, since: float) -> int:
    """Attempts of this process that wait for a sign of life; forgets older ones, whose end nobody told."""
    unheard = _unheard.get(slug, {})
    for attempt, began in list(unheard.items()):
        if began < since:
            unheard.pop(attempt, None)
    return len(unheard)


def _answered_together(slug: str) -> int:
    """How many attempts of this process were under way together when it last showed signs of life; 0: long ago."""
    together, moment = _together.get(slug, (0, 0.0))
    return together if clock.monotonic() - moment < LATELY_S else 0


def is_alive(slug: str) -> bool:
    """Whether a provider has answered lately, as far as this process knows."""
    return clock.monotonic() - _alive.get(slug, -math.inf) < LATELY_S


def _is_full_by_the_ledger(provider: ProviderConf, *, now: datetime, patience_s: float) -> bool:
    rows = (
        Attempt.objects.filter(provider=provider.slug, started_at__gt=now - timedelta(seconds=LATELY_S))
        .order_by("-started_at")
        .values_list("outcome", "started_at", "finished_at")[:LOOKED_AT]
    )
    running, failed, well, ill = 0, False, None, None
    for outcome, started_at, finished_at in rows:
        if finished_at is None:
            running += started_at > now - timedelta(seconds=patience_s + GRACE_S)
        elif outcome in ALIVE:
            well = max(finished_at, well or finished_at)
        elif outcome not in SAY_NOTHING:
            failed = True
            if outcome in SUSPECT:
                ill = max(finished_at, ill or finished_at)
    if well is not None and (ill is None or well > ill):
        note(provider.slug, alive=True)
        return False
    return running >= (1 if failed else AT_ONCE)


def forget() -> None:
    """Drops what was noted, for tests."""
    for noted in (_alive, _held, _open, _together, _unheard):
        noted.clear()
