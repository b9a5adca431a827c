"""How much a score moves when the weights change: drawn at random, with a fixed seed, by the scoring code itself.

The weights are judgement. Here every weight changes by up to 30 percent, up or down and each for itself, many
times over; what then happens to the score of a few typical people is shown on the method page.

`FIGURES` is what `measure` gave for the shipped bank; a test measures again and compares. After a change of weights
or risks copy what that test prints.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from audit.scoring import formula

SHARE = 0.30
DRAWS = 1000
SEED = 20261123
STEPS = 1000  # weights are whole numbers: scaled up, so that a draw of 0.731 is not lost
FIRST = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """A typical person: raw score and score as published, the range of 90 % of the draws, and the share of draws
    (percent, rounded) in which the same three findings lead, in whatever order.
    """

    person: str
    raw_score: int
    score: int
    low: int
    high: int
    same_first: int


FIGURES = (
    Figure("cloud_seed", raw_score=86, score=49, low=83, high=89, same_first=100),
    Figure("careful", raw_score=85, score=85, low=84, high=86, same_first=50),
    Figure("exchange_only", raw_score=40, score=40, low=38, high=41, same_first=59),
    Figure("defi_hot", raw_score=48, score=48, low=46, high=50, same_first=39),
)


def measure(bank: formula.Bank, people: Mapping[str, formula.Answers]) -> tuple[Figure, ...]:
    """The figures of these people, given as name to answers. The same every time."""
    return tuple(_figure(bank, person, answers) for person, answers in people.items())


def _figure(bank: formula.Bank, person: str, answers: formula.Answers) -> Figure:
    random = Random(SEED)
    published = formula.assess(bank, answers)
    leading = _leading(published)
    drawn = [formula.assess(_varied(bank, random), answers) for _ in range(DRAWS)]
    raw = sorted(each.raw_score for each in drawn)
    return Figure(
        person=person,
        raw_score=published.raw_score,
        score=published.score,
        low=raw[DRAWS * 5 // 100],
        high=raw[DRAWS * 95 // 100 - 1],
        same_first=round(100 * sum(_leading(each) == leading for each in drawn) / DRAWS),
    )


def _varied(bank: formula.Bank, random: Random) -> formula.Bank:
    return tuple(
        replace(item, weight=round(item.weight * STEPS * random.uniform(1 - SHARE, 1 + SHARE)))
        for item in bank
    )


def _leading(assessment: formula.Assessment) -> frozenset[str]:
    return frozenset(finding.question for finding in assessment.findings[:FIRST])
