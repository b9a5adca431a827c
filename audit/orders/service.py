"""The manual audit's orders: one table of states, and the only functions that change an order.

Every change is one transaction: a conditional UPDATE that the table allows, a line of history with its actor, and
the customer's mail in the outbox. A change that the state does not allow raises NotAllowed and leaves no trace.
Nothing here talks to Stripe: payments.py does, and comes back here with the answer. Refunds are in refunds.py.
"""

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from audit.models import Counter, Order, OrderEvent, Payment, Scan
from audit.orders import outbox, secret_guard, terms
from audit.scans import tokens

State = Order.State

TRANSITIONS: dict[State, frozenset[State]] = {
    State.NEW: frozenset({State.AWAITING_PAYMENT, State.PAID, State.CANCELLED, State.EXPIRED}),
    State.AWAITING_PAYMENT: frozenset({State.PAID, State.CANCELLED, State.EXPIRED}),
    State.PAID: frozenset({State.IN_PROGRESS, State.REFUNDED}),
    State.IN_PROGRESS: frozenset({State.DELIVERED, State.REFUNDED}),
    State.DELIVERED: frozenset({State.CLOSED, State.REFUNDED}),
    State.CLOSED: frozenset({State.REFUNDED}),
    State.CANCELLED: frozenset({State.REFUNDED}),  # a payment that came too late is sent back
    State.EXPIRED: frozenset({State.PAID}),  # the customer paid what we asked: we do the work
    State.REFUNDED: frozenset(),
}
UNPAID = (State.NEW, State.AWAITING_PAYMENT)
OWED = (State.PAID, State.IN_PROGRESS)
ENDED = (State.CLOSED, State.CANCELLED, State.REFUNDED, State.EXPIRED)

# The state's letter to the customer (letters/). Opening Stripe's page is told by the first letter already.
LETTERS = {
    State.NEW: "received",
    State.AWAITING_PAYMENT: "invoice",
    State.PAID: "paid",
    State.IN_PROGRESS: "in_progress",
    State.DELIVERED: "delivered",
    State.CLOSED: "closed",
    State.CANCELLED: "cancelled",
    State.REFUNDED: "refunded",
    State.EXPIRED: "expired",
}

UNPAID_DAYS = 14  # then an unpaid order expires
INVOICE_DAYS = 2  # an order that waits longer for its invoice is overdue
OPEN_AN_ADDRESS = 3  # unpaid orders one e-mail address may have
FIRST_LOOK = timedelta(minutes=30)  # after a payment page was opened, Stripe is asked about it
A_DAY_AN_ADDRESS = 4  # orders of any state that one e-mail address may make in 24 hours

CUSTOMER, STRIPE, CLOCK = "customer", "stripe", "clock"
WRONG_AMOUNT, KEY_REFUSED = "wrong amount", "Stripe refused our key"
FORGOTTEN = "words forgotten"
NOBODY = outbox.NOBODY

# No 0 O Q, 1 I L, 2 Z, 5 S, 6 G, 8 B, U V: what looks or sounds alike in print, by hand or on the phone.
CODE_ALPHABET = "ACDEFHJKMNPRTWXY3479"
CODE_CHARS = 8


class NotAllowed(Exception):
    """The order is not in a state that allows this; `state` is the one it is in."""

    def __init__(self, order: Order, wanted: str) -> None:
        super().__init__(f"{order.code} is {order.state}: {wanted} is not allowed")
        self.state = State(order.state)


class Disputed(NotAllowed):
    """The customer's bank wants the money back, or warns of fraud, and nobody has decided what to do."""


class SecretInMessage(ValueError):
    """The message seems to hold a recovery phrase or a key. Carries its kind and no part of it."""

    def __init__(self, kind: secret_guard.Secret) -> None:
        super().__init__(kind)
        self.kind = kind


class TooManyOpen(Exception):
    """This e-mail address has OPEN_AN_ADDRESS unpaid orders already, or made A_DAY_AN_ADDRESS within a day."""


# -- making ------------------------------------------------------------------------------------------
def create(
    *,
    lang: str,
    email: str,
    time_zone: str,
    message: str,
    scan: Scan | None,
    method: Order.Method,
    cleared: bool = False,
    begin: bool = False,
) -> Order:
    """A new order at today's price, with its letter. Fields are valid already; the message is checked once more,
    together with those of the address's other unpaid orders. `cleared`: the customer says that it is no secret.
    `begin`: the customer asks us to begin at once, see terms.

    Raises SecretInMessage before anything is stored, and TooManyOpen.
    """
    earlier = Order.objects.filter(email__iexact=email, state__in=UNPAID).order_by("pk")
    words = [*earlier.values_list("message", flat=True)[:OPEN_AN_ADDRESS], message]
    for text in dict.fromkeys((message, "\n".join(words))):  # a phrase may come in two messages
        if (found := secret_guard.look(text)) and (found.certain or not cleared):
            raise SecretInMessage(found.kind)
    for _attempt in range(5):
        try:
            with transaction.atomic():
                _within_limits(email)
                order = Order.objects.create(
                    public_id=tokens.new_id(),
                    code=new_code(),
                    lang=lang,
                    state_since=timezone.now(),
                    method=method,
                    price_cents=settings.AUDIT_PRICE_USD * 100,
                    email=email,
                    time_zone=time_zone,
                    message=message,
                    scan=scan,
                    terms_version=terms.VERSION,
                    begin_asked_at=timezone.now() if begin else None,
                )
                OrderEvent.objects.create(order=order, actor=CUSTOMER, what="ordered", new=State.NEW)
                outbox.queue(order, LETTERS[State.NEW])
                if method == Order.Method.INVOICE:
                    outbox.queue_for_staff(order, "staff_new")
                return order
        except IntegrityError:  # the code was taken: 20**8 are not endless
            continue
    raise RuntimeError("no free order code was found")


def _within_limits(email: str) -> None:
    """Raises TooManyOpen. One at a time, so that parallel orders do not pass together; `me+anything@` is `me@`.

    Orders of the last day count whatever became of them: each has sent letters to somebody who may not have asked.
    """
    if connection.vendor == "postgresql":  # SQLite has begun with its write lock
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", ["audit.orders.create"])
    name, _, host = email.rpartition("@")
    name = name.partition("+")[0]
    same = Q(email__iexact=f"{name}@{host}") | Q(email__istartswith=f"{name}+", email__iendswith=f"@{host}")
    theirs = Order.objects.filter(same)
    if theirs.filter(state__in=UNPAID).count() >= OPEN_AN_ADDRESS:
        raise TooManyOpen
    if theirs.filter(created_at__gt=timezone.now() - timedelta(days=1)).count() >= A_DAY_AN_ADDRESS:
        raise TooManyOpen


def new_code() -> str:
    """A random reference such as `GL-7HKX-3PFA`."""
    chars = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_CHARS))
    return f"GL-{chars[:4]}-{chars[4:]}"


def only(order: Order, method: Order.Method, wanted: str) -> None:
    """Raises NotAllowed for an order that is paid in another way."""
    if order.method != method:
        raise NotAllowed(order, wanted)


# -- changing ----------------------------------------------------------------------------------------
def move(
    order: Order, to: State, *, actor: str, what: str, detail: str = "", letter: bool = True, **fields: Any
) -> None:
    """The one way to another state. `fields` change with it; `order` is brought up to date. Raises NotAllowed."""
    with transaction.atomic():
        current = Order.objects.select_for_update().get(pk=order.pk)
        now = timezone.now()
        allowed = [state for state, targets in TRANSITIONS.items() if to in targets]
        changed = Order.objects.filter(pk=order.pk, state=current.state, state__in=allowed).update(
            state=to, state_since=now, **fields
        )
        if not changed:
            raise NotAllowed(current, to)
        note(current, actor=actor, what=what, new=to, detail=detail)
        order.refresh_from_db()
        if letter:
            outbox.queue(order, LETTERS[to])


def note(order: Order, *, actor: str, what: str, new: str = "", detail: str = "") -> None:
    """A line of the order's history. `detail` never holds words of the customer."""
    old = order.state if new else ""
    OrderEvent.objects.create(
        order_id=order.pk, actor=actor, what=what, old=old, new=new, detail=detail[:300]
    )


def await_card(order: Order, *, actor: str, **checkout: Any) -> None:
    """Stripe's page is open: `checkout` are the fields that describe it. A new page for the same order is noted."""
    now = timezone.now()
    with transaction.atomic():
        Payment.objects.get_or_create(
            session=checkout["checkout_session"],
            defaults={
                "order": order,
                "amount": order.price_cents,
                "currency": order.currency,
                "state": Payment.State.OPEN,
                "next_look_at": now + FIRST_LOOK,
            },
        )
        if Order.objects.filter(pk=order.pk, state=State.AWAITING_PAYMENT).update(**checkout):
            note(order, actor=actor, what="checkout opened again")
        else:
            what = "checkout opened"
            move(order, State.AWAITING_PAYMENT, actor=actor, what=what, letter=False, **checkout)
    order.refresh_from_db()


def send_invoice(order: Order, *, text: str, actor: str) -> None:
    """Tells the customer how to pay. Raises NotAllowed unless the order is new and paid by invoice."""
    only(order, Order.Method.INVOICE, "invoice")
    move(order, State.AWAITING_PAYMENT, actor=actor, what="invoice sent", invoice=text)


def mark_paid(
    order: Order, *, actor: str, payment_intent: str = "", detail: str = "", payment: Payment | None = None
) -> None:
    """The money is here, and gets its invoice number. An expired order comes back to life."""
    now = timezone.now()
    with transaction.atomic():
        move(
            order,
            State.PAID,
            actor=actor,
            what="paid",
            detail=detail,
            letter=False,
            paid_at=now,
            due_at=now + timedelta(days=terms.PROMISE_DAYS),
            payment_intent=payment.intent if payment else payment_intent,
        )
        if payment is None:
            payment = Payment(
                order=order, intent=payment_intent, amount=order.price_cents, currency=order.currency
            )
        payment.state, payment.use, payment.at = Payment.State.PAID, Payment.Use.KEPT, payment.at or now
        payment.invoice_number, payment.next_look_at = next_number("invoice"), None
        payment.save()
        outbox.queue(order, LETTERS[State.PAID])
        outbox.queue_for_staff(order, "staff_paid")


def next_number(series: str) -> int:
    """The next number of a series, without gaps: a transaction that fails gives its number back. 1 is the first."""
    with transaction.atomic():
        Counter.objects.get_or_create(name=series)
        counter = Counter.objects.select_for_update().get(name=series)
        counter.last += 1
        counter.save()
    return counter.last


def undisputed(order: Order, wanted: str) -> None:
    """Raises Disputed as long as a dispute or a warning of fraud waits for a decision of staff, and NotAllowed once
    the customer has withdrawn."""
    if Order.objects.filter(pk=order.pk).exclude(withdrawn_at=None).exists():
        raise NotAllowed(order, wanted)
    if order.disputes.filter(decided_at=None).exists():
        raise Disputed(order, wanted)


def start(order: Order, *, actor: str) -> None:
    """An engineer begins. Raises NotAllowed, and Disputed while a dispute waits for a decision."""
    undisputed(order, "start")
    move(order, State.IN_PROGRESS, actor=actor, what="started")


def save_draft(order: Order, *, text: str, actor: str) -> None:
    """Keeps the report as it is written. Allowed from payment until the order is closed."""
    states = (*OWED, State.DELIVERED)
    with transaction.atomic():
        if not Order.objects.filter(pk=order.pk, state__in=states).update(draft=text):
            raise NotAllowed(order, "draft")
        note(order, actor=actor, what="draft saved", detail=f"{len(text)} characters")
    order.refresh_from_db()


def deliver(order: Order, *, actor: str) -> None:
    """The draft becomes the report, and the customer gets a link. A delivered report may be delivered corrected.

    Raises NotAllowed, and Disputed while a dispute waits for a decision.
    """
    order.refresh_from_db()
    undisputed(order, "deliver")
    now = timezone.now()
    if order.state != State.DELIVERED:
        move(order, State.DELIVERED, actor=actor, what="delivered", report=F("draft"), delivered_at=now)
        return
    with transaction.atomic():
        if not Order.objects.filter(pk=order.pk, state=State.DELIVERED).update(report=F("draft")):
            raise NotAllowed(order, "deliver")
        note(order, actor=actor, what="delivered again")
        order.refresh_from_db()
        outbox.queue(order, "delivered_again")


def close(order: Order, *, actor: str) -> None:
    move(order, State.CLOSED, actor=actor, what="closed")


def cancel(order: Order, *, actor: str) -> None:
    """Only what is not paid is cancelled; what is paid is refunded."""
    move(order, State.CANCELLED, actor=actor, what="cancelled")


def expire(order: Order) -> None:
    move(order, State.EXPIRED, actor=CLOCK, what="expired")


# -- a fresh link ------------------------------------------------------------------------------------
LINK_EVERY = timedelta(minutes=15)


def send_link(order: Order, *, actor: str) -> bool:
    """Mails a fresh link to a delivered report, to the order's address alone and at most every LINK_EVERY.

    Returns whether it was sent.
    """
    if not order.report:
        raise NotAllowed(order, "link")
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=order.pk)
        recent = order.mails.filter(kind="link", created_at__gt=timezone.now() - LINK_EVERY)
        if recent.exists():
            return False
        note(order, actor=actor, what="link sent")
        outbox.queue(order, "link")
    return True
