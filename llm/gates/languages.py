"""One language, and the right one: by alphabet, and by the small words that every sentence has."""

import re
import unicodedata
from collections.abc import Iterator

from llm.gates.basic import Gate

PARAGRAPH_WORDS = 12  # shorter ones (a heading, a tool) may be in any language
SENTENCE_WORDS = 8  # at least, to tell the language of a sentence within a paragraph
STOP_WORD_SHARE = 0.12  # running text in any of our languages has more; a list of names has not
CYRILLIC_SHARE = 0.6  # of a whole Russian text: product names stay Latin
PIECE_CYRILLIC_SHARE = 0.4
SYMBOLS = frozenset("\u03bc\u039e\u2126")  # letters to Unicode, signs to people: micro, ether, ohm

# Words that carry no meaning, so that every sentence has some, and that few other languages share.
_SMALL_WORDS = {
    "en": "in again everything the and your you is are with for not of to that this it from if or be have has can will "
    "then when which what who by on at as was were do does any one before after never every them they",
    "es": "de dentro el los las una tu tus que y con por para del es son está están no si pero como más cuando se lo "
    "le su sus muy ya nunca cada antes después también hay ser puede puedes esta este eso esa al",
    "pt": "de não você uma com são seu sua do da dos das em ao também mais então isso é os as e na nas nos só para "
    "pelo pela depois até muito pode",
    "fr": "de les des est vous votre vos et dans pas une sur pour avec qui ce cette sont aux ou",
    "it": "il gli che della delle sono non per una tuo tua più anche questo di nel e è "
    "tutto tutti fra tra dopo ogni alla quando perché",
    "de": "der die das und ist nicht mit ein eine dein deine du zu auf für wenn oder sie es",
}
STOP_WORDS = {lang: frozenset(words.split()) for lang, words in _SMALL_WORDS.items()}
RUSSIAN = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюя")
LEAST_STOP_WORDS = 3  # "Have I Been Pwned" is no English sentence
NOT_SPANISH = re.compile(r"\b\w*[ãõçêôâàèìòùîûïëœæß]\w*")
FOREIGN_WORDS = 2  # a name may be French

CITATION = re.compile(r"\[[^\]\n]{1,80}\]")
CODE = re.compile(r"`[^`\n]*`|https?://\S+")
SENTENCE = re.compile(r"(?<=[.!?…])\s+")
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def language(lang: str) -> Gate:
    """Rejects a text in another language, or one that mixes languages. A language without rules passes."""

    def gate(text: str) -> str | None:
        letters = [char for char in unicodedata.normalize("NFC", text).lower() if char.isalpha()]
        prose = CODE.sub(" ", CITATION.sub(" ", text))
        if lang == "ru":
            return _russian(prose, letters)
        return _latin(prose, letters, lang) if lang in STOP_WORDS else None

    return gate


def _pieces(text: str) -> Iterator[str]:
    """What is long enough to have a language of its own: lines (a list item is a line), and their sentences."""
    for line in text.splitlines():
        if len(WORD.findall(line)) >= PARAGRAPH_WORDS:
            yield line
        yield from (part for part in SENTENCE.split(line) if len(WORD.findall(part)) >= SENTENCE_WORDS)


def _russian(prose: str, letters: list[str]) -> str | None:
    if not letters or _share(letters, RUSSIAN) < CYRILLIC_SHARE:
        return "not in Russian"
    if any(char not in RUSSIAN and not _is_latin(char) for char in letters):
        return "letters of another alphabet"  # Ukrainian, Chinese, …
    for piece in _pieces(prose):
        own = [char for char in piece.lower() if char.isalpha()]
        if _share(own, RUSSIAN) < PIECE_CYRILLIC_SHARE and _dominant(piece):
            return "mixes languages"
    return None


def _latin(prose: str, letters: list[str], lang: str) -> str | None:
    if not letters or not all(map(_is_latin, letters)):
        return "letters of another alphabet"
    if _dominant(prose) != lang:
        return f"not in the language {lang}"
    if lang == "es" and len(NOT_SPANISH.findall(prose.lower())) > FOREIGN_WORDS:
        return "mixes languages"
    if any(_dominant(piece) not in {lang, None} for piece in _pieces(prose)):
        return "mixes languages"
    return None


def _dominant(text: str) -> str | None:
    """The language whose small words are the most frequent; None when there are too few to tell."""
    words = [word.lower() for word in WORD.findall(text)]
    counts = {lang: sum(word in small for word in words) for lang, small in STOP_WORDS.items()}
    first, second = sorted(counts, key=lambda lang: counts[lang], reverse=True)[:2]
    enough = (
        counts[first] >= max(LEAST_STOP_WORDS, STOP_WORD_SHARE * len(words))
        and counts[first] > counts[second]
    )
    return first if enough else None


def _share(letters: list[str], alphabet: frozenset[str]) -> float:
    return sum(char in alphabet for char in letters) / len(letters) if letters else 0.0


def _is_latin(char: str) -> bool:
    return char < "\u0250" or "\u1e00" <= char < "\u1f00" or char in SYMBOLS
