"""Recovery phrases and private keys are found however they are written; ordinary messages pass."""

import hashlib
import random
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings

from audit.orders.secret_guard import WORDLISTS, Secret, find

LISTS = {path.stem: path.read_text("utf-8").split() for path in sorted(WORDLISTS.glob("*.txt"))}
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"  # BIP-39's test vector
WIF = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"
XPRV = (
    "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yu"
    "GBxrMPHi"
)
HEX = "e9873d79c6d87dc0fb6a5778633389f4453213303da61f20bd67fc233aa33262"


def test_the_english_list_is_the_one_of_bip_39():
    text = (WORDLISTS / "english.txt").read_bytes()
    assert (
        hashlib.sha256(text).hexdigest() == "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
    )


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("count", [12, 15, 18, 21, 24, 20])
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
