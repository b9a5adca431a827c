"""What one account has used of one model: sums by window, and the calls in flight. Pure, and kept as JSON.

A provider counts a request when it arrives: after we wrote it down, by as much as a bad line takes, and before it
ended. The later of what is possible is taken, so that nothing leaves a window here before it does there.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import NamedTuple

import orjson

from llm import windows

ON_THE_WAY = timedelta(seconds=2)
CLOCKS_DIFFER = timedelta(minutes=1)  # of machines that are all right
IN_FLIGHT_AT_MOST = timedelta(minutes=10)  # an attempt that is still open after that has lost its worker
FORGOTTEN_AFTER = timedelta(days=1)

Sums = tuple[int, int, int]  # requests, tokens in, tokens out
NOTHING: Sums = (0, 0, 0)
LOST = -1
Piece = tuple[
    int, int, int, int
]  # the latest arrival (of a calendar's window: its start), in ms, and its sums


class Tally:
    """See above. Not shared between writers: who changes one changes a copy."""

    __slots__ = ("_flying", "_newest", "_totals", "day_reset", "flights", "pieces")

    def __init__(self, day_reset: str, per: Iterable[str]) -> None:
        self.day_reset = day_reset
        self.pieces: dict[str, list[Piece]] = {window: [] for window in per}
        self._totals: dict[str, Sums] = dict.fromkeys(self.pieces, NOTHING)
        # By attempt: when it began, in ms, and what it reserved, in tokens in and out; less than 0 of one that is lost.
        self.flights: dict[int, tuple[int, int, int]] = {}
        self._flying = NOTHING  # what those that are not lost have reserved together
        self._newest = 0  # when the latest of them that there ever was began

    def copy(self) -> "Tally":
        other = Tally.__new__(Tally)
        other.day_reset = self.day_reset
        other.pieces = self.pieces.copy()  # of lists that nobody changes
        other._totals = self._totals.copy()
        other.flights = self.flights.copy()
        other._flying, other._newest = self._flying, self._newest
        return other

    # -- kept --------------------------------------------------------------------------------------

    def dump(self) -> str:
        return orjson.dumps([self.flights, self.pieces], option=orjson.OPT_NON_STR_KEYS).decode()

    @classmethod
    def load(cls, text: str, day_reset: str) -> "Tally":
        found = cls(day_reset, ())
        flights, pieces = orjson.loads(text)
        found.flights = {int(attempt): (a, b, c) for attempt, (a, b, c) in flights.items()}
        found._flying = _reserved(found.flights.values(), since=0)
        found._newest = max((began for began, _, _ in found.flights.values()), default=0)
        found.pieces = {per: [(a, b, c, d) for a, b, c, d in rows] for per, rows in pieces.items()}
        found._totals = {per: total(rows) for per, rows in found.pieces.items()}
        return found

    # -- changed -----------------------------------------------------------------------------------

    def depart(self, attempt: int, began: datetime, tokens_in: int, tokens_out: int) -> None:
        """A call is about to be sent, and may use so much."""
        self._put(attempt, (_ms(began), tokens_in, tokens_out))

    def land(self, attempt: int) -> bool:
        """A call is over; False if it was not known to be in flight."""
        flight = self.flights.pop(attempt, None)
        if flight is None:
            return False
        if flight[1] != LOST:
            self._flying = minus(self._flying, (1, flight[1], flight[2]))
        return True

    def lose(self, attempt: int) -> None:
        """Its worker has died: it uses nothing, unless it ends after all."""
        if attempt in self.flights:
            self._put(attempt, (self.flights[attempt][0], LOST, LOST))

    def _put(self, attempt: int, flight: tuple[int, int, int]) -> None:
        before = self.flights.get(attempt)
        if before is not None and before[1] != LOST:
            self._flying = minus(self._flying, (1, before[1], before[2]))
        if flight[1] != LOST:
            self._flying = plus(self._flying, (1, flight[1], flight[2]))
        self.flights[attempt] = flight
        self._newest = max(self._newest, flight[0])

    def add(self, at: datetime, now: datetime, sums: Sums) -> None:
        """Counts what a finished call has used: of the windows in which it arrived."""
        moment, ended = _ms(at), _ms(now)
        for per, pieces in self.pieces.items():
            if (rolling := _rolling(per, self.day_reset)) is not None:
                over = _over(pieces, ended - rolling.length)
                if over:
                    self._totals[per] = minus(self._totals[per], total(pieces[:over]))
                self._totals[per] = plus(self._totals[per], sums)
                self.pieces[per] = _added(pieces[over:], moment, rolling.grain, sums)
                continue
            own = _begin(per, self.day_reset, at, moment)
            if pieces and own < pieces[-1][0]:
                if own < _begin(per, self.day_reset, now, ended):
                    continue  # of a window that is over
                own = pieces[-1][0]  # the clock went back
            before = pieces[-1][1:] if pieces and pieces[-1][0] == own else NOTHING
            self._totals[per] = plus(before, sums)
            self.pieces[per] = [(own, *self._totals[per])]

    def tidy(self, now: datetime) -> None:
        """Drops flights that nobody will ever end."""
        edge = _ms(now) - _FORGOTTEN_AFTER
        if self._oldest() < edge:
            for attempt in [one for one, flight in self.flights.items() if flight[0] < edge]:
                self.land(attempt)

    # -- read --------------------------------------------------------------------------------------

    def used(self, per: str, now: datetime) -> Sums:
        """Of the window that is open now, without what is in flight."""
        pieces = self.pieces.get(per)
        if not pieces:
            return NOTHING
        over = self._over(per, pieces, now)
        if not over:
            return self._totals[per]
        return NOTHING if over == len(pieces) else minus(self._totals[per], total(pieces[:over]))

    def open(self, per: str, now: datetime) -> list[Piece]:
        """The pieces of the window that is open now, the oldest first. Not to be changed."""
        pieces = self.pieces.get(per, [])
        return pieces[over:] if pieces and (over := self._over(per, pieces, now)) else pieces

    def _over(self, per: str, pieces: list[Piece], now: datetime) -> int:
        """How many of the pieces have passed."""
        ms = _ms(now)
        if (rolling := _rolling(per, self.day_reset)) is not None:
            return _over(pieces, ms - rolling.length)
        # One piece, of the window that was open last.
        return 0 if pieces[-1][0] >= _begin(per, self.day_reset, now, ms) else len(pieces)

    def in_flight(self, now: datetime) -> Sums:
        """What the calls in flight may use: it counts in every window until they end."""
        if not self.flights:
            return NOTHING
        edge = _ms(now) - _IN_FLIGHT_AT_MOST
        return self._flying if self._oldest() >= edge else _reserved(self.flights.values(), since=edge)

    def _oldest(self) -> int:
        """When the first of the calls in flight began: they are kept in the order in which they did."""
        for began, _, _ in self.flights.values():
            return began
        return self._newest

    def is_ahead_of(self, now: datetime) -> bool:
        """Whether it knows of something that will only happen in more than a minute, since a clock was wrong."""
        edge = _ms(now) + _CLOCKS_DIFFER
        for pieces in self.pieces.values():
            if pieces and pieces[-1][0] > edge:
                return True
        return self._newest > edge and any(flight[0] > edge for flight in self.flights.values())


def arrival(began: datetime, ended: datetime) -> datetime:
    """When a request has reached the provider at the latest."""
    return min(began + ON_THE_WAY, ended)


def total(pieces: Iterable[Piece]) -> Sums:
    requests = tokens_in = tokens_out = 0
    for _, more, more_in, more_out in pieces:
        requests += more
        tokens_in += more_in
        tokens_out += more_out
    return requests, tokens_in, tokens_out


def plus(one: Sums, other: Sums) -> Sums:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def minus(one: Sums, other: Sums) -> Sums:
    return one[0] - other[0], one[1] - other[1], one[2] - other[2]


def moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_FORGOTTEN_AFTER, _IN_FLIGHT_AT_MOST = FORGOTTEN_AFTER // _MS, IN_FLIGHT_AT_MOST // _MS
_CLOCKS_DIFFER = CLOCKS_DIFFER // _MS


@lru_cache(maxsize=256)
def _ms(at: datetime) -> int:
    """Rounded up: nothing leaves a window too early. A look asks of every tally at the same moment."""
    return -((_EPOCH - at) // _MS)


class _Rolling(NamedTuple):
    """How long a window is that rolls, and its pieces are, in ms."""

    length: int
    grain: int


@cache
def _rolling(per: str, day_reset: str) -> _Rolling | None:
    """None of a window of the calendar."""
    if windows.rolls(per, day_reset):
        return _Rolling(windows.LENGTH[per] // _MS, windows.GRAIN[per] // _MS)
    return None


_last_windows: dict[
    tuple[str, str], tuple[int, int]
] = {}  # of the calendar, that were asked for: from and until, in ms


def _begin(per: str, day_reset: str, at: datetime, ms: int) -> int:
    """When the window of the calendar began that holds a moment, which is in `ms` rounded up."""
    last = _last_windows.get((per, day_reset))
    if last is None or not last[0] < ms < last[1]:
        last = _ms(windows.start(per, day_reset, at)), _ms(windows.end(per, day_reset, at))
        _last_windows[per, day_reset] = last
    return last[0]


def _over(pieces: list[Piece], edge: int) -> int:
    """How many of them have passed by then."""
    first = 0
    while first < len(pieces) and pieces[first][0] <= edge:
        first += 1
    return first


def _added(pieces: list[Piece], at: int, grain: int, sums: Sums) -> list[Piece]:
    """Counts use in the piece of its time, which is nearly always the last one. Changes the list, and returns it."""
    place = len(pieces)
    while place and pieces[place - 1][0] // grain > at // grain:
        place -= 1
    if place and pieces[place - 1][0] // grain == at // grain:
        before = pieces[place - 1]
        pieces[place - 1] = (max(before[0], at), *plus(before[1:], sums))
    else:
        pieces.insert(place, (at, *sums))
    return pieces


def _reserved(flights: Iterable[tuple[int, int, int]], *, since: int) -> Sums:
    """By those that began since then and are not lost."""
    flying = [flight for flight in flights if flight[0] >= since and flight[1] != LOST]
    return len(flying), sum(flight[1] for flight in flying), sum(flight[2] for flight in flying)
