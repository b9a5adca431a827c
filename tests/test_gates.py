"""Gates that know nothing of audits: composition, length, language, refusals, JSON."""

import pytest

from llm import gates
from tests import report_texts

LANGS = ["en", "ru", "es"]
GOOD = {"en": report_texts.EN, "ru": report_texts.RU, "es": report_texts.ES}


# -- composition and length -----------------------------------------------------------------------------
def test_the_first_failing_gate_gives_its_name_and_reason():
    checks = {"one": lambda text: None, "two": lambda text: "is bad", "three": lambda text: "is worse"}
    assert gates.all_of(checks)("x") == "two: is bad"
    assert gates.all_of({"one": checks["one"]})("x") is None


@pytest.mark.parametrize("text", ["", "   ", "ok", "Sorry, I cannot help with that.", "x " * 190])
def test_short_texts_are_rejected(text):
    assert gates.at_least(400)(text) == f"{len(text.strip())} of 400 characters"
    assert gates.at_least(len(text.strip()))(text) is None


# -- language ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGS)
def test_a_good_report_passes_in_its_language_only(lang):
    for written, text in GOOD.items():
        assert (gates.language(lang)(text) is None) == (written == lang)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", ["PT", "FR", "UK", "ZH"])
def test_other_languages_are_rejected(lang, name):
    assert gates.language(lang)(getattr(report_texts, name))


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("other", LANGS)
def test_a_report_that_changes_its_language_is_rejected(lang, other):
    mixed = GOOD[lang] + "\n" + GOOD[other].split("\n\n")[1].replace("\n", " ")
    assert bool(gates.language(lang)(mixed)) == (lang != other)


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [
        ("ru", "Then move the coins to the new wallet and delete the old entry."),
        ("es", "Then move the coins to the new wallet and delete the old entry."),
        ("es", "Depois mova as moedas para a nova carteira e só então apague a cópia antiga do telefone."),
        ("en", "Después mueve las monedas a la nueva wallet y borra la entrada vieja."),
        ("ru", "Потім перенеси монети."),
        ("ru", "Сначала 安全, потом удобство."),
        ("en", "Keep the sеed offline."),  # one letter is Cyrillic
    ],
)
def test_one_sentence_in_another_language_is_enough(lang, sentence):
    first, second, *rest = GOOD[lang].split("\n\n")
    mixed = "\n\n".join([first, f"{second} {sentence}", *rest])
    assert gates.language(lang)(mixed)


@pytest.mark.parametrize("lang", LANGS)
def test_noise_is_rejected(lang):
    assert gates.language(lang)("1234567890 !? " * 100)
    assert gates.language(lang)("Trezor Ledger Rabby Coldcard " * 100)


def test_russian_full_of_product_names_passes():
    names = "\n- Trezor Safe 3, Ledger, BitBox02, Coldcard, Keystone 3 Pro, Rabby, MetaMask, Revoke.cash, Safe{Wallet}"
    assert gates.language("ru")(GOOD["ru"] + names) is None


def test_a_language_without_rules_passes():
    assert gates.language("pl")("Cokolwiek") is None


def test_reasons_never_quote_the_text():
    secret = "abandon ability able about above absent"
    assert secret not in str(gates.language("ru")(secret * 50))


# -- refusals ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.", "I’m unable to provide security advice.",
        "As an AI language model, I have no view on wallets.", "I must respectfully decline.",
        "**I cannot** continue with the rest of this report.", "[Section omitted for safety reasons]",
        "К сожалению, я не могу составить такой отчёт.", "Извините, но не могу с этим помочь.",
        "Как языковая модель, я не вижу твоих кошельков.", "(остальное опущено)",
        "Lo siento, pero no puedo ayudarte con eso.", "Como modelo de lenguaje, no tengo acceso.",
        "No puedo continuar con la tercera sección.", "Soy una IA y no un auditor.",
    ],
)  # fmt: skip
def test_refusals_are_rejected(text):
    assert gates.no_refusal()(f"Some words before.\n\n{text}\n\nAnd after.") == "a refusal"


@pytest.mark.parametrize(
    "text",
    [
        *GOOD.values(),
        "If you cannot read what you sign, reject it: nobody can help you afterwards.",
        "The thief cannot continue without the second key. Support cannot create a new phrase for you.",
        "Если не можешь прочитать подпись, отклони её. Никто не сможет помочь после перевода.",
        "Si no puedes leer lo que firmas, recházalo. El ladrón no puede seguir sin la segunda clave.",
    ],
)
def test_what_others_cannot_do_is_no_refusal(text):
    assert gates.no_refusal()(text) is None


# -- JSON ----------------------------------------------------------------------------------------------
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "sizes": {"type": "array", "items": {"type": "integer"}}},
    "required": ["name"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "text", ['{"name": "a"}', '```json\n{"name": "a", "sizes": [1, 2]}\n```', ' {"name": ""}\n']
)
def test_json_that_fits_passes(text):
    assert gates.json_schema(SCHEMA)(text) is None
    assert gates.read_json(text)["name"] in {"a", ""}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Here you are: {}", "not JSON"), ('{"name": NaN}', "not JSON"), ("", "not JSON"), ("[" * 100_000, "not JSON"),
        ('{"name": "a"} {"name": "b"}', "not JSON"), ('```json\n{"name": "a"', "not JSON"),
        ("{}", "does not fit the schema at required"),
        ('{"name": 5}', "does not fit the schema at properties/name/type"),
        ('{"name": "a", "sizes": ["my secret"]}', "does not fit the schema at properties/sizes/items/type"),
        ('{"name": "a", "more": 1}', "does not fit the schema at additionalProperties"),
    ],
)  # fmt: skip
def test_json_that_does_not_fit_is_rejected_without_being_quoted(text, reason):
    assert gates.json_schema(SCHEMA)(text) == reason


def test_without_a_schema_any_json_passes():
    assert gates.json_schema()("[1, null]") is None


def test_a_schema_that_is_none_is_said_at_once():
    with pytest.raises(ValueError, match="not a JSON schema"):
        gates.json_schema({"type": "no such type"})
