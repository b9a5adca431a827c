"""A report that is still being written looks like its final version cut short, at every single character."""

import re

import pytest

from audit.report.text import drafts, render
from tests import report_texts
from tests.test_render import LINKS, PAYLOADS, Reader, assert_harmless
from tests.xss_payloads import OURS

REPORTS = {
    "en": report_texts.EN,
    "ru": report_texts.RU,
    "es": report_texts.ES,
    "dense": f"""# Title

A *first* line with **bold and *nested* words**, `code **here**` and a [source]({OURS}).
It goes on with __strong__, _soft_ and cloud_notes_too, 2 * 3, a \\* star and [bybit-2025].

- one
- **two**: then [words]({OURS}) and more
1. first
12. twelfth

> Quoted **words**
> in two lines

---

### The end

Last words, 100 % *done*.
""",
}


def words(text: str) -> str:
    read = Reader(str(render.to_html(text, links=LINKS)))
    return re.sub(r"\s+", "", "".join(read.words))


@pytest.mark.parametrize("name", REPORTS)
def test_every_beginning_reads_like_the_beginning_of_the_whole(name):
    whole = REPORTS[name]
    final = words(whole)
    step = 1 if name == "dense" else 7
    for end in range(0, len(whole), step):
        shown = words(drafts.settled(whole[:end]))
        assert final.startswith(shown), whole[max(0, end - 60) : end]


def test_nothing_is_held_back_for_long():
    whole = re.sub(r" \[[a-z0-9-]+\]", "", REPORTS["en"])  # half a link waits for its end
    for end in range(0, len(whole), 5):
        assert len(words(whole[:end])) - len(words(drafts.settled(whole[:end]))) <= 8


@pytest.mark.parametrize(
    ("draft", "shown"),
    [
        ("**Move the", "**Move the**"),
        ("Use `seed", "Use `seed`"),
        ("Text\n\n##", "Text"),
        ("Text\n--", "Text"),
        ("Text\n\n1", "Text"),
        ("See [the ca", "See "),
        ("See [the case](https://exa", "See "),
        ("A case {cas", "A case "),
        ("A case {case:1", "A case "),
        ("A case {case:1} shows", "A case {case:1} shows"),
        ("over\n\n**never closed\n\nnext *one", "over\n\n**never closed\n\nnext *one*"),
        ("", ""),
    ],
)
def test_what_is_not_finished_is_finished_or_left_out(draft, shown):
    assert drafts.settled(draft).strip() == shown.strip()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_is_harmless_wherever_it_is_cut(payload):
    text = f"## Report\n\nGood **words {payload}"
    for end in range(15, len(text) + 1, 5):
        assert_harmless(str(render.to_html(drafts.settled(text[:end]), links=LINKS)))


@pytest.mark.parametrize("unit", ["[", "*", "**a ", "`", "[a](", "_", "\\", "\n", "> ", "[a-2025", "# \n"])
def test_no_text_takes_long(unit):
    """Quadratic work on 24,000 characters would be seen here as minutes."""
    drafts.settled(unit * (24_000 // len(unit)))
