"""A model's text as its gates read it: parts, lines, sentences and clauses, without slots and Markdown's marks."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from audit.report.text.slots import SLOT

FACT = "\N{REFERENCE MARK}"  # stands where a slot was
MAX_CHARS = 8_000
HEADING = re.compile(r"^#{1,6}\s+")
MARKS = re.compile(r"^[\s>*\-•+–—#]{0,12}(?:\d{1,2}[.)]\s)?[\s*_]{0,4}")
EMPHASIS = re.compile(r"\*{1,3}|_{2,3}")
SENTENCE = re.compile(r"(?<=[.!?…])[\s\"'»”)]+(?=\S)")
CLAUSE = re.compile(r"[,;:()\n«»“”\"]+|\s[–—-]\s|[–—]")
STRETCH = re.compile(r"[;:()\n]|\s[–—-]\s|[–—]")
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


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


def clauses(sentence: str) -> list[str]:
    """A sentence cut at its commas, colons, dashes and brackets."""
    return [clause.strip() for clause in CLAUSE.split(sentence) if clause.strip()]


def stretches(sentence: str) -> list[str]:
    """A sentence cut where something else begins: at semicolons, colons, dashes and brackets, not at commas."""
    return [stretch.strip() for stretch in STRETCH.split(sentence) if stretch.strip()]


def word_set(words: str) -> frozenset[str]:
    """The words of a text as a set, for lists that are read more often than changed."""
    return frozenset(words.split())


def words(text: str) -> list[str]:
    return WORD.findall(text)
