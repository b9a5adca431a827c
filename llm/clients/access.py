"""Clients of the gateway: their keys, and whether one may ask now, by what the ledger counts of it.

A key is `sk-gl-ID-SECRET`. The ID finds the row, and of the whole key only a SHA-256 is kept: with 256 random
bits in it there is nothing to guess, so a slow hash would only cost time on every request.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from llm.calls.terms import DataPolicy
from llm.clients import known
from llm.ledger import bookkeeper, callers
from llm.ledger.tally import Tally, moment
from llm.limits.calendar import day_start
from llm.models import Client
from llm.storage.transactions import write_transaction

PREFIX = "sk-gl"
MINUTE = timedelta(minutes=1)
USED_EVERY = timedelta(minutes=1)  # how exact "last used" is
_NOBODY = hashlib.sha256(b"nobody").hexdigest()


class Refused(Exception):
    """The client may not ask now. `code` is OpenAI's; `retry_after_s` is None when waiting does not help."""

    def __init__(self, code: str, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.retry_after_s = retry_after_s


class Changed(Refused):
    """The client is not what it was when its key was looked up: look it up again, and ask again."""


# -- keys ------------------------------------------------------------------------------------------------


def add(*, name: str, **fields: Any) -> tuple[Client, str]:
    """Makes a client and its key, which nobody can read again. Raises ValidationError."""
    client = Client(name=name, **fields)
    _give_key(client)
    client.full_clean(exclude=["tiers", "regions"])
    return client, create(client)


def create(client: Client) -> str:
    """Saves a new client with a key of its own, and returns the key."""
    key = _give_key(client)
    with write_transaction():
        client.save(force_insert=True)
    return key


def renew_key(client: Client) -> str:
    """Gives a client another key and returns it; the old one is refused from now on, and a revoked client is back."""
    key = _give_key(client)
    client.revoked_at = None
    with write_transaction():
        client.save(update_fields=["key_id", "key_hash", "revoked_at"])
    return key


def revoke(clients: QuerySet[Client]) -> int:
    """Refuses their keys from now on, on all workers, and returns how many were not revoked before."""
    with write_transaction():
        return clients.filter(revoked_at=None).update(revoked_at=timezone.now())


def authenticate(key: str) -> Client:
    """The client of a key. Raises Refused. Read anew for every request, so that a revocation counts at once."""
    key_id = id_of(key)
    client = Client.objects.filter(key_id=key_id).first() if key_id else None
    right = hmac.compare_digest(_hash(key), client.key_hash if client else _NOBODY)
    if client is None or not right:
        raise Refused("invalid_api_key", "Incorrect API key provided.")
    if client.revoked_at:
        raise Refused("invalid_api_key", "This API key has been revoked.")
    if client.expires_at and client.expires_at <= timezone.now():
        raise Refused("invalid_api_key", f"This API key expired on {client.expires_at:%Y-%m-%d}.")
    return client


def is_ours(key: str) -> bool:
    """Whether a text has the form of a key of ours, whether or not anybody has it."""
    return key.startswith(f"{PREFIX}-") and bool(id_of(key))


def id_of(key: str) -> str:
    """The part of a key that finds its client; empty in what is no key."""
    key_id = key.split("-", 3)[2] if key.count("-") >= 3 else ""
    return key_id if key_id.isalnum() and len(key_id) <= 20 else ""


def state_of(client: Client) -> str:
    """active, revoked or expired."""
    if client.revoked_at:
        return "revoked"
    return "expired" if client.expires_at and client.expires_at <= timezone.now() else "active"


def _give_key(client: Client) -> str:
    client.key_id = secrets.token_hex(5)
    key = f"{PREFIX}-{client.key_id}-{secrets.token_urlsafe(32)}"
    client.key_hash = _hash(key)
    return key


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


# -- limits ----------------------------------------------------------------------------------------------


def use_of(client: Client) -> DataPolicy:
    """What the client's data is and for whom, as the plan matches it against each provider's terms."""
    return DataPolicy(client.data_class, client.commercial, frozenset(client.regions))


def admit(client: Client) -> datetime:
    """Within the chain transaction that will write the call: the moment from which it counts for its client.

    Raises Refused when the client has no room for one more, Changed when it is no longer what it was.
    Its daily budget in USD is not judged here but for each attempt, by the plan: a free provider may still answer.
    """
    now = timezone.now()
    if known.has_changed(client):
        raise Changed("invalid_api_key", "This client has just been changed: ask again.")
    if client.rpm is not None or client.concurrency is not None or client.daily_calls is not None:
        _check(client, _tally(client, now), now)
    if client.last_used_at is None or abs(now - client.last_used_at) > USED_EVERY:
        client.last_used_at = now
        Client.objects.filter(pk=client.pk).update(last_used_at=now)
    return now


def _tally(client: Client, now: datetime) -> Tally:
    """A client's calls: of the last minute, in flight, and since midnight UTC."""
    tally = callers.of(client.name, now)
    if tally.is_ahead_of(now) and bookkeeper.redate(now):  # a clock was wrong for a while
        tally = callers.of(client.name, now)
    return tally


def _check(client: Client, tally: Tally, now: datetime) -> None:
    if client.daily_calls is not None and tally.used("day", now)[0] >= client.daily_calls:
        left = (day_start("utc", now) + timedelta(days=1) - now).total_seconds()
        raise Refused("daily_calls_exceeded", f"{client.daily_calls} requests a day are used up.", left)
    if client.rpm is not None and tally.used("minute", now)[0] >= client.rpm:
        minute = tally.open("minute", now)
        # Each piece's moment was rounded up, and Retry-After will be.
        first = moment(minute[0][0] - 1) if minute else now
        left = (first + MINUTE - now).total_seconds()
        raise Refused("rate_limit_exceeded", f"Limited to {client.rpm} requests a minute.", left)
    if client.concurrency is not None and tally.in_flight(now)[0] >= client.concurrency:
        raise Refused("concurrency_exceeded", f"Limited to {client.concurrency} requests at a time.", 1.0)
