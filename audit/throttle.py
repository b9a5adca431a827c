"""How many scans and orders one IP address may make.

Scans: settings.SCAN_RATE, such as `20/h`, or `off`. Orders: ORDER_RATE, unless scans are not limited either.
"""

import logging
import re
import time

from django.conf import settings
from django.http import HttpRequest
from django_ratelimit.core import get_usage

from audit.client_address import client_address, client_site

log = logging.getLogger(__name__)

OFF = "off"
RATE = re.compile(r"[1-9][0-9]{0,8}/(?:[1-9][0-9]{0,5})?[smhd]")
ORDER_RATE = "10/h"  # each order sends an e-mail to an address that its owner may not have typed
SITE_FACTOR = 3  # times the rate of one network: for all the networks of an IPv6 site
LOG_EVERY_S = 300.0

_last_logged = float("-inf")


def scan_wait_s(request: HttpRequest) -> int:
    """Counts one scan for the client's address. 0: go on; else the seconds after which to come back.

    Call it only when a scan is about to be made. While Redis is down each process counts by itself
    (guardlabs/web/shared_cache.py); any other cache that is down lets everybody pass: the limit protects the free
    quota, and the scan is worth more than that.
    """
    return _wait_s(request, group="scan", rate=settings.SCAN_RATE)


def order_wait_s(request: HttpRequest) -> int:
    """The same for orders."""
    return _wait_s(request, group="order", rate=OFF if settings.SCAN_RATE == OFF else ORDER_RATE)


def _wait_s(request: HttpRequest, *, group: str, rate: str) -> int:
    """The client's own network counts, and with IPv6 the customer's site (/48) that it is one of."""
    if rate == OFF:
        return 0
    most, _, span = rate.partition("/")
    waits = [_counted(request, group=group, key=client_address(request), rate=rate)]
    if site := client_site(request):
        waits.append(_counted(request, group=group, key=site, rate=f"{int(most) * SITE_FACTOR}/{span}"))
    return max(waits)


def _counted(request: HttpRequest, *, group: str, key: str, rate: str) -> int:
    try:
        usage = get_usage(request, group=group, key=lambda *_: key, rate=rate, increment=True)
    except Exception:  # each cache library has errors of its own
        _log_once()
        return 0
    if not usage or not usage["limit"]:  # the counter vanished between two steps
        return 0
    return max(1, usage["time_left"]) if usage["should_limit"] else 0


def _log_once() -> None:
    """Not for every scan: a cache can be down for hours."""
    global _last_logged
    if time.monotonic() - _last_logged > LOG_EVERY_S:
        _last_logged = time.monotonic()
        log.warning("the cache is unreachable: scans and orders are not limited", exc_info=True)
