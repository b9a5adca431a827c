"""The closed words of a story's voice: who may act in it, how its sentences may begin, and what none of them holds.

Closed classes (pronouns, auxiliaries, negations), judgements and failures are listed; other nouns and verbs are free.
Each language has a module of its own.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Voice:
    """The story's sentences: each names the `thief` and begins with a `start`, none holds any of `never`.

    where_weak: what a story of weaknesses does not hold, since its thief succeeds; harmless: what may be
    denied; lame: what a sentence without a thief does not hold; why: what a reason begins with; adverbs: starts
    behind which the one who acts must follow; private: what no story tells of the reader; order: all the words
    between the fixes of a plan; kept: all those beside an answer that is right; lead: all those beside a case.
    """

    thief: re.Pattern[str]
    starts: frozenset[str]
    adverbs: frozenset[str]
    never: dict[str, re.Pattern[str]]
    where_weak: dict[str, re.Pattern[str]]
    harmless: re.Pattern[str]
    lame: re.Pattern[str]
    why: re.Pattern[str]
    private: frozenset[str]
    order: frozenset[str]
    kept: frozenset[str]
    lead: frozenset[str]


def any_of(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w])", re.IGNORECASE)
