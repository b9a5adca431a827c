"""How often a password may be guessed: per account from one address, and per address over all accounts."""

import logging
import time
from collections.abc import Callable
from hashlib import sha256
from threading import Lock

from django.core.cache import caches
from django.http import HttpRequest

from audit.client_address import client_address, client_site

log = logging.getLogger(__name__)

WINDOW_S = 15 * 60
PER_ACCOUNT, PER_ADDRESS = 5, 30  # failures in WINDOW_S; around a full hour up to twice that, see _keys
PER_SITE = 60  # from all networks of one IPv6 site (/48)
MOST_KEPT = 10_000  # addresses and accounts that this process remembers

_own: dict[str, tuple[int, float]] = {}  # this process's count, for while the cache is away
_lock = Lock()


def claim(request: HttpRequest, account: str) -> bool:
    """Counts one guess, before it is checked; False when there were too many lately, and it must not be checked."""
    counts = [(_add(key), most) for key, most in _keys(request, account)]
    return all(count <= most for count, most in counts)


def forget(request: HttpRequest, account: str) -> None:
    """After a login: the account's count from this address starts anew, and the address's is one less."""
    own, *wider = (key for key, _ in _keys(request, account))
    with _lock:
        _own.pop(own, None)
        for key in wider:
            number, since = _own.get(key, (1, 0.0))
            _own[key] = (max(0, number - 1), since)
    _try(lambda: caches["logins"].delete(own))
    for key in wider:
        _try(lambda key=key: caches["logins"].decr(key))  # type: ignore[misc]


def _keys(request: HttpRequest, account: str) -> list[tuple[str, int]]:
    address, site = client_address(request), client_site(request)
    name = sha256(f"{address} {account.lower()}".encode()).hexdigest()[:32]
    keys = [("login", name, PER_ACCOUNT), ("login-from", address, PER_ADDRESS)]
    keys += [("login-site", site, PER_SITE)] if site else []
    # By the hour, or what a clock counted that was ahead would shut people out until that time has come.
    return [(f"{what}:{whose}:{int(time.time() // 3600)}", most) for what, whose, most in keys]


def _add(key: str) -> int:
    """One more, in the cache for all processes, and here, so that a cache that is away opens no door."""
    now = time.monotonic()
    with _lock:
        if len(_own) >= MOST_KEPT:
            _drop_old(now)
        number, since = _own.pop(key, (0, now))
        mine, since = (number + 1, since) if now - since < WINDOW_S else (1, now)
        _own[key] = (mine, since)
    _try(lambda: caches["logins"].add(key, 0, WINDOW_S))
    shared = _try(lambda: caches["logins"].incr(key))
    return max(mine, shared if isinstance(shared, int) else 0)


def _drop_old(now: float) -> None:
    """Makes room: what is over first, then a tenth of what was not asked for longest."""
    for key in [key for key, (_, since) in _own.items() if now - since >= WINDOW_S]:
        del _own[key]
    if len(_own) >= MOST_KEPT:
        for key in list(_own)[: MOST_KEPT // 10]:
            del _own[key]


def _try(ask: Callable[[], object]) -> object:
    try:
        return ask()
    except Exception:  # each cache library has errors of its own
        log.warning("the cache is unreachable: logins are limited by this process alone")
        return None
