"""What a written report must be before anyone sees it.

Each module knows one concern. Gates are plain functions, composed here and handed to the chain by report.py.
"""

from django.conf import settings

from audit.report.gates import (
    address,
    advice,
    claims,
    figures,
    links,
    markup,
    matter,
    secrets,
    sections,
    shape,
)
from audit.report.gates.given import Given, given
from audit.report.gates.words import names
from llm.chain import gates

__all__ = ["Given", "given", "report"]

MIN_CHARS = 400
MAX_CHARS = 8_000


def report(held: Given) -> dict[str, gates.Gate]:
    """The gates of a report, by name, in the order in which they are asked; `held`: what its prompt gave."""
    return {
        "length": gates.between(MIN_CHARS, MAX_CHARS),
        **content(held),
        "sections": sections.required(held.headings),
        "ending": sections.finished(),
        "slots": shape.known_slots(held),
        "plan": shape.plan(held),
        "shape": shape.lengths(held),
        "repeats": shape.said_once(),
    }


def content(held: Given) -> dict[str, gates.Gate]:
    """Those that judge what is said, so that they hold for the first half of a text as well."""
    return {
        "markup": markup.only_prose(held),
        "refusal": gates.no_refusal(),
        "language": gates.language(held.lang),
        "address": address.informal(held),
        "links": links.only([settings.SITE_URL], held.words),
        "secrets": secrets.not_asked_for(),
        "advice": advice.by_reference(held),
        "matter": matter.in_slots(held),
        "figures": figures.only_counts(held),
        "names": names.only_given(held),
        "promises": claims.nothing_promised(held),
        "reader": claims.true_of_reader(held),
        "cases": claims.true_of_cases(held),
    }
