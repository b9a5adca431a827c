"""Orders in the admin: rows are read; every change is a button that posts, is checked, and is written down twice
(the order's own history and the admin's log)."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override, pgettext_lazy
from django.views.decorators.http import require_POST

from audit import formats
from audit.admin import words
from audit.admin.order_actions import ACTIONS, INVOICE_CHARS, MONEY, PROCESS, WITH_TEXT, Refused
from audit.models import Mail, Order, OrderEvent, StripeEvent
from audit.orders import deliverable, outbox, overview, payments
from audit.orders import export as order_export
from audit.orders import service as orders
from audit.orders.money import prices, receipts
from llm.admin_base import AllowedLookups, ReadOnly

__all__ = ["ACTIONS", "MONEY", "PROCESS"]


class Fixed(ReadOnly, AllowedLookups, admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that only `audit.orders` writes."""


class OverdueFilter(admin.SimpleListFilter):
    title = _("waits for us")
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("overdue"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return queryset.filter(pk__in=overview.overdue().values("pk")) if self.value() else queryset


@admin.register(Order)
class OrderAdmin(Fixed):
    change_form_template = "admin/audit/order/change_form.html"
    list_display = ("code", "created_at", "state", "due_at", "lang", "method", "price", "refund_status")
    list_filter = ("state", OverdueFilter, "method", "lang", "refund_status")
    search_fields = ("code__iexact", "email__iexact", "payments__intent__exact")
    date_hierarchy = "created_at"
    fields = readonly_fields = (
        "code", "state", "state_since", "created_at", "lang", "email", "time_zone", "message_text", "scan", "method",
        "price", "due_at", "paid_at", "delivered_at",
        "terms_version", "begin_asked_at", "withdrawn_at", "payment_intent", "refund_status", "refund_id", "money",
        "disputed", "history", "letters",
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<int:pk>/do/<slug:name>/",
                self.admin_site.admin_view(require_POST(self.act)),
                name="audit_order_act",
            ),
            path(
                "<int:pk>/export/",
                self.admin_site.admin_view(require_POST(self.export)),
                name="audit_order_export",
            ),
            path("<int:pk>/preview/", self.admin_site.admin_view(self.preview), name="audit_order_preview"),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        order = self.get_object(request, object_id) if object_id else None
        if order is not None:
            names = [name for name in ACTIONS if self.may(request, order, name)]
            context = {
                "order": order,
                "buttons": [(name, ACTIONS[name]) for name in names if name not in WITH_TEXT],
                "offered": names,
                "may_export": request.user.has_perm(PROCESS),
                "report_chars": deliverable.MAX_CHARS,
                "invoice_chars": INVOICE_CHARS,
            }
            extra_context = {**(extra_context or {}), **context}
        return super().changeform_view(request, object_id, form_url, extra_context)

    @staticmethod
    def may(request: HttpRequest, order: Order, name: str) -> bool:
        """Whether a button is shown. Whether it works is decided once more when it is pressed, by orders.py."""
        action = ACTIONS[name]
        if not request.user.has_perm(action.permission) or order.state not in action.states:
            return False
        if name == "fill" and order.draft.strip():
            return False
        return action.method in ("", order.method) and (action.when is None or action.when(order))

    def act(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """One action on one order; the text of its field, if it has one, is posted as `text`."""
        action = ACTIONS.get(name)
        order = Order.objects.filter(pk=pk).first()
        if action is None or order is None:
            raise Http404
        if not self.has_view_permission(request, order) or not request.user.has_perm(action.permission):
            raise PermissionDenied
        text = request.POST.get("text", "").replace("\r\n", "\n")
        try:
            if action.sure and not request.POST.get("sure"):
                raise Refused(_("Tick the box beside the button first."))
            action.run(order, f"staff:{request.user.get_username()}", text)
        except orders.Disputed:
            self.message_user(request, _("A dispute waits for a decision first."), messages.ERROR)
        except orders.NotAllowed as error:
            state = {"state": error.state.label}
            self.message_user(request, _("Not possible: the order is %(state)s.") % state, messages.ERROR)
        except payments.PaymentError as error:
            self.message_user(request, _("Stripe: %(reason)s") % {"reason": error}, messages.ERROR)
        except Refused as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.log_change(request, order, f"{name}: {order.state}")
            self.message_user(request, str(action.done), messages.SUCCESS)
            if "preview" in request.POST:
                return HttpResponseRedirect(reverse("admin:audit_order_preview", args=[pk]))
        return HttpResponseRedirect(reverse("admin:audit_order_change", args=[pk]))

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The saved draft on the customer's page, in the customer's language."""
        order = Order.objects.filter(pk=pk).first()
        if order is None:
            raise Http404
        if not self.has_view_permission(request, order) or not request.user.has_perm(PROCESS):
            raise PermissionDenied
        with override(order.lang):
            context = {
                "order": order,
                "html": deliverable.to_html(order.draft),
                "delivered": receipts.moment(order, order.delivered_at),
            }
            return TemplateResponse(request, "audit/order_report.html", context).render()

    def export(self, request: HttpRequest, pk: int) -> HttpResponse:
        """All that is stored about one order, as the customer may ask for it. Written down like an action."""
        order = Order.objects.filter(pk=pk).first()
        if order is None:
            raise Http404
        if not self.has_view_permission(request, order) or not request.user.has_perm(PROCESS):
            raise PermissionDenied
        orders.note(order, actor=f"staff:{request.user.get_username()}", what="exported")
        self.log_change(request, order, "export")
        return order_export.response(order)

    @admin.display(description=_("price"), ordering="price_cents")
    def price(self, order: Order) -> str:
        return receipts.money(order.price_cents)

    @admin.display(description=_("message"))
    def message_text(self, order: Order) -> str:
        return format_html("<pre>{}</pre>", order.message) if order.message else "–"

    @admin.display(description=_("payments and refunds"))
    def money(self, order: Order) -> str:
        lines = []
        for each in order.payments.prefetch_related("refunds"):
            use = f", {each.get_use_display()}" if each.use else ""
            name = each.intent or each.session or "–"
            amount = prices.written(each.amount, each.currency)
            lines.append(f"{amount} {each.currency} {name}: {each.get_state_display()}{use}")
            lines += [
                f"  − {prices.written(row.amount, each.currency)} {row.refund_id or '–'}: {row.get_state_display()} "
                f"({words.actor(row.by)}) {row.answer}"
                for row in each.refunds.all()
            ]
        return format_html("<pre>{}</pre>", "\n".join(lines)) if lines else "–"

    @admin.display(description=_("disputes"))
    def disputed(self, order: Order) -> str:
        lines = [
            f"{row.get_kind_display()}: {words.dispute(row.status)} {row.reason}"
            + (f", {formats.moment(row.due_at)}" if row.due_at else "")
            + (f" ({words.actor(row.decided_by)})" if row.decided_at else "")
            for row in order.disputes.all()
        ]
        return format_html("<pre>{}</pre>", "\n".join(lines)) if lines else "–"

    @admin.display(description=_("history"))
    def history(self, order: Order) -> str:
        lines = [
            f"{formats.moment(event.at)}: {words.event(event.what)}"
            + (f" → {words.state(event.new)}" if event.new else "")
            + f" ({words.actor(event.actor)})"
            + (f": {event.detail}" if event.detail else "")
            for event in order.events.all()
        ]
        return format_html("<pre>{}</pre>", "\n".join(lines))

    @admin.display(description=_("mails"))
    def letters(self, order: Order) -> str:
        lines = [
            f"{words.letter(mail.kind)} → {mail.to}: {mail.get_state_display()}"
            for mail in order.mails.order_by("pk")
        ]
        return format_html("<pre>{}</pre>", "\n".join(lines)) if lines else "–"


class LetterFilter(words.Coded):
    title = _("kind")
    parameter_name = column = "kind"
    say = staticmethod(words.letter)


class EventFilter(words.Coded):
    title = _("what")
    parameter_name = column = "what"
    say = staticmethod(words.event)


class NewStateFilter(words.Coded):
    title = pgettext_lazy("order event", "new state")
    parameter_name = column = "new"
    say = staticmethod(words.state)


@admin.register(Mail)
class MailAdmin(Fixed):
    """The text is not shown: it holds the customer's links, which open pages that staff reach by themselves."""

    list_display = ("created_at", "order", "letter", "to", "state", "attempts", "sent_at", "last_error")
    list_filter = ("state", LetterFilter, "lang")
    list_select_related = ("order",)
    search_fields = ("order__code__iexact", "to__iexact")
    fields = readonly_fields = (*list_display, "subject", "lang", "next_try_at")
    actions = ("send_again",)

    @admin.display(description=_("kind"), ordering="kind")
    def letter(self, mail: Mail) -> str:
        return words.letter(mail.kind)

    def has_process_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(PROCESS))

    @admin.action(description=_("Send again what was given up"), permissions=["process"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Mail]) -> None:
        for mail in chosen:
            if outbox.retry(mail):
                orders.note(
                    mail.order,
                    actor=f"staff:{request.user.get_username()}",
                    what="mail sent again",
                    detail=mail.kind,
                )
                self.log_change(request, mail, "sent again")


@admin.register(OrderEvent)
class OrderEventAdmin(Fixed):
    list_display = ("at", "order", "event", "was", "becomes", "by", "detail")
    list_filter = (EventFilter, NewStateFilter)
    list_select_related = ("order",)
    search_fields = ("order__code__iexact", "actor__exact")
    fields = readonly_fields = list_display

    @admin.display(description=_("what"), ordering="what")
    def event(self, row: OrderEvent) -> str:
        return words.event(row.what)

    @admin.display(description=_("from"), ordering="old")
    def was(self, row: OrderEvent) -> str:
        return words.state(row.old)

    @admin.display(description=_("to"), ordering="new")
    def becomes(self, row: OrderEvent) -> str:
        return words.state(row.new)

    @admin.display(description=_("by"), ordering="actor")
    def by(self, row: OrderEvent) -> str:
        return words.actor(row.actor)


@admin.register(StripeEvent)
class StripeEventAdmin(Fixed):
    list_display = ("received_at", "id", "type", "order", "outcome")
    list_filter = ("type",)
    list_select_related = ("order",)
    search_fields = ("id__exact", "order__code__iexact")
    fields = readonly_fields = list_display
