"""The admin site as staff enter it."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from guardlabs.staff import factors
from guardlabs.staff.forms import LoginForm


class StaffSite(AdminSite):
    """Asks for a second factor whoever has one, and lets nobody in without one where STAFF_2FA is on."""

    login_form = LoginForm
    login_template = "staff/login.html"

    def has_permission(self, request: HttpRequest) -> bool:
        verified = getattr(request.user, "is_verified", lambda: False)
        return super().has_permission(request) and (verified() or not factors.is_enforced())

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET" and _must_enrol(request):
            return HttpResponseRedirect(reverse("admin:second_factor"))
        return super().login(request, extra_context)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from guardlabs.staff import views

        return [
            path("second-factor/", views.second_factor, name="second_factor"),
            *super().get_urls(),
        ]


def _must_enrol(request: HttpRequest) -> bool:
    user: Any = request.user
    known = user.is_authenticated and user.is_active and user.is_staff
    return bool(known and factors.is_enforced() and not factors.has_one(user))
