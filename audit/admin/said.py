"""Where a report speaks of an answer: anchors for staff who compare the one with the other."""

from collections.abc import Mapping
from html import escape

from django.utils.safestring import SafeString, mark_safe

LINK = '<a href="#finding-{}"'


def marked(html: str, titles: Mapping[str, str]) -> tuple[SafeString, frozenset[str]]:
    """The report's HTML with an anchor `said-<question>` where each weakness is first spoken of, and those questions.

    html: sanitised; titles: the weaknesses' titles by question, in the report's language. A weakness is spoken of by
    a link to its finding or by its title. Only text and known links are touched, so the HTML stays what it was.
    """
    said, text = set(), str(html)
    for question, title in titles.items():
        anchor, words = f'id="said-{question}"', escape(title.rstrip("."), quote=False)
        link, place = text.find(LINK.format(question)), _in_text(text, words)
        if link >= 0 and (place < 0 or link < place):
            text = f"{text[:link]}<a {anchor}{text[link + 2 :]}"
        elif place >= 0:
            text = f"{text[:place]}<span {anchor}>{words}</span>{text[place + len(words) :]}"
        else:
            continue
        said.add(question)
    return mark_safe(text), frozenset(said)  # noqa: S308 - ids of ours in what was safe


def _in_text(html: str, words: str) -> int:
    """Where these words first stand outside of tags; -1: nowhere."""
    place = html.find(words)
    while place >= 0 and html.rfind("<", 0, place) > html.rfind(">", 0, place):
        place = html.find(words, place + 1)
    return place
