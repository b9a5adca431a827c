"""Payments, refunds and disputes in the admin, and the month that finance closes: a table, a CSV, a comparison."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from audit.admin import words
from audit.admin.order_actions import MONEY
from audit.admin.orders import Fixed
from audit.models import Dispute, Payment, Refund
from audit.orders.money import month as months
from audit.orders.money import prices, reconcile
from audit.orders.money.stripe_api import PaymentError


def _money(cents: int | None, currency: str) -> str:
    """As people write it; the books are in cents, or what stands for them."""
    digits = prices.decimals(currency)
    return "–" if cents is None else f"{number_format(cents / 10**digits, digits)} {currency.upper()}"


@admin.register(Payment)
class PaymentAdmin(Fixed):
    change_list_template = "admin/audit/payment/change_list.html"
    list_display = (
        "at",
        "order",
        "state",
        "use",
        "paid",
        "kept_by_stripe",
        "left_of_it",
        "payout",
        "invoice_number",
    )
    list_filter = ("state", "use")
    list_select_related = ("order",)
    search_fields = ("order__code__iexact", "intent__exact", "session__exact")
    date_hierarchy = "at"
    fields = readonly_fields = (*list_display, "session", "intent", "charge", "next_look_at")

    @admin.display(description=pgettext_lazy("books", "amount"), ordering="amount")
    def paid(self, row: Payment) -> str:
        return _money(row.amount, row.currency)

    @admin.display(description=pgettext_lazy("books", "fee"), ordering="fee")
    def kept_by_stripe(self, row: Payment) -> str:
        return _money(row.fee, row.currency)

    @admin.display(description=pgettext_lazy("books", "net"), ordering="net")
    def left_of_it(self, row: Payment) -> str:
        return _money(row.net, row.currency)

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
                context["differences"] = [
                    (each, words.KINDS[each.what], words.told(each.ours), words.told(each.theirs))
                    for each in reconcile.compare(month.start, month.end)
                ]
                context["compared"] = True
            except PaymentError as error:
                self.message_user(request, _("Stripe: %(reason)s") % {"reason": error}, messages.ERROR)
        rows = [
            [
                (words.COLUMNS[name], words.book(name, cell))
                for name, cell in zip(months.HEAD, row, strict=True)
            ]
            for row in months.rows(month)
        ]
        context |= {
            "month": month,
            "head": [words.COLUMNS[name] for name in months.HEAD],
            "rows": rows,
            "totals": {name: number_format(sum_, 2) for name, sum_ in months.totals(month).items()},
        }
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


class StatusFilter(words.Coded):
    title = gettext_lazy("status")
    parameter_name = column = "status"
    say = staticmethod(words.dispute)


@admin.register(Refund)
class RefundAdmin(Fixed):
    list_display = ("at", "payment", "sent_back", "state", "actor", "done_at", "credit_note", "answer")
    list_filter = ("state",)
    list_select_related = ("payment__order",)
    search_fields = ("payment__order__code__iexact", "refund_id__exact", "payment__intent__exact")
    fields = readonly_fields = (*list_display, "refund_id", "attempt", "next_look_at")

    @admin.display(description=pgettext_lazy("books", "amount"), ordering="amount")
    def sent_back(self, row: Refund) -> str:
        return _money(row.amount, row.payment.currency)

    @admin.display(description=gettext_lazy("by"), ordering="by")
    def actor(self, row: Refund) -> str:
        return words.actor(row.by)


@admin.register(Dispute)
class DisputeAdmin(Fixed):
    list_display = (
        "at", "order", "kind", "standing", "reason", "disputed", "due_at", "decided_at", "actor",
    )  # fmt: skip
    list_filter = ("kind", StatusFilter)
    list_select_related = ("order", "payment")
    search_fields = ("order__code__iexact", "stripe_id__exact")
    fields = readonly_fields = (*list_display, "payment", "stripe_id")

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def standing(self, row: Dispute) -> str:
        return words.dispute(row.status)

    @admin.display(description=pgettext_lazy("books", "amount"), ordering="amount")
    def disputed(self, row: Dispute) -> str:
        return _money(row.amount, row.payment.currency)

    @admin.display(description=gettext_lazy("decided by"), ordering="decided_by")
    def actor(self, row: Dispute) -> str:
        return words.actor(row.decided_by) or "–"
