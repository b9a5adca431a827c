"""Wrong settings of this app, found when the site starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from audit import throttle


@register()
def check_scan_rate(**kwargs: Any) -> list[CheckMessage]:
    rate = settings.SCAN_RATE
    if rate == throttle.OFF or throttle.RATE.fullmatch(rate):
        return []
    return [
        Error(
            f"SCAN_RATE is {rate!r}, which is no rate.",
            hint="Write a number of scans and a time: 20/h, 5/m, 100/d or 3/10m; or off.",
            id="audit.E001",
        )
    ]
