"""Where a report may point: to our own pages and to the sources of the cases, in any spelling of an address.

The renderer drops every other link anyway (render.py). This gate is for what a reader would type or write to:
bare domains, mail addresses, handles, telephone numbers, wallet addresses.
"""

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

from llm.chain import gates

# Endings that a bare domain is told by: the common ones, and those that wallet thieves like.
_ENDINGS = (
    "com net org info biz io ai app dev co me xyz online site website web tech store shop support help live life link "
    "click top vip pro club space world today global digital network systems services security center cloud host page "
    "pages finance money cash exchange trade market markets fund capital bank wallet crypto eth nft dao defi zone team "
    "email chat social media news blog wiki icu cyou buzz fun lol art gg tv cc ws to ly sh so fi is im in us uk eu de "
    "fr es it pt ru su ua by kz pl nl ch at se no br ar mx cl pe uy ve cn jp kr tr gov edu int onion рф"
)
ENDINGS = "|".join(sorted(_ENDINGS.split(), key=len, reverse=True))
DOMAIN = re.compile(rf"(?<![\w@.-])(?:[\w-]{{1,63}}\.){{1,6}}(?:{ENDINGS}|{ENDINGS.upper()})(?![\w-]|\.\w)")
# After a full stop without a space comes a word, not an ending: these are both.
WORDS_TOO = re.compile(r"\.(?:so|is|in|no|at|me|us|to|by|it|es|de|se|su|help|so|live|top|web|media)\Z")
WEB_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]{1,20})://([^\s<>\"')\]]*)", re.IGNORECASE)
OTHER_SCHEME = re.compile(r"\b(?:javascript|vbscript|mailto|tel|sms|tg|data|blob):[^\s]", re.IGNORECASE)
HTML = re.compile(
    r"<\s*+(?:/\s*+)?(?:a|img|script|style|i?frame|svg|object|embed|form|input|link|meta|base|video|audio)\b",
    re.I,
)
HANDLE = re.compile(
    r"(?<![\w`])@[a-z]\w{3,}|[\w.+-]{1,64}@[\w-]{1,63}\.\w{2,}|\bwww\.|\bt\.me/|\bwa\.me/", re.IGNORECASE
)
TELEPHONE = re.compile(r"(?<![\w.])(?:\+|00)\d(?:[\s().-]{0,2}\d){8,13}(?!\w)")
NUMERIC_HOST = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
WALLET = re.compile(
    r"\b(?:0x[0-9a-fA-F]{40}|bc1[a-z0-9]{20,60}|[13][1-9A-HJ-NP-Za-km-z]{25,34}|T[1-9A-HJ-NP-Za-km-z]{33})\b"
)
HIDDEN_DOT = re.compile(
    r"\s{0,3}[\[({]\s{0,3}(?:\.|dot|точка|punto)\s{0,3}[\])}]\s{0,3}|\s(?:dot|точка|punto)\s(?=(?:com|net"
    r"|org|info|io|app|dev|xyz|online|site|website|web|shop|support|help|live|club|pro|finance|money|cash"
    r"|exchange|trade|wallet|crypto|eth|defi|link|ru|eu|me|cc)\b)",
    re.I,
)
INVISIBLE = re.compile(r"[\u200b-\u200f\u2060\ufeff\u00ad]")


def only(addresses: Iterable[str], words: str = "") -> gates.Gate:
    """Rejects addresses of any kind, but for hosts of `addresses` and for domains that occur in `words`."""
    hosts = {_host(address) for address in addresses}
    names = hosts | {match[0].lower().removeprefix("www.") for match in DOMAIN.finditer(words)}

    def gate(text: str) -> str | None:
        plain = HIDDEN_DOT.sub(".", unicodedata.normalize("NFKC", INVISIBLE.sub("", text)))
        if HTML.search(plain) or OTHER_SCHEME.search(plain):
            return "a link that is no web address"
        if any(not _ours(match, hosts) for match in WEB_ADDRESS.finditer(plain)):
            return "a link to a site that is neither ours nor a source"
        for match in DOMAIN.finditer(WEB_ADDRESS.sub(" ", plain)):
            name = match[0].lower().removeprefix("www.")
            if name not in names and not WORDS_TOO.search(match[0]):
                return "the name of a site that is neither ours nor a source"
        if HANDLE.search(plain) or TELEPHONE.search(plain):
            return "a contact"
        if NUMERIC_HOST.search(WEB_ADDRESS.sub(" ", plain)):
            return "a numeric address"
        return "a wallet address" if WALLET.search(plain) else None

    return gate


def _ours(match: re.Match[str], hosts: set[str]) -> bool:
    return match[1].lower() in {"http", "https"} and "\\" not in match[2] and _host(match[0]) in hosts


def _host(address: str) -> str:
    """The host of a web address, without www; empty for what is none."""
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
