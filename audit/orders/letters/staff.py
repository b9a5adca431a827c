"""To staff, who have an account: no link of the customer, no word of theirs."""

from collections.abc import Callable

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from audit import formats
from audit.models.orders import Order
from audit.orders.letters.words import Words


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


def _staff_withdrawn(order: Order) -> Words:
    return Words(
        subject=_("%(code)s: the customer has withdrawn") % {"code": order.code},
        lines=[
            _(
                "The work ends. A card payment goes back by itself; what came by invoice you send back within 14 days."
            )
        ],
        link=_desk(order),
    )


def _staff_money(order: Order) -> Words:
    return Words(
        subject=_("%(code)s: its money needs you") % {"code": order.code},
        lines=[_("A payment or a refund did not go as it should. The order's history says what happened.")],
        link=_desk(order),
    )


def _staff_dispute(order: Order) -> Words:
    row = (
        order.disputes.filter(decided_at=None).order_by("due_at", "pk").first()  # the most urgent
        or order.disputes.order_by("-pk").first()
    )
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
    "staff_new": _staff_new,
    "staff_paid": _staff_paid,
    "staff_money": _staff_money,
    "staff_withdrawn": _staff_withdrawn,
    "staff_dispute": _staff_dispute,
    "staff_key": _staff_key,
}
