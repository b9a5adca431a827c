"""The voice of a report's story: what a thief does, now; and that whoever follows the prompt literally passes."""

import pytest
from django.utils import translation

from audit.report import generate, prompts
from audit.report.gates import voice
from audit.report.gates.given import given
from audit.report.second_reader import repairs
from llm.simulator import report as simulated
from tests import report_sets
from tests.factories import load_bank
from tests.report_sets import LANGS, SCANS

FORM = "{finding:1} A\n{finding:2} B\nForm:\n## One\n\n## Two\n\n- **Today:** {fix:1}\n\n## Three"
GOOD = {
    "en": [
        "A thief calls the carrier and plays the owner of a lost phone.",
        "From there he gets into the mail, because {finding:2}.",
        "Because his list is long, the thief begins with your number.",
        "He is in no hurry and reads as if the mail belonged to him.",
        "His page sends you a link, and the thief waits.",
        "Encouraged, the thief digs deeper.",
        "Night after night his machines guess passwords.",
        "The clerk believes him and hands him a SIM card.",
        "The owner copies the wrong line and signs, and the thief waits.",
        "The thief reads what people write to each other.",
        "The program copies each password it finds.",
    ],
    "ru": [
        "Вор звонит оператору и выдаёт себя за владельца номера.",
        "Теперь код приходит к нему, ведь {finding:2}.",
        "Он никуда не торопится и читает письма одно за другим.",
        "Для перевода вору нужно одно сообщение.",
        "Владелец вводит пароль на странице вора.",
        "Программа копирует каждый пароль.",
    ],
    "es": [
        "El ladrón llama a la operadora y se hace pasar por el dueño de la línea.",
        "Con eso él entra en tu correo, porque {finding:2}.",
        "Él no tiene prisa y escribe como si fuera soporte.",
        "El dueño firma en la página del ladrón.",
        "El programa copia cada contraseña.",
    ],
}
BAD = {
    "en": [
        ("Keep the words in a locked note, away from any thief.", "begins otherwise than with the thief"),
        (
            "He reads the codes, so switch the alerts off for a week.",
            "tells the reader to do something",
        ),
        ("The thief is gone once you have moved the phrase.", "speaks to the reader"),
        ("Our test is what a thief fears.", "speaks for somebody"),
        ("He cannot open a note with a password.", "says what is not"),
        ("The thief took it all from a baker.", "tells of the past"),
        ("He finds a wallet that is safe.", "judges"),
        ("The thief gives up before a locked cloud.", "lets the thief give up"),
        ("A long password stops him.", "lets the thief give up"),
        ("The thief leans back before a metal plate.", "names a defence"),
        ("He knows that the words lie in a drawer.", "tells what is thought"),
        ("He takes the calmest road.", "compares"),
        ("The police follow the thief.", "tells of others"),
        ("He goes, because the words lie in a drawer.", "gives a reason of its own"),
        ("He reads your score.", "says of the reader what no slot says"),
        ("A note in the phone is handy.", "names no thief"),
        ("Does he wait?", "has marks that belong to another text"),
        ("A cousin of the thief sells the coins.", "leaves the thief's world"),
        ("Panic grips the house, and the thief waits.", "leaves the thief's world"),
        ("The thief counts on reports like this.", "leaves the thief's world"),
        ("The thief mumbles the rules above.", "leaves the thief's world"),
        ("The owner wakes up with nothing, and the thief sleeps.", "tells what others do"),
        ("The thief leaves to the owner what the owner keeps on paper.", "tells what others do"),
    ],
    "ru": [
        ("Храни слова в заметке, вор её обойдёт.", "speaks to the reader"),
        ("Мы знаем этого вора.", "speaks for somebody"),
        ("Он не может открыть заметку с паролем.", "says what is not"),
        ("Вор обокрал пекаря.", "tells of the past"),
        ("Кошелёк у него надёжный.", "judges"),
        ("Вор сдаётся перед паролем.", "lets the thief give up"),
        ("Пароль останавливает вора.", "lets the thief give up"),
        ("Вор садится перед стальной пластиной.", "names a defence"),
        ("Вор знает, что слова лежат в ящике.", "tells what is thought"),
        ("На бирже монетам спокойнее, и вор ждёт.", "compares"),
        ("Следователь идёт за вором.", "tells of others"),
        ("Он уходит, ведь слова лежат в ящике.", "gives a reason of its own"),
        ("Заметка в телефоне заменит бэкап.", "names no thief"),
        ("Вор оставляет после себя слёзы и разорение.", "leaves the thief's world"),
        ("Вор повторяет правила, которые стоят выше.", "leaves the thief's world"),
        ("Вор opens the mailbox и читает письма.", "leaves the thief's world"),
        ("Хозяин меняет пароль от почты, а вор читает письма.", "tells what others do"),
    ],
    "es": [
        ("Guarda las palabras en una nota, lejos del ladrón.", "begins otherwise than with the thief"),
        ("Con esa nota, guarda las palabras lejos de su alcance.", "tells the reader to do something"),
        ("El ladrón sabe que tú guardas la frase.", "speaks to the reader"),
        ("El ladrón teme nuestro test.", "speaks for somebody"),
        ("Él no puede abrir la nota.", "says what is not"),
        ("El ladrón robó a un panadero.", "tells of the past"),
        ("Él encuentra una wallet segura.", "judges"),
        ("El ladrón se rinde ante la nota.", "lets the thief give up"),
        ("Una clave larga lo frena.", "lets the thief give up"),
        ("El ladrón mira la placa de acero.", "names a defence"),
        ("El ladrón sabe que la frase está en un cajón.", "tells what is thought"),
        ("El ladrón ve el sitio más cómodo.", "compares"),
        ("La policía sigue al ladrón.", "tells of others"),
        ("Una nota en el móvil sirve de copia.", "names no thief"),
        ("El ladrón deja tras de sí lágrimas.", "leaves the thief's world"),
        ("El ladrón repite las reglas de arriba.", "leaves the thief's world"),
        ("El ladrón opens the mailbox y lee los mensajes.", "leaves the thief's world"),
        ("El dueño despierta sin monedas y el ladrón duerme.", "tells what others do"),
    ],
}


def judged(lang: str, sentence: str) -> str | None:
    gate = voice.of_a_thief(given(lang=lang, system="", user=FORM))
    return gate(f"## One\n\n{sentence}\n")


@pytest.mark.parametrize(("lang", "sentence"), [(lang, each) for lang in LANGS for each in GOOD[lang]])
def test_what_a_thief_does_now_may_be_told(lang, sentence):
    assert judged(lang, sentence) is None


@pytest.mark.parametrize(("lang", "sentence", "why"), [(lang, *each) for lang in LANGS for each in BAD[lang]])
def test_another_voice_is_refused_and_the_reason_names_the_sentence(lang, sentence, why):
    assert judged(lang, sentence) == f"sentence 1 of the story {why}"


LONE_FORM = "{keep:1} A\nForm:\n## One\n\n## Two"
TAKEN = {
    "en": "In the end the thief moves all coins to himself.",
    "ru": "Под конец вор переводит монеты себе.",
    "es": "Al final el ladrón mueve las monedas a su cuenta.",
}


@pytest.mark.parametrize("lang", LANGS)
def test_nobody_without_a_weakness_loses_coins_in_the_story(lang):
    gate = voice.of_a_thief(given(lang=lang, system="", user=LONE_FORM))
    assert gate(f"## One\n\n{TAKEN[lang]}\n") == "sentence 1 of the story takes what no weakness gives away"
    assert judged(lang, TAKEN[lang]) is None


@pytest.mark.django_db
@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("lang", LANGS)
def test_the_simulator_writes_reports_that_pass(lang, scan):
    load_bank()
    with translation.override(lang):
        prompt = prompts.build(report_sets.scan_details(scan), lang)
        text = simulated.write(f"{prompt.system}\n{prompt.user}")
        found = {name: why for name, gate in generate.gates_of(prompt, lang).items() if (why := gate(text))}
    assert found == {}


@pytest.mark.parametrize("lang", LANGS)
def test_few_sentences_may_do_without_the_thief(lang):
    alone = GOOD[lang][-1]
    assert judged(lang, f"{alone} {alone}") is None
    assert judged(lang, f"{alone} {alone} {alone}") == "sentence 3 of the story names no thief"


@pytest.mark.django_db
@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("lang", LANGS)
def test_whoever_follows_the_prompt_literally_passes(lang, scan):
    load_bank()
    with translation.override(lang):
        prompt = prompts.build(report_sets.scan_details(scan), lang)
        spoken = prompts.SPOKEN[lang]
        story = spoken.story if prompt.facts.details.weaknesses else spoken.lone
        if len(prompt.facts.details.weaknesses) > 1 or not prompt.facts.details.weaknesses:
            text = prompts.form(prompt.facts, 3, story) + "\n"
            assert {
                name: why for name, gate in generate.gates_of(prompt, lang).items() if (why := gate(text))
            } == {}


def test_a_story_in_another_voice_goes_back_to_its_writer():
    assert repairs("voice: sentence 3 of the story speaks to the reader")
    assert repairs("form: words of its own in part 2")
    assert not repairs("links: a contact")
