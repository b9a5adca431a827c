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
    """The cells of a row, each with the name of its column as `data-label`. They are Django's own, and safe."""
    for cell, header in zip(cells, headers, strict=False):
        label = str(header.get("text", ""))
        if label.startswith("<"):  # the box that ticks all rows
            yield mark_safe(cell)  # noqa: S308  # as Django made it
        else:
            named = format_html('<td data-label="{}" ', capfirst(label))
            yield mark_safe(cell.replace("<td ", named, 1))  # noqa: S308
