"""Cached responses in the admin: listed and purged; their texts are not shown."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from llm.admin_base.reading import ReadOnlyAdmin
from llm.models import CachedReply


@admin.register(CachedReply)
class CachedReplyAdmin(ReadOnlyAdmin):
    """Deleting is purging: the action deletes what is chosen, all pages of it if one likes."""

    list_display = ("id", "purpose", "lang", "provider", "model", "hits", "filled_at", "expires_at")
    list_filter = ("purpose", "lang")
    fields = list_display
    ordering = ("-id",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("llm.delete_cachedreply"))
