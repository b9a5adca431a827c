"""What the score would be with some findings fixed. Pure; tried on today's bank, stored nowhere."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from audit.scoring import formula


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """`done`: the findings that count as fixed, in the order of the page; their question holds the safest answer."""

    before: formula.Assessment
    after: formula.Assessment
    done: tuple[str, ...]

    @property
    def gain(self) -> int:
        return self.after.score - self.before.score


def simulate(
    *, bank: Sequence[formula.Item], answers: Mapping[str, str], done: Collection[str]
) -> Simulation | None:
    """The scores before and after. Names in `done` that are no finding are dropped.

    None if the answers are those of an older bank, which today's formula cannot score.
    """
    try:
        before = formula.assess(bank, answers)
    except ValueError:
        return None
    fixed = tuple(finding.question for finding in before.findings if finding.question in done)
    return Simulation(
        before=before, after=formula.assess(bank, formula.fix(bank, answers, fixed)), done=fixed
    )
