"""A conversation stays with the account and model that hold its beginning, so that the provider's prompt cache is hit.

What this process has seen is kept in memory, the rest is read from the ledger: another worker may have served the
last turn. Providers keep a prompt for some minutes to an hour; after that nothing holds a conversation.
"""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from threading import Lock
from typing import Any

from django.utils import timezone

from llm import clock
from llm.calls.deployment import Deployment
from llm.calls.spec import Home
from llm.conf import conf
from llm.models import Attempt
from llm.text import encoded

HELD_S = 3600.0
MOST_KEPT = 10_000
NAMED = "n"  # begins the key of a conversation that its client has named; no hexadecimal digit
_kept: OrderedDict[str, tuple[float, Home]] = OrderedDict()
_lock = Lock()


def key_of(client: str, model: str, named: str, messages: Sequence[Mapping[str, Any]]) -> str:
    """A conversation's name in the ledger: a keyed hash of what its client calls it, or else of its first messages.

    model: what was asked for; the same words to another model are another conversation.
    """
    first = []
    for message in messages:
        if message.get("role") == "assistant":
            break
        first.append((message.get("role"), message.get("content")))
    mark = _keyed(conf.SECRET_KEY).copy()
    mark.update(encoded((client, model, named or first)))
    return (NAMED if named else "") + mark.hexdigest()[:31]


@lru_cache(maxsize=1)
def _keyed(secret_key: str) -> hmac.HMAC:
    """What Django's `salted_hmac` would make anew for every call; to be copied before it is fed."""
    secret = hashlib.sha1(b"llm.conversation" + secret_key.encode()).digest()  # noqa: S324 - as a key's derivation
    return hmac.new(secret, digestmod="sha1")


def home_of(key: str, messages: Sequence[Mapping[str, Any]]) -> Home | None:
    """Where the conversation's beginning is held; None where it begins, or nothing holds it any more.

    Asks the ledger where this process has not seen it. One that its client has named may begin anew with the same
    beginning.
    """
    if not key.startswith(NAMED) and "assistant" not in [message.get("role") for message in messages]:
        return None
    with _lock:
        at, home = _kept.get(key, (0.0, None))
    if home is not None and clock.monotonic() - at < HELD_S:
        return home
    since = timezone.now() - timedelta(seconds=HELD_S)
    rows = Attempt.objects.filter(call__session=key, call__started_at__gt=since, outcome="ok").order_by("-id")
    found = rows.values_list("provider", "account", "model", "location").first()
    return Home(*found) if found else None


def note(key: str, deployment: Deployment, account: str) -> None:
    """This deployment has answered, and holds the conversation from now on."""
    home = Home(deployment.provider.slug, account, deployment.model.name, deployment.location)
    with _lock:
        _kept[key] = clock.monotonic(), home
        _kept.move_to_end(key)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)


def forget() -> None:
    """Drops what this process has seen, for tests."""
    with _lock:
        _kept.clear()
