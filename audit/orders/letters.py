"""What the e-mails about an order say, as text and as HTML, in any language of the site."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from audit import formats
from audit.models.orders import Order
from audit.orders import links
from audit.orders.money.receipts import moment, price, receipt, seller


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail without its addresses."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What differs between letters. `facts`: labelled lines; `link`: words and address of the button."""

    subject: str
    lines: list[str]
    facts: list[tuple[str, str]] = field(default_factory=list)
    block: str = ""  # several lines of staff, as they typed them
    link: tuple[str, str] | None = None


def compose(order: Order, kind: str, *, lang: str) -> Letter:
    """The letter `kind` about the order as it is now. Raises KeyError for an unknown kind."""
    with override(lang):
        words = KINDS[kind](order)
        context: dict[str, Any] = {"words": words, "order": order, "lang": lang, "site": settings.SITE_URL}
        return Letter(
            subject=words.subject,
            text=render_to_string("mail/letter.txt", context).strip() + "\n",
            html=render_to_string("mail/letter.html", context),
        )


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
    return Words(
        subject=_("Order %(code)s received") % {"code": order.code},
        lines=lines,
        facts=[(_("Order"), order.code), (_("Price"), price(order))],
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
    from audit.orders.service import FOLLOW_UP_DAYS

    words = _report_link(order, _("The report of order %(code)s is ready"), _("Your audit is done."))
    words.lines.append(
        ngettext(
            "Questions? Reply to this e-mail within %(count)d day.",
            "Questions? Reply to this e-mail within %(count)d days.",
            FOLLOW_UP_DAYS,
        )
        % {"count": FOLLOW_UP_DAYS}
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


# -- to staff, who have an account: no link of the customer, no word of theirs ------------------------
def _desk(order: Order) -> tuple[str, str]:
    address = reverse("admin:audit_order_change", args=[order.pk])
    return _("Open the order"), f"{settings.SITE_URL}{address}"


def _staff_new(order: Order) -> Words:
    return Words(
        subject=_("%(code)s: a new order waits for its invoice") % {"code": order.code},
        lines=[_("Write how to pay, and send it to the customer from the admin.")],
        link=_desk(order),
    )


def _staff_paid(order: Order) -> Words:
    return Words(
        subject=_("%(code)s is paid") % {"code": order.code},
        lines=[_("The report is promised for %(when)s.") % {"when": formats.moment(order.due_at)}],
        link=_desk(order),
    )


def _staff_money(order: Order) -> Words:
    return Words(
        subject=_("%(code)s: its money needs you") % {"code": order.code},
        lines=[_("A payment or a refund did not go as it should. The order's history says what happened.")],
        link=_desk(order),
    )


def _staff_dispute(order: Order) -> Words:
    from audit.orders.money import disputes

    row = disputes.waiting(order) or order.disputes.order_by("-pk").first()
    facts = []
    if row is not None:
        facts = [
            (_("Kind"), str(row.get_kind_display())),
            (_("Status"), row.status),
            (_("Reason"), row.reason),
            (_("Evidence due"), formats.moment(row.due_at) if row.due_at else ""),
        ]
    return Words(
        subject=_("%(code)s: the customer's bank disputes the payment") % {"code": order.code},
        lines=[
            _(
                "The work is stopped until you decide in the admin. The evidence is handed in at Stripe's dashboard."
            ),
        ],
        facts=[(label, value) for label, value in facts if value],
        link=_desk(order),
    )


def _staff_key(order: Order) -> Words:
    return Words(
        subject=_("Stripe refuses our key: nobody can pay by card"),
        lines=[_("Set a valid STRIPE_SECRET_KEY and start the site again. Orders are kept meanwhile.")],
        link=_desk(order),
    )


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
    "staff_new": _staff_new,
    "staff_paid": _staff_paid,
    "staff_money": _staff_money,
    "staff_dispute": _staff_dispute,
    "staff_key": _staff_key,
}
