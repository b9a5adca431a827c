"""How many calls a client of the gateway has made: of the minute, of the day (UTC), and those in flight.

Counters, like those of a provider's quotas, kept for the clients whose limits were asked about. One that is missing
is made anew from the ledger.
"""

from datetime import datetime

from llm import windows
from llm.ledger import meters
from llm.ledger.tally import IN_FLIGHT_AT_MOST, Tally
from llm.models import Call

_CLIENTS = ":clients"  # in the place of a provider: no slug has a colon
_PER = ("minute", "day")
_ONE = 1, 0, 0


def of(client: str, now: datetime) -> Tally:
    """What a client has asked for: its requests by when they began, and its calls in flight. Not to be changed."""
    found = _find(client)
    if found is None:
        found = from_ledger(client, now)
        meters.write(_CLIENTS, (client, ""), found)
    return found


def enter(call: Call) -> None:
    """Counts a call of a client. In the transaction that writes it."""
    if not call.client or (found := _find(call.client)) is None:
        return
    tally = found.copy()
    tally.tidy(call.started_at)
    tally.add(call.started_at, call.started_at, _ONE)
    if call.outcome == Call.Outcome.RUNNING:
        tally.depart(call.id, call.started_at, 0, 0)
    meters.write(_CLIENTS, (call.client, ""), tally)


def leave(call: Call) -> None:
    """A client's call is over. In the transaction that says so."""
    if not call.client or (found := _find(call.client)) is None or call.id not in found.flights:
        return
    tally = found.copy()
    tally.land(call.id)
    meters.write(_CLIENTS, (call.client, ""), tally)


def from_ledger(client: str, now: datetime) -> Tally:
    """What the ledger says."""
    tally = Tally("utc", _PER)
    since = min(windows.start("day", "utc", now), now - IN_FLIGHT_AT_MOST)
    rows = Call.objects.filter(client=client, started_at__gte=since).order_by("started_at")
    for pk, began, outcome in rows.values_list("pk", "started_at", "outcome"):
        tally.add(began, now, _ONE)
        if outcome == Call.Outcome.RUNNING:
            tally.depart(pk, began, 0, 0)
    return tally


def _find(client: str) -> Tally | None:
    found: Tally | None = meters.select(_CLIENTS, client, "", _load).get((client, ""))
    return found


def _load(text: str, found: meters.Found) -> Tally:
    return Tally.load(text, "utc")
