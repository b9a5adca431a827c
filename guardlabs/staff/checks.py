"""System checks of the settings for staff."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register()
def second_factor(**options: Any) -> list[CheckMessage]:
    """staff.W001: a public site whose keys and money are behind passwords alone."""
    if not settings.HTTPS or settings.STAFF_2FA:
        return []
    return [
        Warning(
            "A public site whose staff log in with a password alone.",
            hint="STAFF_2FA=on: everybody sets up an authenticator app at the next login.",
            id="staff.W001",
        )
    ]
