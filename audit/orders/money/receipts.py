"""The lines of a receipt, in the active language, and how it writes money and times."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency
from django.conf import settings
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

from audit import formats
from audit.models.orders import Order
from audit.models.payments import Payment, Refund
from audit.orders.money import books, prices


def receipt(order: Order) -> list[tuple[str, str]]:
    """The lines of a receipt, in the active language: what was sold, for how much, paid when and how."""
    facts = [
        (_("Order"), order.code),
        (_("Service"), _("Manual security audit")),
        (_("Price"), f"{price(order)} ({order.currency.upper()})"),
    ]
    if order.paid_at:
        facts += [
            (_("Paid by"), str(order.get_method_display())),
            (_("Paid on"), moment(order, order.paid_at)),
        ]
    paid = order.payments.filter(use=Payment.Use.KEPT).first()
    if paid is not None and (paid.amount, paid.currency) != (order.price_cents, order.currency):
        facts.append((_("Paid"), money(paid.amount, paid.currency)))  # with tax, or less a discount
    if order.payment_intent:
        facts.append((_("Payment reference"), order.payment_intent))
    if order.refund_status:
        facts.append((_("Refund"), str(order.get_refund_status_display())))
    return facts + refunded(order)


def refunded(order: Order) -> list[tuple[str, str]]:
    """A line for each refund that is done: when, and how much."""
    done = Refund.objects.filter(
        payment__order=order, payment__use=Payment.Use.KEPT, state=Refund.State.SUCCEEDED
    )
    label = _("Sent back on %(when)s")
    return [
        (label % {"when": moment(order, each.done_at)}, money(each.amount, each.payment.currency))
        for each in done.select_related("payment").order_by("done_at")
    ]


def seller(order: Order) -> list[tuple[str, str]]:
    """Who sold, as tax offices want to read it, with the numbers of the invoice and of its credit notes."""
    facts = [
        (_("Seller"), settings.SELLER_NAME),
        (_("Address"), settings.SELLER_ADDRESS),
        (_("Tax number"), settings.SELLER_TAX_ID),
        (_("Tax"), settings.SELLER_TAX_NOTE),
    ]
    numbered = order.payments.exclude(invoice_number=None)
    facts += [(_("Invoice number"), books.invoice_number(each)) for each in numbered]
    credited = Refund.objects.filter(payment__order=order, state=Refund.State.SUCCEEDED).exclude(
        credit_note=None
    )
    facts += [(_("Credit note number"), books.credit_note(each)) for each in credited]
    return [(label, value) for label, value in facts if value]


def money(amount: int, currency: str = prices.OURS) -> str:
    """Stripe's whole number as the active language writes money; dollars with cents only where there are any."""
    if currency == prices.OURS and amount % 100 == 0:
        return formats.money(amount // 100)
    lang = to_locale(get_language() or settings.LANGUAGE_CODE)
    return str(format_currency(Decimal(prices.written(amount, currency)), currency.upper(), locale=lang))


def price(order: Order) -> str:
    """The price as the active language writes dollars."""
    return money(order.price_cents)


def day(order: Order, when: datetime) -> str:
    """A day in the customer's time zone and the active language."""
    return formats.day(when.astimezone(order.zone).date().isoformat())


def moment(order: Order, when: Any) -> str:
    """A time in the customer's time zone and the active language."""
    return formats.moment(when, order.zone)
