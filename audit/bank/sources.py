"""Who published what a case rests on. Addresses are stored with the cases; names, titles and days are kept here.

`primary`: whoever found it out, was hit by it, or decided about it; they are named first. An address that is not
listed is shown with its host as publisher. Titles and days are those of the publications.

Checked in November 2026 without opening the pages themselves: addresses and titles against stored copies or against
others who cite them, figures against what others report of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A publication. `title` and `day` (as exact as known, `2024-12-18`) are empty where we have not recorded them."""

    url: str
    publisher: str
    title: str = ""
    day: str = ""
    primary: bool = False


PUBLISHERS = {
    "binance.com": "Binance Square", "bitbo.io": "Bitbo", "security.nl": "Security.NL",
    "blofin.com": "BloFin", "coinfeedback.io": "Coinfeedback", "cryptodnes.bg": "CryptoDnes",
    "cryptonews.net": "CryptoNews", "cybersecurefox.com": "CyberSecureFox", "decrypt.co": "Decrypt",
    "defi-planet.com": "DeFi Planet", "fullycrypto.com": "FullyCrypto", "fxstreet.com": "FXStreet",
    "infosecurity-magazine.com": "Infosecurity Magazine", "kucoin.com": "KuCoin News", "moneycheck.com": "MoneyCheck",
    "namepros.com": "NamePros", "phemex.com": "Phemex", "rescana.com": "Rescana", "securityonline.info":
    "SecurityOnline", "theblock.co": "The Block", "tmonews.com": "TmoNews", "unchainedcrypto.com": "Unchained",
    "custodystress.com": "CustodyStress", "knaken.eu": "Knaken",
}  # fmt: skip
PRIMARY_PUBLISHERS = {
    "drops.scamsniffer.io": "Scam Sniffer", "meta.matcha.xyz": "Matcha", "support.token.im": "imToken",
    "custodystress.com": "CustodyStress archive",
}  # fmt: skip
KNOWN = {
    source.url: source
    for source in (
        Source(
            url="https://krebsonsecurity.com/2024/12/how-to-lose-a-fortune-with-just-one-bad-click/",
            publisher="Krebs on Security", title="How to Lose a Fortune with Just One Bad Click",
            day="2024-12-18", primary=True,
        ),
        Source(
            url="https://krebsonsecurity.com/2025/03/feds-link-150m-cyberheist-to-2022-lastpass-hacks/",
            publisher="Krebs on Security", title="Feds Link $150M Cyberheist to 2022 LastPass Hacks",
            day="2025-03", primary=True,
        ),
        Source(
            url="https://www.ic3.gov/AnnualReport/Reports/2024_IC3Report.pdf",
            publisher="FBI IC3", title="Internet Crime Report 2024", day="2025-04", primary=True,
        ),
        Source(
            url="https://www.ic3.gov/PSA/2025/PSA250226",
            publisher="FBI IC3", title="North Korea Responsible for $1.5 Billion Bybit Hack",
            day="2025-02-26", primary=True,
        ),
        Source(
            url="https://securelist.com/sparkcat-stealer-in-app-store-and-google-play/115385/",
            publisher="Kaspersky", title="Take my money: OCR crypto stealers in Google Play and App Store",
            day="2025-02", primary=True,
        ),
        Source(
            url="https://research.checkpoint.com/2025/inferno-drainer-reloaded-deep-dive-into-the-return-of-the-most-sophisticated-crypto-drainer/",
            publisher="Check Point Research",
            title="Inferno Drainer Reloaded: Deep Dive into the Return of the Most Sophisticated Crypto Drainer",
            day="2025-05", primary=True,
        ),
        Source(
            url="https://retool.com/blog/mfa-isnt-mfa",
            publisher="Retool", title="When MFA isn't actually MFA", day="2023-09", primary=True,
        ),
        Source(
            url="https://www.coinbase.com/blog/protecting-our-customers-standing-up-to-extortionists",
            publisher="Coinbase", title="Protecting Our Customers: Standing Up to Extortionists",
            day="2025-05-15", primary=True,
        ),
        Source(
            url="https://www.ledger.com/blog/security-incident-report",
            publisher="Ledger", title="Security Incident Report", day="2023-12-20", primary=True,
        ),
        Source(
            url="https://securelist.com/open-source-package-for-cursor-ai-turned-into-a-crypto-heist/116908/",
            publisher="Kaspersky", title="Code highlighting with Cursor AI for $500,000",
            day="2025-07-10", primary=True,
        ),
        Source(
            url="https://www.chainalysis.com/blog/crypto-hacking-stolen-funds-2026/",
            publisher="Chainalysis", title="2025 Crypto Theft Reaches $3.4 Billion", day="2025-12-18", primary=True,
        ),
        Source(
            url="https://www.chainalysis.com/blog/address-poisoning-scam/",
            publisher="Chainalysis", title="Anatomy of an Address Poisoning Scam", day="2024-10", primary=True,
        ),
        Source(
            url="https://www.trmlabs.com/resources/blog/trm-traces-stolen-crypto-from-2022-lastpass-breach-on-chain-indicators-suggest-russian-cybercriminal-involvement",
            publisher="TRM Labs", day="2025-12", primary=True,
        ),
        Source(
            url="https://www.justice.gov/usao-dc/pr/gothferrari-sentenced-78-months-prison-role-massive-cryptocurrency-heist",
            publisher="US Department of Justice", primary=True,
        ),
        Source(
            url="https://cybernews.com/security/billions-credentials-exposed-infostealers-data-leak/",
            publisher="Cybernews", day="2025-06", primary=True,
            title="The 16-billion-record data breach that no one’s ever heard of",
        ),
        Source(
            url="https://www.bleepingcomputer.com/news/security/no-the-16-billion-credentials-leak-is-not-a-new-data-breach/",
            publisher="BleepingComputer", title="No, the 16 billion credentials leak is not a new data breach",
            day="2025-06",
        ),
        Source(
            url="https://www.paubox.com/blog/ledger-global-e-breach-exposes-the-risks-of-third-party-cybersecurity",
            publisher="Paubox", title="Ledger Global-e breach exposes the risks of third-party cybersecurity",
            day="2026-01-16",
        ),
        Source(
            url="https://github.com/jlopp/physical-bitcoin-attacks",
            publisher="Jameson Lopp", title="Known Physical Bitcoin Attacks", primary=True,
        ),
    )
}  # fmt: skip


def cited(urls: Iterable[str]) -> tuple[Source, ...]:
    """The publications behind these addresses, the primary ones first, otherwise in the given order."""
    return tuple(sorted((_source(url) for url in urls), key=lambda source: not source.primary))


def _source(url: str) -> Source:
    if known := KNOWN.get(url):
        return known
    host = (urlsplit(url).hostname or url).removeprefix("www.")
    if name := PRIMARY_PUBLISHERS.get(host):
        return Source(url=url, publisher=name, primary=True)
    return Source(url=url, publisher=PUBLISHERS.get(host, host))
