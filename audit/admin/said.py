"""Where a report speaks of an answer: anchors for staff who compare the one with the other."""

import re
from collections.abc import Mapping
from html import escape

from django.utils.safestring import SafeString, mark_safe


def marked(html: SafeString, titles: Mapping[str, str]) -> tuple[SafeString, frozenset[str]]:
    """The report's HTML with an anchor `said-<question>` where each weakness is first spoken of, and those questions.

    html: sanitised; titles: the weaknesses' titles by question, in the report's language. A weakness is spoken of by
    a link to its finding or by its title. Only text and known links are touched, so the HTML stays what it was.
    """
    said, text = set(), str(html)
    for question, title in titles.items():
        link = "(?<=<a )" + re.escape(f'href="#finding-{question}"')
        words = rf"{re.escape(escape(title.rstrip('.'), quote=False))}(?=[^<>]*(?:<|\Z))"
        anchor = f'id="said-{question}"'
        found = re.search(rf"(?P<link>{link})|(?P<words>{words})", text)
        if found is None:
            continue
        said.add(question)
        new = f"{anchor} {found[0]}" if found["link"] else f"<span {anchor}>{found[0]}</span>"
        text = text[: found.start()] + new + text[found.end() :]
    return mark_safe(text), frozenset(said)  # noqa: S308 - ids of ours in what was safe
