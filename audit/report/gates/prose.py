"""A model's text as its gates read it: parts, lines and sentences, without slots and Markdown's marks."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from audit.report.text.slots import SLOT, keys

FACT = "\N{REFERENCE MARK}"  # stands where a slot was
MAX_CHARS = 8_000
HEADING = re.compile(r"^#{1,6}\s+")
MARKS = re.compile(r"^[\s>*\-•+–—#]{0,12}(?:\d{1,2}[.)]\s)?[\s*_]{0,4}")
EMPHASIS = re.compile(r"\*{1,3}|_{2,3}")
SENTENCE = re.compile(r"(?<=[.!?…])[\s\"'»”)]+(?=\S)")
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
TOKEN = re.compile(rf"{FACT}|[^\W_]+(?:['’-][^\W_]+)*")
ASIDE = ("case:",)  # slots that stand in sentences of their own


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and what stands under it; the heading is empty for what comes before the first."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    """raw: the text as it came; parts: split at its headings; lines: without headings, marks and emphasis, with FACT
    for each slot; sentences: of those lines.
    """

    raw: str
    parts: tuple[Part, ...]
    lines: tuple[str, ...]
    sentences: tuple[str, ...]


@lru_cache(maxsize=64)
def read(text: str) -> Prose:
    """The text taken apart; only its first MAX_CHARS, beyond which no report goes."""
    raw = unicodedata.normalize("NFC", text[:MAX_CHARS]).replace("’", "'").replace("\u00a0", " ")
    parts, heading, body = [], "", list[str]()
    for line in raw.splitlines():
        if HEADING.match(line):
            parts.append(Part(heading, "\n".join(body)))
            heading, body = HEADING.sub("", line).strip(" *_:#"), []
        else:
            body.append(line)
    parts.append(Part(heading, "\n".join(body)))
    lines = tuple(line for part in parts for line in bare_lines(part.text))
    return Prose(
        raw, tuple(parts), lines, tuple(s for line in lines for s in SENTENCE.split(line) if s.strip())
    )


def bare_lines(text: str) -> list[str]:
    """The lines of a text without Markdown's marks, slots as FACT; empty ones left out."""
    bare = (EMPHASIS.sub("", MARKS.sub("", SLOT.sub(FACT, line))).strip() for line in text.splitlines())
    return [line for line in bare if line]


def sentences(text: str) -> list[str]:
    """The sentences of a part, with their slots as they are."""
    bare = (EMPHASIS.sub("", MARKS.sub("", line)).strip() for line in text.splitlines())
    return [each for line in bare for each in SENTENCE.split(line) if each.strip()]


def is_told(sentence: str) -> bool:
    """Whether a sentence of the story is the model's own, and not there for a case."""
    return not any(key.startswith(ASIDE) for key in keys(sentence))


def told(text: str) -> list[str]:
    """The model's own sentences of a story, with FACT for each slot."""
    return [SLOT.sub(FACT, sentence) for sentence in sentences(text) if is_told(sentence)]


def word_set(words: str) -> frozenset[str]:
    """The words of a text as a set, for lists that are read more often than changed."""
    return frozenset(words.split())


def words(text: str) -> list[str]:
    return WORD.findall(text)
