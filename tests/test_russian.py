"""Russian reads as it is meant to: informal «ты», ё, Russian quotes and dashes, the right plural forms."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import gettext, ngettext, override, pgettext

from audit.bank.questions import QUESTIONS

FORMAL = re.compile(r"\b(вы|вас|вам|вами|ваш\w*|пожалуйста)\b", re.IGNORECASE)
MIXED_ALPHABETS = re.compile(r"[а-яё][a-z]|[a-z][а-яё]", re.IGNORECASE)
WITHOUT_YO = re.compile(
    r"\b(еще|ее|счет\w*|отчет\w*|кошелек|надеж\w*|твое|свое|мое|идет|найдет|уйдет|ведет|возьмет)\b",
    re.IGNORECASE,
)
OTHER_WORDS_FOR_OURS = re.compile(
    r"\b(seed|сид(?!-фраз)\w*|мнемоник\w*|approve|аппрув\w*|эйрдроп\w*|(?-i:SMS))\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def russian() -> list[str]:
    with (Path(settings.LOCALE_PATHS[0]) / "ru" / "LC_MESSAGES" / "django.po").open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    return [
        text
        for message in messages
        for text in ([message.string] if isinstance(message.string, str) else message.string)
    ]


@pytest.fixture
def _in_russian():
    with override("ru"):
        yield


@pytest.mark.usefixtures("_in_russian")
def test_a_few_texts_come_out_translated() -> None:
    assert gettext("Keep two copies in two buildings.") == "Держи две копии в двух разных зданиях."
    assert gettext("Your plan") == "Твой план"
    assert pgettext("severity", "High") == "Высокий риск"


@pytest.mark.usefixtures("_in_russian")
def test_numbers_take_their_three_forms() -> None:
    counts = (0, 1, 2, 5, 11, 12, 21, 24, 111)
    days = [ngettext("%(days)d day", "%(days)d days", count) % {"days": count} for count in counts]
    assert days == [
        "0 дней", "1 день", "2 дня", "5 дней", "11 дней", "12 дней", "21 день", "24 дня", "111 дней",
    ]  # fmt: skip


@pytest.mark.usefixtures("_in_russian")
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_every_question_and_answer_is_in_russian(question) -> None:
    texts = [question.text, question.why, *(option.label for option in question.options)]
    assert [text for text in texts if not re.search("[а-яё]", gettext(text))] == []


def test_nobody_is_addressed_formally(russian: list[str]) -> None:
    assert [text for text in russian if FORMAL.search(text)] == []


def test_one_word_for_each_thing_and_yo_everywhere(russian: list[str]) -> None:
    assert [text for text in russian if OTHER_WORDS_FOR_OURS.search(text)] == []
    assert [text for text in russian if WITHOUT_YO.search(text)] == []


def test_no_word_mixes_two_alphabets(russian: list[str]) -> None:
    assert [text for text in russian if MIXED_ALPHABETS.search(text)] == []


def test_quotes_and_dashes_are_russian(russian: list[str]) -> None:
    plain = [re.sub(r"<[^>]+>", "", text) for text in russian]
    assert [text for text in plain if re.search(r"[\"'“”„‘’]|\s-\s", text)] == []
    assert [text for text in plain if re.search(r"(?<!\u00a0)—|—(?! )", text)] == []
    assert [text for text in plain if text.count("«") != text.count("»")] == []
