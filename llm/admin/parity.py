"""The parity board: what the gates let pass of each model, and the order that follows from it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from llm.admin_base.reading import ReadOnlyAdmin
from llm.foresight import parity
from llm.models import Parity, Provider


@admin.register(Parity)
class ParityAdmin(ReadOnlyAdmin):
    """One page instead of a list. Whoever may change a model may apply an order."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("<int:provider_id>/apply/", view(require_POST(self.apply_view)), name="llm_parity_apply"),
            path("", view(self.changelist_view), name="llm_parity_changelist"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = parity.board()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Models compared"),
            "opts": self.opts,
            "rows": rows,
            "rules": parity.rules(),
            "proposals": parity.proposals(rows),
            "may_change": request.user.has_perm("llm.change_model"),
        }
        return TemplateResponse(request, "admin/llm/parity.html", context)

    def apply_view(self, request: HttpRequest, provider_id: int) -> HttpResponse:
        if not request.user.has_perm("llm.change_model"):
            raise PermissionDenied
        try:
            proposal = parity.apply(provider_id, request.POST.get("order", ""))
        except LookupError:
            self.message_user(request, _("The board no longer proposes this order."), messages.WARNING)
        else:
            provider = Provider.objects.get(pk=provider_id)
            self.log_change(request, provider, f"Order of models: {', '.join(proposal.then)}.")
            self.message_user(request, _("The new order is in force."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:llm_parity_changelist"))
