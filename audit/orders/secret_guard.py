"""Finds recovery phrases and private keys in what a visitor typed, so that they are never stored or logged.

Honest people paste such things when they ask for help. So the search errs on the safe side: a transaction hash
looks like a private key, and is refused too. Nobody is stopped who hides a secret on purpose.

A recovery phrase is found in two ways: by the words of the known lists (`wordlists/README.md`), and by shape,
for other lists and typing errors: ordinary language does not go twelve words without a small one such as "the".
"""

import re
import unicodedata
from enum import StrEnum
from functools import cache
from pathlib import Path

WORDLISTS = Path(__file__).parent.parent / "wordlists"
SHORTEST = 12  # words in a phrase (BIP-39: 12, 15, 18, 21, 24; SLIP-39: 20, 33; Monero: 25)
WINDOW = 15  # of so many words in a row, SHORTEST from the lists are a phrase with additions or typing errors
PREFIX = 4  # letters that tell the words of a list apart; metal plates hold only those
HAN_LENGTHS = {12, 15, 18, 21, 24}

# Small words without which few sentences of 12 words are written, in the site's languages.
SMALL = frozenset(
    """
    a am an and any are as at be been but by can could did do does for from get had has have he her him his
    how i if in into is it its just like me more my need no not of off on only or our out she should so some
    than that the their them then there these they this to too up us very want was we were what when where
    which who why will with would you your about а без бы был была было были быть в вам вас во вот все где
    да для до его ее если есть еще же за и из или им их к как ко когда кто ли мне мои мой мы на над не нет
    ни но о об он она они от по под при про с со так такие там то тоже только у уже хочу чем что чтобы это
    этот я моя мое меня можно нужно надо очень который которые после al aqui como con cual cuando de del
    desde donde e el ella en entre era es esta estan este esto ha han hay he hasta la las le les lo los mas
    me mi mis muy ni nos o para pero por porque que quien quiero se si sin sobre son su sus te tengo tu tus
    un una uno unos y ya yo
    """.split()  # noqa: SIM905 - a list of quoted words is six times as long
)
WORD = re.compile(r"[^\W\d_]+")
HAN = re.compile(r"[\u4e00-\u9fff]+")
SENTENCE_END = re.compile(r"(?<![.!?;:…])[.!?;:…]++(?=\s|$)")
# What people put around the words of a phrase: "1. abandon", "word 2: ability", "third".
FILLERS = frozenset(
    ["word", "words", "слово", "слова", "palabra", "palabras", "and", "then", "st", "nd", "rd", "th"]
)

BASE58 = "[1-9A-HJ-NP-Za-km-z]"
KEYS = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"-----BEGIN [A-Z ]*PRIVATE KEY", re.I),
        (rf"(?<!\w)[5KL9c]{BASE58}{{50,51}}(?!\w)", 0),  # WIF, main and test net
        (rf"(?<!\w)6P{BASE58}{{56}}(?!\w)", 0),  # BIP-38: encrypted, and still nothing to send around
        (rf"(?<!\w)[a-zA-Z](?:prv|pub){BASE58}{{90,}}", 0),  # extended keys; a public one shows every address
        (r"xsk1[02-9ac-hj-np-z]{40,}|nsec1[02-9ac-hj-np-z]{50,}|age-secret-key-1\w{50,}", re.I),
        (rf"(?<!\w){BASE58}{{86,90}}(?!\w)", 0),  # Solana
        (r"(?<!\w)S[A-Z2-7]{55}(?!\w)", 0),  # Stellar
        (r"(?<!\w)s(?=\w*\d)(?=\w*[A-Z])[1-9A-HJ-NP-Za-km-z]{28}(?!\w)", 0),  # XRP
        (r"(?<!\w)edsk[1-9A-HJ-NP-Za-km-z]{50,}", 0),  # Tezos
        (r"\[\s*(?:\d{1,3}\s*,\s*){31,}\d{1,3}\s*\]", 0),  # the bytes of a key as JSON
        (r"\"?(?:ciphertext|kdfparams|mnemonic|privateKey|private_key)\"?\s*:\s*[\"{]", re.I),  # a keystore
    )
)
HEX = re.compile(r"[0-9a-f]{64}", re.I)
EXTENDED = re.compile(rf"[xyztuv]prv{BASE58}{{100}}")
BREAKS = re.compile(r"[\s:\-]+")


class Secret(StrEnum):
    """What was found."""

    PHRASE = "phrase"
    KEY = "key"


def find(text: str) -> Secret | None:
    """What kind of secret the text seems to hold, or None. Never keeps, logs or returns any part of it."""
    shown = "".join(char for char in text if unicodedata.category(char) != "Cf")  # zero-width characters
    if any(pattern.search(shown) for pattern in KEYS):
        return Secret.KEY
    joined = BREAKS.sub("", shown)  # a key that was wrapped or grouped
    if HEX.search(joined) or EXTENDED.search(joined):
        return Secret.KEY
    if _is_han_phrase(shown) or _listed(shown) or _shaped(shown):
        return Secret.PHRASE
    return None


def _fold(text: str) -> str:
    """Lower case without accents, as people type words on any keyboard."""
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in split if not unicodedata.combining(char))


@cache
def _lists() -> tuple[frozenset[str], ...]:
    """Each list with the first letters by which wallets and metal plates abbreviate its words."""
    lists = []
    for path in sorted(WORDLISTS.glob("*.txt")):
        words = {_fold(word) for word in path.read_text("utf-8").split()}
        lists.append(frozenset(words | {word[:PREFIX] for word in words}))
    return tuple(lists)


@cache
def _han() -> frozenset[str]:
    return frozenset("".join(path.read_text("utf-8") for path in WORDLISTS.glob("chinese_*.txt")).split())


def _is_han_phrase(text: str) -> bool:
    """Chinese lists have one character a word, often written without spaces; prose uses the same characters,
    so only a run of a phrase's exact length counts, and any twelve that stand apart."""
    runs = HAN.findall(text)
    if any(len(run) in HAN_LENGTHS and set(run) <= _han() for run in runs):
        return True
    return sum(len(run) == 1 for run in runs) >= SHORTEST


def _listed(text: str) -> bool:
    """SHORTEST words of one list close together, whatever numbers, commas and line breaks stand between."""
    words = WORD.findall(_fold(text))
    for listed in _lists():
        known = [
            word in listed for word in words if word in listed or (len(word) > 2 and word not in FILLERS)
        ]
        windows = (known[start : start + WINDOW] for start in range(max(1, len(known) - WINDOW + 1)))
        if sum(known) >= SHORTEST and any(sum(window) >= SHORTEST for window in windows):
            return True
    return False


def _shaped(text: str) -> bool:
    """Twelve short lower-case words in a row, with no small word and no end of a sentence between them.

    Capitals part the row: a list of wallets and exchanges is no phrase.
    """
    numbered = re.sub(r"(?<!\d)\d++\s*+[.):\-]", " ", text)  # "1." is no end of a sentence
    for part in SENTENCE_END.split(numbered):
        row = 0
        for word in WORD.findall(part):
            folded = _fold(word)
            if folded in FILLERS:
                continue
            row = row + 1 if word.islower() and 3 <= len(word) <= 14 and folded not in SMALL else 0
            if row >= SHORTEST:
                return True
    return False
