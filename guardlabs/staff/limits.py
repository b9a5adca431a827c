"""How often a password may be guessed: per account from one address, and per address over all accounts."""

import logging
import time
from collections.abc import Callable
from hashlib import sha256
from threading import Lock

from django.core.cache import caches
from django.http import HttpRequest

from guardlabs.web.client_address import client_address

log = logging.getLogger(__name__)

WINDOW_S = 15 * 60
PER_ACCOUNT, PER_ADDRESS = 5, 30  # failures in WINDOW_S

_own: dict[str, tuple[int, float]] = {}  # this process's count, for while the cache is away
_lock = Lock()


def is_blocked(request: HttpRequest, account: str) -> bool:
    """Whether this account from this address, or the address as such, has failed too often lately."""
    return any(_count(key) >= most for key, most in _keys(request, account))


def note_failure(request: HttpRequest, account: str) -> None:
    """Counts a wrong password or code."""
    for key, _ in _keys(request, account):
        _add(key)


def forget(request: HttpRequest, account: str) -> None:
    """After a login: the account's count from this address starts anew. The address's does not."""
    key = _keys(request, account)[0][0]
    _own.pop(key, None)
    _try(lambda: caches["logins"].delete(key))


def _keys(request: HttpRequest, account: str) -> list[tuple[str, int]]:
    address = client_address(request)
    name = sha256(f"{address} {account.lower()}".encode()).hexdigest()[:32]
    return [(f"login:{name}", PER_ACCOUNT), (f"login-from:{address}", PER_ADDRESS)]


def _count(key: str) -> int:
    number, since = _own.get(key, (0, 0.0))
    mine: int = number if time.monotonic() - since < WINDOW_S else 0
    shared = _try(lambda: caches["logins"].get(key))
    return max(mine, shared if isinstance(shared, int) else 0)


def _add(key: str) -> None:
    """In the cache for all processes, and here, so that a cache that is away opens no door."""
    with _lock:
        number, since = _own.get(key, (0, time.monotonic()))
        fresh = time.monotonic() - since < WINDOW_S
        _own[key] = (number + 1, since) if fresh else (1, time.monotonic())
    _try(lambda: caches["logins"].add(key, 0, WINDOW_S))
    _try(lambda: caches["logins"].incr(key))


def _try(ask: Callable[[], object]) -> object:
    try:
        return ask()
    except Exception:  # each cache library has errors of its own
        log.warning("the cache is unreachable: logins are limited by this process alone")
        return None
