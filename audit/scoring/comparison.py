"""Two results of the same person, set side by side. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from audit.scoring.formula import Assessment, CategoryLoss


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Points kept in a category then and now, each of those that applied. `delta`: more kept now is positive."""

    category: str
    then: Decimal
    then_max: Decimal
    now: Decimal
    now_max: Decimal

    @property
    def delta(self) -> Decimal:
        return self.now - self.then


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`gone` and `new`: the questions whose weakness was fixed, and those that have become one.

    `same_rules` is False when formula or questions changed in between: then a difference may be theirs.
    """

    before: int
    after: int
    changes: tuple[Change, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    same_rules: bool

    @property
    def delta(self) -> int:
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerChange:
    """A question that was answered otherwise than before. `delta`: points kept more (or, negative, fewer)."""

    question: str
    before: str
    after: str
    delta: Decimal


def changed_answers(
    *, then: Assessment, now: Assessment, answers_then: Mapping[str, str], answers_now: Mapping[str, str]
) -> tuple[AnswerChange, ...]:
    """What was answered otherwise, the greatest gain first, the greatest loss last.

    A question that did not apply lost nothing. Questions that only one of the two sets has are left out.
    """
    lost_then = {finding.question: finding.lost for finding in then.findings}
    lost_now = {finding.question: finding.lost for finding in now.findings}
    none = Decimal(0)
    changes = [
        AnswerChange(
            question=name,
            before=answers_then[name],
            after=value,
            delta=lost_then.get(name, none) - lost_now.get(name, none),
        )
        for name, value in answers_now.items()
        if name in answers_then and answers_then[name] != value
    ]
    return tuple(sorted(changes, key=lambda change: -change.delta))


def compare(*, then: Assessment, now: Assessment, same_rules: bool) -> Comparison:
    """What changed between two results. A category that only one of them has is left out."""
    earlier: Mapping[str, CategoryLoss] = {row.category: row for row in then.breakdown}
    before = [finding.question for finding in then.findings]
    after = [finding.question for finding in now.findings]
    return Comparison(
        before=then.score,
        after=now.score,
        changes=tuple(
            Change(
                category=row.category,
                then=earlier[row.category].max - earlier[row.category].lost,
                then_max=earlier[row.category].max,
                now=row.max - row.lost,
                now_max=row.max,
            )
            for row in now.breakdown
            if row.category in earlier
        ),
        gone=tuple(name for name in before if name not in after),
        new=tuple(name for name in after if name not in before),
        same_rules=same_rules,
    )
