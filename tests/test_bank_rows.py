"""The bank's rows are read anew for every look, and made into words only when they have changed."""

import pytest
from django.core.management import call_command
from django.utils import translation

from audit.bank import catalogue, findings, rows
from audit.models import Incident, Option, Question
from audit.report.text import render

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _bank():
    call_command("load_bank", verbosity=0)


@pytest.mark.parametrize("model", [Question, Option, Incident])
def test_a_row_becomes_the_object_that_django_makes_of_it(model):
    made, django = list(rows.objects(model, rows.read(model))), list(model.objects.all())
    assert made == django
    for ours, theirs in zip(made, django, strict=True):
        for field in model._meta.concrete_fields:
            mine = getattr(ours, field.attname)
            assert (mine, type(mine)) == (
                getattr(theirs, field.attname),
                type(getattr(theirs, field.attname)),
            )
    assert not any(each._state.adding for each in made)


def test_the_same_rows_are_made_into_words_once():
    assert catalogue.questionnaire() is catalogue.questionnaire()
    assert catalogue.source_urls() is catalogue.source_urls()


@pytest.mark.parametrize("change", ["save", "update", "delete"])
def test_a_change_shows_at_once(change):
    question = catalogue.questionnaire()[0]
    row = Question.objects.get(pk=question.id)
    if change == "save":
        row.text = "Why?"
        row.save()
    elif change == "update":
        Question.objects.filter(pk=row.pk).update(text="Why?")
    else:
        Question.objects.filter(pk=row.pk).update(text="Why?")
        assert catalogue.questionnaire()[0].text == "Why?"
        row.delete()
    assert catalogue.questionnaire()[0].text == (question.text if change == "delete" else "Why?")


def test_an_incident_that_is_switched_off_is_behind_no_answer_at_once_and_stays_a_source():
    answer, found = next(
        (a, c) for a, c in catalogue.incidents_by_answer(rows.read(Incident)).items() if len(c) > 1
    )
    strongest = found[0]
    Incident.objects.filter(pk=strongest.pk).update(active=False, sources=["https://example.org/new"])
    assert catalogue.incidents_by_answer(rows.read(Incident))[answer] == found[1:]
    assert "https://example.org/new" in catalogue.source_urls()


def test_words_are_those_of_the_active_language():
    told = {}
    for lang in ("en", "ru", "es", "en"):
        with translation.override(lang):
            cases = findings._cases(rows.read(Incident), lang)
            told.setdefault(lang, []).append((catalogue.questionnaire()[0].text, str(cases)))
    assert told["en"][0] == told["en"][1]
    assert len({each[0] for each in told.values()}) == 3


def test_a_link_stays_one_only_as_long_as_it_is_a_source():
    Incident.objects.filter(pk=Incident.objects.first().pk).update(sources=["https://example.org/a"])
    text = "[a](https://example.org/a)"
    assert 'href="https://example.org/a"' in render.to_html(text)
    assert "href" not in render.to_html(text, links=())
    Incident.objects.update(sources=[])
    assert "href" not in render.to_html(text)
