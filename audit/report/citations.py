"""Ids of cases in a model's text, `[bybit-2025]`, made into numbered footnotes.

A model only ever names a case; date, loss and addresses come from our own data.
"""

import re
from collections.abc import Collection, Iterable

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from audit.report.template import plain, sources
from audit.scans.findings import Case

# Every repeat has an end or takes what it can for good (`++`), so that no text of a model is looked at twice.
SLUG = r"(?<![a-z0-9])[a-z0-9]++(?:-[a-z0-9]++)++"
SEVERAL = rf"{SLUG}(?:(?:\s{{0,3}}[,;]\s{{0,3}}|\s{{1,3}})[`*]{{0,4}}{SLUG}){{0,30}}"
# As models write ids: [id], [[id]], 【id】, (id), `id`, **id**, several at once, or in the middle of a sentence.
MARK = re.compile(
    rf"\s?(?:(?P<open>\[\[?|【|\()[`*]{{0,4}}(?P<ids>{SEVERAL})[`*]{{0,4}}(?:\]\]?|】|\))"
    r"(?P<link>\([^()\s]{0,500}\))?"
    rf"|(?<![\w/.@-])[`*]{{0,4}}(?P<bare>{SLUG})(?![\w@-])[`*]{{0,4}})",
    re.IGNORECASE,
)
YEAR = re.compile(r"-(?:19|20)\d\d\Z")
NUMBER = re.compile(r"[\[【]\^?\d{1,3}[\]】†]")
HYPHENS = str.maketrans("\u2010\u2011", "--")  # some models prefer them to the plain one


def with_sources(text: str, cases: Iterable[Case]) -> str:
    """The text with a numbered link for each known id, unknown ids removed, and the cited cases listed below.

    In the active language. Works on a text that is still being written.
    """
    known = {case.slug: case for case in cases}
    pages = {slug: _page(case) for slug, case in known.items()}
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        slugs = _slugs(match)
        if not any(looks_like_id(slug, known) for slug in slugs):
            return match[0]  # "[2-of-3]" is no citation
        marks = []
        for slug in slugs:
            if slug in known:
                place = numbers.setdefault(slug, len(numbers) + 1)
                marks.append(f" [\\[{place}\\]](<{pages[slug]}>)" if pages[slug] else f" [{place}]")
        return "".join(marks)

    body = MARK.sub(number, text.translate(HYPHENS)).rstrip()
    if not numbers:
        return body + "\n"
    heading = _("Cases and sources")
    entries = [f"{place}. {_entry(known[slug], pages[slug])}" for slug, place in numbers.items()]
    return "\n\n".join([body, f"## {heading}", "\n".join(entries)]) + "\n"


def cited(text: str, known: Collection[str]) -> tuple[set[str], set[str]]:
    """The ids of `known` that the text names, and those that it names but are not among them."""
    named, unknown = set[str](), set[str]()
    for match in MARK.finditer(text.translate(HYPHENS)):
        for slug in _slugs(match):
            if slug in known:
                named.add(slug)
            elif YEAR.search(slug) or ((match["open"] or "(") != "(" and slug[0].isalpha()):
                unknown.add(slug)
    return named, unknown


def looks_like_id(slug: str, known: Collection[str]) -> bool:
    """Whether this is one of our ids or made up after their pattern, which ends in a year."""
    return slug in known or YEAR.search(slug) is not None


def _slugs(match: re.Match[str]) -> list[str]:
    return re.findall(SLUG, (match["ids"] or match["bare"]).lower())


def _page(case: Case) -> str:
    """Our own page of the case, without host; where there is none, its first source."""
    try:
        return reverse("audit:incident", kwargs={"slug": case.slug})
    except NoReverseMatch:
        return next(iter(case.sources), "")


def _entry(case: Case, page: str) -> str:
    name = f"**[{plain(case.name)}](<{page}>)**" if page else f"**{plain(case.name)}**"
    facts = f" ({case.facts})" if case.facts else ""
    return f"{name}{facts}. {plain(case.note)} {sources(case)}".replace("  ", " ").rstrip()
