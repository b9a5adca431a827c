"""Which fixes raise a score fastest, in which order. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from audit.scoring import formula


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What a fix does to the score; `capped`: an answer that is still there limits it afterwards."""

    question: str
    before: int
    after: int
    capped: bool

    @property
    def gain(self) -> int:
        return self.after - self.before


def fix_order(
    *,
    bank: Sequence[formula.Item],
    answers: Mapping[str, str],
    assessment: formula.Assessment,
    count: int,
) -> list[Fix]:
    """The fixes that raise the score fastest, each on top of the ones before it.

    Without a cap that is the order of points lost. Under a cap the answer that causes it comes first: nothing
    else can raise the score until it is gone. Several causes are taken one after the other.
    An answer that today's bank does not know ends the list early.
    """
    fixes: list[Fix] = []
    score, capped = assessment.score, assessment.capped
    waiting = list(assessment.findings)
    while waiting and len(fixes) < count:
        done = [fix.question for fix in fixes]
        try:
            trials = [(_after(bank, answers, [*done, finding.question]), finding) for finding in waiting]
        except (ValueError, KeyError):
            break
        # The first of equals loses more points; under a cap, what causes the lowest one goes before it.
        after, finding = max(
            trials, key=lambda trial: (trial[0].score, -(trial[1].cap or 100) if capped else 0)
        )
        fixes.append(Fix(question=finding.question, before=score, after=after.score, capped=after.capped))
        score, capped = after.score, after.capped
        waiting.remove(finding)
    return fixes


def _after(
    bank: Sequence[formula.Item], answers: Mapping[str, str], questions: Collection[str]
) -> formula.Assessment:
    return formula.assess(bank, formula.fix(bank, answers, questions))
