"""What a written report must be before anyone sees it.

Each module knows one concern. Gates are plain functions, composed here and handed to the chain by report.py.
"""

from django.conf import settings

from audit.report.gates import figures, form, links, markup, sections, voice
from audit.report.gates.given import Given, given
from audit.report.gates.words import names
from llm.chain import gates

__all__ = ["Given", "given", "report"]

MIN_CHARS = 400
MAX_CHARS = 8_000


def report(held: Given) -> dict[str, gates.Gate]:
    """The gates of a report, by name, in the order in which they are asked; `held`: what its prompt gave."""
    whole = {
        "sections": sections.required(held.headings),
        "plan": form.plan(held),
        "whole": form.whole(held),
    }
    return {
        "length": gates.between(MIN_CHARS, MAX_CHARS),
        **content(held),
        **(whole if held.headings else {}),
        "ending": sections.finished(),
        "repeats": form.said_once(),
    }


def content(held: Given) -> dict[str, gates.Gate]:
    """Those that judge what is said, so that they hold for the first half of a text as well.

    A prompt of an earlier version gives no form: its answers are held to what every text must keep.
    """
    formed = {
        "slots": form.known_slots(held),
        "form": form.small_words(held),
        "voice": voice.of_a_thief(held),
    }
    return {
        "markup": markup.only_prose(held),
        "refusal": gates.no_refusal(),
        "language": gates.language(held.lang),
        "links": links.only([settings.SITE_URL], held.words),
        "figures": figures.only_counts(held),
        "names": names.only_given(held),
        **(formed if held.headings else {}),
    }
