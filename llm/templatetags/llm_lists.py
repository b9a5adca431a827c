"""Lists that can be read on a phone."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

register = template.Library()


@register.filter
def labelled(cells: Iterable[str], headers: Iterable[dict[str, Any]]) -> Iterator[SafeString]:
    """The cells of a row, each after a cell with the name of its column, which wide screens do not show."""
    for cell, header in zip(cells, headers, strict=False):
        label = str(header.get("text", ""))
        if cell.startswith("<td ") and not label.startswith("<"):  # the box that ticks all rows has no name
            yield format_html('<td class="cell-name">{}</td>', capfirst(label))
        yield mark_safe(cell)  # noqa: S308  # as Django made it
