"""The admin site: the stock one, with the desk as its home."""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from staff.site import StaffSite


class DeskSite(StaffSite):
    site_header = "GuardLabs"
    site_title = "GuardLabs"
    index_title = _("Desk")
    index_template = "admin/desk/index.html"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from guardlabs.desk.sections import sections  # models are not loaded when the site is made

        return super().index(request, {"sections": sections(request.user), **(extra_context or {})})
