"""Numbers, times and links as templates write them, in the active language."""

import re
from datetime import datetime
from urllib.parse import urlsplit

from django import template
from django.contrib.staticfiles import finders
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from audit import formats

register = template.Library()

register.filter("points_number", formats.number)
register.filter("known_day", formats.day)
register.filter("duration", formats.duration)
register.simple_tag(formats.points, name="points")


@register.simple_tag
def preview_image() -> str:
    """The picture that goes with shared links, in the active language; English where there is none yet."""
    name = f"audit/previews/{get_language()}.png"
    return static(name if finders.find(name) else "audit/previews/en.png")


@register.simple_tag
def icon(name: str) -> SafeString:
    """A line icon of `icons.svg`, as large as the text beside it. It says nothing to screen readers."""
    return format_html(
        '<svg class="icon" width="20" height="20" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        static("audit/icons.svg"),
        name,
    )


NUMBER = re.compile(
    r"(?<=\d) (?=\d{3}(?!\d)|(?:тыс|млн|млрд|mil|millón|millones|billion|million|USD|USDT|BTC|ETH)\b|[$€%])"
)


@register.filter
def glue(text: object) -> str:
    """The text with figures that stay on one line: no break between digits, or between a figure and its unit."""
    return NUMBER.sub("\u00a0", str(text)).replace(" de USD", "\u00a0de\u00a0USD")


@register.filter
def day(moment: datetime) -> str:
    """The day of a moment (UTC): `November 28, 2026`, `28 ноября 2026`; made to stand inside a sentence."""
    return formats.day(moment.date().isoformat())


@register.filter
def host(url: str) -> str:
    """The site behind an address, as a short name for its link."""
    return (urlsplit(url).hostname or url).removeprefix("www.")


class Remember(template.Node):
    """What stands between the tags, shown there and kept under a name for later in the page."""

    def __init__(self, name: FilterExpression, inside: NodeList) -> None:
        self.name = name
        self.nodelist = inside

    def render(self, context: Context) -> SafeString:
        text = mark_safe(self.nodelist.render(context).strip())  # noqa: S308 - the template's own output
        context[self.name.resolve(context)] = text
        return text


@register.tag
def remember(parser: Parser, token: Token) -> Remember:
    """`{% remember "title" %}…{% endremember %}`: a block cannot be used twice, a variable can."""
    _tag, name = token.split_contents()
    inside = parser.parse(("endremember",))
    parser.delete_first_token()
    return Remember(parser.compile_filter(name), inside)
