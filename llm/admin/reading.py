"""What the read-only pages share: nothing can be changed, and big tables are never counted to their end."""

from decimal import Decimal
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

MOST_COUNTED = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts to 10,000 and no further: beyond that a filter helps, and a page of the admin stays fast."""

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


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50


def pre(text: str) -> SafeString:
    """Text of strangers, escaped, with its line breaks."""
    return format_html('<pre class="llm-text">{}</pre>', text)


def usd(amount: Decimal | None) -> str:
    """An amount as the ledger holds it; unknown is not zero."""
    return "?" if amount is None else f"${amount:.6f}"
