"""The retirement calendar: which models end when, how their replacements did, and one click to switch."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from llm.admin_base.reading import ReadOnlyAdmin
from llm.foresight import retirement
from llm.models import Model, Retirement


@admin.register(Retirement)
class RetirementAdmin(ReadOnlyAdmin):
    """One page instead of a list. Whoever may change a model may rehearse and switch."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/rehearse/", view(require_POST(self.rehearse_view)), name="llm_retirement_rehearse"
            ),
            path("<int:pk>/switch/", view(require_POST(self.switch_view)), name="llm_retirement_switch"),
            path("", view(self.changelist_view), name="llm_retirement_changelist"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = [(ending, retirement.latest(ending.model)) for ending in retirement.calendar()]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Retirement calendar"),
            "opts": self.opts,
            "rows": rows,
            "may_change": request.user.has_perm("llm.change_model"),
        }
        return TemplateResponse(request, "admin/llm/retirement.html", context)

    def rehearse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        model = self._model(request, pk)
        try:
            results = retirement.rehearse(model)
        except LookupError as error:
            return self._back(request, str(error), messages.ERROR)
        passed, samples = sum(one.passed for one in results), sum(one.samples for one in results)
        text = _("%(model)s passed %(passed)d of %(samples)d.") % {
            "model": model.replacement,
            "passed": passed,
            "samples": samples,
        }
        return self._back(request, text, messages.SUCCESS if passed == samples else messages.WARNING)

    def switch_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        model = self._model(request, pk)
        try:
            new = retirement.switch(model.pk)
        except LookupError as error:
            return self._back(request, str(error), messages.ERROR)
        ModelAdmin.log_change(self, request, model, f"Replaced by {new.name}.")
        text = _("%(new)s takes the place of %(old)s.") % {"new": new.name, "old": model.name}
        return self._back(request, text, messages.SUCCESS)

    def _model(self, request: HttpRequest, pk: int) -> Model:
        if not request.user.has_perm("llm.change_model"):
            raise PermissionDenied
        return get_object_or_404(Model, pk=pk)

    def _back(self, request: HttpRequest, text: str, level: int) -> HttpResponse:
        self.message_user(request, text, level)
        return HttpResponseRedirect(reverse("admin:llm_retirement_changelist"))
