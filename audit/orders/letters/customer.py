"""To the customer."""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.models.orders import Order
from audit.orders import links, terms
from audit.orders.letters.words import Words
from audit.orders.money.receipts import moment, price, receipt, seller


def _status(order: Order) -> tuple[str, str]:
    return _("See your order"), links.status_url(order)


def _received(order: Order) -> Words:
    lines = [_("Thank you: we have your order of the manual audit.")]
    if order.method == Order.Method.STRIPE:
        lines.append(_("We start once you have paid. The page below leads to the card payment."))
        link = _("Pay or see your order"), links.status_url(order)
    else:
        lines.append(
            _("Within two working days you get an e-mail that says how to pay. We start once you have paid.")
        )
        link = _status(order)
    lines.append(_("Keep this e-mail: its link is the only way to your order."))
    if order.begin_asked_at:
        lines.append(
            _(
                "You asked us to begin at once, and know that your right of withdrawal ends when the report is "
                "delivered."
            )
        )
    lines.append(_("The terms are below."))
    return Words(
        subject=_("Order %(code)s received") % {"code": order.code},
        lines=lines,
        facts=[(_("Order"), order.code), (_("Price"), price(order))],
        block=terms.plain(),
        link=link,
    )


def _invoice(order: Order) -> Words:
    return Words(
        subject=_("How to pay for order %(code)s") % {"code": order.code},
        lines=[
            _(
                "Please pay as described below and quote the order code. We tell you when the money has arrived."
            )
        ],
        facts=[(_("Order"), order.code), (_("Price"), price(order))],
        block=order.invoice,
        link=_status(order),
    )


def _paid(order: Order) -> Words:
    due = {"when": moment(order, order.due_at)}
    return Words(
        subject=_("Order %(code)s is paid: your receipt") % {"code": order.code},
        lines=[
            _("Your payment has arrived. This e-mail is your receipt."),
            _("You get the report by %(when)s at the latest.") % due,
        ],
        facts=[*receipt(order), *seller(order)],
        link=_status(order),
    )


def _payment_failed(order: Order) -> Words:
    return Words(
        subject=_("The payment of order %(code)s did not arrive") % {"code": order.code},
        lines=[
            _("Your bank did not let the payment through, so nothing was charged."),
            _("Your order is kept. You can pay it in another way on its page."),
        ],
        link=(_("Pay or see your order"), links.status_url(order)),
    )


def _paid_twice(order: Order) -> Words:
    return Words(
        subject=_("Order %(code)s was paid twice: we send one payment back") % {"code": order.code},
        lines=[
            _("A second payment arrived for your order. You owe nothing, and need do nothing."),
            _("We send the second payment back in full. Banks may take up to 10 days to show it."),
        ],
        facts=[(_("Order"), order.code), (_("Price"), price(order))],
        link=_status(order),
    )


def _part_refunded(order: Order) -> Words:
    return Words(
        subject=_("A part of the price of order %(code)s is sent back") % {"code": order.code},
        lines=[_("A part of the price is on its way back to you. Banks may take up to 10 days to show it.")],
        facts=[*receipt(order), *seller(order)],
        link=_status(order),
    )


def _dispute(order: Order) -> Words:
    return Words(
        subject=_("Your bank asks about the payment of order %(code)s") % {"code": order.code},
        lines=[
            _("Your bank told us that you do not recognise this payment or want the money back."),
            _("Until that is clear, we do not go on with your order."),
            _(
                "Was it a mistake, or can we help? Reply to this e-mail: we find a way, and a refund is one of them."
            ),
        ],
        facts=[(_("Order"), order.code), (_("Price"), price(order))],
        link=_status(order),
    )


def _in_progress(order: Order) -> Words:
    return Words(
        subject=_("Work on order %(code)s has begun") % {"code": order.code},
        lines=[
            _("A security engineer has started on your audit."),
            _("If we need to know more, we write to this address. We never ask for a seed phrase or a key."),
        ],
        link=_status(order),
    )


def _report_link(order: Order, subject: str, first: str) -> Words:
    until = timezone.now() + timedelta(days=links.DELIVERY_DAYS)
    return Words(
        subject=subject % {"code": order.code},
        lines=[
            first,
            _("The link works until %(when)s. After that, your order page mails you a new one.")
            % {"when": moment(order, until)},
            _("The report lists your weak spots: do not pass the link on."),
        ],
        link=(_("Read the report"), links.delivery_url(order)),
    )


def _delivered(order: Order) -> Words:
    words = _report_link(order, _("The report of order %(code)s is ready"), _("Your audit is done."))
    words.lines.append(
        ngettext(
            "Questions? Reply to this e-mail within %(count)d day.",
            "Questions? Reply to this e-mail within %(count)d days.",
            terms.FOLLOW_UP_DAYS,
        )
        % {"count": terms.FOLLOW_UP_DAYS}
    )
    return words


def _delivered_again(order: Order) -> Words:
    return _report_link(
        order,
        _("The report of order %(code)s was corrected"),
        _("We have corrected your report. The new text replaces the earlier one."),
    )


def _link(order: Order) -> Words:
    return _report_link(
        order, _("A new link to the report of order %(code)s"), _("You asked for a new link to your report.")
    )


def _closed(order: Order) -> Words:
    return Words(
        subject=_("Order %(code)s is closed") % {"code": order.code},
        lines=[_("The time for questions is over, and your order is complete. Thank you for your trust.")],
        link=_status(order),
    )


def _cancelled(order: Order) -> Words:
    return Words(
        subject=_("Order %(code)s is cancelled") % {"code": order.code},
        lines=[
            _("Nothing was charged. Should a payment still arrive, we send it back."),
            _("You can place a new order at any time."),
        ],
        link=(_("Order again"), _page("audit:order")),
    )


def _refunded(order: Order) -> Words:
    return Words(
        subject=_("Order %(code)s is refunded") % {"code": order.code},
        lines=[_("The whole price is on its way back to you. Banks may take up to 10 days to show it.")],
        facts=[*receipt(order), *seller(order)],
        link=_status(order),
    )


def _withdrawn(order: Order) -> Words:
    return Words(
        subject=_("You have withdrawn from order %(code)s") % {"code": order.code},
        lines=[
            _("Your withdrawal reached us on %(when)s. You need do nothing else.")
            % {"when": moment(order, order.withdrawn_at)},
            _("You get the whole price back the way you paid it, within 14 days at the latest."),
        ],
        facts=[(_("Order"), order.code), (_("Price"), price(order))],
        link=_status(order),
    )


def _expired(order: Order) -> Words:
    return Words(
        subject=_("Order %(code)s has expired") % {"code": order.code},
        lines=[
            _("No payment arrived in time, so the order has ended. Nothing was charged."),
            _("You can place a new order at any time."),
        ],
        link=(_("Order again"), _page("audit:order")),
    )


def _page(name: str) -> str:
    return f"{settings.SITE_URL}{reverse(name)}"


KINDS: dict[str, Callable[[Order], Words]] = {
    "received": _received,
    "invoice": _invoice,
    "paid": _paid,
    "payment_failed": _payment_failed,
    "paid_twice": _paid_twice,
    "part_refunded": _part_refunded,
    "dispute": _dispute,
    "in_progress": _in_progress,
    "delivered": _delivered,
    "delivered_again": _delivered_again,
    "link": _link,
    "closed": _closed,
    "cancelled": _cancelled,
    "refunded": _refunded,
    "expired": _expired,
    "withdrawn": _withdrawn,
}
