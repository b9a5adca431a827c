"""Brings the question bank into the database without undoing what staff did there.

Numbers (weights, risks, minutes, order) always follow the bank. A text follows the
bank until staff edit it; whether they did is seen by comparing it with `shipped`, the text as the bank last
wrote it. Nothing is deleted: old scans still show the answers of an older bank.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import models, transaction

from audit import bank, bank_incidents
from audit.bank import IncidentData, OptionData, QuestionData
from audit.models import Incident, Option, Question

QUESTION_TEXTS = ("text", "why", "standards")
OPTION_TEXTS = ("label", "title", "harm", "fix_steps", "tools")
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
        _store(row, numbers, _texts(data, QUESTION_TEXTS), loaded)
        for place, option in enumerate(data.options, start=1):
            option_row = known_options.pop(f"{data.id}.{option.value}", None)
            option_numbers = {
                "position": place,
                "risk": option.risk,
                "not_applicable": option.na,
                "minutes": option.minutes,
            }
            _store(
                option_row or Option(question=row, value=option.value),
                option_numbers,
                _texts(option, OPTION_TEXTS),
                loaded,
            )
    for incident in incidents:
        incident_row = known_incidents.pop(incident.slug, None) or Incident(slug=incident.slug)
        _store(incident_row, {}, _texts(incident, INCIDENT_TEXTS), loaded)
    loaded.unknown = (*known, *known_options)
    return loaded


def edited_fields(row: Question | Option | Incident) -> list[str]:
    """The names of the texts that staff changed, or all of them for a row that the bank did not write."""
    names = {Question: QUESTION_TEXTS, Option: OPTION_TEXTS, Incident: INCIDENT_TEXTS}[type(row)]
    return [name for name in names if name not in row.shipped or getattr(row, name) != row.shipped[name]]


def _texts(data: QuestionData | OptionData | IncidentData, names: Iterable[str]) -> dict[str, Any]:
    values = asdict(data)
    return {name: _json(values[name]) for name in names}


def _json(value: Any) -> Any:
    return [_json(item) for item in value] if isinstance(value, (list, tuple)) else value


def _store(
    row: Question | Option | Incident, numbers: dict[str, Any], texts: dict[str, Any], loaded: Loaded
) -> None:
    """Writes what differs. `shipped` always becomes the bank's newest text."""
    new = row._state.adding
    follows = texts if new else {name: text for name, text in texts.items() if _untouched(row, name)}
    wanted = {**numbers, **follows, "shipped": texts}
    changed = [name for name, value in wanted.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, wanted[name])
    if new:
        row.save(force_insert=True)
        loaded.created += 1
    elif changed:
        row.save(update_fields=changed)
        loaded.updated += 1
    else:
        loaded.unchanged += 1


def _untouched(row: models.Model, name: str) -> bool:
    shipped = getattr(row, "shipped", {})
    return name in shipped and getattr(row, name) == shipped[name]
