"""Ids of cases in a model's text, `[bybit-2025]`, made into numbered references with sources at the end.

A model only ever names a case; date, loss and addresses come from our own data.
"""

import re
from collections.abc import Iterable

from django.utils.translation import gettext as _

from audit.details import Case
from audit.template_report import plain, sources

SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)+"
CITATION = re.compile(rf"\s?\[({SLUG}(?:[,;]?\s+{SLUG})*)\](?!\()")


def with_sources(text: str, cases: Iterable[Case]) -> str:
    """The text with a number for each known id, unknown ids removed, and the cited cases listed below.

    In the active language. Works on a text that is still being written.
    """
    known = {case.slug: case for case in cases}
    cited: dict[str, int] = {}

    def numbers(match: re.Match[str]) -> str:
        slugs = re.findall(SLUG, match[1])
        if not any(looks_like_id(slug, known) for slug in slugs):
            return match[0]  # "[2-of-3]" is no citation
        places = [cited.setdefault(slug, len(cited) + 1) for slug in slugs if slug in known]
        return "".join(f" [{place}]" for place in places)

    body = CITATION.sub(numbers, text).rstrip()
    if not cited:
        return body + "\n"
    heading = _("Cases and sources")
    entries = [f"{place}. {_entry(known[slug])}" for slug, place in cited.items()]
    return "\n\n".join([body, f"## {heading}", "\n".join(entries)]) + "\n"


def looks_like_id(slug: str, known: Iterable[str]) -> bool:
    """Whether this is one of our ids or made up after their pattern, which ends in a year."""
    return slug in known or re.search(r"-20\d\d$", slug) is not None


def _entry(case: Case) -> str:
    facts = f" ({case.facts})" if case.facts else ""
    return f"**{plain(case.name)}**{facts}. {plain(case.note)} {sources(case)}".replace("  ", " ").rstrip()
