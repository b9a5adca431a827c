"""A case played against a scan's answers, in words, in the active language."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

from audit.bank import catalogue
from audit.bank.attack_paths import NO_GATE
from audit.bank.catalogue import QuestionText
from audit.models import Scan
from audit.presentation import library
from audit.presentation.library import Entry
from audit.scans import replay

THEFT_VERDICTS = {
    replay.STOPPED: gettext_lazy("With your answers this theft would have ended at step %(step)s."),
    replay.UNCERTAIN: gettext_lazy("This theft might have ended at step %(step)s. Do not count on it."),
    replay.LIMITED: gettext_lazy(
        "With your answers this theft would have worked, but it would have taken only part of what you hold."
    ),
    replay.WORKED: gettext_lazy("With your answers this theft would have worked."),
    replay.BEYOND: gettext_lazy("Your answers would not have changed this theft."),
}
LOSS_VERDICTS = {
    replay.STOPPED: gettext_lazy("You would have kept your access: see step %(step)s."),
    replay.UNCERTAIN: gettext_lazy("You might have kept your access: see step %(step)s. Do not count on it."),
    replay.WORKED: gettext_lazy("With your answers the access would have been lost."),
}
VERDICT_TAGS = {
    replay.STOPPED: (pgettext_lazy("verdict", "stopped"), "solid"),
    replay.UNCERTAIN: (pgettext_lazy("verdict", "uncertain"), "medium"),
    replay.LIMITED: (pgettext_lazy("verdict", "only part lost"), "medium"),
    replay.WORKED: (pgettext_lazy("verdict", "hits you"), "critical"),
    replay.BEYOND: (pgettext_lazy("verdict", "out of your hands"), "high"),
}
VERDICTS_FIRST = (replay.WORKED, replay.LIMITED, replay.UNCERTAIN, replay.BEYOND, replay.STOPPED)
EFFECTS = {
    replay.STOPS: (pgettext_lazy("effect", "Stops it"), "solid"),
    replay.MAY: (pgettext_lazy("effect", "Might stop it"), "medium"),
    replay.LIMITS: (pgettext_lazy("effect", "Limits the loss"), "medium"),
    replay.PASSES: (pgettext_lazy("effect", "Lets it pass"), "critical"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """The answer that a step met, with what it did there."""

    question: str
    answer: str
    effect: str
    level: str
    named: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A step in words. `silent`: the check asks nothing about it; `reached`: the attack got there."""

    text: str
    met: tuple[Met, ...]
    silent: str
    reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A question and the answers that would have made the difference."""

    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A case in the list, with how it would end."""

    entry: Entry
    verdict: str
    level: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The cases that would end alike, newest first. `chosen`: the one that is shown is among them."""

    verdict: str
    level: str
    listed: tuple[Listed, ...]
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The page of a replay: the chosen case, its steps, and how every other case would end."""

    entry: Entry
    theft: bool
    verdict: str
    level: str
    scenes: tuple[Scene, ...]
    remedies: tuple[Remedy, ...]
    beyond: str
    listed: tuple[Listed, ...]
    groups: tuple[Group, ...]
    working: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Of the thefts that can be played: how many would have worked in full, and how many there are."""

    working: int
    all: int


def tally(scan: Scan) -> Tally:
    """All cases against the scan's answers. One query."""
    verdicts = [found.verdict for entry in library.entries() if (found := _play(entry, scan))]
    return Tally(working=verdicts.count(replay.WORKED), all=len(verdicts))


def stage(*, scan: Scan, slug: str) -> Stage | None:
    """The case with this slug, or one that fits, against the scan's answers.

    None if there is no such case, or none at all that can be played.
    """
    questions = catalogue.questions_by_id()
    played = [(entry, found) for entry in library.entries() if (found := _play(entry, scan))]
    by_slug = {entry.case.slug: (entry, found) for entry, found in played}
    chosen = by_slug.get(slug or _fitting(played, scan))
    if chosen is None:
        return None
    entry, found = chosen
    verdicts = THEFT_VERDICTS if found.path.theft else LOSS_VERDICTS
    listed = tuple(
        Listed(
            entry=each,
            verdict=str(VERDICT_TAGS[result.verdict][0]),
            level=VERDICT_TAGS[result.verdict][1],
            chosen=each is entry,
        )
        for each, result in played
    )
    return Stage(
        entry=entry,
        theft=found.path.theft,
        verdict=str(verdicts[found.verdict]) % {"step": found.at},
        level=VERDICT_TAGS[found.verdict][1],
        scenes=tuple(_scene(step, questions) for step in found.steps),
        remedies=tuple(
            remedy
            for name, values in found.remedies
            if (remedy := _remedy(questions.get(name), values, given=scan.answers.get(name, "")))
        ),
        beyond=catalogue.translated(found.path.beyond),
        listed=listed,
        groups=_groups(listed),
        working=sum(result.verdict == replay.WORKED for _, result in played),
    )


def _groups(listed: Sequence[Listed]) -> tuple[Group, ...]:
    """By verdict, what hits first."""
    words = [str(VERDICT_TAGS[verdict][0]) for verdict in VERDICTS_FIRST]
    found = ((word, tuple(each for each in listed if each.verdict == word)) for word in words)
    return tuple(
        Group(verdict=word, level=cases[0].level, listed=cases, chosen=any(each.chosen for each in cases))
        for word, cases in found
        if cases
    )


def _play(entry: Entry, scan: Scan) -> replay.Replay | None:
    path = replay.path_of(slug=entry.case.slug, vector=entry.kind)
    return replay.play(path=path, weaknesses=entry.answers, answers=scan.answers) if path else None


def _fitting(played: Sequence[tuple[Entry, replay.Replay]], scan: Scan) -> str:
    """A single case that would have worked, best one that hits the worst answer; else the newest.

    Never a count of many thefts while there is a single one: nobody was robbed by a statistic.
    """
    single = [(entry, found) for entry, found in played if not entry.combined]
    working = [entry for entry, found in single if found.verdict == replay.WORKED]
    worst = [f"{finding.question}.{finding.value}" for finding in scan.assessment.findings[:1]]
    first = [entry for entry in working if set(worst) & set(entry.answers)]
    others = [entry for entry, _ in [*single, *played]]
    return next((entry.case.slug for entry in [*first, *working, *others]), "")


def _scene(step: replay.Played, questions: dict[str, QuestionText]) -> Scene:
    met = []
    for judged in step.answers:
        question = questions.get(judged.question)
        if question is None:
            continue
        words, level = EFFECTS[judged.effect]
        met.append(
            Met(
                question=question.text,
                answer=question.option(judged.value).label,
                effect=str(words),
                level=level,
                named=judged.named,
            )
        )
    return Scene(
        text=gettext(step.text),
        met=tuple(met),
        silent="" if met else gettext(NO_GATE),
        reached=step.reached,
    )


def _remedy(question: QuestionText | None, values: Iterable[str], *, given: str) -> Remedy | None:
    """Only answers that are safer than the given one. One that says "does not apply to me" is no remedy, and a photo
    of the words in a phone is none either, although it would have stopped the theft of a vault."""
    if question is None:
        return None
    risk = {option.value: option.risk for option in question.options}
    options = [question.option(value) for value in values if risk.get(value, 0) < risk.get(given, 0)]
    labels = tuple(option.label for option in options if not option.not_applicable)
    return Remedy(question=question.text, answers=labels) if labels else None
