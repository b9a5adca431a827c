"""Gates of a report: sections, ending, addresses."""

import pytest

from audit.report.gates import links, sections

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
