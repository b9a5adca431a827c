"""The question bank and the case library: numbers add up, texts are complete and translatable."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from audit.bank import incidents, questions
from audit.bank.incidents import INCIDENTS, VECTORS
from audit.bank.questions import BANK_VERSION, CATEGORIES, QUESTIONS, IncidentData, OptionData

MAX_LABEL, MAX_STEP = 110, 140

RISKY: dict[str, OptionData] = {
    f"{question.id}.{option.value}": option
    for question in QUESTIONS
    for option in question.options
    if option.risk > 0
}


def wrapped_literals(module_file: str) -> set[str]:
    """What gettext would extract: the text of every ``_("...")``. Anything but one literal is an error."""
    found = set()
    for node in ast.walk(ast.parse(Path(module_file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            literal = node.args[0]
            assert (len(node.args), node.keywords) == (1, []), f"line {node.lineno}: one argument only"
            assert isinstance(literal, ast.Constant), f"line {node.lineno}: makemessages would miss it"
            assert isinstance(literal.value, str), f"line {node.lineno}: not a text"
            found.add(literal.value)
    return found


def is_common_phrase(tool: str) -> bool:
    """Product names are capitalized throughout; a tool with a lowercase word needs a translation."""
    return any(word.strip("(").islower() for word in tool.split()) and tool != "Revoke.cash"


def bank_texts() -> Iterator[str]:
    yield from CATEGORIES.values()
    for question in QUESTIONS:
        yield from (question.text, question.why)
        for option in question.options:
            yield from (option.label, option.title, option.harm, *option.fix_steps)
            yield from filter(is_common_phrase, option.tools)


def incident_texts() -> Iterator[str]:
    yield from VECTORS.values()
    for case in INCIDENTS:
        yield from (case.name, case.victims, case.what_happened, case.lesson, case.note)


def first_day(case_date: str) -> date:
    """The first day that a date of any precision can mean: "2024", "2024-05" or "2024-05-03"."""
    assert re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", case_date), case_date
    return date.fromisoformat((case_date + "-01-01")[:10])


def test_twelve_questions_with_weights_that_sum_to_exactly_100() -> None:
    assert len(QUESTIONS) == 12
    assert sum(question.weight for question in QUESTIONS) == 100
    assert all(question.weight > 0 for question in QUESTIONS)
    assert re.fullmatch(r"\d{4}-\d{2}", BANK_VERSION)


def test_every_category_has_questions_and_every_question_a_category() -> None:
    assert {question.category for question in QUESTIONS} == set(CATEGORIES)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_each_question_ranges_from_no_risk_to_ten(question: questions.QuestionData) -> None:
    assessed = [option.risk for option in question.options if not option.na]
    assert min(assessed) == 0
    assert max(assessed) == 10
    assert assessed == sorted(set(assessed)), "options are listed from the least to the most risk"
    assert all(option.risk == 0 for option in question.options if option.na)


def test_ids_values_and_slugs_are_unique() -> None:
    ids = [question.id for question in QUESTIONS]
    assert len(ids) == len(set(ids))
    for question in QUESTIONS:
        values = [option.value for option in question.options]
        assert len(values) == len(set(values)), question.id
    slugs = [case.slug for case in INCIDENTS]
    assert len(slugs) == len(set(slugs))
    codes = [*ids, *(option.value for question in QUESTIONS for option in question.options)]
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", code) for code in codes)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) for slug in slugs)


@pytest.mark.parametrize("option", RISKY.values(), ids=RISKY.keys())
def test_every_risky_answer_says_the_harm_and_the_way_out(option: OptionData) -> None:
    assert option.title
    assert option.harm
    assert len(option.fix_steps) >= 2
    assert len(option.tools) >= 2, "at least two vendors, or one and a free way"
    assert option.minutes > 0


def test_safe_answers_promise_no_fix() -> None:
    for question in QUESTIONS:
        for option in question.options:
            if option.risk == 0:
                remedy = (option.action, option.harm, option.fix_steps, option.tools, option.minutes)
                assert remedy == ("", "", (), (), 0), f"{question.id}.{option.value}"


def test_each_best_answer_has_a_short_name_for_reports() -> None:
    """Quoted without its question, an answer such as "None: the number is no login" means nothing."""
    for question in QUESTIONS:
        for option in question.options:
            if option.risk == 0:
                assert bool(option.title) is not option.na, f"{question.id}.{option.value}"
                assert len(option.title) <= 60


def test_labels_and_steps_stay_short() -> None:
    options = [option for question in QUESTIONS for option in question.options]
    assert [option.label for option in options if len(option.label) > MAX_LABEL] == []
    assert [step for option in options for step in option.fix_steps if len(step) > MAX_STEP] == []


@pytest.mark.parametrize("case", INCIDENTS, ids=lambda case: case.slug)
def test_every_incident_is_dated_sourced_and_tied_to_risky_answers(case: IncidentData) -> None:
    assert 2023 <= first_day(case.date).year <= 2026
    assert case.sources
    assert [source for source in case.sources if not source.startswith("https://")] == []
    assert case.weaknesses
    assert set(case.weaknesses) <= set(RISKY)
    assert len(case.weaknesses) == len(set(case.weaknesses))
    assert case.loss_usd is None or case.loss_usd > 0
    assert case.vector in VECTORS
    assert all((case.name, case.victims, case.what_happened, case.lesson))
    assert case.confirmed or case.note, "an unconfirmed case must say what is uncertain"


def test_every_risky_answer_has_a_confirmed_case() -> None:
    hit = {weakness for case in INCIDENTS if case.confirmed for weakness in case.weaknesses}
    assert sorted(set(RISKY) - hit) == []


def test_no_vector_is_without_a_case() -> None:
    assert set(VECTORS) == {case.vector for case in INCIDENTS}


def test_standards_are_named_and_linked() -> None:
    for question in QUESTIONS:
        assert question.standards, question.id
        assert all(item.name and item.url.startswith("https://") for item in question.standards)


def test_every_text_can_be_extracted_by_gettext() -> None:
    assert sorted(set(bank_texts()) - {""} - wrapped_literals(questions.__file__)) == []
    assert sorted(set(incident_texts()) - {""} - wrapped_literals(incidents.__file__)) == []


def test_texts_are_safe_for_gettext_tools() -> None:
    """A percent sign before a letter makes xgettext take the text for a format string."""
    texts = {*bank_texts(), *incident_texts()} - {""}
    assert [text for text in texts if re.search(r"%[ #0+\-\d.]*[a-zA-Z(]", text)] == []
    assert [text for text in texts if text != text.strip() or "  " in text or "\n" in text] == []
