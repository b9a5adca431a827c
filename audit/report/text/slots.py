"""Slots in a written report: `{fix:2}`, `{case:1}`, `{score}`. A model writes them, our own words take their place.

A model knows a fact only by its slot, so that it cannot state a wrong one. What a slot says is decided in
`report_facts`; which slots a report may hold, and how often, is checked in `gates`.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

# As models write them: {fix:2}, {Fix 2}, { fix : 2 }, {{fix:2}}, `{fix:2}`. Not glued to a word: Safe{Wallet}.
SLOT = re.compile(
    r"(?<!\w)`?\{{1,2} {0,2}(?P<name>[a-z]{2,10}(?:-[a-z]{2,10})?) {0,2}"
    r"(?:[: #-] {0,2}(?P<number>\d{1,2}))? {0,2}\}{1,2}`?",
    re.IGNORECASE,
)
OPEN = re.compile(r"`?\{{1,2}[^{}\n]{0,30}\Z")  # the end of a text that may yet become a slot
OF_HUNDRED = re.compile(r"(\{score\}\**)\s{0,2}(?:/|(?:out )?of|из|de|sobre)\s{0,2}100(?!\d)", re.IGNORECASE)
HEADING = re.compile(r"^#{1,6} ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in each slot, as Markdown, by key (`fix:2`, `score`).

    first: at the first mention; again: at every further one; minutes: how long a fix takes, for the sums of the
    plan; labels: the plan's times, as they stand in the text; duration: minutes in words; after: what is listed
    below the text for the slots that it names.
    """

    first: Mapping[str, str]
    again: Mapping[str, str]
    minutes: Mapping[str, int]
    labels: Sequence[str]
    duration: Callable[[int], str]
    after: Callable[[Sequence[str]], str]


def key(match: re.Match[str]) -> str:
    """`fix:2` or `score`, however the slot is written."""
    name = match["name"].lower()
    return f"{name}:{int(match['number'])}" if match["number"] else name


def keys(text: str) -> Iterator[str]:
    """The slots of a text, in order, each as often as it stands there."""
    return map(key, SLOT.finditer(text))


def label_pattern(labels: Collection[str]) -> re.Pattern[str]:
    """Finds the plan's times where a line begins with one, whatever marks stand before it."""
    names = "|".join(re.escape(label) for label in labels) or r"(?!)"
    marks = r"^[^\w\n]{0,8}(?:\d{1,2}[.)][^\w\n]{0,8})?"
    return re.compile(rf"{marks}(?P<label>{names})(?![\w'’])", re.MULTILINE | re.IGNORECASE)


def fill(text: str, words: Words) -> str:
    """The text with our words in its slots, the plan's minutes summed, and the cases that it names listed below.

    A slot that is none of ours leaves nothing behind. Works on a text that is still being written.
    """
    named: list[str] = []

    def put(match: re.Match[str]) -> str:
        slot = key(match)
        if slot not in words.first:
            return ""
        said = words.again if slot in named else words.first
        named.append(slot)
        filled = said.get(slot, words.first[slot])
        return filled[:-1] if filled.endswith(".") and match.string[match.end() :].startswith(".") else filled

    summed = _with_minutes(OF_HUNDRED.sub(r"\1", text), words)
    body = SLOT.sub(put, OPEN.sub("", summed)).rstrip()
    below = words.after(list(dict.fromkeys(named)))
    return "\n\n".join(filter(None, [body, below])) + "\n"


def _with_minutes(text: str, words: Words) -> str:
    """The text with the time that its fixes take behind each of the plan's times: `**Today (25 minutes)**`."""
    found = list(label_pattern(words.labels).finditer(text))
    ends = [match.start() for match in found] + [match.start() for match in HEADING.finditer(text)]
    done, start = [], 0
    for match in found:
        end = min((place for place in ends if place > match.start()), default=len(text))
        total = sum(words.minutes.get(slot, 0) for slot in set(keys(text[match.end() : end])))
        done.append(text[start : match.end()])
        done.append(f" ({words.duration(total)})" if total else "")
        start = match.end()
    return "".join([*done, text[start:]])
