"""Numbers, times and links as templates write them, in the active language."""

from decimal import Decimal
from urllib.parse import urlsplit

from django import template
from django.utils.translation import ngettext

from audit import formats, presentation

register = template.Library()

register.filter("points_number", formats.number)
register.filter("duration", presentation.duration)


@register.simple_tag
def points(amount: Decimal) -> str:
    """`1 point`, `14 points`, `8.4 points`; fractions take the form that follows 2 ("8,4 балла")."""
    count = int(amount) if amount == int(amount) else 2
    return ngettext("%(points)s point", "%(points)s points", count) % {"points": formats.number(amount)}


@register.filter
def host(url: str) -> str:
    """The site behind an address, as a short name for its link."""
    return (urlsplit(url).hostname or url).removeprefix("www.")
