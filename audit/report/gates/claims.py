"""What a report must not claim: safety, a seller's offer, another standing of the reader, another end of a case."""

import re

from audit.report.gates import prose
from audit.report.gates.given import Given
from audit.report.gates.prose import FACT
from audit.report.gates.words.claimed import (
    ADVERT,
    BANDS,
    BLAME,
    COMMERCE,
    DENIED,
    ENDS,
    ENDS_IN_FACTS,
    GRADES,
    HOUSE,
    LATER,
    LOSS,
    NOT,
    PRAISE,
    PROMISE,
    READER,
    RECOVERY,
    SAFE,
    SOMEBODY,
    STANDING,
    SUPPOSED,
    WARNS,
    WHOLE,
    any_of,
)
from audit.report.gates.words.topics import topics
from audit.report.text import slots
from llm.chain import gates


def nothing_promised(given: Given) -> gates.Gate:
    """Rejects promises of safety or of lost coins, and whatever sells something; warnings of them pass."""

    def gate(text: str) -> str | None:
        for sentence in prose.read(text).sentences:
            if WARNS.search(sentence):
                continue
            for match in PROMISE.finditer(sentence):
                if not _denied(sentence, match):
                    return "a promise"
            if _unless_denied(RECOVERY, sentence) or _safe(sentence, weak=given.planned > 0):
                return "a promise"
            if (
                HOUSE.search(sentence)
                or _unless_denied(ADVERT, sentence)
                or _unless_denied(COMMERCE, sentence)
            ):
                return "an advert"
        return None

    return gate


def true_of_reader(given: Given) -> gates.Gate:
    """Rejects another band than the reader's, praise for a weakness, and blame for an answer that is right."""
    bands = BANDS.get(given.lang, {})
    wrong = [
        any_of(words)
        for words in bands.values()
        if given.band and not re.search(words, given.band, re.IGNORECASE)
    ]

    solid = re.search(bands.get("solid", "(?!)"), given.band, re.IGNORECASE) is not None
    grade = GRADES["bad" if solid else "good"]

    def gate(text: str) -> str | None:
        for sentence in prose.read(text).sentences:
            if given.band and FACT not in sentence and _graded(sentence, grade):
                return "another standing"
            if STANDING.search(sentence):
                found = [match for band in wrong for match in band.finditer(sentence)]
                if any(
                    not NOT.search(sentence[: match.start()]) and _stands(sentence, match) for match in found
                ):
                    return "another band"
            if not given.weak or FACT in sentence:
                continue
            named = topics(sentence, given.lang)
            if named and named <= given.weak and _unless_denied(PRAISE, sentence):
                return "praise for a weakness"
            if named and named <= given.passed and BLAME.search(sentence):
                return "blame for a right answer"
        return None

    return gate


def true_of_cases(given: Given) -> gates.Gate:
    """Rejects thefts that no slot stands for, and an end or a victim of a case that its facts do not have."""

    def gate(text: str) -> str | None:
        facts = " ".join(given.cases[key] for key in slots.keys(text) if key in given.cases).lower()
        known = {match[0].lower() for match in SOMEBODY.finditer(facts)}
        for line in prose.read(text).lines:
            sentences = prose.SENTENCE.split(line)
            for place, sentence in enumerate(sentences):
                for name, end in ENDS.items():
                    if (match := end.search(sentence)) and not (
                        ENDS_IN_FACTS[name].search(facts)
                        or NOT.search(sentence[: match.start()])
                        or _is_readers(sentence)
                    ):
                        return "an end that the case did not have"
                if LOSS.search(sentence) and not _is_readers(sentence):
                    near = " ".join(sentences[max(0, place - 1) : place + 1])
                    if FACT not in near:
                        return "a theft that was not given"
                    if {match[0].lower() for match in SOMEBODY.finditer(sentence)} - known:
                        return "a victim that was not given"
        return None

    return gate


def _safe(sentence: str, *, weak: bool) -> bool:
    """Whether a sentence says that there is nothing left to fear; of safe answers it may, of a plan it may not."""
    if not SAFE.search(sentence) or SUPPOSED.search(sentence):
        return False
    return weak or LATER.search(sentence) is not None


def _graded(sentence: str, grade: re.Pattern[str]) -> bool:
    """Whether a clause calls the whole of the reader's protection so."""
    return any(
        WHOLE.search(clause) and grade.search(clause) and not NOT.search(clause)
        for clause in prose.clauses(sentence)
    )


def _is_readers(sentence: str) -> bool:
    return READER.search(sentence) is not None and FACT not in sentence


def _denied(sentence: str, match: re.Match[str]) -> bool:
    return DENIED.search(sentence[max(0, match.start() - 60) : match.start()]) is not None


def _unless_denied(pattern: re.Pattern[str], sentence: str) -> bool:
    return any(not _denied(sentence, match) for match in pattern.finditer(sentence))


def _stands(sentence: str, match: re.Match[str]) -> bool:
    """Whether a band's word says how the reader stands: after a standing's noun, not as a word of something else."""
    before = sentence[max(0, match.start() - 40) : match.start()]
    return STANDING.search(before) is not None
