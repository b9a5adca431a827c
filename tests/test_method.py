"""The method page: its example can be redone by hand, its figures are measured, its bank is the one we score with."""

import json
import re
from decimal import Decimal
from fractions import Fraction

import pytest
from django.urls import reverse
from django.utils.translation import override

from audit.bank import catalogue
from audit.bank import questions as bank
from audit.presentation import method
from audit.scoring import formula, sensitivity
from tests.factories import load_bank

LANGUAGES = ["en", "ru", "es"]


def path(name: str, lang: str = "en") -> str:
    with override(lang):
        return reverse(f"audit:{name}")


@pytest.fixture
def listed(db):
    load_bank()
    return method.questions()


def test_the_example_can_be_redone_by_hand(listed):
    """With nothing but the numbers on the page, and no rounding before the last step."""
    example = method.example(listed)
    lost, weights = Fraction(0), 0
    for line in example.lines:
        weight, risk, highest = map(int, re.findall(r"\d+", line.term))
        if line.lost is not None:
            assert Decimal(weight * risk) / highest == line.lost
            lost += Fraction(weight * risk, highest)
            weights += weight
    assert (lost, weights) == (Fraction(337, 10), 92)
    assert int(100 * (1 - lost / weights) + Fraction(1, 2)) == example.assessment.raw_score == 63
    assert example.assessment.score == min(63, 49)


def test_the_example_has_all_that_the_formula_knows(listed):
    """An answer that is left out, one without loss, and a cap that lowers the score."""
    example = method.example(listed)
    assert [line.lost for line in example.lines].count(None) == 1
    assert Decimal(0) in [line.lost for line in example.lines]
    assert example.assessment.capped


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_weight_risk_and_cap_is_on_the_page(client, listed, lang):
    html = client.get(path("method", lang)).content.decode()
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", html, re.DOTALL)
    with override(lang):
        for each in method.questions():
            assert f'id="{each.question.id}"' in html
            for answer in each.answers:
                label = answer.option.label.replace("'", "&#x27;").replace('"', "&quot;")
                cells = next(cells for head, cells in rows if head.startswith(label))
                risk = f'<td class="number">{answer.option.risk}</td>'
                assert (risk in cells) is not answer.option.not_applicable
    causing = sum(answer.cap is not None for each in listed for answer in each.answers)
    assert len(re.findall(r"critical\">\(", html)) == causing > 2
    with override(lang):
        assert sum(len(titles) for _limit, titles in method.caps(method.questions())) == causing


def test_the_figures_are_what_the_scoring_code_gives():
    measured = sensitivity.measure(catalogue.scoring_bank(), method.PEOPLE)
    assert measured == sensitivity.FIGURES


def test_the_figures_are_on_the_page_with_the_claim_they_carry(client, listed):
    html = client.get(path("method")).content.decode()
    for figure in sensitivity.FIGURES:
        assert f"{figure.low} to {figure.high}" in html
        assert max(figure.high - figure.raw_score, figure.raw_score - figure.low) <= 3  # "about 3 points"
    assert {figure.person for figure in sensitivity.FIGURES} == set(method.PEOPLE_WORDS)


def test_without_any_change_of_weights_nothing_moves(monkeypatch):
    monkeypatch.setattr(sensitivity, "SHARE", 0.0)
    monkeypatch.setattr(sensitivity, "DRAWS", 40)
    for figure in sensitivity.measure(catalogue.scoring_bank(), method.PEOPLE):
        assert (figure.low, figure.high, figure.same_first) == (figure.raw_score, figure.raw_score, 100)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_bank_as_json_gives_the_same_scores(client, listed, lang):
    """Whoever rebuilds the bank from the file and uses the published formula gets our scores."""
    response = client.get(path("bank", lang))
    data = json.loads(response.content)
    assert response["Content-Type"] == "application/json"
    assert (data["version"], data["scoring_version"]) == (bank.BANK_VERSION, formula.SCORING_VERSION)
    assert sum(question["weight"] for question in data["questions"]) == 100
    for answers in [method.EXAMPLE, *method.PEOPLE.values()]:
        lost, weights, caps = Fraction(0), 0, [100]
        for question in data["questions"]:
            chosen = next(o for o in question["options"] if o["value"] == answers[question["id"]])
            if chosen["not_applicable"]:
                continue
            highest = max(option["risk"] for option in question["options"])
            lost += Fraction(question["weight"] * chosen["risk"], highest)
            weights += question["weight"]
            caps.append(chosen["cap"] or 100)
        raw = int(100 * (1 - lost / weights) + Fraction(1, 2))
        assert min(raw, *caps) == formula.assess(catalogue.scoring_bank(), answers).score
    with override(lang):
        assert data["questions"][0]["text"] == catalogue.questionnaire()[0].text


def test_the_version_history_begins_with_the_present_one():
    assert (method.VERSIONS[0].scoring, method.VERSIONS[0].bank) == (
        formula.SCORING_VERSION,
        bank.BANK_VERSION,
    )
