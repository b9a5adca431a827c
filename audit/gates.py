"""What a written report must be before anyone sees it. Plain functions: gate(text) -> None, or why not.

The reason goes into the ledger, so it names the fault and never quotes the text.
"""

import re
from collections.abc import Callable

Gate = Callable[[str], str | None]

MIN_CHARS = 400
PARAGRAPH_WORDS = 12  # shorter ones (a heading, a tool) may be in any language
STOP_WORD_SHARE = 0.12  # running text in any of our languages has more; a list of names has not
FOREIGN_LETTER_SHARE = 0.02
CYRILLIC_SHARE = 0.6  # of a whole Russian text: product names stay Latin
PARAGRAPH_CYRILLIC_SHARE = 0.4

# Words that carry no meaning, so that every sentence has some, and that few other languages share.
_SMALL_WORDS = {
    "en": "the and your you is are with for not of to that this it from if or be have has can will then when which "
    "what who by on at as was were do does any one before after never every them they",
    "es": "el los las una tu tus que y con por para del es son está están no si pero como más cuando se lo le su sus "
    "muy ya nunca cada antes después también hay ser puede puedes esta este eso esa al",
    "pt": "não você uma com são seu sua do da dos das em ao também mais então isso é os",
    "fr": "les des est vous votre vos et dans pas une sur pour avec qui ce cette sont aux ou",
    "it": "il gli che della delle sono non per una tuo tua più anche questo di nel e è",
    "de": "der die das und ist nicht mit ein eine dein deine du zu auf für wenn oder sie es",
}
STOP_WORDS = {lang: frozenset(words.split()) for lang, words in _SMALL_WORDS.items()}
RUSSIAN = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюя")

CITATION = re.compile(r"\[[^\]\n]{1,80}\]")
CODE = re.compile(r"`[^`\n]*`|https?://\S+")
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def report(lang: str) -> Gate:
    """The gate of a report in this language."""
    return all_of(at_least(MIN_CHARS), language(lang))


def all_of(*gates: Gate) -> Gate:
    """Passes what every gate passes; gives the first reason otherwise."""

    def gate(text: str) -> str | None:
        return next((reason for check in gates if (reason := check(text))), None)

    return gate


def at_least(chars: int) -> Gate:
    """Rejects a text of fewer characters, spaces at its ends not counted."""

    def gate(text: str) -> str | None:
        length = len(text.strip())
        return f"too short: {length} of {chars} characters" if length < chars else None

    return gate


def language(lang: str) -> Gate:
    """Rejects a text in another language, or one that mixes languages. A language without rules passes."""

    def gate(text: str) -> str | None:
        prose = CODE.sub(" ", CITATION.sub(" ", text))
        if lang == "ru":
            return _russian(prose)
        return _latin(prose, lang) if lang in STOP_WORDS else None

    return gate


def paragraphs(text: str) -> list[str]:
    """Lines long enough to have a language; a list item is a line of its own."""
    return [line for line in text.splitlines() if len(WORD.findall(line)) >= PARAGRAPH_WORDS]


def _russian(prose: str) -> str | None:
    letters = [char for char in prose.lower() if char.isalpha()]
    if not letters or _share(letters, RUSSIAN) < CYRILLIC_SHARE:
        return "not in Russian"
    other = [char for char in letters if char not in RUSSIAN and not _is_latin(char)]
    if len(other) > FOREIGN_LETTER_SHARE * len(letters):
        return "letters of another alphabet"  # Ukrainian, Bulgarian with Latin, Chinese, …
    for paragraph in paragraphs(prose):
        own = [char for char in paragraph.lower() if char.isalpha()]
        if _share(own, RUSSIAN) < PARAGRAPH_CYRILLIC_SHARE and _dominant(paragraph):
            return "mixes languages"
    return None


def _latin(prose: str, lang: str) -> str | None:
    letters = [char for char in prose.lower() if char.isalpha()]
    if not letters or sum(not _is_latin(char) for char in letters) > FOREIGN_LETTER_SHARE * len(letters):
        return "letters of another alphabet"
    if _dominant(prose) != lang:
        return f"not in the language {lang}"
    if any(_dominant(paragraph) not in {lang, None} for paragraph in paragraphs(prose)):
        return "mixes languages"
    return None


def _dominant(text: str) -> str | None:
    """The language whose small words are the most frequent; None when there are too few to tell."""
    words = [word.lower() for word in WORD.findall(text)]
    counts = {lang: sum(word in small for word in words) for lang, small in STOP_WORDS.items()}
    best = max(counts, key=lambda lang: counts[lang])
    return best if words and counts[best] >= STOP_WORD_SHARE * len(words) else None


def _share(letters: list[str], alphabet: frozenset[str]) -> float:
    return sum(char in alphabet for char in letters) / len(letters) if letters else 0.0


def _is_latin(char: str) -> bool:
    return char < "\u0250" or "\u1e00" <= char < "\u1f00"
