"""The admin site: the stock one, with the desk as its home."""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _

from guardlabs.staff.site import StaffSite


class DeskSite(StaffSite):
    site_header = "GuardLabs"
    site_title = "GuardLabs"
    index_title = _("Desk")
    index_template = "admin/desk/index.html"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [path("data/", self.admin_view(self.data_map), name="data_map"), *super().get_urls()]

    def data_map(self, request: HttpRequest) -> TemplateResponse:
        """What is stored where, for how long, and who sees it. For all staff: it shows no data."""
        from guardlabs.desk.data_map import context

        return TemplateResponse(
            request, "admin/desk/data_map.html", {**self.each_context(request), **context()}
        )

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from guardlabs.desk.sections import desk  # models are not loaded when the site is made

        return super().index(request, {**desk(request.user), **(extra_context or {})})
