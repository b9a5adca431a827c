"""Numbers as the admin's boards show them."""

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def percent(share: float) -> str:
    """0.953 as 95 %."""
    return f"{share * 100:.0f} %"


@register.filter
def seconds(milliseconds: float | None) -> str:
    """1400 as 1.4, in the reader's language; a dash for None."""
    return "–" if milliseconds is None else number_format(milliseconds / 1000, decimal_pos=1)


@register.filter
def grouped(number: int) -> str:
    """12345 as 12,345, in the reader's language."""
    return number_format(number, force_grouping=True)
