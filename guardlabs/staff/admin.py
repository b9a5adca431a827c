"""Users with their second factor and sessions, and the trail of who did what."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_otp.plugins.otp_static.admin import StaticDevice
from django_otp.plugins.otp_totp.admin import TOTPDevice

from guardlabs.staff import factors
from llm.admin_base import AllowedLookups, ReadOnly

# The devices' own pages show secrets; what staff need is the action below.
admin.site.unregister([User, Group, StaticDevice, TOTPDevice])


class Named:
    """Django's pair of lists has icons whose name no screen reader may read without a role."""

    class Media:
        js = ("guardlabs/staff.js",)


@admin.register(User)
class StaffUserAdmin(Named, AllowedLookups, UserAdmin):  # type: ignore[type-arg]
    actions = ("reset_second_factor", "end_sessions")

    @admin.action(description=_("Take away the second factor (lost phone)"), permissions=["change"])
    def reset_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """For superusers: whoever may do this can get in as somebody else once they know the password."""
        if not request.user.is_superuser:
            raise PermissionDenied
        done = [user for user in queryset if factors.remove(user)]
        self._tell(request, done, _("The second factor was taken away."))

    @admin.action(description=_("Log out everywhere"), permissions=["change"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        keys = {str(user.pk): user for user in queryset}
        ended = set()
        for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
            if (owner := str(session.get_decoded().get("_auth_user_id"))) in keys:
                session.delete()
                ended.add(owner)
        self._tell(request, [keys[owner] for owner in ended], _("All sessions were ended."))

    def _tell(self, request: HttpRequest, users: list[User], what: Any) -> None:
        if users:
            chosen = User.objects.filter(pk__in=[user.pk for user in users])
            LogEntry.objects.log_actions(str(request.user.pk), chosen, CHANGE, str(what))
        text = ngettext("%(count)d user.", "%(count)d users.", len(users)) % {"count": len(users)}
        self.message_user(request, f"{what} {text}", messages.SUCCESS)


@admin.register(Group)
class StaffGroupAdmin(Named, AllowedLookups, GroupAdmin):
    """Roles: see guardlabs.staff.roles."""


@admin.register(LogEntry)
class TrailAdmin(ReadOnly, AllowedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
    """Who did what, when. Written by the admin itself; read-only, also for superusers."""

    list_display = (
        "action_time",
        "user",
        "content_type",
        "object_repr",
        "action_flag",
        "change_message_text",
    )
    list_filter = ("action_flag", "content_type", "user")
    search_fields = ("object_repr", "change_message")
    list_select_related = ("user", "content_type")
    show_full_result_count = False
    readonly_fields = (
        "action_time",
        "user",
        "content_type",
        "object_id",
        "object_repr",
        "change_message_text",
    )
    fields = readonly_fields

    @admin.display(description=_("change"))
    def change_message_text(self, entry: LogEntry) -> str:
        return entry.get_change_message()
