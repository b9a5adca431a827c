"""What the order form sends, and what is wrong with it. A secret is dropped here, before anything else sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import get_language, gettext_lazy, to_locale
from django.utils.translation import gettext as _

from audit.models import Scan
from audit.orders import secret_guard
from audit.scans import service as scans

MESSAGE_CHARS = 1000
REGIONS = {
    "Africa": gettext_lazy("Africa"),
    "America": gettext_lazy("America"),
    "Asia": gettext_lazy("Asia"),
    "Atlantic": gettext_lazy("Atlantic Ocean"),
    "Australia": gettext_lazy("Australia"),
    "Europe": gettext_lazy("Europe"),
    "Indian": gettext_lazy("Indian Ocean"),
    "Pacific": gettext_lazy("Pacific Ocean"),
}
SECRETS = {
    secret_guard.Secret.PHRASE: gettext_lazy(
        "This looked like a recovery phrase, so we threw it away unread: it was neither stored nor logged. Never "
        "type it anywhere but into your wallet. If it was real, move your coins to a new wallet now."
    ),
    secret_guard.Secret.KEY: gettext_lazy(
        "This looked like a private key or a transaction hash, which look alike, so we threw it away unread: it was "
        "neither stored nor logged. If it was a key, move your coins to a new wallet now."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The fields as the form shows them again, and as an order takes them. `errors`: field to reason."""

    email: str = ""
    time_zone: str = ""
    message: str = ""
    scan_link: str = ""
    scan: Scan | None = None
    errors: dict[str, str] = field(default_factory=dict)


def read(data: Mapping[str, str]) -> Sent:
    """The fields of a form, stripped; with a reason for each that will not do, in the active language.

    A field that seems to hold a recovery phrase or a key comes back empty.
    """
    values = {name: data.get(name, "").strip() for name in ("email", "time_zone", "message", "scan_link")}
    values["message"] = values["message"].replace("\r\n", "\n")
    errors: dict[str, str] = {}
    for name, value in values.items():
        # A private link is signed text of ours, in which any letters may come up.
        found = None if name == "scan_link" and _scan(value) else secret_guard.find(value)
        if found:
            values[name], errors[name] = "", str(SECRETS[found])
    errors = _errors(values) | errors
    return Sent(**values, scan=_scan(values["scan_link"]), errors=errors)


def of_scan(token: str) -> Sent:
    """An empty form that takes a result along; `token` is that of the result page."""
    scan = _scan(token)
    return Sent(scan_link=token.strip() if scan else "", scan=scan)


def _errors(values: dict[str, str]) -> dict[str, str]:
    errors = {}
    try:
        validate_email(values["email"])
    except ValidationError:
        errors["email"] = _("Write the e-mail address at which we reach you.")
    if values["time_zone"] not in zones():
        values["time_zone"] = ""
        errors["time_zone"] = _("Choose your time zone.")
    if len(values["message"]) > MESSAGE_CHARS:
        errors["message"] = _("At most %(count)d characters, please.") % {"count": MESSAGE_CHARS}
    if values["scan_link"] and _scan(values["scan_link"]) is None:
        errors["scan_link"] = _("This is not the link of a result, or the result was deleted.")
    return errors


def _scan(link: str) -> Scan | None:
    """The scan of a result's address or of its token alone."""
    try:
        path = urlsplit(link).path if "/" in link else link
    except ValueError:  # such as half an IPv6 address
        return None
    token = path.partition("/r/")[2].split("/")[0] if "/" in path else path
    return scans.get_scan(token) if token else None


# -- time zones --------------------------------------------------------------------------------------
@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """The zones that are offered: one for each set of clocks that people name, without old aliases."""
    known = available_timezones() & set(get_global("zone_territories"))
    return frozenset({"UTC"} | {name for name in known if name.split("/")[0] in REGIONS})


@lru_cache(maxsize=8)
def _grouped(lang: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    locale = Locale.parse(to_locale(lang))
    groups: dict[str, list[tuple[str, str]]] = {region: [] for region in REGIONS}
    for name in zones() - {"UTC"}:
        city = get_timezone_location(name, locale=locale, return_city=True)
        groups[name.split("/")[0]].append((name, city.rpartition("/")[2].replace("_", " ")))
    return tuple(
        (str(REGIONS[region]), tuple(sorted(cities, key=lambda pair: pair[1].casefold())))
        for region, cities in groups.items()
    )


def time_zones() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Regions with their (zone, city) in the active language, in alphabetical order."""
    return _grouped(get_language() or "en")
