"""What the status page of an order shows, worked out from the order. Reads its history: one query."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from audit.models import Order, Payment
from audit.orders import payments, terms
from audit.orders import service as orders
from audit.orders.money import receipts
from audit.orders.service import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A stage of the road. `stage`: done, now or next; `when` is empty for what has no date yet."""

    label: str
    when: str
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPage:
    """`pay_url`: Stripe's page, or empty when none is open. `email` is shortened: others may see the link."""

    state: str
    sentence: str
    price: str
    email: str
    ordered: str
    may_pay: bool
    pay_url: str
    may_cancel: bool
    withdraw_until: str
    may_read: bool
    refunded: list[tuple[str, str]]
    road: tuple[Milestone, ...]
    contact: str
    history: list[tuple[str, str]]
    tone: str


def status(order: Order, *, back: bool, unreached: bool = False) -> StatusPage:
    """`back`: the customer comes from Stripe's page. That alone says nothing about the payment. `unreached`: the
    page could not be opened a moment ago."""
    unpaid = order.state in orders.UNPAID
    by_card = order.method == Order.Method.STRIPE
    coming = unpaid and by_card and payments.is_coming(order)
    name, _at, host = order.email.partition("@")
    events = order.events.exclude(new="").values_list("at", "new")
    return StatusPage(
        state=str(order.get_state_display()),
        sentence=_coming(order)
        if coming
        else _back(order)
        if back and unpaid and by_card
        else _unreached()
        if unreached and unpaid and by_card
        else _sentence(order),
        price=receipts.price(order),
        email=f"{name[:1]}…@{host}",
        ordered=receipts.moment(order, order.created_at),
        may_pay=unpaid and by_card and not coming,
        pay_url=order.checkout_url if unpaid and by_card and not coming and payments.is_open(order) else "",
        may_cancel=unpaid and not coming,
        withdraw_until=_withdraw_until(order),
        may_read=bool(order.report),
        refunded=receipts.refunded(order) if order.paid_at else [],
        road=_road(order, {new: at for at, new in events}),
        contact=parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        tone=TONES.get(State(order.state), ""),
        history=[(receipts.moment(order, at), str(State(new).label)) for at, new in events],
    )


# The colours of the bands, for states in which somebody has to act or nothing more is to come.
TONES = {State.AWAITING_PAYMENT: "fragile", State.DELIVERED: "solid", State.CLOSED: "solid"}
ROAD = (State.NEW, State.PAID, State.IN_PROGRESS, State.DELIVERED)


def _road(order: Order, reached: dict[str, datetime]) -> tuple[Milestone, ...]:
    """The four stages that every order passes; empty for one that left the road."""
    stage = {State.AWAITING_PAYMENT: State.NEW, State.CLOSED: State.DELIVERED}.get(
        State(order.state), State(order.state)
    )
    if stage not in ROAD:
        return ()
    here = ROAD.index(stage)
    labels = (
        pgettext("road", "Ordered"), pgettext("road", "Paid"), pgettext("road", "In work"),
        pgettext("road", "Report"),
    )  # fmt: skip
    found = []
    for place, (state, label) in enumerate(zip(ROAD, labels, strict=True)):
        at = order.created_at if state == State.NEW else reached.get(state)
        if place > here:
            at = order.due_at if state == State.DELIVERED else None
        when = receipts.day(order, at) if at else ""
        if place > here and when:
            when = _("by %(when)s") % {"when": when}
        found.append(
            Milestone(
                label=label,
                when=when,
                stage="done" if place <= here else "now" if place == here + 1 else "next",
            )
        )
    return tuple(found)


def _back(order: Order) -> str:
    return _(
        "Thank you. Stripe has not confirmed the payment yet: that takes a few seconds. Reload this page."
    )


def _withdraw_until(order: Order) -> str:
    until = terms.withdraw_until(order)
    return receipts.moment(order, until) if until is not None else ""


def _coming(order: Order) -> str:
    if order.payments.filter(state=Payment.State.ON_ITS_WAY).exists():
        return _(
            "Your payment is on its way. With some ways to pay that takes days: we write to you when it has arrived."
        )
    return _(
        "A payment has arrived that is not the price. We look into it, and write to you. Do not pay again."
    )


def _unreached() -> str:
    return _("The card payment cannot be reached right now. Try again in a minute: your order is kept.")


def _sentence(order: Order) -> str:
    """What the state means for the customer, and what comes next."""
    if order.withdrawn_at is not None and order.state != State.REFUNDED:
        return _(
            "You have withdrawn from this order. You get the whole price back within 14 days at the latest."
        )
    due = {"when": receipts.moment(order, order.due_at)}
    card = order.method == Order.Method.STRIPE
    sentences = {
        State.NEW: _unreached()
        if card
        else _("We have your order. Within two working days you get an e-mail that says how to pay."),
        State.AWAITING_PAYMENT: _("Your order waits for the payment. The work begins when it has arrived.")
        if card
        else _("Your order waits for the payment. How to pay is below and in our e-mail."),
        State.PAID: _("Paid. You get the report by %(when)s at the latest.") % due,
        State.IN_PROGRESS: _("An engineer is at work. You get the report by %(when)s at the latest.") % due,
        State.DELIVERED: _(
            "Your report is ready: we have mailed you its link. Reply to that e-mail if you have questions."
        ),
        State.CLOSED: _("The order is complete. Thank you for your trust."),
        State.CANCELLED: _("The order was cancelled. Should a payment still arrive, we send it back."),
        State.REFUNDED: _("The whole price was sent back. Banks may take up to 10 days to show it."),
        State.EXPIRED: _("No payment arrived in time, so the order has ended. Nothing was charged."),
    }
    return sentences[State(order.state)]
