"""How a report names a case of ours: name, date and loss from our own data, with our page and the sources."""

import re
from collections.abc import Sequence

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.bank.findings import Case
from audit.bank.sources import cited

SPECIAL = re.compile(r"[\\`*_\[\]#]")
ENTITY = re.compile(r"&(?=#?\w+;)")


def plain(text: str) -> str:
    """A text of the bank so that Markdown shows it as it is."""
    escaped = SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))
    return ENTITY.sub("&amp;", escaped).replace("<", "&lt;")


def named(case: Case) -> str:
    """The case in the middle of a sentence: its name as a link to our page, date and loss."""
    facts = f" ({case.facts})" if case.facts else ""
    return f"{_linked(case, plain(case.name))}{facts}"


def again(case: Case) -> str:
    """The case where it was named before: its name alone."""
    return _linked(case, plain(case.name))


def sources(case: Case) -> str:
    """`Source: [publisher](<address>).` for the sources of a case, the primary ones first; empty without any."""
    links = ", ".join(f"[{plain(each.publisher)}](<{each.url}>)" for each in cited(case.sources))
    if not links:
        return ""
    return ngettext("Source: %(links)s.", "Sources: %(links)s.", len(case.sources)) % {"links": links}


def listed(cases: Sequence[Case]) -> str:
    """What happened in each of these cases and what the figures are not, with the sources; empty without any."""
    if not cases:
        return ""
    entries = [f"{place}. {_entry(case)}" for place, case in enumerate(cases, start=1)]
    heading = _("Cases and sources")
    return f"## {heading}\n\n" + "\n".join(entries)


def _entry(case: Case) -> str:
    facts = f" ({case.facts})" if case.facts else ""
    told = (
        f"**{_linked(case, plain(case.name))}**{facts}.",
        plain(case.what_happened),
        plain(case.note),
        sources(case),
    )
    return " ".join(filter(None, told))


def _linked(case: Case, words: str) -> str:
    page = _page(case)
    return f"[{words}](<{page}>)" if page else words


def _page(case: Case) -> str:
    """Our own page of the case, without host; where there is none, its first source."""
    try:
        return reverse("audit:incident", kwargs={"slug": case.slug})
    except NoReverseMatch:
        return next(iter(case.sources), "")
