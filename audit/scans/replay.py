"""A real case played against somebody's answers: at which one would it have ended? Pure.

Each step is judged by the gates of its path (bank_paths.py). The case itself has the last word: an answer that it
names as a weakness let this very attack through, so it stops nothing here, whatever the path says.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from audit.bank.attack_paths import PATH_OF_CASE, PATHS, GateData, PathData, StepData

# What an answer does to a step, the strongest first.
STOPS, MAY, LIMITS, PASSES, UNKNOWN = "stops", "may", "limits", "passes", "unknown"
STRENGTH = (STOPS, MAY, LIMITS, PASSES, UNKNOWN)
# How the whole attack ends.
STOPPED, UNCERTAIN, LIMITED, WORKED, BEYOND = "stopped", "uncertain", "limited", "worked", "beyond"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An answer at a step. `named`: the case names this very answer as what let it through."""

    question: str
    value: str
    effect: str
    named: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A step: what happens (a msgid), how the answers meet it, and whether the attack got this far at all."""

    text: str
    effect: str
    answers: tuple[Judged, ...]
    reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """`verdict`: stopped, uncertain, limited, worked or beyond (no answer could have changed it); `at`: the number
    of the step that decided, from 1, None where none did; `remedies`: (question, values) that would have stopped it.
    """

    path: PathData
    steps: tuple[Played, ...]
    verdict: str
    at: int | None
    remedies: tuple[tuple[str, tuple[str, ...]], ...]


def path_of(*, slug: str, vector: str) -> PathData | None:
    """The path of a case; None for one that cannot be played, such as statistics over many kinds."""
    return PATHS.get(PATH_OF_CASE.get(slug, vector))


def play(*, path: PathData, weaknesses: Collection[str], answers: Mapping[str, str]) -> Replay:
    """The case against the answers. `weaknesses`: the answers that it is known to hit, as question.value."""
    judged = [_judge(step, weaknesses, answers) for step in path.steps]
    effects = [effect for effect, _ in judged]
    at, verdict = _verdict(path, effects)
    end = effects.index(STOPS) if STOPS in effects else len(effects)
    return Replay(
        path=path,
        steps=tuple(
            Played(text=step.text, effect=effect, answers=found, reached=place <= end)
            for place, (step, (effect, found)) in enumerate(zip(path.steps, judged, strict=True))
        ),
        verdict=verdict,
        at=at,
        remedies=() if verdict == STOPPED else _remedies(path, weaknesses, answers),
    )


def _verdict(path: PathData, effects: list[str]) -> tuple[int | None, str]:
    for effect, verdict in ((STOPS, STOPPED), (MAY, UNCERTAIN), (LIMITS, LIMITED)):
        if effect in effects:
            return effects.index(effect) + 1, verdict
    stoppable = any(gate.stops or gate.may for step in path.steps for gate in step.gates)
    return None, WORKED if stoppable else BEYOND


def _judge(
    step: StepData, weaknesses: Collection[str], answers: Mapping[str, str]
) -> tuple[str, tuple[Judged, ...]]:
    found = tuple(_answer(gate, weaknesses, answers) for gate in step.gates)
    order = sorted((each.effect for each in found), key=STRENGTH.index) or [UNKNOWN]
    return order[-1 if step.every else 0], found


def _answer(gate: GateData, weaknesses: Collection[str], answers: Mapping[str, str]) -> Judged:
    value = answers.get(gate.question, "")
    named = f"{gate.question}.{value}" in weaknesses
    effects = ((STOPS, gate.stops), (MAY, gate.may), (LIMITS, gate.limits))
    effect = next((name for name, values in effects if value in values and not named), PASSES)
    return Judged(question=gate.question, value=value, effect=effect, named=named)


def _remedies(
    path: PathData, weaknesses: Collection[str], answers: Mapping[str, str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Answers that would have stopped or limited it, each question once; steps that take several are left out."""
    found: dict[str, tuple[str, ...]] = {}
    for step in path.steps:
        for gate in step.gates:
            better = [v for v in gate.stops or gate.limits if f"{gate.question}.{v}" not in weaknesses]
            if better and answers.get(gate.question) not in better and not step.every:
                found.setdefault(gate.question, tuple(better))
    return tuple(found.items())
