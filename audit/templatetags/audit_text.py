"""Numbers, times and links as templates write them, in the active language."""

from urllib.parse import urlsplit

from django import template

from audit import formats, presentation

register = template.Library()

register.filter("points_number", formats.number)
register.filter("duration", presentation.duration)
register.simple_tag(presentation.points, name="points")


@register.filter
def host(url: str) -> str:
    """The site behind an address, as a short name for its link."""
    return (urlsplit(url).hostname or url).removeprefix("www.")
