"""The only place that makes HTML of Markdown. What comes in may be hostile; what goes out is safe.

Four walls, each enough for most attacks alone: raw HTML is text to our Markdown; every link that is not one of
ours becomes text; `nh3` rebuilds the page from a short list of tags; the site's CSP allows no inline script.
"""

import html
import logging
from collections.abc import Callable, Collection
from typing import Any

import bleach
import markdown as python_markdown
import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from audit import catalogue

log = logging.getLogger(__name__)

MAX_CHARS = 24_000
MAX_NESTING = 6  # of quotations; deeper ones cost time and mean nothing
REL = "nofollow noopener noreferrer"
TAGS = {
    "h2", "h3", "h4", "p", "br", "hr", "ul", "ol", "li", "strong", "em", "code", "pre", "blockquote", "a",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
HEADINGS = {"h1": "h2", "h5": "h4", "h6": "h4"}


def to_html(text: str, *, links: Collection[str] | None = None) -> SafeString:
    """The HTML of a report, whole or still being written. Only addresses in `links` stay links.

    Without `links`: the sources of our incidents (one query). A text over MAX_CHARS is cut there.
    """
    links = catalogue.source_urls() if links is None else links
    source = "\n".join(_shallow(line) for line in text[:MAX_CHARS].replace("\0", "").splitlines())
    try:
        page = bleach.linkify(_markdown(source), callbacks=[_only(links)], skip_tags={"pre", "code"})
    except (RecursionError, ValueError, IndexError, AssertionError):
        log.warning("a report could not be rendered and is shown as plain text")
        page = f"<pre>{escape(source)}</pre>"
    return mark_safe(_sanitise(page, links))  # noqa: S308 - nh3's output


def _markdown(source: str) -> str:
    converter = python_markdown.Markdown(extensions=["sane_lists", "tables"], output_format="html")
    converter.preprocessors.deregister("html_block")  # raw HTML is not interpreted, it is shown
    converter.inlinePatterns.deregister("html")
    page = converter.convert(source)
    for found, wanted in HEADINGS.items():
        page = page.replace(f"<{found}>", f"<{wanted}>").replace(f"</{found}>", f"</{wanted}>")
    return page


def _only(links: Collection[str]) -> Callable[..., Any]:
    """A callback of bleach: None makes a link plain text."""

    def callback(attrs: dict[Any, str], new: bool = False) -> dict[Any, str] | None:
        address = html.unescape(attrs.get((None, "href"), ""))
        return {**attrs, (None, "rel"): REL} if address in links else None

    return callback


def _sanitise(page: str, links: Collection[str]) -> str:
    def keep(tag: str, attribute: str, value: str) -> str | None:
        return value if value in links else None

    return nh3.clean(
        page,
        tags=TAGS,
        attributes={"a": {"href"}},
        attribute_filter=keep,
        url_schemes={"https"},
        link_rel=REL,
    )


def _shallow(line: str) -> str:
    """The line with at most MAX_NESTING levels of quotation or indentation."""
    stripped = line.lstrip("> \t")
    prefix = line[: len(line) - len(stripped)]
    if prefix.count(">") > MAX_NESTING:
        return ">" * MAX_NESTING + " " + stripped
    return line if len(prefix) <= 4 * MAX_NESTING else prefix[: 4 * MAX_NESTING] + stripped
