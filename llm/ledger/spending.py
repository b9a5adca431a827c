"""What was spent, in USD: counters for budgets and credits, written with every attempt that may cost something.

One row for each paid provider, one for all of them together, and one for each client; a row is kept once a call has
asked for it, and made anew from the ledger on the first look of every day (UTC). An attempt in flight counts with the
most that it can cost.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import orjson
from django.db.models import Case, F, Q, QuerySet, Sum, When

from llm import windows
from llm.configuration.prices import MILLION
from llm.ledger import meters
from llm.ledger.counters import ABANDONED
from llm.ledger.meters import Names
from llm.ledger.tally import FORGOTTEN_AFTER, IN_FLIGHT_AT_MOST
from llm.models import Attempt, Meter, PastSpending
from llm.storage.transactions import chain_transaction, shared

# In the place of a provider: no slug has a colon. Rows are named by a provider ("" is all), or by a client.
_PROVIDERS, _CLIENTS = ":usd", ":clients-usd"
_ALL = ""

# What an attempt costs, as far as is known: one that is still under way, the most that it can.
MONEY = Case(When(finished_at=None, then=F("reserved_usd")), default=F("cost_usd"))


def today(provider: str, now: datetime) -> Decimal:
    """USD spent since midnight UTC, by a provider or (for an empty slug) by all paid ones."""
    return usd(_read(_PROVIDERS, provider, now).today)


def ever(provider: str, now: datetime) -> Decimal:
    """USD spent of all time, in attempts that are no longer kept, too."""
    return usd(_read(_PROVIDERS, provider, now, ever=True).ever or 0)


def by(client: str, now: datetime) -> Decimal:
    """USD that a client has spent since midnight UTC."""
    return usd(_read(_CLIENTS, client, now).today)


def micros(amount: Decimal | None) -> int:
    """USD in millionths, which JSON keeps exactly. The nearest: SQLite sums decimals as floats."""
    return round((amount or Decimal(0)) * MILLION)


def usd(millionths: int) -> Decimal:
    return millionths / MILLION


def depart(attempt: Attempt, client: str) -> None:
    """Counts an attempt that is about to be sent, at the most that it can cost. In the transaction that writes it."""
    for book, names, spent in _kept(attempt, client):
        spent.depart(attempt.id, _day(attempt.started_at), micros(attempt.reserved_usd))
        meters.write(book, names, spent)


def land(attempt: Attempt, client: str) -> None:
    """Counts what an attempt that is over has cost instead. In the transaction that writes it; twice counts once."""
    for book, names, spent in _kept(attempt, client):
        if spent.land(attempt.id, micros(attempt.cost_usd)):
            meters.write(book, names, spent)


class Spent:
    """What one provider, or one client, has spent, in millionths of a USD. Who changes one changes a copy.

    day: that `today` is of, as an ordinal; ever: None as long as nobody has asked
    flights: of attempts whose end was not seen, the day on which they began, and what they count
    """

    __slots__ = ("day", "ever", "flights", "today")

    def __init__(self, day: int, today: int, ever: int | None, flights: dict[int, tuple[int, int]]) -> None:
        self.day, self.today, self.ever, self.flights = day, today, ever, flights

    def copy(self) -> "Spent":
        return Spent(self.day, self.today, self.ever, self.flights.copy())

    def dump(self) -> str:
        state = [self.day, self.today, self.ever, self.flights]
        return orjson.dumps(state, option=orjson.OPT_NON_STR_KEYS).decode()

    @classmethod
    def load(cls, text: str, found: meters.Found) -> "Spent":
        day, today, ever, flights = orjson.loads(text)
        return cls(
            day, today, ever, {int(attempt): (began, cost) for attempt, (began, cost) in flights.items()}
        )

    def depart(self, attempt: int, day: int, cost: int) -> None:
        if day > self.day:
            self.day, self.today = day, 0
        self.flights[attempt] = day, cost
        self._add(day, cost)

    def land(self, attempt: int, cost: int) -> bool:
        """False if it was not known to be in flight."""
        flight = self.flights.pop(attempt, None)
        if flight is None:
            return False
        self._add(flight[0], cost - flight[1])
        return True

    def _add(self, day: int, cost: int) -> None:
        if day >= self.day:  # beyond it: a clock was wrong, see `bookkeeper.redate`
            self.today += cost
        if self.ever is not None:
            self.ever += cost


def _read(book: str, name: str, now: datetime, *, ever: bool = False) -> Spent:
    """The row as it stands, or as the ledger has it; which a call keeps, while a page only reads. Not to be changed.

    ever: whether what was spent of all time is wanted; once a call has asked, it is counted from then on
    """
    found = _find(book, name)
    if found is not None:
        if found.day == _day(now) and (found.ever is not None or not ever):
            return found
        ever = ever or found.ever is not None
    if shared() is None:
        return Spent(_day(now), _on_day(book, name, now), _ever(name) if ever else None, {})
    found = from_ledger(book, name, now, ever=ever)
    meters.write(book, (name, ""), found)
    return found


def _find(book: str, name: str) -> Spent | None:
    found: Spent | None = meters.select(book, name, "", Spent.load).get((name, ""))
    return found


def _kept(attempt: Attempt, client: str) -> Iterator[tuple[str, Names, Spent]]:
    """Copies of the rows that an attempt counts in; none for one that costs nothing, or nobody knows what."""
    if not (attempt.price_in or attempt.price_out or attempt.price_cached):
        return
    counts_in = [] if attempt.free else [(_PROVIDERS, attempt.provider), (_PROVIDERS, _ALL)]
    for book, name in [*counts_in, (_CLIENTS, client)] if client else counts_in:
        if (found := _find(book, name)) is not None:
            yield book, (name, ""), found.copy()


# -- from the ledger -------------------------------------------------------------------------------------


def from_ledger(book: str, name: str, now: datetime, *, ever: bool) -> Spent:
    """What the ledger says of a day, and of all time if that is wanted."""
    recent = _since(book, name, windows.start("day", "utc", now) - FORGOTTEN_AFTER)
    open_rows = recent.filter(Q(finished_at=None) | Q(outcome=ABANDONED)).order_by("id").annotate(cost=MONEY)
    flights = {
        pk: (_day(began), micros(cost))
        for pk, began, cost in open_rows.values_list("id", "started_at", "cost")
    }
    return Spent(_day(now), _on_day(book, name, now), _ever(name) if ever else None, flights)


def differences() -> Iterator[str]:
    """A line for each row that says otherwise than the ledger. There are none: for tests and the drill."""
    rows = Meter.objects.filter(provider__in=(_PROVIDERS, _CLIENTS)).values_list("provider", "account")
    with chain_transaction():
        for book, name in rows:
            if (kept := _find(book, name)) is None:
                continue
            then = datetime.fromordinal(kept.day).replace(tzinfo=UTC)
            true = from_ledger(book, name, then, ever=kept.ever is not None)
            if (said := (kept.today, kept.ever)) != (should := (true.today, true.ever)):
                yield f"{book} {name or 'all'}: {said} micro-USD today and ever; the ledger says {should}"
            if missing := true.flights.keys() - kept.flights.keys():
                yield f"{book} {name or 'all'}: attempts {sorted(missing)} are not known to be in flight"


def _on_day(book: str, name: str, now: datetime) -> int:
    return _sum(_since(book, name, windows.start("day", "utc", now)))


def _ever(provider: str) -> int:
    past = PastSpending.objects.filter(provider=provider).values_list("usd", flat=True).first()
    return _sum(_attempts(_PROVIDERS, provider)) + micros(past)


def _attempts(book: str, name: str) -> QuerySet[Attempt]:
    """Those that count in a row."""
    if book == _CLIENTS:
        return Attempt.objects.filter(call__client=name)
    paid = Attempt.objects.filter(free=False)
    return paid.filter(provider=name) if name else paid


def _since(book: str, name: str, moment: datetime) -> QuerySet[Attempt]:
    """Those of them that began since then."""
    rows = _attempts(book, name).filter(started_at__gte=moment)
    if book == _CLIENTS:
        return rows.filter(call__started_at__gte=moment - IN_FLIGHT_AT_MOST)  # which an index finds
    return rows


def _sum(rows: QuerySet[Attempt]) -> int:
    return micros(rows.aggregate(total=Sum(MONEY))["total"])


def _day(at: datetime) -> int:
    return at.astimezone(UTC).toordinal()
