"""Loading the bank: creates what is missing, follows the bank's numbers, keeps what staff did."""

from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import translation

from audit.bank import catalogue, loading, rows
from audit.bank import questions as bank
from audit.bank.incidents import INCIDENTS
from audit.models import Incident, Option, Question

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def load(questions=bank.QUESTIONS, incidents=INCIDENTS) -> loading.Loaded:
    return loading.load(questions=questions, incidents=incidents)


def test_the_first_load_creates_everything():
    out = StringIO()
    call_command("load_bank", stdout=out)
    assert Question.objects.count() == 12
    assert Option.objects.count() == sum(len(question.options) for question in bank.QUESTIONS)
    assert Incident.objects.count() == len(INCIDENTS)
    assert bank.BANK_VERSION in out.getvalue()
    assert list(Question.objects.values_list("id", flat=True)) == [question.id for question in bank.QUESTIONS]


def test_loading_again_changes_nothing():
    load()
    again = load()
    assert (again.created, again.updated) == (0, 0)
    assert again.unchanged > 100


def test_lists_arrive_as_json():
    load()
    option = Option.objects.get(question="seed_storage", value="cloud_notes")
    assert option.fix_steps == list(bank.QUESTIONS[0].options[-2].fix_steps)
    assert Question.objects.get(pk="seed_storage").standards[0].keys() == {"name", "url"}


def test_staffs_texts_survive():
    load()
    Question.objects.filter(pk="seed_storage").update(text="Where are your 24 words?")
    Option.objects.filter(question="seed_storage", value="cloud_notes").update(fix_steps=["Act today."])
    Incident.objects.filter(pk="bybit-2025").update(lesson="Read what you sign.")
    load()
    assert Question.objects.get(pk="seed_storage").text == "Where are your 24 words?"
    assert Option.objects.get(question="seed_storage", value="cloud_notes").fix_steps == ["Act today."]
    assert Incident.objects.get(pk="bybit-2025").lesson == "Read what you sign."


def test_switched_off_incidents_stay_off():
    load()
    Incident.objects.filter(pk="bybit-2025").update(active=False)
    load()
    assert not Incident.objects.get(pk="bybit-2025").active


def test_incidents_added_by_staff_stay():
    load()
    Incident.objects.create(
        slug="ours-2026", name="Ours", date="2026", vector="malware", what_happened="x", lesson="y"
    )
    load()
    assert Incident.objects.filter(pk="ours-2026").exists()


def test_numbers_always_follow_the_bank():
    load()
    Question.objects.filter(pk="seed_storage").update(weight=99, category="defi", position=77)
    Option.objects.filter(question="seed_storage", value="cloud_notes").update(
        risk=1, minutes=1, not_applicable=True
    )
    load()
    question = Question.objects.get(pk="seed_storage")
    option = question.options.get(value="cloud_notes")
    assert (question.weight, question.category, question.position) == (14, "wallet", 1)
    assert (option.risk, option.not_applicable) == (10, False)
    assert option.minutes > 1


def test_a_text_that_staff_left_alone_follows_the_bank():
    load()
    Question.objects.filter(pk="seed_storage").update(why="Our own reason.")
    reworded = replace(bank.QUESTIONS[0], text="Where does your seed live?", why="A new reason.")
    loaded = load(questions=(reworded, *bank.QUESTIONS[1:]))
    question = Question.objects.get(pk="seed_storage")
    assert (question.text, question.why) == ("Where does your seed live?", "Our own reason.")
    assert loaded.updated == 1
    assert loading.edited_fields(question) == ["why"]


def test_what_left_the_bank_is_kept_and_named():
    load()
    out = StringIO()
    Option.objects.create(question_id="seed_storage", value="stone", position=9, risk=1, label="On a stone")
    call_command("load_bank", stdout=out)
    assert "seed_storage.stone" in out.getvalue()
    assert Option.objects.filter(value="stone").exists()


def test_pages_show_staffs_words_with_the_banks_numbers():
    load()
    Question.objects.filter(pk="seed_storage").update(text="Where are your 24 words?", weight=1)
    Option.objects.filter(question="seed_storage", value="metal").update(label="Steel", risk=9)
    question = catalogue.questionnaire()[0]
    assert (question.text, question.weight) == ("Where are your 24 words?", 14)
    assert (question.options[0].label, question.options[0].risk) == ("Steel", 0)


def test_the_questionnaire_works_before_the_first_load():
    assert [question.text for question in catalogue.questionnaire()] == [q.text for q in bank.QUESTIONS]


def test_the_questionnaire_takes_two_queries(django_assert_num_queries):
    load()
    with django_assert_num_queries(2):
        catalogue.questionnaire()


def test_cases_of_an_answer_come_most_telling_first_and_only_active_ones():
    load()
    cases = catalogue.incidents_by_answer(rows.read(Incident))["tx_verification.blind"]
    confirmed = [case.confirmed for case in cases]
    assert confirmed == sorted(confirmed, reverse=True)
    assert cases[0].weaknesses[0] == "tx_verification.blind"
    Incident.objects.filter(pk=cases[0].pk).update(active=False)
    again = catalogue.incidents_by_answer(rows.read(Incident))["tx_verification.blind"]
    assert again == cases[1:]
