"""Gates of a report: sections, ending, citations, addresses, secrets; and figures that are not in the facts."""

import pytest

from audit.report.gates import links, secrets, sections

HEADINGS = ("Where you stand", "What to fix first", "What comes next")
WORDS = "These are enough words to count as a section of a report that somebody wrote."


# -- sections -------------------------------------------------------------------------------------------
def with_headings(*headings: str) -> str:
    return "\n\n".join(f"{heading}\n\n{WORDS}" for heading in headings)


@pytest.mark.parametrize(
    "style",
    [
        "## {}", "# {}", "#### {}", "**{}**", "**{}:**", "## **{}**", "__{}__", "{}", "{}:", "## 1. {}",
        "### 2) {}",
        "**3. {}**", "## 🔒 {}", "## {} 🚀", "{}\n=====", "> ## {}", "## {}: the short version", "## {} (42/100)",
        "## Section 1: {}", "##{}", "## II. {}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("change", [str, str.upper, str.lower])
def test_headings_are_found_however_they_are_set(style, change):
    assert (
        sections.required(HEADINGS)(with_headings(*(style.format(change(each)) for each in HEADINGS))) is None
    )


def test_accents_and_yo_do_not_matter():
    assert sections.required(["Qué viene después"])(with_headings("## Que viene despues")) is None
    assert sections.required(["Всё дальше"])(with_headings("## Все дальше")) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (WORDS, "section 1 is missing"),
        (with_headings("## Where you stand", "## What comes next"), "section 2 is missing"),
        (
            with_headings("## What to fix first", "## Where you stand", "## What comes next"),
            "section 2 is missing",
        ),
        (
            with_headings("## Where you stand", "## What to do first", "## What comes next"),
            "section 2 is missing",
        ),
        (
            f"{with_headings('## Where you stand', '## What to fix first')}\n\n## What comes next\n\n",
            "section 3 is empty",
        ),
        (
            f"## Where you stand\n\n## What to fix first\n\n{with_headings('## What comes next')}",
            "section 1 is empty",
        ),
        (f"{WORDS} Where you stand {WORDS}", "section 1 is missing"),
    ],
)
def test_missing_and_empty_sections_are_rejected(text, reason):
    assert sections.required(HEADINGS)(text) == reason


@pytest.mark.parametrize(
    "last",
    [
        "Do it today.", "Do it today!", "- Bookmark your exchange", "**Do it today.**", "- Do it today 🔒",
        "*Good luck.*",
        "| a | b |", "> Nobody honest asks for it.", "«Сделай это сегодня.»", "Check it [bybit-2025]",
    ],
)  # fmt: skip
def test_reports_that_end_pass(last):
    assert sections.finished()(f"{WORDS}\n\n{last}\n") is None


@pytest.mark.parametrize(
    "last",
    [
        "Then move the", "- Bookmark your exchange and", "Then move the coins to your new hardware wal",
        "## What comes next",
        "- **Revoke", "1. Open your exchange,", "- Проверь апрувы на", "- Revisa tus", "Check [bybit-20",
    ],
)  # fmt: skip
def test_reports_that_break_off_are_rejected(last):
    assert sections.finished()(f"{WORDS}\n\n- An item.\n- Another one.\n\n{last}") == "breaks off"


def test_an_item_without_an_end_is_fine_where_no_item_has_one():
    assert sections.finished()("- Buy a wallet\n- Write it down\n- Move the coins") is None
    assert sections.finished()("- Buy a wallet.\n- Write it down.\n- Move the coi") == "breaks off"


# -- addresses ------------------------------------------------------------------------------------------
ALLOWED = links.only(
    ["https://guardlabs.example", "https://www.coindesk.com/story"], "Tools: Revoke.cash, cow.fi"
)


@pytest.mark.parametrize(
    "text",
    [
        "Check approvals on Revoke.cash.", "See https://coindesk.com/other and https://guardlabs.example/en/.",
        "The domain cow.fi was taken.", "Trust Wallet 2.68 was bad.", "Set it e.g. at 2.5 ETH, i.e. little.",
        "Es segura.No la toques. Do it.So it is done.", "1,155 WBTC on May 3, 2024; 8.4 points",
        "Node.js is a runtime.",
        "Send 0.1 first.", "Use 12–24 h delays", "a@b", "EIP-7702, 2-of-3, 24/7, and/or",
    ],
)  # fmt: skip
def test_our_own_addresses_and_given_names_pass(text):
    assert ALLOWED(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Go to https://evil.example/now.", "See [here](http://wallet-check.app).",
        "Open ledger-verify.com today.",
        "Visit GUARDLABS-SUPPORT.COM", "https://coindesk.com@evil.io/", "https://coindesk.com.evil.io/",
        "https://evil.io\\@coindesk.com/", "ftp://coindesk.com/x", "javascript:alert(1)", "mailto:help@evil.io",
        "evil[.]com", "evil (dot) com", "evil dot com", "evil．com", "e\u200bvil.com", "кошелёк.рф",
        "Write to @guardlabs_help.", "Write to help@guardlabs.net", "t.me/guardlabs",
        "Call +1 (555) 010-7788 now",
        "Open 203.0.113.7 now", "Send it to 0x52908400098527886E0F7030069857D2E4169EE7.",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", '<img src="x">', "<script>", "hxxps://evil.example",
    ],
)  # fmt: skip
def test_other_addresses_are_rejected(text):
    assert ALLOWED(text)


# -- secrets --------------------------------------------------------------------------------------------
ASKS = [
    "Reply with your 12 words so that we can check them.",
    "Please enter your recovery phrase in the form below.",
    "Send us your seed phrase.", "Tell me your master password and I will rate it.",
    "To finish the audit, paste your private key here.", "What is your seed phrase?", "What are your 24 words?",
    "Type your seed phrase into our online checker to see if it leaked.",
    "Never share your seed phrase with anyone except our verification team.",
    "Find your recovery phrase. Then enter it in the form below.",
    "We need your private key to continue.", "Verify your wallet by submitting your mnemonic on the site.",
    "Import your seed into the browser extension to test it.",
    "Photograph the 24 words and e-mail them to our team.",
    "Confirm your password in this chat.", "Don't worry: share your seed phrase with our support team.",
    "To keep you safe, our engineers will ask you for the seed phrase; give it to them.",
    "Пришли нам свою сид-фразу, и мы её проверим.", "Введи сид-фразу в форму ниже.", "Назови мне свой пароль.",
    "Введи 12 слов на сайте, чтобы проверить бэкап.", "Для проверки нам нужна твоя сид-фраза.",
    "Никому не говори сид-фразу, кроме нашей поддержки.", "Вставь приватный ключ в поле проверки.",
    "Какая у тебя сид-фраза?", "Найди свою сид-фразу. Затем отправь её в этот чат.",
    "Envíanos tu frase semilla para revisarla.", "Introduce tu frase de recuperación en el formulario.",
    "Dinos tu contraseña para comprobarla.", "Escribe tus 12 palabras aquí abajo.",
    "¿Cuál es tu frase semilla?",
    "No la compartas con nadie, salvo con nuestro equipo de soporte: la frase semilla es delicada. "
    "Comparte tu frase semilla solo con nuestro equipo.",
    "Para validar la wallet, necesitamos tu clave privada.", "Pega tu clave privada en el sitio oficial.",
    "Responde con tus 24 palabras.", "Busca tu frase semilla. Luego pégala en el chat: escríbela en este chat.",
]  # fmt: skip
ADVISES = [
    "Never type your seed phrase into a site.",
    "Nobody honest will ever ask you for your seed phrase: not even we do.",
    "Don't type, photograph or share your seed phrase in any form.", "Write your seed phrase by hand on paper.",
    "Enter your recovery phrase only on the hardware wallet's own screen.",
    "Change your password on the exchange.",
    "Put a strong master password on Bitwarden and store the backup codes on paper.",
    "If someone asks you to enter your seed phrase on a site, close the page.",
    "Whoever asks you to send your private key is a thief.",
    "Never give anyone your 24 words, and no site needs them.",
    "Store the seed phrase offline, away from any app, chat or e-mail.",
    "Delete the seed phrase from your notes app and from the cloud.",
    "Create a new seed on a Trezor Safe 3 and write it down by hand.",
    "Victims entered their seed phrase on a fake site.", "We will never ask for your seed phrase.",
    "Test the backup: restore the wallet from the words on a spare device once.",
    "Use a different password for every site and turn on 2FA here first.",
    "Log in only from the bookmark, then type your password there.",
    "Tell a person you trust where the backup of the seed phrase is kept.",
    "Никогда не вводи сид-фразу на сайте.", "Никто честный не попросит у тебя сид-фразу: даже мы.",
    "Запиши сид-фразу от руки на бумаге.", "Не отправляй никому приватный ключ и не вводи его в приложении.",
    "Если кто-то просит ввести сид-фразу на сайте, это мошенник.", "Поменяй пароль на бирже и включи 2FA.",
    "Введи сид-фразу только на экране аппаратного кошелька.", "Мы никогда не попросим твою сид-фразу.",
    "Удали сид-фразу из заметок, почты и облака.", "Нигде не вводи 24 слова: ни на сайте, ни в чате.",
    "Nunca escribas tu frase semilla en un sitio.",
    "Nadie honesto te pedirá tu frase semilla: nosotros tampoco.",
    "Escribe tu frase semilla a mano, en papel o en metal.",
    "No compartas tu clave privada por chat ni por correo.",
    "Si alguien te pide la frase semilla en un formulario, es una estafa.",
    "Cambia la contraseña de tu exchange.",
    "Introduce la frase semilla solo en la pantalla del dispositivo.", "Nunca te pediremos tu frase semilla.",
    "Borra la frase semilla de tus notas y de la nube.",
]  # fmt: skip


@pytest.mark.parametrize("text", ASKS)
def test_a_request_for_a_secret_is_rejected(text):
    assert secrets.not_asked_for()(f"Some words.\n\n- {text}\n- More words.") == "asks for a secret"


@pytest.mark.parametrize("text", ADVISES)
def test_advice_about_secrets_passes(text):
    assert secrets.not_asked_for()(f"Some words.\n\n- {text}\n- More words.") is None
