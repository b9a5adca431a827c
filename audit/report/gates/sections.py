"""The parts of a report: each of them there, in order, with words in it, and the last one ended."""

import re
import unicodedata
from collections.abc import Sequence

from llm.chain import gates

MIN_WORDS = 2  # in a section, the names of slots among them
HEADING_CHARS = 120
LEADING = re.compile(
    r"^\W*(?:(?:section|part|раздел|часть|sección|parte)\s+)?(?:\d{1,2}|[ivx]{1,4})?[.):\s–—-]+"
)
WORD = re.compile(r"[^\W\d_]{2,}")
OPEN_ENDED = re.compile(
    r"(?:[,(\[–—-]|\b(?:the|a|an|and|or|to|of|with|for|your|in|on|и|или|а|но|в|на|с|к|для|не|что|из|у|по"
    r"|y|o|de|la|el|los|"
    r"las|un|una|en|con|para|que|tu|su))\s*\Z",
    re.IGNORECASE,
)
ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,2}[.)])\s+")


def required(headings: Sequence[str]) -> gates.Gate:
    """Rejects a text without these sections in this order, however their headings are set, or with an empty one."""
    wanted = [_words(heading) for heading in headings]

    def gate(text: str) -> str | None:
        found: list[int] = []
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if len(found) < len(wanted) and _is_heading(line, wanted[len(found)]):
                found.append(number)
        if len(found) < len(wanted):
            return f"section {len(found) + 1} is missing"
        for place, start in enumerate(found):
            end = found[place + 1] if place + 1 < len(found) else len(lines)
            if len(WORD.findall(" ".join(lines[start + 1 : end]))) < MIN_WORDS:
                return f"section {place + 1} is empty"
        return None

    return gate


def finished() -> gates.Gate:
    """Rejects a text that breaks off: the last line has no end although prose, or the other items, have one."""

    def gate(text: str) -> str | None:
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        if not lines:
            return "breaks off"
        *before, last = lines
        broken = OPEN_ENDED.search(last) or last.lstrip().startswith("#") or last.count("**") % 2
        if not broken and last[-1].isalnum():
            others = [not line[-1].isalnum() for line in before if ITEM.match(line)]
            broken = not ITEM.match(last) or sum(others) * 2 > len(others)
        return "breaks off" if broken else None

    return gate


def _is_heading(line: str, wanted: str) -> bool:
    """Whether the line is this heading: alone, numbered, bold, or with something after a colon or a dash."""
    if len(line) > HEADING_CHARS:
        return False
    words = _words(line)
    return words == wanted or (_marked(line) and words.startswith(wanted + " "))


def _marked(line: str) -> bool:
    return line.lstrip("> ").startswith(("#", "**", "__"))


def _words(line: str) -> str:
    """The line as bare words: no markup, no number in front, no case, no accents, ё as е."""
    plain = LEADING.sub("", f" {line}".casefold().replace("_", " "))
    decomposed = unicodedata.normalize("NFKD", plain)
    return " ".join(re.findall(r"\w+", "".join(c for c in decomposed if not unicodedata.combining(c))))
