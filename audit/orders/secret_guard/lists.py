"""The word lists of wallet backups: BIP-39's from the library `mnemonic`, the others from `audit/wordlists/`."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mnemonic import Mnemonic

FOLDER = Path(__file__).parent.parent.parent / "wordlists"
EVERYDAY = "everyday"
PREFIX = 4  # letters that tell the words of a list apart; metal plates hold only those
AMBIGUOUS = frozenset({"una"})  # "uña" without its accent is among the commonest words of Spanish
LENGTHS = (12, 15, 18, 21, 24)  # words of a phrase with a checksum


def fold(text: str) -> str:
    """Lower case without accents, as people type words on any keyboard."""
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in split if not unicodedata.combining(char))


@dataclass(frozen=True, eq=False)
class WordList:
    """`words`: each folded word with its place. `rare`: those that are not of everyday language. `odd`: those of
    which nobody makes a list."""

    words: dict[str, int]
    rare: frozenset[str]
    odd: frozenset[str]
    plates: frozenset[str]  # the first letters of each word
    bip39: Mnemonic | None

    def has_checksum(self, places: Sequence[int]) -> bool:
        """Whether words at these places of the list are a phrase of BIP-39: one in 16 of chance ones is."""
        if self.bip39 is None or len(places) not in LENGTHS:
            return False
        return bool(
            self.bip39.check(self.bip39.delimiter.join(self.bip39.wordlist[place] for place in places))
        )


@cache
def _everyday() -> dict[str, frozenset[str]]:
    lines = (FOLDER / f"{EVERYDAY}.txt").read_text("utf-8").splitlines()
    rows = (line.partition(":") for line in lines if not line.startswith("#"))
    return {name: frozenset(map(fold, words.split())) for name, _, words in rows}


@cache
def word_lists() -> tuple[WordList, ...]:
    """All lists; read once, when the first text is looked at."""
    found = []
    for language in sorted(Mnemonic.list_languages()):
        library = Mnemonic(language)
        found.append(_made(library.wordlist, library))
    for path in sorted(FOLDER.glob("*.txt")):
        if path.stem != EVERYDAY:
            found.append(_made(path.read_text("utf-8").split(), None))
    return tuple(found)


@cache
def english() -> WordList:
    return next(each for each in word_lists() if each.bip39 and each.bip39.language == "english")


@cache
def han() -> frozenset[str]:
    """The characters of the Chinese lists."""
    return frozenset(word for each in word_lists() for word in each.words if "\u4e00" <= word[0] <= "\u9fff")


def _made(words: Sequence[str], library: Mnemonic | None) -> WordList:
    places = {fold(word): place for place, word in enumerate(words) if fold(word) not in AMBIGUOUS}
    common = _everyday()
    listed = common["russian"] | common["spanish"] | common["things"]
    return WordList(
        words=places,
        rare=frozenset(places) - listed - common["english"],
        odd=frozenset(places) - listed,
        plates=frozenset(word[:PREFIX] for word in places),
        bip39=library,
    )
