"""Which filters a list takes from its address. One mechanism for every list of the admin.

Django lets whoever may open a list filter it by any column, and so read, letter by letter
(`?text__startswith=a`), what the list does not show.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

DATE_PARTS = ("year", "month", "day")
MOMENTS = ("gte", "gt", "lte", "lt", *DATE_PARTS)
MAX_YEAR = 9998  # the year after it is asked for, too


def where(queryset: QuerySet[Any], column: str, value: str | None) -> QuerySet[Any]:
    """The rows with this value of an address in a column; all without a value, and none where the column takes no such
    value: infinity, say, which a Decimal may be and no database can compare."""
    if not value:
        return queryset
    try:
        return queryset.filter(**{column: queryset.model._meta.get_field(column).clean(value, None)})
    except ValidationError:
        return queryset.none()


class AllowedLookups:
    """Mix-in of a ModelAdmin: a list is filtered by its own filters and by `lookups`, and by nothing else.

    lookups: columns beside those of list_filter and date_hierarchy that our own links filter by, exactly. The
    list or its rows' pages show them.
    """

    lookups: Sequence[str] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        part = lookup.rpartition("__")[2]
        if part in DATE_PARTS and not (value.isdecimal() and 1 <= int(value[:5]) <= MAX_YEAR):
            return False  # the list of dates would break over it
        return lookup in set(self._allowed(request))

    def _allowed(self: Any, request: HttpRequest | None) -> Iterator[str]:
        for name in self.lookups:
            yield from (name, f"{name}__exact")
        if self.date_hierarchy:
            yield from (f"{self.date_hierarchy}__{part}" for part in MOMENTS)
        for each in self.get_list_filter(request):
            if isinstance(each, type) and issubclass(each, SimpleListFilter):
                yield each.parameter_name or ""
                continue
            name = each[0] if isinstance(each, list | tuple) else each
            yield from (name, f"{name}__exact", f"{name}__isnull")
            field = self.opts.get_field(name) if "__" not in name else None
            if field is not None and field.is_relation:
                yield f"{name}__id__exact"
            elif field is not None and "Date" in field.get_internal_type():
                yield from (f"{name}__{part}" for part in MOMENTS)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """`?_to_field=` names no column, and means the usual one."""
        return super().get_object(request, object_id, from_field or None)  # type: ignore[misc]  # a ModelAdmin's
