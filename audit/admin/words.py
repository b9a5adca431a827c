"""What an order's history, the outbox and the books call things by, in words for staff."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.models import Dispute, Order, Payment, Refund
from audit.orders import service as orders
from audit.orders.money import upkeep

Words = Mapping[str, str | Promise]

EVENTS: Words = {
    "ordered": pgettext_lazy("order event", "ordered"),
    "checkout opened": pgettext_lazy("order event", "payment page opened"),
    "checkout opened again": pgettext_lazy("order event", "payment page opened again"),
    "invoice sent": pgettext_lazy("order event", "invoice sent"),
    "paid": pgettext_lazy("order event", "paid"),
    "paid twice": pgettext_lazy("order event", "paid twice"),
    "paid after cancelling": pgettext_lazy("order event", "paid after it was cancelled"),
    "payment failed": pgettext_lazy("order event", "payment failed"),
    "payment on its way": pgettext_lazy("order event", "payment on its way"),
    orders.WRONG_AMOUNT: pgettext_lazy("order event", "wrong amount paid"),
    orders.KEY_REFUSED: pgettext_lazy("order event", "Stripe refused our key"),
    upkeep.ANSWERS: pgettext_lazy("order event", "Stripe takes our key again"),
    "Stripe was asked": pgettext_lazy("order event", "Stripe was asked"),
    "event refused": pgettext_lazy("order event", "event of Stripe refused"),
    "started": pgettext_lazy("order event", "work started"),
    "draft saved": pgettext_lazy("order event", "draft saved"),
    "delivered": pgettext_lazy("order event", "report delivered"),
    "delivered again": pgettext_lazy("order event", "report delivered again"),
    "closed": pgettext_lazy("order event", "closed"),
    "cancelled": pgettext_lazy("order event", "cancelled"),
    "expired": pgettext_lazy("order event", "expired"),
    "withdrawn": pgettext_lazy("order event", "customer withdrew"),
    "refund asked for": pgettext_lazy("order event", "refund asked for"),
    "refund not answered": pgettext_lazy("order event", "Stripe did not answer about the refund"),
    "refund not sent": pgettext_lazy("order event", "refund not sent"),
    "refunded": pgettext_lazy("order event", "money sent back"),
    "dispute: the work goes on": pgettext_lazy("order event", "dispute: the work goes on"),
    "dispute: the bank returned the money": pgettext_lazy(
        "order event", "dispute: the bank returned the money"
    ),
    "link sent": pgettext_lazy("order event", "link sent"),
    "mail sent again": pgettext_lazy("order event", "mail sent again"),
    "exported": pgettext_lazy("order event", "data exported"),
    orders.FORGOTTEN: pgettext_lazy("order event", "texts deleted"),
}
LETTERS: Words = {
    "received": pgettext_lazy("letter", "order received"),
    "invoice": pgettext_lazy("letter", "invoice"),
    "paid": pgettext_lazy("letter", "payment received"),
    "payment_failed": pgettext_lazy("letter", "payment failed"),
    "paid_twice": pgettext_lazy("letter", "paid twice"),
    "part_refunded": pgettext_lazy("letter", "a part sent back"),
    "dispute": pgettext_lazy("letter", "dispute"),
    "in_progress": pgettext_lazy("letter", "work started"),
    "delivered": pgettext_lazy("letter", "report delivered"),
    "delivered_again": pgettext_lazy("letter", "report delivered again"),
    "link": pgettext_lazy("letter", "link to the order"),
    "closed": pgettext_lazy("letter", "order closed"),
    "cancelled": pgettext_lazy("letter", "order cancelled"),
    "refunded": pgettext_lazy("letter", "money sent back"),
    "expired": pgettext_lazy("letter", "order expired"),
    "withdrawn": pgettext_lazy("letter", "withdrawal received"),
    "staff_new": pgettext_lazy("letter", "staff: new order"),
    "staff_paid": pgettext_lazy("letter", "staff: order paid"),
    "staff_money": pgettext_lazy("letter", "staff: money to be decided about"),
    "staff_withdrawn": pgettext_lazy("letter", "staff: customer withdrew"),
    "staff_dispute": pgettext_lazy("letter", "staff: dispute"),
    "staff_key": pgettext_lazy("letter", "staff: Stripe refuses our key"),
}
ACTORS: Words = {
    orders.CUSTOMER: pgettext_lazy("who did it", "customer"),
    orders.STRIPE: "Stripe",
    orders.CLOCK: pgettext_lazy("who did it", "clock"),
}
# Stripe's own words for how a dispute or an early warning stands.
DISPUTES: Words = {
    "warning": _("early fraud warning"),
    "warning_needs_response": _("inquiry, wants an answer"),
    "warning_under_review": _("inquiry under review"),
    "warning_closed": _("inquiry closed"),
    "needs_response": _("wants an answer"),
    "under_review": _("the bank decides"),
    "prevented": _("prevented"),
    "won": _("won"),
    "lost": _("lost"),
}
COLUMNS: Words = {
    "at": pgettext_lazy("books", "date (UTC)"),
    "kind": pgettext_lazy("books", "what"),
    "number": pgettext_lazy("books", "number"),
    "order": pgettext_lazy("books", "order"),
    "method": pgettext_lazy("books", "paid by"),
    "currency": pgettext_lazy("books", "currency"),
    "amount": pgettext_lazy("books", "amount"),
    "fee": pgettext_lazy("books", "fee"),
    "net": pgettext_lazy("books", "net"),
    "payout": pgettext_lazy("books", "payout"),
    "use": pgettext_lazy("books", "use"),
    "reference": pgettext_lazy("books", "reference"),
}
KINDS: Words = {
    "payment": pgettext_lazy("books", "payment"),
    "refund": pgettext_lazy("books", "refund"),
    "dispute": pgettext_lazy("books", "dispute"),
}


def event(what: str) -> str:
    """What happened to an order; Stripe's own words where they came with a refund or a dispute."""
    if what in EVENTS:
        return str(EVENTS[what])
    kind, _space, status = what.partition(" ")
    if kind == "refund" and status in Refund.State.values:
        return f"{KINDS[kind]}: {Refund.State(status).label}"
    if kind in Dispute.Kind.values:
        return f"{Dispute.Kind(kind).label}: {dispute(status)}"
    return what


def letter(kind: str) -> str:
    return str(LETTERS.get(kind, kind))


def actor(name: str) -> str:
    """Whoever did something; a member of staff by name."""
    return str(ACTORS.get(name, name.removeprefix("staff:")))


def dispute(status: str) -> str:
    return str(DISPUTES.get(status, status))


def state(name: str) -> str:
    """The state of an order."""
    return str(Order.State(name).label) if name in Order.State.values else name


def told(said: str) -> str:
    """A sum of the comparison with Stripe, and how it stands there: `15.00 succeeded`."""
    amount, _space, status = said.partition(" ")
    try:
        sum_ = number_format(Decimal(amount), 2)
    except InvalidOperation:
        return said
    status = str(Refund.State(status).label) if status in Refund.State.values else dispute(status)
    return f"{sum_} {status}".strip()


def book(column: str, cell: str) -> str:
    """A cell of the books, whose CSV keeps the codes."""
    if column == "kind":
        return str(KINDS.get(cell, cell))
    if column == "method" and cell in Order.Method.values:
        return str(Order.Method(cell).label)
    if column == "use" and cell:
        return str(Payment.Use(cell).label)
    if column == "currency":
        return cell.upper()
    if column in ("amount", "fee", "net") and cell:
        return number_format(Decimal(cell), len(cell.partition(".")[2]))
    return cell


class Coded(admin.SimpleListFilter):
    """Rows by a column of codes, each choice in words. Only codes that occur are offered."""

    column = ""
    say: Callable[[str], str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        codes = model_admin.model.objects.order_by(self.column).values_list(self.column, flat=True).distinct()
        return [(code, self.say(code)) for code in codes if code]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset
