"""The only place that makes HTML of Markdown. What comes in may be hostile; what goes out is safe.

Four walls, each enough for most attacks alone: raw HTML is text to our Markdown; every link that is not one of
ours becomes text; `nh3` rebuilds the page from a short list of tags; the site's CSP allows no inline script.
"""

import html
import logging
import re
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

import bleach
import markdown as python_markdown
import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from audit.bank import catalogue

log = logging.getLogger(__name__)

MAX_CHARS = 24_000
MAX_NESTING = 6  # of quotations; deeper ones cost time and mean nothing
REL = "nofollow noopener noreferrer"
TAGS = {
    "h2", "h3", "h4", "p", "br", "hr", "ul", "ol", "li", "strong", "em", "code", "pre", "blockquote", "a",
}  # fmt: skip
MAX_RUN = 40  # of one punctuation mark
RUN = re.compile(r"([^\w\s])\1{40,}")
LONG_WORD = re.compile(r"(\S{300})\S+")  # longer than any of our links
LINK = re.compile(
    r"!?\[(?P<words>\\\[\d{1,3}\\\]|[^\[\]]{0,300})\]\((?:<(?P<angled>[^<>\s]{1,500})>|(?P<bare>[^()<>\s]{1,500}))\)"
)
OWN_PAGE = re.compile(r"/[a-z]{2,3}(?:-[a-z]{2,4})?/incidents/[a-z0-9-]{1,60}/|#finding-[a-z0-9_]{1,40}")
ANGLE = re.compile(r"<(?:(?P<url>https://[^<>\s]{1,500})>)?")
TARGET = re.compile(r"\]\(<?(?P<url>[^()<>\s]*)")
BRACKET = re.compile(r"(?<!\\)\[")
DEEPER = re.compile(r"(</?)h([2-4])>")
HEADINGS = {"h1": "h2", "h5": "h4", "h6": "h4"}


def to_html(text: str, *, links: Collection[str] | None = None, below: int = 1) -> SafeString:
    """The HTML of a report, whole or still being written. Only addresses in `links` and our
    pages of incidents stay links.

    below: the level of the heading that it stands under, 1 or 2; its own begin one deeper.
    Without `links`: the sources of our incidents (one query). A text over MAX_CHARS is cut there.
    """
    return _html(text, catalogue.source_urls() if links is None else frozenset(links), below)


@lru_cache(maxsize=64)
def _html(text: str, links: frozenset[str], below: int) -> SafeString:
    source = "\n".join(_tame(line, links) for line in text[:MAX_CHARS].replace("\0", "").splitlines())
    try:
        page = bleach.linkify(_markdown(source), callbacks=[_only(links)], skip_tags={"pre", "code"})
    except (RecursionError, ValueError, IndexError, AssertionError):
        log.warning("a report could not be rendered and is shown as plain text")
        page = f"<pre>{escape(source)}</pre>"
    page = DEEPER.sub(lambda tag: f"{tag[1]}h{int(tag[2]) + below - 1}>", _sanitise(page, links))
    return mark_safe(page)  # noqa: S308 - nh3's output, with deeper headings


def to_markdown(text: str) -> str:
    """The same text as Markdown that is safe to open elsewhere: no HTML, no image, only our links (one query)."""
    links = catalogue.source_urls()
    source = "\n".join(_tame(line, links) for line in text[:MAX_CHARS].replace("\0", "").splitlines())
    source = ANGLE.sub(lambda angle: angle[0] if angle["url"] in links else "&lt;" + angle[0][1:], source)
    # A bracket behind two backslashes is a link again: with a space after it, it never is.
    return TARGET.sub(lambda end: end[0] if end["url"] in links else "] " + end[0][1:], source)


def _markdown(source: str) -> str:
    converter = python_markdown.Markdown(extensions=["sane_lists"], output_format="html")
    converter.preprocessors.deregister("html_block")  # raw HTML is not interpreted, it is shown
    converter.inlinePatterns.deregister("html")
    page = converter.convert(source)
    for found, wanted in HEADINGS.items():
        page = page.replace(f"<{found}>", f"<{wanted}>").replace(f"</{found}>", f"</{wanted}>")
    return page


def _leads(address: str, links: Collection[str]) -> bool:
    """Whether a report may lead its reader there."""
    return address in links or OWN_PAGE.fullmatch(address) is not None


def _only(links: Collection[str]) -> Callable[..., Any]:
    """A callback of bleach: None makes a link plain text."""

    def callback(attrs: dict[Any, str], new: bool = False) -> dict[Any, str] | None:
        address = html.unescape(attrs.get((None, "href"), ""))
        return {"_text": attrs["_text"], (None, "href"): address} if _leads(address, links) else None

    return callback


def _sanitise(page: str, links: Collection[str]) -> str:
    def keep(tag: str, attribute: str, value: str) -> str | None:
        return value if attribute == "rel" or _leads(value, links) else None

    return nh3.clean(
        page,
        tags=TAGS,
        attributes={"a": {"href"}},
        attribute_filter=keep,
        url_schemes={"https"},
        link_rel=REL,
    )


def _tame(line: str, links: Collection[str]) -> str:
    """The line without what makes Markdown parsers slow: deep nesting, endless words, brackets that link nothing."""
    stripped = line.lstrip("> \t")
    prefix = line[: len(line) - len(stripped)]
    if prefix.count(">") > MAX_NESTING:
        prefix = ">" * MAX_NESTING + " "
    rest = LONG_WORD.sub(r"\1…", RUN.sub(lambda run: run[0][:MAX_RUN], stripped))
    return prefix[: 4 * MAX_NESTING] + _only_our_brackets(rest, links)


def _only_our_brackets(line: str, links: Collection[str]) -> str:
    """Links that are not ours as their words alone; every other opening bracket escaped."""
    done, end = [], 0
    for link in LINK.finditer(line):
        done.append(_escape_brackets(line[end : link.start()]))
        ours = _leads(link["angled"] or link["bare"], links)
        done.append(link[0].lstrip("!") if ours else _escape_brackets(link["words"]))
        end = link.end()
    return "".join([*done, _escape_brackets(line[end:])])


def _escape_brackets(text: str) -> str:
    return BRACKET.sub(r"\\[", text)
