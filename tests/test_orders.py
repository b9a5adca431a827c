"""The state machine: what the table allows happens whole, what it does not leaves no trace."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from audit.models import Mail, Order, OrderEvent
from audit.orders import forgetting, overview
from audit.orders import service as orders
from audit.orders.money import refunds, upkeep
from audit.orders.service import State
from tests.factories import load_bank, make_order, make_scan

pytestmark = pytest.mark.django_db
STAFF = "staff:admin"

CHANGES = {
    State.AWAITING_PAYMENT: lambda order: orders.send_invoice(order, text="IBAN", actor=STAFF),
    State.PAID: lambda order: orders.mark_paid(order, actor=STAFF),
    State.IN_PROGRESS: lambda order: orders.start(order, actor=STAFF),
    State.CLOSED: lambda order: orders.close(order, actor=STAFF),
    State.CANCELLED: lambda order: orders.cancel(order, actor=STAFF),
    State.EXPIRED: lambda order: orders.expire(order),
    State.REFUNDED: lambda order: refunds.mark_refunded(order, actor=STAFF),
}


def kinds(order) -> list[str]:
    return list(order.mails.order_by("pk").values_list("kind", flat=True))


def test_the_table_names_every_state_and_only_states():
    assert set(orders.TRANSITIONS) == set(State)
    assert set().union(*orders.TRANSITIONS.values()) <= set(State)
    assert set(orders.LETTERS) == set(State)


@pytest.mark.parametrize("to", CHANGES)
@pytest.mark.parametrize("state", list(State))
def test_only_what_the_table_allows_happens(state, to):
    order = make_order(state)
    events, mails = order.events.count(), order.mails.count()
    unpaid_refund = to == State.REFUNDED and order.paid_at is None
    if to in orders.TRANSITIONS[state] and not unpaid_refund:
        CHANGES[to](order)
        assert order.state == Order.objects.get(pk=order.pk).state == to
        last = order.events.last()
        assert (last.old, last.new) == (state, to)
        assert order.events.count() == events + 1
        assert order.mails.first().kind == orders.LETTERS[to]
    else:
        with pytest.raises(orders.NotAllowed):
            CHANGES[to](order)
        order.refresh_from_db()
        assert (order.state, order.events.count(), order.mails.count()) == (state, events, mails)


def test_a_whole_order_is_told_step_by_step_with_its_actors():
    order = make_order("closed", lang="ru")
    assert kinds(order) == ["received", "invoice", "paid", "in_progress", "delivered", "closed"]
    assert set(order.mails.values_list("lang", "to")) == {("ru", "anna@example.org")}
    moves = order.events.exclude(new="").values_list("new", "actor")
    assert list(moves) == [
        ("new", "customer"), ("awaiting_payment", STAFF), ("paid", STAFF), ("in_progress", STAFF),
        ("delivered", STAFF), ("closed", STAFF),
    ]  # fmt: skip


def test_a_stale_copy_changes_nothing():
    """Two workers hold the same order; the second one's change is refused by what the database says."""
    order = make_order("paid")
    stale = Order.objects.get(pk=order.pk)
    orders.start(order, actor=STAFF)
    with pytest.raises(orders.NotAllowed):
        orders.start(stale, actor=STAFF)
    assert kinds(order).count("in_progress") == 1


def test_a_change_whose_mail_fails_does_not_happen(monkeypatch):
    order = make_order("paid")
    monkeypatch.setattr(orders.outbox, "queue", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        orders.start(order, actor=STAFF)
    order.refresh_from_db()
    assert order.state == State.PAID
    assert not order.events.filter(new=State.IN_PROGRESS).exists()


def test_codes_have_no_look_alikes_and_do_not_repeat():
    codes = {orders.new_code() for _ in range(2000)}
    assert len(codes) == 2000
    assert all(
        re.fullmatch(r"GL-[ACDEFHJKMNPRTWXY3479]{4}-[ACDEFHJKMNPRTWXY3479]{4}", code) for code in codes
    )
    assert not set("0OQ1IL2Z5S6G8BUV") & set(orders.CODE_ALPHABET)


def test_a_code_that_is_taken_is_drawn_again(monkeypatch):
    taken = make_order().code
    draws = iter([taken, taken, "GL-AAAA-AAAA"])
    monkeypatch.setattr(orders, "new_code", lambda: next(draws))
    assert make_order(email="b@example.org").code == "GL-AAAA-AAAA"


def test_a_secret_is_refused_before_anything_is_stored():
    phrase = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    with pytest.raises(orders.SecretInMessage) as refused:
        make_order(message=f"My phrase: {phrase}")
    assert "legal" not in repr(refused.value)
    assert not Order.objects.exists()
    assert not Mail.objects.exists()


def test_an_address_may_have_three_unpaid_orders():
    for _ in range(3):
        make_order()
    with pytest.raises(orders.TooManyOpen):
        make_order(email="ANNA@example.org")
    make_order(email="boris@example.org")
    orders.cancel(Order.objects.last(), actor=STAFF)
    make_order()


def test_the_promise_counts_from_the_payment():
    with time_machine.travel("2026-11-23 12:00", tick=False):
        order = make_order("paid")
    assert f"{order.due_at:%Y-%m-%d %H:%M}" == "2026-11-28 12:00"


def test_the_price_stays_that_of_the_day_of_the_order(settings):
    settings.AUDIT_PRICE_USD = 49
    order = make_order()
    settings.AUDIT_PRICE_USD = 99
    order.refresh_from_db()
    assert (order.price_cents, order.currency) == (4900, "usd")


def test_a_delivered_report_is_what_was_delivered_until_it_is_delivered_again():
    order = make_order("delivered")
    orders.save_draft(order, text="A better text", actor=STAFF)
    assert order.report == "## Summary\n\nAll good."
    orders.deliver(order, actor=STAFF)
    assert order.report == "A better text"
    assert kinds(order)[-2:] == ["delivered", "delivered_again"]
    assert order.events.filter(new=State.DELIVERED).count() == 1


@pytest.mark.parametrize("state", ["new", "awaiting_payment", "closed", "cancelled", "expired", "refunded"])
def test_reports_are_written_from_payment_to_closing_only(state):
    with pytest.raises(orders.NotAllowed):
        orders.save_draft(make_order(state), text="x", actor=STAFF)


@pytest.mark.parametrize("change", [orders.send_invoice, refunds.mark_refunded])
def test_a_card_order_is_not_handled_by_hand(change):
    order = make_order("new", method=Order.Method.STRIPE)
    arguments = {"text": "IBAN"} if change is orders.send_invoice else {}
    with pytest.raises(orders.NotAllowed):
        change(order, actor=STAFF, **arguments)


def test_the_clock_expires_what_is_not_paid_and_closes_what_is_done():
    now = timezone.now()
    new, waiting = make_order(), make_order("awaiting_payment")
    paid, done = make_order("paid"), make_order("delivered")
    later = now + timedelta(days=15)
    assert upkeep.tend(now) == 0
    assert upkeep.tend(later) == 3
    states = [Order.objects.get(pk=order.pk).state for order in (new, waiting, paid, done)]
    assert states == ["expired", "expired", "paid", "closed"]
    assert upkeep.tend(later) == 0
    assert {event.actor for event in OrderEvent.objects.filter(new__in=["expired", "closed"])} == {"clock"}


def test_overdue_is_what_waits_for_us_too_long():
    now = timezone.now()
    make_order("delivered")
    make_order(method=Order.Method.STRIPE)  # waits for the customer
    invoice, paid, working = (
        make_order(),
        make_order("paid"),
        make_order("in_progress", email="w@example.org"),
    )
    failed = make_order("paid", method=Order.Method.STRIPE, email="c@example.org")
    assert list(overview.overdue(now)) == []
    Order.objects.filter(pk=failed.pk).update(refund_status=Order.Refund.FAILED)
    assert list(overview.overdue(now)) == [failed]
    assert list(overview.overdue(now + timedelta(days=3))) == [invoice, failed]
    assert list(overview.overdue(now + timedelta(days=6))) == [invoice, paid, working, failed]


def test_counts_name_every_state_in_one_query(django_assert_num_queries):
    make_order()
    make_order("paid")
    with django_assert_num_queries(1):
        counts = overview.counts_by_state()
    assert counts == {state.value: 0 for state in State} | {"new": 1, "paid": 1}


def test_an_order_outlives_its_scan():
    load_bank()
    scan = make_scan()
    order = make_order(scan=scan)
    scan.delete()
    order.refresh_from_db()
    assert order.scan is None


def test_a_link_is_mailed_at_most_every_quarter_of_an_hour():
    with time_machine.travel("2026-11-23 12:00", tick=False) as clock:
        order = make_order("delivered")
        assert orders.send_link(order, actor="customer")
        assert not orders.send_link(order, actor="customer")
        clock.shift(timedelta(minutes=16))
        assert orders.send_link(order, actor="customer")
    with pytest.raises(orders.NotAllowed):
        orders.send_link(make_order("paid"), actor="customer")


def test_the_customers_words_are_forgotten_when_the_order_has_ended():
    order = make_order("delivered", message="My setup")
    with pytest.raises(orders.NotAllowed):
        forgetting.forget_words(order, actor=STAFF)
    orders.close(order, actor=STAFF)
    forgetting.forget_words(order, actor=STAFF)
    assert (order.message, order.draft, order.report, order.email) == ("", "", "", "anna@example.org")


# -- refunds through Stripe --------------------------------------------------------------------------
def paid_by_card(state="paid") -> Order:
    return make_order(state, method=Order.Method.STRIPE)


def news(order, status, refund_id="re_1") -> bool:
    payment = order.payments.get()
    facts = {"id": refund_id, "status": status, "amount": 4900, "metadata": {"order": order.public_id}}
    news = refunds.record(payment, facts, actor="stripe")
    order.refresh_from_db()
    return news


@pytest.mark.parametrize("state", ["paid", "in_progress", "delivered", "closed"])
def test_a_refund_is_claimed_once_and_done_when_stripe_says_so(state):
    order = paid_by_card(state)
    refunds.claim(order, actor=STAFF)
    with pytest.raises(orders.NotAllowed):
        refunds.claim(order, actor=STAFF)
    assert news(order, "pending")
    assert order.state == state
    assert news(order, "succeeded")
    assert order.state == State.REFUNDED
    assert kinds(order).count("refunded") == 1


def test_old_news_of_a_refund_change_nothing():
    order = paid_by_card()
    refunds.claim(order, actor=STAFF)
    assert news(order, "succeeded")
    assert not news(order, "pending")
    assert not news(order, "succeeded")
    assert (order.state, order.refund_status) == ("refunded", "succeeded")
    assert kinds(order).count("refunded") == 1


def test_a_refund_that_fails_after_all_is_overdue_and_may_be_repeated():
    order = paid_by_card()
    refunds.claim(order, actor=STAFF)
    news(order, "succeeded")
    assert news(order, "failed")  # banks do send money back
    assert list(overview.overdue()) == [order]
    refunds.claim(order, actor=STAFF)
    assert news(order, "succeeded", "re_2")
    assert not news(order, "failed", "re_1")
    assert (order.state, order.refund_status, order.refund_id) == ("refunded", "succeeded", "re_2")
    assert not overview.overdue().exists()
    assert kinds(order).count("refunded") == 1


@pytest.mark.parametrize("state", ["new", "awaiting_payment", "cancelled", "expired"])
def test_what_was_not_paid_is_not_refunded(state):
    with pytest.raises(orders.NotAllowed):
        refunds.claim(paid_by_card(state), actor=STAFF)
