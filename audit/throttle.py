"""How many scans one network address may make: settings.SCAN_RATE, such as `20/h`, or `off`."""

import logging
import re
import time

from django.conf import settings
from django.http import HttpRequest
from django_ratelimit.core import get_usage

from guardlabs.client_address import client_address

log = logging.getLogger(__name__)

OFF = "off"
RATE = re.compile(r"[1-9]\d*/[1-9]?\d*[smhd]")
LOG_EVERY_S = 300.0

_last_logged = float("-inf")


def scan_wait_s(request: HttpRequest) -> int:
    """Counts one scan for the client's address. 0: go on; else the seconds after which to come back.

    Call it only when a scan is about to be made. A cache that is down lets everybody pass: the limit protects
    the free quota, and the scan is worth more than that.
    """
    rate = settings.SCAN_RATE
    if rate == OFF:
        return 0
    try:
        usage = get_usage(request, group="scan", key=_address, rate=rate, increment=True)
    except Exception:  # each cache library has errors of its own
        _log_once()
        return 0
    if not usage or not usage["limit"]:  # the counter vanished between two steps
        return 0
    return max(1, usage["time_left"]) if usage["should_limit"] else 0


def _address(group: str, request: HttpRequest) -> str:
    return client_address(request)


def _log_once() -> None:
    """Not for every scan: a cache can be down for hours."""
    global _last_logged
    if time.monotonic() - _last_logged > LOG_EVERY_S:
        _last_logged = time.monotonic()
        log.warning("the cache is unreachable: scans are not limited", exc_info=True)
