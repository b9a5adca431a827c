"""The gate before a report: long enough, in one language, the right one."""

import pytest

from audit import gates
from tests import report_texts

LANGS = ["en", "ru", "es"]
GOOD = {"en": report_texts.EN, "ru": report_texts.RU, "es": report_texts.ES}


@pytest.mark.parametrize("lang", LANGS)
def test_a_good_report_passes_in_its_language_only(lang):
    for written, text in GOOD.items():
        assert (gates.report(lang)(text) is None) == (written == lang)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", ["PT", "FR", "UK", "ZH"])
def test_other_languages_are_rejected(lang, name):
    assert gates.report(lang)(getattr(report_texts, name))


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("other", LANGS)
def test_a_report_that_changes_its_language_is_rejected(lang, other):
    mixed = GOOD[lang] + "\n" + GOOD[other].split("\n\n")[1].replace("\n", " ")
    assert bool(gates.report(lang)(mixed)) == (lang != other)


@pytest.mark.parametrize("text", ["", "   ", "ok", "Sorry, I cannot help with that.", "x " * 190])
@pytest.mark.parametrize("lang", LANGS)
def test_short_texts_are_rejected(text, lang):
    assert gates.report(lang)(text).startswith("too short")


@pytest.mark.parametrize("lang", LANGS)
def test_noise_is_rejected(lang):
    assert gates.report(lang)("1234567890 !? " * 100)
    assert gates.report(lang)("Trezor Ledger Rabby Coldcard " * 100)


def test_russian_full_of_product_names_passes():
    names = "\n- Trezor Safe 3, Ledger, BitBox02, Coldcard, Keystone 3 Pro, Rabby, MetaMask, Revoke.cash, Safe{Wallet}"
    assert gates.report("ru")(GOOD["ru"] + names) is None


def test_reasons_never_quote_the_text():
    secret = "abandon ability able about above absent"
    assert secret not in str(gates.report("ru")(secret * 50))


def test_the_first_failing_gate_gives_the_reason():
    gate = gates.all_of(lambda text: None, lambda text: "second", lambda text: "third")
    assert gate("x") == "second"
