"""Caps on waits that a provider states and on open pauses: what lies further ahead is not obeyed.

A wait in milliseconds that is read as seconds, a moment read as a duration, a clock that was a year ahead for a
minute: each would keep a provider away for days. So every kind of failure has a longest wait that makes sense.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from llm.failures.kinds import Kind

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
STATED_S = {  # the longest that a provider may state
    Kind.RATE_LIMITED_KEY: 8 * DAY,  # quotas of a week
    Kind.RATE_LIMITED_PROVIDER: 2 * DAY,
    Kind.BLOCKED_PROVIDER: 8 * DAY,
    Kind.CREDITS_DEPLETED: 32 * DAY,
    Kind.MODEL_GONE: 32 * DAY,
    Kind.PROVIDER_DOWN: 6 * HOUR,
}
STATED_OF_A_WINDOW_S = {"minute": HOUR, "concurrency": HOUR, "day": 2 * DAY, "month": 32 * DAY}
GUESSED_S = {  # above what `pauses` ever guesses, jitter and days of 25 hours included
    Kind.RATE_LIMITED_KEY: 26 * HOUR,
    Kind.RATE_LIMITED_PROVIDER: HOUR,
    Kind.BLOCKED_PROVIDER: 7 * HOUR,
    Kind.CREDITS_DEPLETED: 27 * HOUR,
    Kind.MODEL_GONE: 8 * DAY,
    Kind.PROVIDER_DOWN: HOUR,
    Kind.EMPTY_OUTPUT: 2 * HOUR,
}
LONGEST_S = 32 * DAY
CLOCKS_APART = timedelta(minutes=1)  # a pause that began further ahead was written by a clock that was wrong
STAFF, GUESS = "staff", "guess"  # of llm.models.Pause.Source


class Held(Protocol):
    """What a pause says of itself: a row, or its view."""

    @property
    def kind(self) -> str: ...

    @property
    def source(self) -> str: ...

    @property
    def since(self) -> datetime: ...

    @property
    def until(self) -> datetime | None: ...


def longest_s(kind: str, window: str | None = None) -> float:
    """The longest wait, in seconds, that a provider can mean by a failure of this kind (and a quota's window)."""
    stated = STATED_S.get(Kind(kind), LONGEST_S) if kind in set(Kind) else LONGEST_S
    if kind == Kind.RATE_LIMITED_KEY and window:
        return STATED_OF_A_WINDOW_S.get(window, stated)
    return stated


def meant_s(waits: Iterable[tuple[float, bool]], kind: str, window: str | None = None) -> float | None:
    """The longest plausible of the waits that were named; None when none is.

    waits: seconds, and whether they came as a bare number, which may have been milliseconds
    """
    longest, found = longest_s(kind, window), []
    for wait, is_bare in waits:
        # Nobody says 60,000 seconds and means it to the thousand.
        if is_bare and (wait > longest or (wait >= 10_000 and wait % 1000 == 0)):
            wait /= 1000
        if 0 < wait <= longest:
            found.append(wait)
    return max(found, default=None)


def holds(pause: Held, now: datetime) -> bool:
    """Whether an open pause is obeyed now: it has time left, and no more of it than its kind may have."""
    if pause.until is None:
        return True
    if pause.until <= now:
        return False
    if pause.source == STAFF:
        return True
    most_s = longest_s(pause.kind)
    if pause.source == GUESS and pause.kind in set(Kind):
        most_s = GUESSED_S.get(Kind(pause.kind), LONGEST_S)
    return pause.until - now <= timedelta(seconds=most_s) and pause.since <= now + CLOCKS_APART
