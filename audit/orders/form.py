"""What the order form sends, and what is wrong with it. A secret is dropped here, before anything else sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import get_language, gettext_lazy, to_locale
from django.utils.translation import gettext as _

from audit.models import Scan
from audit.orders import secret_guard
from audit.orders.secret_guard import sealed
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
    secret_guard.Secret.CODE: gettext_lazy(
        "This looked like a PIN or a password, so we threw it away unread: it was neither stored nor logged. Nobody "
        "needs it to help you. If it was real, change it now."
    ),
}


class _PayableEmail(EmailValidator):
    """Addresses that mail servers and Stripe take as well: a host with a name in the DNS, no quotes, and no more
    characters than RFC 5321 allows (4.5.3.1). Django would let more pass, and a column of PostgreSQL less."""

    def __call__(self, value: str | None) -> None:
        super().__call__(value)
        if not value or '"' in value or value.endswith("]"):
            raise ValidationError(self.message, code=self.code)
        if len(value) > MOST_EMAIL_CHARS or len(value.rpartition("@")[0]) > MOST_LOCAL_CHARS:
            raise ValidationError(self.message, code=self.code)


MOST_EMAIL_CHARS, MOST_LOCAL_CHARS = 254, 64
PAYABLE_EMAIL = _PayableEmail(allowlist=[])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The fields as the form shows them again, and as an order takes them. `errors`: field to reason.

    `begin`: the customer asks us to begin at once, and knows what that means for a withdrawal.
    `sealed`: a message that need not be a secret, for the visitor to send again, who says so; `cleared`: he did.
    """

    email: str = ""
    time_zone: str = ""
    message: str = ""
    scan_link: str = ""
    scan: Scan | None = None
    sealed: str = ""
    cleared: bool = False
    begin: bool = False
    errors: dict[str, str] = field(default_factory=dict)


def read(data: Mapping[str, str]) -> Sent:
    """The fields of a form, stripped; with a reason for each that will not do, in the active language.

    A field that seems to hold a recovery phrase or a key comes back empty. `not_secret` with a `sealed` message
    sends what only looked like one.
    """
    values = {
        name: data.get(name, "").strip()[: secret_guard.MOST_CHARS]
        for name in ("email", "time_zone", "message", "scan_link")
    }
    cleared = data.get("not_secret") == "1"
    if cleared and not values["message"]:
        values["message"] = sealed.unseal(data.get("sealed", ""))
    values["message"] = values["message"].replace("\r\n", "\n")
    kept, errors = "", dict[str, str]()
    for name in values:
        found = secret_guard.look(_strange(name, values))
        if found is None or (name == "message" and cleared and not found.certain):
            continue
        if name == "message" and not found.certain and len(values[name]) <= MESSAGE_CHARS:
            kept = sealed.seal(values[name])
        values[name], errors[name] = "", str(SECRETS[found.kind])
    if not errors and (found := secret_guard.look(_all(values))) and (found.certain or not cleared):
        kept = "" if found.certain else sealed.seal(values["message"])
        values |= {"message": "", "scan_link": ""}
        errors["message"] = str(SECRETS[found.kind])
    name, at, host = values["email"].rpartition("@")
    values["email"] = f"{name}{at}{host.lower()}"  # of all alphabets, so that no limit is dodged by capitals
    errors = _errors(values) | errors
    return Sent(
        **values,
        scan=_scan(values["scan_link"]),
        sealed=kept,
        cleared=cleared and not kept,
        errors=errors,
        begin=data.get("begin") == "1",
    )


def _strange(name: str, values: Mapping[str, str]) -> str:
    """A field without our own private link, which is signed text in which any letters may come up."""
    value = values[name]
    return value.replace(_token(value), " ") if name == "scan_link" and _scan(value) else value


def _all(values: Mapping[str, str]) -> str:
    """What was written into different fields may belong together."""
    return "\n".join(_strange(name, values) for name in ("message", "scan_link") if values[name])


def without_message(sent: Sent, kind: secret_guard.Secret) -> Sent:
    """The form without a message that turned out to hold a secret, with the reason."""
    return replace(sent, message="", errors={"message": str(SECRETS[kind])})


def unsent(data: Mapping[str, str]) -> Sent:
    """The form as it was filled in so far, to be shown again without complaints, save about secrets."""
    sent = read(data)
    secrets = {str(words) for words in SECRETS.values()}
    return replace(sent, errors={name: why for name, why in sent.errors.items() if why in secrets})


def of_scan(token: str) -> Sent:
    """An empty form that takes a result along; `token` is that of the result page."""
    scan = _scan(token)
    return Sent(scan_link=token.strip() if scan else "", scan=scan)


def _errors(values: dict[str, str]) -> dict[str, str]:
    errors = {}
    try:
        PAYABLE_EMAIL(values["email"])
    except ValidationError:
        errors["email"] = _("Enter an e-mail address, like name@example.com.")
    values["time_zone"] = values["time_zone"] or "UTC"
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
    token = _token(link)
    return scans.get_scan(token) if token else None


def _token(link: str) -> str:
    try:
        path = urlsplit(link).path if "/" in link else link
    except ValueError:  # "http://[": no address at all
        return ""
    return path.partition("/r/")[2].split("/")[0] if "/" in path else path


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
