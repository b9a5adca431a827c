"""First aid after a theft: what to do, in order, by what happened. No brand, no promise.

Texts are lazy, so that the page speaks the visitor's language. Addresses are those of public authorities.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One thing that can have happened, and the steps in the order in which they save most."""

    id: str
    title: Text
    steps: tuple[Text, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where a crime is reported. `url` empty: by telephone or in person; `langs`: whose readers likely live there."""

    region: Text
    name: Text
    url: str = ""
    langs: tuple[str, ...] = ()


SITUATIONS = (
    Situation(
        id="seed",
        title=_("Somebody may know my seed phrase or private key"),
        steps=(
            _(
                "On a device that you trust, create a wallet with a new seed phrase. Write it on paper; no photo, "
                "no note."
            ),
            _(
                "Move what is worth most first, on every chain that this seed phrase opens: coins, tokens, NFTs, "
                "staked coins."
            ),
            _(
                "If a transfer fails for lack of gas, do not keep topping up: a bot takes every deposit at once. "
                "Ask for help in public, see below."
            ),
            _("Never use the old seed phrase again. A new PIN, password or app changes nothing for it."),
            _("Then find out how it leaked, before the same thing happens to the new one."),
        ),
    ),
    Situation(
        id="approval",
        title=_("I signed something, and coins are gone or may go"),
        steps=(
            _("Close the page. Sign nothing more, also no message that promises to undo it."),
            _(
                "Open a block explorer or an approval checker by an address that you type yourself, and revoke the "
                "approvals of the last days, on every chain that you use."
            ),
            _(
                "Move what is left to an address that never signed there. After a Permit signature or a changed "
                "account delegation, moving out is safer than revoking."
            ),
            _(
                "If you typed your seed phrase anywhere on the way, treat it as known and follow the first list."
            ),
        ),
    ),
    Situation(
        id="sim",
        title=_("My phone has no network, or codes arrive that I did not ask for"),
        steps=(
            _(
                "Call your carrier from another phone: have the SIM and the number blocked, and ask who replaced it "
                "and when."
            ),
            _(
                "From a device you trust, change the password of your e-mail first, then of your exchanges; sign "
                "all other devices out."
            ),
            _("Remove the phone number as a way to sign in or to recover: app or key instead of SMS."),
            _("Freeze withdrawals at each exchange by its own form, and lock your bank cards."),
            _("Get the number back, and ask for a lock on SIM replacement and on moving the number."),
        ),
    ),
    Situation(
        id="exchange",
        title=_("Somebody was in my exchange account"),
        steps=(
            _(
                "Freeze the account: most exchanges have a link for it in their login mails and settings. Type the "
                "address yourself; trust no number from a search or a message."
            ),
            _(
                "Change the password of the e-mail behind the account, then of the account; new codes for both."
            ),
            _(
                "End all sessions, delete API keys, and look at the withdrawal addresses and recovery details."
            ),
            _(
                "Send support the transaction ids and times, and ask them to warn the exchange that received the "
                "coins. Minutes count here."
            ),
        ),
    ),
    Situation(
        id="malware",
        title=_("I installed something, or somebody controlled my screen"),
        steps=(
            _(
                "Take the device off the network: no Wi-Fi, no cable, no SIM. Do not sign in to anything on it."
            ),
            _(
                "On another device, move the coins of every wallet that was on this one to a new seed phrase. A "
                "wallet app's password does not stop a stealer."
            ),
            _(
                "From there, end all sessions and change passwords: e-mail, exchanges, password manager, messengers."
            ),
            _("Take photos of what you see for the police, then erase the device and install it anew."),
        ),
    ),
    Situation(
        id="threat",
        title=_("Somebody threatens me or my family"),
        steps=(
            _(
                "Your life is worth more than any wallet. If they are there, do what they say, and do not be a hero."
            ),
            _(
                "As soon as you can, call the emergency number: 112 in Europe, 911 in much of the Americas, or your "
                "country's own."
            ),
            _("If it is a threat from afar, do not pay and do not answer; keep every message as it is."),
            _("Tell somebody you trust where you are. Sleep elsewhere if your address is known."),
            _("Only then think of the coins, and tell nobody what is left."),
        ),
    ),
)

_EVERYWHERE = ("en", "es", "ru")
DESKS = (
    Desk(region=_("United States"), name="FBI IC3", url="https://www.ic3.gov/", langs=("en", "es")),
    Desk(
        region=_("United Kingdom"),
        name="Report Fraud",
        url="https://www.reportfraud.police.uk/",
        langs=("en",),
    ),
    Desk(
        region=_("Canada"),
        name="Canadian Anti-Fraud Centre",
        url="https://antifraudcentre-centreantifraude.ca/",
        langs=("en",),
    ),
    Desk(
        region=_("Australia"),
        name="ReportCyber",
        url="https://www.cyber.gov.au/report-and-recover/report",
        langs=("en",),
    ),
    Desk(
        region=_("Spain"),
        name=_("Policía Nacional or Guardia Civil; advice from INCIBE by telephone: 017"),
        url="https://www.incibe.es/linea-de-ayuda-en-ciberseguridad",
        langs=("es",),
    ),
    Desk(region=_("Mexico"), name=_("Cyber police of your state; telephone 088"), langs=("es",)),
    Desk(
        region=_("Argentina"),
        name=_("UFECI, the prosecutors for cybercrime"),
        url="https://www.mpf.gob.ar/ufeci/",
        langs=("es",),
    ),
    Desk(
        region=_("Colombia"),
        name=_("CAI Virtual of the national police"),
        url="https://caivirtual.policia.gov.co/",
        langs=("es",),
    ),
    Desk(
        region=_("Chile"),
        name=_("PDI, the cybercrime brigade"),
        url="https://www.pdichile.cl/",
        langs=("es",),
    ),
    Desk(
        region=_("Russia"),
        name=_("Ministry of Internal Affairs, online or at any police station; telephone 102"),
        url="https://xn--b1aew.xn--p1ai/request_main",
        langs=("ru",),
    ),
    Desk(
        region=_("Ukraine"), name=_("Cyber police"), url="https://ticket.cyberpolice.gov.ua/", langs=("ru",)
    ),
    Desk(
        region=_("Kazakhstan"),
        name=_("Any police station, or an electronic petition (e-Otinish); telephone 102"),
        url="https://eotinish.kz/",
        langs=("ru",),
    ),
    Desk(region=_("Belarus"), name=_("Any police station; telephone 102"), langs=("ru",)),
    Desk(
        region=_("European Union"),
        name=_("Europol's list of national desks"),
        url="https://www.europol.europa.eu/report-a-crime/report-cybercrime-online",
        langs=_EVERYWHERE,
    ),
)


def desks(lang: str, all_desks: Iterable[Desk] = DESKS) -> tuple[list[Desk], list[Desk]]:
    """Where readers of this language likely report first, and all other places. Unknown languages: all are first."""
    listed = list(all_desks)
    near = [desk for desk in listed if lang in desk.langs] or listed
    return near, [desk for desk in listed if desk not in near]
