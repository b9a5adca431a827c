"""What a written report must be before anyone sees it, and what staff should look at if it is.

Each module knows one concern. Gates are plain functions, composed here and handed to the chain by report.py.
"""

from collections.abc import Sequence

from django.conf import settings

from audit.report.gates import citing, links, secrets, sections
from audit.report.gates.figures import unfounded
from audit.scans.findings import Case
from llm.chain import gates

__all__ = ["report", "unfounded"]

MIN_CHARS = 400


def report(
    lang: str, *, headings: Sequence[str], cases: Sequence[Case], words: str = ""
) -> dict[str, gates.Gate]:
    """The gates of a report, by name, in the order in which they are asked.

    headings: the sections it must have; cases: the incidents that were given; words: the prompt and our
    tools, which may be named even where their name is a domain (Revoke.cash).
    """
    sources = [url for case in cases for url in case.sources]
    return {
        "length": gates.at_least(MIN_CHARS),
        "refusal": gates.no_refusal(),
        "language": gates.language(lang),
        "sections": sections.required(headings),
        "ending": sections.finished(),
        "citations": citing.only([case.slug for case in cases]),
        "links": links.only([settings.SITE_URL, *sources], words),
        "secrets": secrets.not_asked_for(),
    }
