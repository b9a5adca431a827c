"""What the read-only pages share: nothing can be changed, and big tables are never counted to their end."""

import csv
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from llm.admin_base.lookups import AllowedLookups

MOST_COUNTED = 5_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts to MOST_COUNTED and no further: beyond that a filter helps, and a page of the admin stays fast."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        return rows[:MOST_COUNTED].count() if isinstance(rows, models.QuerySet) else len(rows)


class ReadOnly:
    """Mix-in of an admin or inline: view only, whatever the user's permissions are."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, AllowedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50


def pre(text: str) -> SafeString:
    """Text of strangers, escaped, with its line breaks."""
    return format_html('<pre class="llm-text">{}</pre>', text)


class LedgerAdmin(ReadOnlyAdmin):
    """A list of the ledger, with sums for the current filter and an export of it. Both need no more than viewing."""

    change_list_template = "admin/llm/ledger_list.html"
    export_fields: Sequence[str] = ()
    sums: dict[str, models.Aggregate] = {}

    def get_urls(self) -> list[URLPattern]:
        name = f"llm_{self.opts.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.export), name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response: Any = super().changelist_view(request, extra_context)
        changelist = getattr(response, "context_data", {}).get("cl")
        if changelist is not None:
            address = reverse(f"admin:llm_{self.opts.model_name}_export")
            response.context_data |= {
                "sums": self._sums(changelist.queryset),
                "sums_capped": changelist.result_count >= MOST_COUNTED,
                "most_counted": MOST_COUNTED,
                "export_url": f"{address}{changelist.get_query_string(remove=['p', 'o'])}",
            }
        return response  # type: ignore[no-any-return]

    def _sums(self, queryset: models.QuerySet[Any]) -> dict[str, Any]:
        """Of the newest MOST_COUNTED rows that pass the filter, so that it takes no longer with a million."""
        newest = queryset.model._default_manager.filter(pk__in=queryset.values("pk")[:MOST_COUNTED])
        found: dict[str, Any] = newest.order_by().aggregate(**self.sums)
        return found

    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """The rows of the current filter as CSV, streamed: numbers and names, never prompts and replies."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            raise SuspiciousOperation("a filter with a value that its column cannot have") from None
        response = StreamingHttpResponse(
            csv_lines(self.export_fields, rows.values_list(*self.export_fields).iterator(chunk_size=2000)),
            content_type="text/csv; charset=utf-8",
        )
        response["Content-Disposition"] = f'attachment; filename="{self.opts.model_name}s.csv"'
        return response


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(head: Sequence[str], rows: Iterator[Sequence[Any]]) -> Iterator[str]:
    """CSV, line by line. A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    writer = csv.writer(_Echo())
    yield writer.writerow(head)
    for row in rows:
        yield writer.writerow([csv_cell(value) for value in row])


def csv_cell(value: Any) -> Any:
    """See OWASP, CSV injection: = + - @, tab and carriage return begin a formula."""
    return (
        f"'{value}"
        if isinstance(value, str) and value.lstrip(" \n")[:1] in set("=+-@\t\r＝＋－＠")
        else value
    )
