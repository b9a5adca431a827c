"""The form of a report: the story is prose, and the plan and what to keep are slots with a few small words between.

Which slots a part may hold, how often, and which must be there; how much is told; and nothing told twice.
"""

from collections import Counter

from audit.report.gates import prose
from audit.report.gates.given import Given
from audit.report.gates.words.voices import VOICES
from audit.report.text import slots
from llm.chain import gates

STORY_WORDS = (45, 220)  # each slot as one
STORY_SENTENCES = (4, 16)
SAME = 0.8  # of the words of two sentences
LONG = 4  # words from which a sentence is a sentence
IN_STORY, IN_PLAN, IN_KEPT = ("finding", "case"), ("fix",), ("keep", "habit", "again")


def small_words(given: Given) -> gates.Gate:
    """Rejects words of a report's own beside the slots of its plan, of what to keep, and of its case."""
    voice = VOICES.get(given.lang)
    labels = slots.label_pattern(given.times)

    def gate(text: str) -> str | None:
        parts = [part for part in prose.read(text).parts if part.heading]
        if voice is None or not parts:
            return None
        told = [sentence for sentence in prose.sentences(parts[0].text) if not prose.is_told(sentence)]
        if any(_others(sentence, voice.lead) for sentence in told):
            return "words beside the case"
        for place, part in enumerate(parts[1:], start=2):
            last = place == len(given.headings)
            for line in part.text.splitlines():
                bare = line if last else labels.sub("", line)
                if _others(bare, voice.kept if last else voice.order):
                    return f"words of its own in part {place}"
        return None

    return gate


def _others(line: str, allowed: frozenset[str]) -> bool:
    """Whether a line has a word, or a figure, beside its slots and those that are allowed."""
    bare = prose.MARKS.sub("", slots.SLOT.sub(" ", line))
    words = {word.lower() for word in prose.words(bare)}
    return not words <= allowed or any(char.isdigit() for char in bare)


def known_slots(given: Given) -> gates.Gate:
    """Rejects slots that were not given, one twice in a part, and one in another part than its own."""
    own = (IN_STORY, IN_PLAN, IN_KEPT) if len(given.headings) > 2 else (IN_STORY, IN_KEPT)

    def gate(text: str) -> str | None:
        if set(slots.keys(text)) - given.slots:
            return "a slot that was not given"
        parts = [part for part in prose.read(text).parts if part.heading]
        for place, (part, names) in enumerate(zip(parts, own, strict=False), start=1):
            counts = Counter(slots.keys(part.text))
            if any(key.partition(":")[0] not in names for key in counts):
                return f"a slot that does not belong into part {place}"
            if any(times > 1 for key, times in counts.items()):
                return "a slot twice in one part"
        return None

    return gate


def whole(given: Given) -> gates.Gate:
    """Rejects a report without a weakness, a case, half of the fixes or an answer to keep where there are some, and a
    story that is much too short or too long."""

    def gate(text: str) -> str | None:
        parts = [part for part in prose.read(text).parts if part.heading]
        if len(parts) != len(given.headings):
            return f"{len(parts)} parts"
        used = Counter(key.partition(":")[0] for key in set(slots.keys(text)))
        if used["fix"] < (given.planned + 1) // 2:
            return f"{used['fix']} of {given.planned} planned fixes named"
        for name in ("finding", "case", "habit", "again"):
            if not used[name] and any(key.startswith(name) for key in given.slots):
                return f"no {name} named"
        told = prose.told(parts[0].text)
        words = sum(len(prose.TOKEN.findall(sentence)) for sentence in told)
        if not STORY_WORDS[0] <= words <= STORY_WORDS[1]:
            return f"{words} words of story"
        if not STORY_SENTENCES[0] <= len(told) <= STORY_SENTENCES[1]:
            return f"{len(told)} sentences of story"
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
        return None

    return gate
