"""Markdown to HTML: what a model or a forger writes can mark text up, and nothing else."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.bank.findings import details
from audit.report.text import render
from audit.report.text import template as template_report
from tests.factories import load_bank, make_scan
from tests.xss_payloads import OURS, payloads

LINKS = frozenset({OURS, "https://example.org/?a=1&b=2"})
PAYLOADS = payloads()


class Reader(HTMLParser):
    """Collects tags, attributes and text as a browser would read them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.other: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        self.other.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def html(text: str) -> str:
    return str(render.to_html(text, links=LINKS))


def assert_harmless(page: str) -> Reader:
    read = Reader(page)
    assert not read.other
    for tag, attributes in read.tags:
        assert tag in render.TAGS, page
        if tag == "a":
            assert set(attributes) == {"href", "rel"}, page
            assert attributes["href"] in LINKS
            assert attributes["rel"] == render.REL
        else:
            assert not attributes, page
    return read


def test_there_are_enough_payloads():
    assert len(PAYLOADS) >= 120


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_does_nothing(payload):
    assert_harmless(html(payload))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_does_nothing_within_a_report(payload):
    page = html(f"## Start\n\nBefore **it** [ok]({OURS}).\n\n{payload}\n\n- after\n- it\n\n[ok]({OURS})")
    read = assert_harmless(page)
    assert "Before " in read.words


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_does_nothing_at_any_cut(payload):
    for end in range(0, len(payload), 3):
        assert_harmless(html(f"- {payload[:end]}"))


@given(st.lists(st.sampled_from(PAYLOADS), max_size=4), st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_no_mixture_of_payloads_does_anything(chosen, filler):
    assert_harmless(html(filler.join(chosen)))


@given(st.text(alphabet="<>[]()!*_`#|-\\/\"'&;:=\n\t ahref1script.", max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_soup_of_punctuation_does_anything(text):
    assert_harmless(html(text))


# -- what must work -----------------------------------------------------------------------------------
def test_a_report_keeps_its_structure():
    page = html(
        "## Head\n\n**bold** *soft* `code`\n\n1. one\n2. two\n\n> quoted\n\n### Sub\n\n---\n\n- a\n- b"
    )
    tags = " ".join(tag for tag, _ in Reader(page).tags)
    assert tags == "h2 p strong em code ol li li blockquote p h3 hr ul li li"


def test_headings_stay_below_the_pages_own():
    assert html("# One\n\n##### Five") == "<h2>One</h2>\n<h4>Five</h4>"


def test_our_own_sources_are_links_without_credit():
    assert html(f"[source]({OURS})") == f'<p><a href="{OURS}" rel="{render.REL}">source</a></p>'
    assert html("[x](<https://example.org/?a=1&b=2>)") == (
        f'<p><a href="https://example.org/?a=1&amp;b=2" rel="{render.REL}">x</a></p>'
    )


def test_a_bare_address_of_ours_becomes_a_link():
    assert f'href="{OURS}"' in html(f"See {OURS} for it.")


@pytest.mark.parametrize(
    "text", ["[a bank](https://evil.example/)", "<https://evil.example/>", "https://evil.example/"]
)
def test_other_addresses_become_plain_text(text):
    page = html(text)
    assert "<a" not in page
    assert "a bank" in page or "evil.example" in page


def test_images_are_not_loaded():
    assert "<img" not in html(f"![x]({OURS})")


def test_raw_html_is_shown_as_text():
    assert "<b>not bold</b>" in "".join(Reader(html("<b>not bold</b>")).words)


def test_a_text_that_is_still_arriving_is_shown():
    whole = f"## Head\n\nSome **bold** text with [a source]({OURS}).\n\n1. one\n2. two\n"
    for end in range(len(whole) + 1):
        assert_harmless(html(whole[:end]))
    assert "Some" in html("## Head\n\nSome **bo")


def test_empty_text_is_empty():
    assert html("") == ""


def test_long_texts_are_cut():
    assert len(html("word " * 50_000)) <= render.MAX_CHARS + 100


@pytest.mark.parametrize(
    "text",
    ["[" * 20_000, "*" * 20_000, ">" * 20_000, "> " * 10_000, "- " * 10_000, "`" * 20_000, "(" * 20_000, "![" * 10_000,
     "[a](" * 5_000, "&" * 20_000, "<" * 20_000, "_a" * 10_000, "\n" * 20_000, ("    " * 20 + "- x\n") * 200,
     "".join("  " * depth + "- x\n" for depth in range(100)), "|" * 20_000, "a.b" * 7_000, "\\" * 20_000,
     "a-b." * 6_000, "(a" * 10_000, "# x\n" * 6_000, "a\n---\n" * 4_000, "***a" * 6_000, "[(" * 10_000,
     "**a" * 6_000, "[x]: y\n" * 3_000, "<!--" * 5_000, "http://" * 3_000, "1. " * 6_000],
    ids=lambda text: repr(text[:6]),
)  # fmt: skip
def test_pathological_texts_neither_fail_nor_stall(text):
    started = time.process_time()
    assert_harmless(html(text))
    assert time.process_time() - started < 30


@pytest.mark.django_db
@pytest.mark.parametrize("lang", ["en", "ru", "es"])
def test_a_template_report_survives_rendering_with_its_sources(lang):
    from django.utils import translation

    load_bank()
    with translation.override(lang):
        facts = details(make_scan("worst", lang=lang))
        page = str(render.to_html(template_report.write(facts)))
    read = Reader(page)
    links = [attributes["href"] for tag, attributes in read.tags if tag == "a"]
    assert len(links) >= 10
    assert {tag for tag, _ in read.tags} >= {"h2", "ul", "ol", "li", "strong", "a"}
    assert not [word for word in read.words if "](" in word or "**" in word]


def test_headings_begin_one_below_the_one_that_they_stand_under():
    text = "# Report\n\n## Part\n\n### Detail\n\nWords."
    assert re.findall(r"<(h\d)>", render.to_html(text, links=())) == ["h2", "h2", "h3"]
    deeper = render.to_html(text, links=(), below=2)
    assert re.findall(r"<(h\d)>", deeper) == re.findall(r"</(h\d)>", deeper) == ["h3", "h3", "h4"]
