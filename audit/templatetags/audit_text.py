"""Numbers, times and links as templates write them, in the active language."""

from urllib.parse import urlsplit

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.utils.safestring import SafeString, mark_safe

from audit import formats

register = template.Library()

register.filter("points_number", formats.number)
register.filter("duration", formats.duration)
register.simple_tag(formats.points, name="points")


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
