"""Payments, refunds and disputes in the admin, and the month that finance closes: a table, a CSV, a comparison."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from audit.admin.order_actions import MONEY
from audit.admin.orders import Fixed
from audit.models import Dispute, Payment, Refund
from audit.orders.money import month as months
from audit.orders.money import reconcile
from audit.orders.money.stripe_api import PaymentError


@admin.register(Payment)
class PaymentAdmin(Fixed):
    change_list_template = "admin/audit/payment/change_list.html"
    list_display = (
        "at",
        "order",
        "state",
        "use",
        "amount",
        "currency",
        "fee",
        "net",
        "payout",
        "invoice_number",
    )
    list_filter = ("state", "use")
    list_select_related = ("order",)
    search_fields = ("order__code__iexact", "intent__exact", "session__exact")
    date_hierarchy = "at"
    fields = readonly_fields = (*list_display, "session", "intent", "charge", "next_look_at")

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "month/",
                self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.month)),
                name="audit_payment_month",
            ),
            path("month.csv", self.admin_site.admin_view(require_safe(self.csv)), name="audit_payment_csv"),
            *super().get_urls(),
        ]

    def month(self, request: HttpRequest) -> HttpResponse:
        """The month `?month=2026-11`. A POST compares it with Stripe and takes over what we missed."""
        month = self._month(request)
        context: dict[str, Any] = {**self.admin_site.each_context(request), "title": _("Books of a month")}
        if request.method == "POST":
            try:
                context["differences"] = reconcile.compare(month.start, month.end)
                context["compared"] = True
            except PaymentError as error:
                self.message_user(request, _("Stripe: %(reason)s") % {"reason": error}, messages.ERROR)
        rows = [list(zip(months.HEAD, row, strict=True)) for row in months.rows(month)]
        context |= {"month": month, "head": months.HEAD, "rows": rows, "totals": months.totals(month)}
        return TemplateResponse(request, "admin/audit/payment/month.html", context)

    def csv(self, request: HttpRequest) -> HttpResponse:
        """The same month as CSV."""
        month = self._month(request)
        answer = HttpResponse(months.as_csv(month), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="payments-{month}.csv"'
        return answer

    @staticmethod
    def _month(request: HttpRequest) -> months.Month:
        if not request.user.has_perm(MONEY):
            raise PermissionDenied
        return months.Month.read(request.GET.get("month", ""), now=timezone.now())


@admin.register(Refund)
class RefundAdmin(Fixed):
    list_display = ("at", "payment", "amount", "state", "by", "done_at", "credit_note", "answer")
    list_filter = ("state",)
    list_select_related = ("payment__order",)
    search_fields = ("payment__order__code__iexact", "refund_id__exact", "payment__intent__exact")
    fields = readonly_fields = (*list_display, "refund_id", "attempt", "next_look_at")


@admin.register(Dispute)
class DisputeAdmin(Fixed):
    list_display = ("at", "order", "kind", "status", "reason", "amount", "due_at", "decided_at", "decided_by")
    list_filter = ("kind", "status")
    list_select_related = ("order",)
    search_fields = ("order__code__iexact", "stripe_id__exact")
    fields = readonly_fields = (*list_display, "payment", "stripe_id")
