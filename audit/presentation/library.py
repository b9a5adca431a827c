"""The case library: documented thefts, filtered and counted, in the active language.

Only active cases are shown. A case that staff switched off has no page any more: that is how one is withdrawn.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from audit.bank import catalogue, findings
from audit.bank.findings import Case
from audit.bank.incidents import COMBINED, VECTORS
from audit.models import Incident

# Totals over all kinds of attack: part of the library, but of no chart by kind.
STATISTICS = "aggregate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A case of the library. `loss_usd` None: not known; `year` is the first four digits of its date; `combined`:
    it counts many thefts, perhaps some that have a case of their own.
    """

    case: Case
    kind: str
    kind_label: str
    year: str
    victims: str
    loss_usd: int | None
    combined: bool
    confirmed: bool
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One value of a filter with the number of cases it would show beside the other filter's value."""

    value: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What the library shows: the cases that fit, newest first, and both filters. Empty: that filter is off."""

    entries: tuple[Entry, ...]
    total: int
    kinds: tuple[Filter, ...]
    years: tuple[Filter, ...]
    kind: str
    year: str

    @property
    def filtered(self) -> bool:
        return bool(self.kind or self.year)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An answer that a case would have hit, with its question."""

    question: str
    text: str
    answer: str


def entries() -> tuple[Entry, ...]:
    """All cases, newest first. One query."""
    return tuple(_entry(row) for row in Incident.objects.filter(active=True))


def recent(count: int = 3) -> tuple[Entry, ...]:
    """The newest single cases with a known loss, confirmed. One query."""
    found = (each for each in entries() if each.loss_usd and each.confirmed and not each.combined)
    return tuple(each for each, _ in zip(found, range(count), strict=False))


def entry(slug: str) -> Entry | None:
    """One case, None if there is none of this name or it was withdrawn. One query."""
    row = Incident.objects.filter(active=True, slug=slug).first()
    return _entry(row) if row else None


def shelf(found: Sequence[Entry], *, kind: str = "", year: str = "") -> Shelf:
    """The cases of a kind of attack and a year. A value that no case has counts as not given."""
    kind = kind if any(each.kind == kind for each in found) else ""
    year = year if any(each.year == year for each in found) else ""
    kinds = Counter(each.kind for each in found if year in ("", each.year))
    years = Counter(each.year for each in found if kind in ("", each.kind))
    labels = {each.kind: each.kind_label for each in found}
    return Shelf(
        entries=tuple(each for each in found if kind in ("", each.kind) and year in ("", each.year)),
        total=len(found),
        kinds=tuple(
            Filter(value=value, label=label, count=kinds[value], chosen=value == kind)
            for value, label in sorted(labels.items(), key=lambda item: item[1].lower())
            if kinds[value] or value == kind
        ),
        years=tuple(
            Filter(value=value, label=value, count=years[value], chosen=value == year)
            for value in sorted({each.year for each in found}, reverse=True)
            if years[value] or value == year
        ),
        kind=kind,
        year=year,
    )


def hits(found: Entry) -> list[Hit]:
    """The answers that the case hits, as the form words them; answers of an older bank are left out."""
    questions = catalogue.questions_by_id()
    named = (answer.partition(".") for answer in found.answers)
    return [
        Hit(question=question, text=questions[question].text, answer=option.label)
        for question, _, value in named
        if question in questions
        for option in questions[question].options
        if option.value == value
    ]


def _entry(row: Incident) -> Entry:
    label = VECTORS.get(row.vector, row.vector)
    return Entry(
        case=findings.case(row),
        kind=row.vector,
        kind_label=catalogue.translated(label),
        year=row.date[:4],
        victims=catalogue.translated(row.victims),
        loss_usd=row.loss_usd,
        combined=row.victims == COMBINED,
        confirmed=row.confirmed,
        answers=tuple(str(answer) for answer in row.weaknesses),
    )
