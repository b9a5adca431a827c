"""Spanish reads as it is meant to: informal «tú», neutral for Latin America and Spain, one word for each thing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import gettext, ngettext, override, pgettext

from audit.bank.questions import QUESTIONS

CATALOGUE = Path(settings.LOCALE_PATHS[0]) / "es" / "LC_MESSAGES" / "django.po"

NOT_TU = re.compile(
    r"\b([Uu]sted|[Uu]stedes|[Vv]os|[Vv]osotr[oa]s|[Vv]uestr[oa]s?|os|sos|tenés|podés|querés|sabés|hacés|usás|"
    r"guardás|tenéis|podéis|queréis|sabéis|hacéis|usáis|guardáis|haced|elegid|guardad|escribid|revisad|activad)\b"
    # A sentence may begin with these only as an order to «usted» or «vos».
    r"|(?:^|[.:;¿] )(Haga|Elija|Guarde|Escriba|Responda|Revise|Active|Mueva|Hacé|Elegí|Guardá|Escribí|Poné)\b",
)
OTHER_WORDS_FOR_OURS = re.compile(
    r"\b(billeteras?|monederos?|ordenador(es)?|computador(as?|es)?|celular(es)?|encriptad[oa]s?|puntajes?|seed|"
    r"(el|un|los|unos|este) (wallets?|passkeys?|passphrase)|la 2FA)\b",
    re.IGNORECASE,
)


def texts() -> Iterator[str]:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file)
    for message in catalogue:
        if message.id:
            yield from [message.string] if isinstance(message.string, str) else message.string


@pytest.fixture(scope="module")
def spanish() -> list[str]:
    return list(texts())


@pytest.fixture
def _in_spanish() -> Iterator[None]:
    with override("es"):
        yield


@pytest.mark.usefixtures("_in_spanish")
def test_a_few_texts_come_out_translated() -> None:
    assert gettext("Keep two copies in two buildings.") == "Ten dos copias en dos edificios."
    assert gettext("Your plan") == "Tu plan"
    assert gettext("Heirs without access") == "Herederos sin acceso"
    assert pgettext("severity", "High") == "Alta"
    assert [ngettext("%(days)d day", "%(days)d days", n) % {"days": n} for n in (0, 1, 2, 1_000_000)] == [
        "0 días", "1 día", "2 días", "1000000 días",
    ]  # fmt: skip


@pytest.mark.usefixtures("_in_spanish")
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_every_question_opens_and_closes_with_its_marks(question) -> None:
    text = gettext(question.text)
    assert text.startswith("¿")
    assert text != question.text


def test_opening_marks_and_quotes_have_their_other_half(spanish: list[str]) -> None:
    pairs = ("¿?", "¡!", "«»", "()")
    assert [text for text in spanish for left, right in pairs if text.count(left) != text.count(right)] == []


def test_nobody_is_addressed_as_usted_vosotros_or_vos(spanish: list[str]) -> None:
    assert [text for text in spanish if NOT_TU.search(text)] == []


def test_one_word_for_each_thing(spanish: list[str]) -> None:
    assert [text for text in spanish if OTHER_WORDS_FOR_OURS.search(text)] == []


def test_no_english_quotes_and_no_double_spaces(spanish: list[str]) -> None:
    plain = [re.sub(r"<[^>]+>", "", text) for text in spanish]
    assert [text for text in plain if re.search(r"[\"'“”‘’]|  ", text)] == []
