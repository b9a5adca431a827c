"""Questions and incidents as the site shows them now, in the active language.

What is asked, and every number, comes from the bank's version; the words come from the database, where staff
may have changed them, through gettext. Before the first `load_bank` the bank's own words serve.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from django.utils.translation import get_language, gettext

from audit.bank import questions as bank
from audit.bank import rows
from audit.bank.rows import Rows
from audit.models import Incident, Option, Question
from audit.scoring import formula


@dataclass(frozen=True, slots=True)
class OptionText:
    """One answer with its words. `title`: the weakness, `action`: what to do about it; `fix_steps` in order;
    `tools` are product names or short phrases."""

    value: str
    label: str
    not_applicable: bool
    risk: int
    minutes: int
    title: str
    action: str
    harm: str
    fix_steps: tuple[str, ...]
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuestionText:
    """One question with its words; `options` from the least to the most risk, `order` as people see their values.

    `standards`: the guidelines it follows, each with name and url.
    """

    id: str
    category: str
    weight: int
    text: str
    hint: str
    why: str
    standards: tuple[dict[str, str], ...]
    options: tuple[OptionText, ...]
    order: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[OptionText, ...]:
        """The answers in the order of the form, which does not give the best one away."""
        return tuple(self.option(value) for value in self.order)

    def option(self, value: str) -> OptionText:
        """The answer with this value; an answer of an older bank shows its value instead of words."""
        for option in self.options:
            if option.value == value:
                return option
        return OptionText(value, value, False, 0, 0, value, value, "", (), ())


@cache
def scoring_bank() -> formula.Bank:
    """The shipped bank as the formula sees it."""
    return tuple(
        formula.Item(
            question.id,
            question.category,
            question.weight,
            tuple(formula.Choice(o.value, o.risk, o.na, o.minutes) for o in question.options),
        )
        for question in bank.QUESTIONS
    )


def translated(text: str) -> str:
    """The text in the active language. (gettext of an empty text would be the catalogue's header.)"""
    return gettext(text) if text else ""


def questionnaire() -> tuple[QuestionText, ...]:
    """The questions of the bank in order, in the active language. Two queries."""
    return _questionnaire(rows.read(Question), rows.read(Option), get_language() or "")


@lru_cache(maxsize=8)
def _questionnaire(questions: Rows, options: Rows, lang: str) -> tuple[QuestionText, ...]:
    """lang: the active one"""
    asked = {row.pk: row for row in rows.objects(Question, questions)}
    answers = {str(row): row for row in rows.objects(Option, options)}
    return tuple(_question(data, asked.get(data.id), answers) for data in bank.QUESTIONS)


def questions_by_id() -> dict[str, QuestionText]:
    return {question.id: question for question in questionnaire()}


def category_labels() -> dict[str, str]:
    """Category id to its name in the active language, in the bank's order."""
    return {category: translated(label) for category, label in bank.CATEGORIES.items()}


def incidents_by_answer(incidents: Rows) -> dict[str, list[Incident]]:
    """Active incidents of these rows under each answer ("question.value") that they hit, the most telling first.

    A confirmed case tells more than an unconfirmed one; then one that is above all about this answer (cases name
    their weaknesses in that order), one with a known loss, the newest, the largest.
    """
    found: dict[str, list[tuple[Any, ...]]] = {}
    for case in rows.objects(Incident, incidents):
        for place, answer in enumerate(case.weaknesses if case.active else ()):
            rank = (case.confirmed, -place, case.loss_usd is not None, case.date, case.loss_usd or 0)
            found.setdefault(answer, []).append((rank, case.slug, case))
    return {
        answer: [case for _, _, case in sorted(cases, key=lambda entry: entry[:2], reverse=True)]
        for answer, cases in found.items()
    }


def source_urls() -> frozenset[str]:
    """Every address that a report may link to: the https sources of all incidents. One query."""
    return _source_urls(rows.read(Incident))


@lru_cache(maxsize=2)
def _source_urls(incidents: Rows) -> frozenset[str]:
    return frozenset(
        url for case in rows.objects(Incident, incidents) for url in case.sources if is_link(url)
    )


def is_link(url: object) -> bool:
    """Whether a source is an address that we link to: https, without what could end a Markdown link."""
    return isinstance(url, str) and url.startswith("https://") and not set(url) & set(" <>\"'\\\n\t")


def _question(data: bank.QuestionData, row: Question | None, options: Mapping[str, Option]) -> QuestionText:
    words: Any = row or data
    standards = row.standards if row else [{"name": s.name, "url": s.url} for s in data.standards]
    return QuestionText(
        id=data.id,
        category=data.category,
        weight=data.weight,
        text=translated(words.text),
        hint=translated(words.hint),
        why=translated(words.why),
        standards=tuple(standards),
        options=tuple(_option(option, options.get(f"{data.id}.{option.value}")) for option in data.options),
        order=data.shown,
    )


def _option(data: bank.OptionData, row: Option | None) -> OptionText:
    words: Any = row or data
    return OptionText(
        value=data.value,
        label=translated(words.label),
        not_applicable=data.na,
        risk=data.risk,
        minutes=data.minutes,
        title=translated(words.title),
        action=translated(words.action or words.title),
        harm=translated(words.harm),
        fix_steps=tuple(map(translated, words.fix_steps)),
        tools=tuple(map(translated, words.tools)),
    )
