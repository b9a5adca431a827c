"""Recovery phrases and private keys are found however they are written; ordinary messages pass."""

import random
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from mnemonic import Mnemonic

from audit.orders.secret_guard import Finding, Secret, find, keys, look
from audit.orders.secret_guard.lists import EVERYDAY, FOLDER
from tests import secret_texts
from tests.matrix import matrix

LISTS = {
    path.stem: path.read_text("utf-8").split()
    for path in sorted(FOLDER.glob("*.txt"))
    if path.stem != EVERYDAY
}
LISTS |= {language: Mnemonic(language).wordlist for language in sorted(Mnemonic.list_languages())}
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"  # BIP-39's test vector
WIF = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"
XPRV = (
    "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yu"
    "GBxrMPHi"
)
HEX = "e9873d79c6d87dc0fb6a5778633389f4453213303da61f20bd67fc233aa33262"


@pytest.mark.parametrize(("name", "count"), matrix(list(LISTS), [12, 15, 18, 21, 24, 20]))
def test_a_phrase_of_any_list_and_length_is_found(name, count):
    words = random.Random(f"{name}{count}").sample(LISTS[name], count)
    assert find(" ".join(words)) == Secret.PHRASE


@pytest.mark.parametrize(
    "text",
    [
        PHRASE,
        PHRASE.upper(),
        PHRASE.title(),
        PHRASE.replace(" ", ","),
        PHRASE.replace(" ", ", "),
        PHRASE.replace(" ", "\n"),
        PHRASE.replace(" ", " - "),
        PHRASE.replace(" ", ". "),
        PHRASE.replace(" ", " and "),
        "\n".join(f"{n}. {word}" for n, word in enumerate(PHRASE.split(), 1)),
        "\n".join(f"{n}) {word.title()}" for n, word in enumerate(PHRASE.split(), 1)),
        " ".join(f"{n}{word}" for n, word in enumerate(PHRASE.split(), 1)),
        "; ".join(f"word {n}: {word}" for n, word in enumerate(PHRASE.split(), 1)),
        "; ".join(f"слово {n} {word}" for n, word in enumerate(PHRASE.split(), 1)),
        f"Hola, mi frase es {PHRASE}. ¿Es segura?",
        f"Привет! Вот моя фраза: {PHRASE} — проверь, пожалуйста",
        " ".join(word[:4] for word in PHRASE.split()),  # as on a metal plate
        "".join(f"<li>{word}</li>" for word in PHRASE.split()),
        PHRASE.replace("winner", "winer", 1),  # a typing error
        "\u200b".join(PHRASE),  # zero-width characters between the letters
        " ".join(["abandon"] * 11 + ["about"]),  # "about" is a small word too
        "accion alacran afonia ameno boxeador caiman codigo dedo exito lapiz musica opcion",  # without accents
        "gewgaw dauntless sowed knapsack wonders lemon unquoted vaults fewest jabbed hectare uttered",  # Monero's
    ],
)
def test_a_phrase_is_found_however_it_is_written(text):
    assert find(text) == Secret.PHRASE


def test_chinese_phrases_are_found_without_spaces():
    words = random.Random(1).sample(LISTS["chinese_simplified"], 12)
    assert find("".join(words)) == find(" ".join(words)) == Secret.PHRASE


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        f"0x{HEX}",
        HEX.upper(),
        f"key:{HEX}!",
        " ".join(HEX[place : place + 2] for place in range(0, 64, 2)),
        f"{HEX[:30]}\n{HEX[30:]}",
        WIF,
        "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617",
        XPRV,
        f"{XPRV[:60]}\n{XPRV[60:]}",
        XPRV.replace("xprv", "zprv", 1),
        "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1"
        "EGMcet8",
        "6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg",
        "-----BEGIN EC PRIVATE KEY-----\nMHQCAQEE",
        '{"version":3,"crypto":{"ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46"}}',
        '{"kdfparams": {"dklen": 32}}',
        str(list(range(64))),
        "SCZANGBA5YHTNYVVV4C3U252E2B6P6F5T3U6MM63WBSBZATAQI3EBTQ4",
        "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5",
    ],
)
def test_private_keys_are_found(text):
    assert find(text) == Secret.KEY


@pytest.mark.parametrize(
    "text",
    [
        "2fa backup codes: 4f8a-91bc 77d2-0a1e",
        "мои резервные коды 8271 9932, 1182 4411",
        "códigos de respaldo de Binance: 1a2b3c4d 5e6f7a8b",
    ],
)
def test_spare_codes_are_found(text):
    assert find(text) == Secret.CODE


@pytest.mark.parametrize(
    "text",
    [
        "I keep the backup codes in a safe since 2021 and a copy at home. Is that 2 places too few?",
        "",
        "I have 12 words on paper and a passphrase in my head. Is that good enough, or should I use metal plates?",
        "I use Ledger, Trezor, MetaMask, Phantom, Rabby, Binance, Kraken, Bybit, OKX, Coinbase, Bitget and KuCoin.",
        "My seed phrase is split in two halves of twelve words each, one at home, one at my parents' house.",
        "Хочу понять, безопасно ли хранить фразу на металлической пластине дома, если жена о ней не знает.",
        "Quiero saber si es seguro guardar la frase en casa de mis padres y la passphrase en mi gestor.",
        "My address is 0x52908400098527886E0F7030069857D2E4169EE7, I signed an approve yesterday.",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq got a dust transfer, what now?",
    ],
)
def test_ordinary_messages_pass(text):
    assert find(text) is None


@pytest.mark.parametrize("lang", ["ru", "es"])
def test_none_of_our_own_texts_is_taken_for_a_phrase(lang):
    """Some 2,000 sentences about wallets in each language, and the English they come from."""
    with (Path(settings.LOCALE_PATHS[0]) / lang / "LC_MESSAGES" / "django.po").open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    texts = [text for message in messages for each in (message.id, message.string)
             for text in ([each] if isinstance(each, str) else each)]  # fmt: skip
    assert len(texts) > 2000
    assert [text for text in texts if find(text)] == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", LISTS)
def test_many_phrases_of_each_list_are_found(name):
    chance = random.Random(name)
    for _round in range(300):
        words = chance.sample(LISTS[name], chance.choice([12, 15, 18, 21, 24]))
        assert find(chance.choice([" ", ", ", "\n", " and ", " 1. "]).join(words)) == Secret.PHRASE


def test_sixty_secrets_as_victims_send_them_are_caught():
    assert len(secret_texts.SECRETS) >= 60
    missed = [text for text in secret_texts.SECRETS if find(text) is None]
    assert len(missed) <= 5, missed


def test_sixty_honest_texts_in_three_languages_pass():
    assert len(secret_texts.HONEST) >= 60
    refused = [text for text in secret_texts.HONEST if find(text) is not None]
    assert len(refused) <= 1, refused


@pytest.mark.parametrize("size", [12, 15, 18, 21, 24])
def test_a_right_checksum_makes_it_certain(size):
    """Of words that are no phrase of BIP-39, or have a typing error, the visitor may say that they are none."""
    phrase = Mnemonic("english").to_mnemonic(bytes(range(7, 7 + size * 4 // 3)))
    assert look(f"here it is: {phrase}") == Finding(Secret.PHRASE, certain=True)
    words = phrase.split()
    mistyped = " ".join([*words[:-1], "zoo" if words[-1] != "zoo" else "zone"])
    assert look(mistyped) is not None


def test_a_phrase_whose_words_in_a_row_have_a_place_beyond_the_twelfth_is_found():
    """Three words that are in no list may stand among the first fifteen: the window is wide enough for them."""
    words = secret_texts.ARMY.split()
    assert find(" ".join([*words[:6], "jungfrau", *words[6:]])) == Secret.PHRASE
    assert find(" ".join([words[0], "jungfrau", *words[1:6], "wolfsburg", *words[6:]])) == Secret.PHRASE


@pytest.mark.parametrize("name", ["transaction", "txid", "хеш", "firma"])
def test_a_hash_that_is_called_one_passes_and_the_same_digits_called_a_key_do_not(name):
    assert find(f"{name} {HEX}") is None
    assert find(f"my private key {HEX}") == Secret.KEY
    assert find(HEX) == Secret.KEY  # nothing says what it is: the visitor is asked
    assert look(HEX).certain is False


def test_a_solana_key_is_told_from_a_signature_by_computing():
    seed = bytes(range(32))
    pair = seed + Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    number, text = int.from_bytes(pair, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = keys.ALPHABET[digit] + text
    assert look("1" + text) == Finding(Secret.KEY, certain=True)
    assert look(secret_texts.SIGNATURE) is None
