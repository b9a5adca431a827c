"""Brings the question bank into the database without undoing what staff did there.

Numbers (weights, risks, minutes, order) always follow the bank. A text follows the
bank until staff edit it; whether they did is seen by comparing it with `shipped`, the text as the bank last
wrote it. Nothing is deleted: old scans still show the answers of an older bank.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import models, transaction

from audit.bank import incidents as bank_incidents
from audit.bank import questions as bank
from audit.bank.questions import IncidentData, OptionData, QuestionData
from audit.models import Incident, Option, Question

Row = Question | Option | Incident

QUESTION_TEXTS = ("text", "hint", "why", "standards")
OPTION_TEXTS = ("label", "title", "action", "harm", "fix_steps", "tools")
INCIDENT_TEXTS = (
    "name", "date", "victims", "loss_usd", "vector", "what_happened", "lesson", "weaknesses", "sources",
    "confirmed", "note",
)  # fmt: skip


@dataclass
class Loaded:
    """How many rows a load has made, changed and left as they were, and which the bank no longer knows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    unknown: tuple[str, ...] = ()
    new: list[Row] = field(default_factory=list)

    def store(self, row: Row, numbers: dict[str, Any], texts: dict[str, Any]) -> None:
        """Writes what differs; a new row waits for `create`. `shipped` always becomes the bank's newest text."""
        is_new = row._state.adding
        follows = {name: text for name, text in texts.items() if is_new or _untouched(row, name)}
        wanted = {**numbers, **follows, "shipped": texts}
        changed = [name for name, value in wanted.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, wanted[name])
        if is_new:
            self.new.append(row)
            self.created += 1
        elif changed:
            row.save(update_fields=changed)
            self.updated += 1
        else:
            self.unchanged += 1

    def create(self) -> None:
        """Questions before their options."""
        Question.objects.bulk_create([row for row in self.new if isinstance(row, Question)])
        Option.objects.bulk_create([row for row in self.new if isinstance(row, Option)])
        Incident.objects.bulk_create([row for row in self.new if isinstance(row, Incident)])


@transaction.atomic
def load(
    *,
    questions: Iterable[QuestionData] = bank.QUESTIONS,
    incidents: Iterable[IncidentData] = bank_incidents.INCIDENTS,
) -> Loaded:
    """Creates what is missing and updates what staff did not edit. Running it again changes nothing."""
    loaded = Loaded()
    known = {str(row.pk): row for row in Question.objects.all()}
    known_options = {str(row): row for row in Option.objects.all()}
    known_incidents = {str(row.pk): row for row in Incident.objects.all()}
    for position, data in enumerate(questions, start=1):
        row = known.pop(data.id, None) or Question(id=data.id)
        numbers = {"position": position, "category": data.category, "weight": data.weight}
        loaded.store(row, numbers, _texts(data, QUESTION_TEXTS))
        for place, option in enumerate(data.options, start=1):
            option_row = known_options.pop(f"{data.id}.{option.value}", None)
            option_numbers = {
                "position": place,
                "risk": option.risk,
                "not_applicable": option.na,
                "minutes": option.minutes,
            }
            option_row = option_row or Option(question=row, value=option.value)
            loaded.store(option_row, option_numbers, _texts(option, OPTION_TEXTS))
    for incident in incidents:
        incident_row = known_incidents.pop(incident.slug, None) or Incident(slug=incident.slug)
        loaded.store(incident_row, {}, _texts(incident, INCIDENT_TEXTS))
    loaded.unknown = (*known, *known_options)
    loaded.create()
    return loaded


def edited_fields(row: Row) -> list[str]:
    """The names of the texts that staff changed, or all of them for a row that the bank did not write."""
    names = {Question: QUESTION_TEXTS, Option: OPTION_TEXTS, Incident: INCIDENT_TEXTS}[type(row)]
    return [name for name in names if name not in row.shipped or getattr(row, name) != row.shipped[name]]


def _texts(data: QuestionData | OptionData | IncidentData, names: Iterable[str]) -> dict[str, Any]:
    values = asdict(data)
    return {name: _json(values[name]) for name in names}


def _json(value: Any) -> Any:
    return [_json(item) for item in value] if isinstance(value, (list, tuple)) else value


def _untouched(row: models.Model, name: str) -> bool:
    """Whether staff left a text as it came: it is what was shipped, or a new field that nobody has filled yet."""
    shipped = getattr(row, "shipped", {})
    if name not in shipped:
        return bool(shipped) and not getattr(row, name)
    return bool(getattr(row, name) == shipped[name])
