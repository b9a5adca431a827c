"""The form of a report: its slots, the length of its parts, the times of its plan, and nothing said twice."""

import re
from collections import Counter
from collections.abc import Iterator

from audit.report.gates import prose
from audit.report.gates.given import Given
from audit.report.gates.prose import FACT
from audit.report.text import slots
from llm.chain import gates

MIN_WORDS, MAX_WORDS = 85, 340  # of a whole report, each slot as one
LITTLE_TO_SAY = 80  # words of a report with less than three fixes
PART_WORDS = ((25, 190), (8, 190), (12, 150))
LONE_WORDS = ((20, 250), (20, 250))  # of a report without a weakness
SAME = 0.8  # of the words of two sentences
LONG = 4  # words from which a sentence is a sentence
ONCE = ("fix", "finding", "case", "keep")


def known_slots(given: Given) -> gates.Gate:
    """Rejects slots that were not given, a part that names one twice, and a report without a fix, a case or a score
    where there are some to name."""

    def gate(text: str) -> str | None:
        used = set(slots.keys(text))
        if used - given.slots:
            return "a slot that was not given"
        for part in prose.read(text).parts:
            counts = Counter(slots.keys(part.text))
            if any(times > 1 for key, times in counts.items() if key.startswith(ONCE)):
                return "a slot twice in one part"
        fixes = sum(key.startswith("fix:") for key in used)
        if fixes < (given.planned + 1) // 2:
            return f"{fixes} of {given.planned} planned fixes named"
        if given.cases and not any(key in given.cases for key in used):
            return "no case named"
        return None

    return gate


def lengths(given: Given) -> gates.Gate:
    """Rejects a report, or a part of one, that is much too short or too long."""
    limits = PART_WORDS if len(given.headings) == len(PART_WORDS) else LONE_WORDS
    floor = MIN_WORDS if given.planned > len(PART_WORDS) - 1 else LITTLE_TO_SAY

    def gate(text: str) -> str | None:
        read = prose.read(text)
        total = sum(map(_length, read.lines))
        if not floor <= total <= MAX_WORDS or len(text) > prose.MAX_CHARS:
            return f"{total} words"
        parts = [part for part in read.parts if part.heading]
        for place, (part, (least, most)) in enumerate(zip(parts, limits, strict=False), start=1):
            count = sum(map(_length, prose.bare_lines(part.text)))
            if not least <= count <= most:
                return f"{count} words in part {place}"
        return None

    return gate


def plan(given: Given) -> gates.Gate:
    """Rejects a report that leaves out one of the plan's times, or says nothing under it."""
    pattern = slots.label_pattern(given.times)

    def gate(text: str) -> str | None:
        parts = [part.text for part in prose.read(text).parts if part.heading]
        text = parts[1] if given.times and len(parts) > 1 else ""
        found = list(pattern.finditer(text))
        missing = {label.casefold() for label in given.times} - {match["label"].casefold() for match in found}
        if missing:
            return f"{len(missing)} of {len(given.times)} times of the plan missing"
        ends = [*(match.start() for match in found), len(text)][1:]
        for match, end in zip(found, ends, strict=True):
            if not slots.SLOT.search(text, match.end(), end):
                return "a time of the plan without a fix"
        return None

    return gate


def said_once() -> gates.Gate:
    """Rejects a text that says a sentence again, or nearly."""

    def gate(text: str) -> str | None:
        seen: list[set[str]] = []
        for sentence in prose.read(text).sentences:
            found = {word.lower() for word in prose.words(sentence)}
            if len(found) < LONG:
                continue
            if any(len(found & other) >= SAME * len(found | other) for other in seen):
                return "a sentence twice"
            seen.append(found)
        return "an opening repeated" if any(times > 3 for times in _openings(text).values()) else None

    return gate


def _openings(text: str) -> Counter[tuple[str, ...]]:
    """How often sentences begin with the same four words."""
    starts: Iterator[tuple[str, ...]] = (
        tuple(word.lower() for word in prose.words(sentence)[:4]) for sentence in prose.read(text).sentences
    )
    return Counter(start for start in starts if len(start) == 4)


def _length(line: str) -> int:
    return len(re.findall(rf"{FACT}|[^\W_]+(?:['’-][^\W_]+)*", line))
