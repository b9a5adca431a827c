"""The buttons of an order in the admin: who may press them, when they are offered, what they do."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.models import Order, Payment
from audit.orders import deliverable, forgetting, payments
from audit.orders import service as orders
from audit.orders.money import disputes, refunds, sending

State = Order.State
Text = str | Promise
PROCESS, MONEY = "audit.process_order", "audit.manage_payment"
INVOICE_CHARS = 2000


class Refused(Exception):
    """Why an action was not done, for staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button. `run` gets the order, the actor's name and the posted text; `states`: where it is offered."""

    label: Text
    permission: str
    run: Callable[[Order, str, str], None]
    done: Text
    states: tuple[State, ...]
    method: str = ""
    when: Callable[[Order], bool] | None = None  # further reads of the database
    sure: bool = False  # wants a tick beside the button: money, or what cannot be undone


def _start(order: Order, actor: str, text: str) -> None:
    orders.start(order, actor=actor)


def _fill(order: Order, actor: str, text: str) -> None:
    """The scan's findings become the draft; what was written so far is not overwritten."""
    if order.draft.strip():
        raise Refused(_("There is a draft already. Empty it first."))
    orders.save_draft(order, text=deliverable.template(order), actor=actor)


def _save(order: Order, actor: str, text: str) -> None:
    if len(text) > deliverable.MAX_CHARS:
        raise Refused(_("The report is longer than %(count)d characters.") % {"count": deliverable.MAX_CHARS})
    orders.save_draft(order, text=text, actor=actor)


def _deliver(order: Order, actor: str, text: str) -> None:
    if problem := deliverable.problem(order.draft):
        raise Refused(problem)
    orders.deliver(order, actor=actor)


def _link(order: Order, actor: str, text: str) -> None:
    if not orders.send_link(order, actor=actor):
        raise Refused(_("A link was mailed a moment ago."))


def _invoice(order: Order, actor: str, text: str) -> None:
    if not text.strip() or len(text) > INVOICE_CHARS:
        raise Refused(_("Write how to pay, in at most %(count)d characters.") % {"count": INVOICE_CHARS})
    orders.send_invoice(order, text=text.strip(), actor=actor)


def _mark_paid(order: Order, actor: str, text: str) -> None:
    if order.method != Order.Method.INVOICE:
        raise Refused(_("Only Stripe says whether a card payment was made."))
    orders.mark_paid(order, actor=actor, detail=text.strip()[:200])


def _ask(order: Order, actor: str, text: str) -> None:
    told = payments.ask(order)
    orders.note(order, actor=actor, what="Stripe was asked", detail=", ".join(told))


def _return(order: Order, actor: str, text: str) -> None:
    payment = refunds.unwanted(order)
    if payment is None:
        raise orders.NotAllowed(order, "return")
    sending.send(refunds.claim(order, actor=actor, payment=payment), actor=actor)
    order.refresh_from_db()


def _questioned(order: Order) -> bool:
    payment = refunds.unwanted(order)
    return payment is not None and payment.use == Payment.Use.QUESTIONED


ACTIVE = (State.PAID, State.IN_PROGRESS, State.DELIVERED, State.CLOSED)
WRITING = (State.PAID, State.IN_PROGRESS, State.DELIVERED)
UNPAID = orders.UNPAID
INVOICE, STRIPE = Order.Method.INVOICE, Order.Method.STRIPE

ACTIONS: dict[str, Action] = {
    "start": Action(
        label=_("Start the work"), permission=PROCESS, run=_start, done=_("Started."), states=(State.PAID,)
    ),
    "fill": Action(
        label=_("Fill the draft from the scan"),
        permission=PROCESS,
        run=_fill,
        done=_("The draft is filled."),
        states=WRITING,
    ),
    "save": Action(
        label=_("Save the draft"),
        permission=PROCESS,
        run=_save,
        done=_("The draft is saved."),
        states=WRITING,
    ),
    "deliver": Action(
        label=_("Deliver the report"),
        permission=PROCESS,
        run=_deliver,
        done=_("Delivered: the customer gets a link."),
        states=(State.IN_PROGRESS, State.DELIVERED),
    ),
    "link": Action(
        label=_("Mail a new link to the report"),
        permission=PROCESS,
        run=_link,
        done=_("A new link is on its way."),
        states=(State.DELIVERED, State.CLOSED),
    ),
    "close": Action(
        label=_("Close the order"),
        permission=PROCESS,
        run=lambda order, actor, text: orders.close(order, actor=actor),
        done=_("Closed."),
        states=(State.DELIVERED,),
    ),
    "forget": Action(
        label=_("Delete message and report for good, as the customer asked"),
        permission=PROCESS,
        run=lambda order, actor, text: forgetting.forget_words(order, actor=actor),
        done=_("Message and report are deleted."),
        states=(State.CLOSED, State.CANCELLED, State.REFUNDED, State.EXPIRED),
        sure=True,
    ),
    "invoice": Action(
        label=_("Send the invoice"),
        permission=MONEY,
        run=_invoice,
        done=_("The invoice is on its way."),
        states=(State.NEW,),
        method=INVOICE,
    ),
    "paid": Action(
        label=_("The money has arrived"),
        permission=MONEY,
        run=_mark_paid,
        done=_("Marked as paid."),
        states=(*UNPAID, State.EXPIRED),
        method=INVOICE,
    ),
    "cancel": Action(
        label=_("Cancel the order"),
        permission=MONEY,
        run=lambda order, actor, text: payments.cancel(order, actor=actor),
        done=_("Cancelled."),
        states=UNPAID,
        sure=True,
    ),
    "ask": Action(
        label=_("Ask Stripe about payments and refunds"),
        permission=MONEY,
        run=_ask,
        done=_("Stripe was asked. What it said is in the history."),
        states=tuple(State),
        method=STRIPE,
    ),
    "accept": Action(
        label=_("Take the wrong amount for the price"),
        permission=MONEY,
        run=lambda order, actor, text: payments.accept(order, actor=actor),
        done=_("Marked as paid."),
        states=(*UNPAID, State.EXPIRED),
        method=STRIPE,
        sure=True,
        when=_questioned,
    ),
    "return": Action(
        label=_("Send the surplus payment back through Stripe"),
        permission=MONEY,
        run=_return,
        done=_("Stripe has the refund."),
        states=tuple(State),
        method=STRIPE,
        sure=True,
        when=lambda order: refunds.unwanted(order) is not None,
    ),
    "refund": Action(
        label=_("Refund what is left of the price through Stripe"),
        permission=MONEY,
        run=lambda order, actor, text: payments.refund(order, actor=actor),
        done=_("Stripe has the refund. The order is refunded when Stripe says that it is done."),
        states=(*ACTIVE, State.CANCELLED, State.REFUNDED),
        method=STRIPE,
        sure=True,
        when=lambda order: bool(refunds.waiting(order) or refunds.kept(order)),
    ),
    "go_on": Action(
        label=_("Go on in spite of the dispute"),
        permission=MONEY,
        run=lambda order, actor, text: disputes.go_on(order, actor=actor),
        done=_("The work may go on."),
        states=tuple(State),
        sure=True,
        when=lambda order: disputes.waiting(order) is not None,
    ),
    "give_up": Action(
        label=_("The dispute is lost: end the order"),
        permission=MONEY,
        run=lambda order, actor, text: disputes.give_up(order, actor=actor),
        done=_("Marked as refunded by the bank."),
        states=ACTIVE,
        sure=True,
        when=lambda order: order.disputes.filter(decided_at=None, status="lost").exists(),
    ),
    "refunded": Action(
        label=_("I have sent the money back"),
        permission=MONEY,
        run=lambda order, actor, text: refunds.mark_refunded(order, actor=actor),
        done=_("Marked as refunded."),
        states=ACTIVE,
        method=INVOICE,
        sure=True,
    ),
}
WITH_TEXT = {"save", "invoice", "paid"}  # their buttons stand beside a field
