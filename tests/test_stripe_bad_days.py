"""What Stripe, banks and networks do on their bad days, through signed events and the pages of the site.

The stand-in remembers failures under their idempotency key, as Stripe does.
"""

import json
import time
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission, User
from django.core import mail as sent_mail
from django.urls import reverse
from django.utils import timezone

from audit.models import Dispute, Mail, Order, Payment, Refund, StripeEvent
from audit.orders import links, outbox, overview, payments
from audit.orders import service as orders
from audit.orders.money import refunds, sending, stripe_api, upkeep
from guardlabs.staff.roles import make_groups
from tests.factories import make_order
from tests.stripe_standin import KILLED, LOST, signed

pytestmark = pytest.mark.django_db
CARD = Order.Method.STRIPE


@pytest.fixture(autouse=True)
def _no_retries(monkeypatch):
    monkeypatch.setattr(stripe_api, "RETRIES", 0)


@pytest.fixture(autouse=True)
def _staff(settings):
    settings.ADMINS = [("staff", "staff@example.org")]


@pytest.fixture
def deliver(client):
    def post(event: dict) -> str:
        body, signature = signed(event)
        answer = client.post(
            "/stripe/webhook", body, content_type="application/json", headers={"Stripe-Signature": signature}
        )
        assert answer.status_code == 200, answer
        return answer.content.decode()

    return post


@pytest.fixture
def finance(client):
    """Somebody with the role finance, logged in; acts on orders and returns what the admin says."""
    make_groups(Group, Permission)
    user = User.objects.create_user("fin", is_staff=True)
    user.groups.add(Group.objects.get(name="finance"))
    client.force_login(user)

    def act(order: Order, name: str, **data) -> str:
        url = reverse("admin:audit_order_act", args=[order.pk, name])
        response = client.post(url, {"sure": "on"} | data, follow=True)
        order.refresh_from_db()
        return " ".join(map(str, response.context["messages"]))

    return act


def offered(client, order: Order) -> set[str]:
    return set(client.get(reverse("admin:audit_order_change", args=[order.pk])).context["offered"])


@pytest.fixture
def order(client, stripe) -> Order:
    """An order made through the form, whose payment page is open."""
    answer = client.post("/en/order/", {"email": "anna@example.org"})
    assert answer.status_code == 303
    return Order.objects.get()


@pytest.fixture
def paid(stripe, order, deliver) -> Order:
    deliver(stripe.pay(order.checkout_session))
    order.refresh_from_db()
    assert order.state == "paid"
    return order


def page(client, order: Order) -> str:
    return client.get(f"/en/order/{links.status_token(order)}/").content.decode()


def later(**delta):
    return time_machine.travel(timezone.now() + timedelta(**delta), tick=False)


def tend(**delta) -> None:
    with later(**delta):
        upkeep.tend()


def kinds(order: Order) -> list[str]:
    return list(order.mails.order_by("pk").values_list("kind", flat=True))


# -- 1: a worker dies between the claim and the answer -----------------------------------------------
@pytest.mark.parametrize("reached", [LOST, KILLED])
@pytest.mark.parametrize("by", ["housekeeping", "button"])
def test_a_claimed_refund_whose_answer_was_lost_is_looked_up(
    stripe, paid, finance, client, reached, by, monkeypatch
):
    stripe.failures.append(reached)

    def die(*args, **kwargs):
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(sending, "_not_answered", die)
        with pytest.raises(SystemExit):
            payments.refund(paid, actor="staff:anna")
    paid.refresh_from_db()
    assert (paid.state, paid.refund_status) == ("paid", "pending")
    if by == "housekeeping":
        tend(minutes=11)
    else:
        assert "refund" in offered(client, paid)
        finance(paid, "refund")
    paid.refresh_from_db()
    assert (paid.state, paid.refund_status, len(stripe.refunds)) == ("refunded", "succeeded", 1)


def test_a_refund_that_nobody_answers_becomes_overdue(stripe, paid, finance):
    stripe.failures.extend([KILLED] * 9)
    assert "Stripe" in finance(paid, "refund")
    assert list(overview.overdue()) == []
    assert list(overview.overdue(timezone.now() + timedelta(hours=2))) == [paid]


# -- 2: parts ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("first_known", [True, False])
def test_a_part_by_hand_and_the_rest_by_the_admin_are_a_whole(stripe, paid, deliver, finance, first_known):
    stripe.make_refund({"payment_intent": paid.payment_intent, "amount": "1000"})
    if first_known:
        assert deliver(stripe.events[-1]) == "a part"
    finance(paid, "refund")
    for event in stripe.events:
        deliver(event)
    paid.refresh_from_db()
    assert (paid.state, paid.refund_status) == ("refunded", "succeeded")
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [1000, 3900]
    assert stripe.payments[paid.payment_intent]["left"] == 0


def test_the_rest_that_fails_at_the_bank_may_be_sent_again(stripe, paid, deliver, finance):
    stripe.make_refund({"payment_intent": paid.payment_intent, "amount": "1000"})
    deliver(stripe.events[-1])
    stripe.refund_status = "pending"
    finance(paid, "refund")
    rest = Refund.objects.get(amount=3900)
    assert deliver(stripe.settle_refund(rest.refund_id, "failed")) == "a part"
    paid.refresh_from_db()
    assert (paid.state, paid.refund_status) == ("paid", "failed")
    assert list(overview.overdue()) == [paid]
    stripe.refund_status = "succeeded"
    finance(paid, "refund")
    assert (paid.state, paid.refund_status) == ("refunded", "succeeded")
    assert not overview.overdue().exists()


def test_two_parts_by_hand_are_a_whole(stripe, paid, deliver):
    for amount in ("1000", "3900"):
        stripe.make_refund({"payment_intent": paid.payment_intent, "amount": amount})
        deliver(stripe.events[-1])
    paid.refresh_from_db()
    assert paid.state == "refunded"
    assert kinds(paid).count("part_refunded") == 1


# -- 3: a second payment that cannot be sent back ----------------------------------------------------
@pytest.fixture
def second(stripe, order, deliver) -> Payment:
    """Paid twice; the second could not be sent back, whatever `stripe.failures` said."""
    first = stripe.pay(order.checkout_session)
    Order.objects.filter(pk=order.pk).update(checkout_expires_at=None)
    order.refresh_from_db()
    payments.open_checkout(order, actor="customer")
    deliver(first)
    stripe.failures.append(400)
    assert deliver(stripe.pay(order.checkout_session)) == "paid twice, sent back"
    return Payment.objects.get(use="surplus")


def test_a_second_payment_that_is_not_sent_back_is_told_and_may_be_sent(
    stripe, order, second, finance, client
):
    order.refresh_from_db()
    assert (order.state, len(stripe.refunds)) == ("paid", 0)
    assert list(overview.overdue()) == [order]
    assert {"staff_money", "paid_twice"} <= set(kinds(order))
    assert "return" in offered(client, order)
    finance(order, "return")
    (refund,) = stripe.refunds.values()
    assert refund["payment_intent"] == second.intent
    assert order.state == "paid"
    assert not overview.overdue().exists()


def test_a_second_payment_sent_back_by_hand_needs_nobody(stripe, order, second, deliver):
    stripe.make_refund({"payment_intent": second.intent})
    deliver(stripe.events[-1])
    order.refresh_from_db()
    assert order.state == "paid"
    assert not overview.overdue().exists()


# -- 4: stored failures ------------------------------------------------------------------------------
@pytest.mark.parametrize("failure", [500, 402, 429, LOST, KILLED])
def test_one_failure_does_not_block_the_payment_page(client, stripe, failure):
    stripe.failures.append(failure)
    client.post("/en/order/", {"email": "anna@example.org"})
    order = Order.objects.get()
    assert order.state == "new"
    assert client.post(f"/en/order/{links.status_token(order)}/pay")["Location"].endswith("/")
    order.refresh_from_db()
    assert order.state == "awaiting_payment"
    assert payments.is_open(order)


@pytest.mark.parametrize("failure", [500, 402, 429, LOST, KILLED])
def test_one_failure_does_not_block_a_refund(stripe, paid, finance, failure):
    stripe.failures.append(failure)
    assert "Stripe:" in finance(paid, "refund")
    finance(paid, "refund")
    assert paid.state == "refunded"
    assert len(stripe.refunds) == 1


def test_a_refund_that_went_through_behind_a_500_is_found_and_not_repeated(stripe, paid, finance):
    stripe.failures.append(500)
    finance(paid, "refund")
    row = Refund.objects.get()
    stripe.make_refund(
        {"payment_intent": paid.payment_intent, "metadata[order]": "x", "metadata[refund]": str(row.pk)}
    )
    finance(paid, "refund")
    assert (paid.state, len(stripe.refunds)) == ("refunded", 1)


# -- 5: lost webhooks --------------------------------------------------------------------------------
def test_a_payment_whose_webhook_was_lost_is_found_within_the_hour(stripe, order):
    stripe.pay(order.checkout_session)
    tend(minutes=31)
    order.refresh_from_db()
    assert order.state == "paid"


def test_stripe_is_asked_before_an_order_expires(stripe, order):
    stripe.pay(order.checkout_session)
    stripe.failures.extend([500] * 2)
    tend(days=15)
    order.refresh_from_db()
    assert order.state == "awaiting_payment"  # Stripe could not be asked
    stripe.failures.clear()
    tend(days=15, hours=2)
    order.refresh_from_db()
    assert order.state == "paid"


def test_an_order_that_nobody_paid_expires(stripe, order):
    stripe.sessions[order.checkout_session].update(status="expired", url=None)
    tend(days=15)
    order.refresh_from_db()
    assert order.state == "expired"


def test_staff_can_ask_stripe(stripe, order, finance):
    stripe.pay(order.checkout_session)
    finance(order, "ask")
    assert order.state == "paid"
    stripe.make_refund({"payment_intent": order.payment_intent})
    finance(order, "ask")
    assert order.state == "refunded"


def test_an_older_page_is_asked_about_too(stripe, order):
    first = order.checkout_session
    Order.objects.filter(pk=order.pk).update(checkout_expires_at=None)
    order.refresh_from_db()
    payments.open_checkout(order, actor="customer")
    assert order.checkout_session != first
    stripe.pay(first)
    tend(minutes=31)
    order.refresh_from_db()
    assert order.state == "paid"


@pytest.mark.django_db(transaction=True)
def test_cancelling_what_was_just_paid_sends_it_back(stripe, client):
    client.post("/en/order/", {"email": "anna@example.org"})
    order = Order.objects.get()
    stripe.pay(order.checkout_session)
    client.post(f"/en/order/{links.status_token(order)}/cancel")
    order.refresh_from_db()
    assert order.state == "refunded"


# -- 6: slow payments --------------------------------------------------------------------------------
def test_cards_only_unless_the_seller_says_more(stripe, settings):
    payments.open_checkout(make_order(method=CARD), actor="customer")
    settings.STRIPE_PAYMENT_METHODS = ["card", "sepa_debit"]
    payments.open_checkout(make_order(method=CARD), actor="customer")
    settings.STRIPE_PAYMENT_METHODS = []
    payments.open_checkout(make_order(method=CARD), actor="customer")
    asked = [session["payment_method_types"] for session in stripe.sessions.values()]
    assert asked == [["card"], ["card", "sepa_debit"], []]


def test_money_on_its_way_asks_for_no_second_payment(stripe, order, deliver, client):
    assert deliver(stripe.pay(order.checkout_session, slow=True)) == "not paid yet"
    shown = page(client, order)
    assert "on its way" in shown
    assert 'id="pay"' not in shown
    assert "/pay" not in shown
    assert "/cancel" not in shown
    client.post(f"/en/order/{links.status_token(order)}/cancel")
    client.post(f"/en/order/{links.status_token(order)}/pay")
    order.refresh_from_db()
    assert (order.state, len(stripe.sessions)) == ("awaiting_payment", 1)
    tend(days=15)
    order.refresh_from_db()
    assert order.state == "awaiting_payment"
    assert deliver(stripe.settle(order.checkout_session, ok=True)) == "paid"


@pytest.mark.parametrize("told", [True, False])
def test_a_slow_payment_that_fails_is_told_and_can_be_made_again(stripe, order, deliver, client, told):
    deliver(stripe.pay(order.checkout_session, slow=True))
    event = stripe.settle(order.checkout_session, ok=False)
    if told:
        assert deliver(event) == "noted"
    else:
        tend(hours=7)
    order.refresh_from_db()
    assert kinds(order).count("payment_failed") == 1
    assert "/pay" in page(client, order)
    client.post(f"/en/order/{links.status_token(order)}/pay")
    order.refresh_from_db()
    assert payments.is_open(order)
    assert deliver(stripe.pay(order.checkout_session)) == "paid"


# -- 7: a revoked key --------------------------------------------------------------------------------
def test_a_refused_key_is_told_to_staff_once_and_over_when_it_works(stripe, client, settings):
    good = settings.STRIPE_SECRET_KEY
    settings.STRIPE_SECRET_KEY = "sk_test_revoked"
    for name in ("anna", "boris"):
        client.post("/en/order/", {"email": f"{name}@example.org"})
    assert Mail.objects.filter(kind="staff_key").count() == 1
    assert overview.overdue().count() == 2
    assert upkeep.refused() is not None
    desk = User.objects.create_superuser("anna")
    client.force_login(desk)
    assert "Stripe refuses" in client.get("/admin/").content.decode()
    settings.STRIPE_SECRET_KEY = good
    upkeep.tend()
    assert upkeep.refused() is None
    assert "Stripe refuses" not in client.get("/admin/").content.decode()


# -- 8: addresses that Stripe refuses ----------------------------------------------------------------
@pytest.mark.parametrize("address", ["someone@localhost", "a@[127.0.0.1]", '"a b"@example.org', "a@[::1]",
                                     f"{'a' * 65}@example.org", f"{'a' * 300}@x.example",
                                     f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.example"])  # fmt: skip
def test_an_address_that_stripe_refuses_is_refused_at_the_form(client, stripe, address):
    answer = client.post("/en/order/", {"email": address})
    assert answer.status_code == 400
    assert 'id="email-error"' in answer.content.decode()
    assert not Order.objects.exists()


def test_an_address_that_only_stripe_dislikes_does_not_stop_the_payment(stripe):
    order = make_order(method=CARD)
    Order.objects.filter(pk=order.pk).update(email="someone@localhost")
    order.refresh_from_db()
    payments.open_checkout(order, actor="customer")
    assert stripe.sessions[order.checkout_session]["customer_email"] is None


# -- 9: tax, discounts, wrong amounts ----------------------------------------------------------------
@pytest.mark.parametrize(
    ("total", "details"),
    [
        (5929, {"amount_tax": 1029}),
        (3900, {"amount_discount": 1000}),
        (4819, {"amount_tax": 919, "amount_discount": 1000}),
    ],
)
def test_tax_and_discounts_are_the_price(stripe, order, deliver, finance, total, details):
    event = stripe.pay(order.checkout_session, amount_total=total, total_details=details)
    assert deliver(event) == "paid"
    finance(order, "refund")
    assert order.state == "refunded"
    assert [refund["amount"] for refund in stripe.refunds.values()] == [total]


def test_a_code_for_all_of_the_price_pays_it(stripe, order, deliver):
    event = stripe.pay(
        order.checkout_session, amount_total=0, total_details={"amount_discount": 4900},
        payment_status="no_payment_required", payment_intent=None,
    )  # fmt: skip
    assert deliver(event) == "paid"
    order.refresh_from_db()
    assert order.state == "paid"


@pytest.mark.parametrize("way", ["accept", "return"])
def test_a_wrong_amount_is_for_staff_to_decide(stripe, order, deliver, finance, client, way):
    assert deliver(stripe.pay(order.checkout_session, amount_total=4000)) == "wrong amount"
    assert list(overview.overdue()) == [order]
    assert "staff_money" in kinds(order)
    assert "/pay" not in page(client, order)
    tend(days=15)
    order.refresh_from_db()
    assert order.state == "awaiting_payment"
    assert {"accept", "return"} <= offered(client, order)
    finance(order, way)
    assert order.state == ("paid" if way == "accept" else "awaiting_payment")
    assert [refund["amount"] for refund in stripe.refunds.values()] == ([] if way == "accept" else [4000])
    assert not overview.overdue().exists()
    assert ("/pay" in page(client, order)) == (way == "return")


@pytest.mark.parametrize(("currency", "amount"), [("jpy", "4900"), ("kwd", "4.900"), ("eur", "49.00")])
def test_money_of_another_currency_is_written_as_it_is_and_in_no_sum(
    stripe, order, deliver, finance, client, currency, amount
):
    assert deliver(stripe.pay(order.checkout_session, currency=currency)) == "wrong amount"
    assert (
        f"{amount} {currency}"
        in client.get(reverse("admin:audit_order_change", args=[order.pk])).content.decode()
    )
    (line,) = client.get(reverse("admin:audit_payment_csv")).content.decode().splitlines()[1:]
    assert f",{currency},{amount}," in line
    assert client.get(reverse("admin:audit_payment_month")).context["totals"]["in"] == "0.00"
    finance(order, "accept")
    receipt = client.get(f"/en/order/{links.status_token(order)}/receipt").content.decode()
    assert {"jpy": "¥4,900", "kwd": "4.900", "eur": "€49.00"}[currency] in receipt


def test_automatic_tax_is_a_switch(stripe, settings):
    settings.STRIPE_AUTOMATIC_TAX = True
    order = make_order(method=CARD)
    payments.open_checkout(order, actor="customer")
    assert stripe.sessions[order.checkout_session]["automatic_tax"]["enabled"] is True


# -- 10: parts are shown -----------------------------------------------------------------------------
def test_a_part_is_shown_on_page_receipt_and_letter_and_noted_once(stripe, paid, deliver, client):
    refund = stripe.make_refund({"payment_intent": paid.payment_intent, "amount": "1050"})
    created = stripe.events[-1]
    updated = stripe.settle_refund(refund["id"], "succeeded")
    assert [deliver(created), deliver(updated), deliver(created)] == ["a part", "no news", "seen before"]
    assert paid.events.filter(what="refund succeeded").count() == 1
    assert paid.mails.filter(kind="part_refunded").count() == 1
    assert "$10.50" in paid.mails.get(kind="part_refunded").text
    assert "$10.50" in page(client, paid)
    assert "$10.50" in client.get(f"/en/order/{links.status_token(paid)}/receipt").content.decode()


# -- 11: signed, and not ours ------------------------------------------------------------------------
@pytest.mark.parametrize(
    "thing",
    [
        {"amount": {"value": 1}}, {"metadata": {"order": "x" * 99}}, {"metadata": "text"}, {"metadata": {"order": 7}},
        {"id": 5}, {"payment_intent": ["pi_1"]}, {"status": "\x00"}, {"currency": {"a": 1}}, {"text": "x" * 70_000},
        {"total_details": 3}, {"payment_intent": "p" * 300}, {"amount_total": "4900\n"}, {"evidence_details": []},
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "kind", ["checkout.session.completed", "refund.updated", "charge.dispute.created", "x.y"]
)
def test_what_is_signed_and_not_ours_is_taken(deliver, stripe, thing, kind):
    deliver(stripe.emit(kind, thing))
    assert not Order.objects.exists()


@pytest.mark.parametrize("changed", [{"data": None}, {"data": []}, {"data": {"object": "x"}}, {"id": "e" * 200},
                                     {"type": "t" * 200}, {"account": "acct_other"}])  # fmt: skip
def test_events_of_any_shape_are_taken(deliver, stripe, order, changed):
    deliver(stripe.pay(order.checkout_session) | changed)
    order.refresh_from_db()
    assert order.state == "awaiting_payment"


@pytest.mark.parametrize("amount", [2**31, 10**12, 10**30, -(10**30)])
@pytest.mark.parametrize("kind", ["checkout.session.completed", "refund.updated", "charge.dispute.created"])
def test_a_sum_that_no_row_can_hold_is_taken_and_changes_nothing(deliver, stripe, paid, amount, kind):
    payment = paid.payments.get()
    about = {"id": "x_1", "amount": amount, "amount_total": amount, "payment_intent": payment.intent, "currency": "usd",
             "status": "succeeded", "payment_status": "paid", "metadata": {"order": paid.public_id}}  # fmt: skip
    assert deliver(stripe.emit(kind, about)) == "not understood"
    paid.refresh_from_db()
    assert (paid.state, paid.payments.get().left) == ("paid", payment.amount)


def test_a_long_event_is_taken(deliver, stripe, order):
    deliver(stripe.pay(order.checkout_session) | {"text": "x" * 900_000})
    order.refresh_from_db()
    assert order.state == "paid"


# -- 12: another mode, another account ---------------------------------------------------------------
@pytest.mark.parametrize("changed", [{"livemode": True}, {"account": "acct_1other"}, {"livemode": None}])
def test_money_of_another_mode_or_account_does_not_pay(stripe, order, deliver, changed):
    event = stripe.pay(order.checkout_session) | changed
    deliver(event)
    order.refresh_from_db()
    assert order.state == "awaiting_payment"
    assert order.events.filter(what="event refused").count() == 1
    assert StripeEvent.objects.get(pk=event["id"]).order == order


def test_a_live_key_takes_no_test_money(stripe, order, deliver, settings):
    settings.STRIPE_SECRET_KEY = "rk_live_1"
    deliver(stripe.pay(order.checkout_session))
    order.refresh_from_db()
    assert order.state == "awaiting_payment"


# -- 13: other parameters, no answer -----------------------------------------------------------------
def test_another_site_address_after_a_lost_answer_does_not_block(client, stripe, settings):
    stripe.failures.append(LOST)
    client.post("/en/order/", {"email": "anna@example.org"})
    order = Order.objects.get()
    settings.SITE_URL = "https://other.example"
    client.post(f"/en/order/{links.status_token(order)}/pay")
    order.refresh_from_db()
    assert order.state == "awaiting_payment"


@pytest.mark.parametrize("answer", ["{}", "[]", '{"id": null}', "null", "<html>", ""])
def test_a_200_that_says_nothing_is_a_clear_page(client, stripe, monkeypatch, answer):
    order = make_order(method=CARD)
    with monkeypatch.context() as broken:
        broken.setattr(
            stripe, "route", lambda path, params: json.loads(answer) if answer[:1] in "{[n" and answer else 1
        )
        response = client.post(f"/en/order/{links.status_token(order)}/pay", follow=True)
    assert response.status_code == 200
    assert "Try again in a minute" in response.content.decode()
    client.post(f"/en/order/{links.status_token(order)}/pay")
    order.refresh_from_db()
    assert order.state == "awaiting_payment"


RIGHT = {
    "id": "cs_1",
    "object": "checkout.session",
    "url": "https://checkout.stripe.com/c/1",
    "expires_at": 1_900_000_000,
}


@pytest.mark.parametrize(
    "changed",
    [
        {"expires_at": 10**20}, {"expires_at": 10**12}, {"expires_at": "soon"}, {"expires_at": None},
        {"expires_at": 1e400}, {"url": None}, {"url": ""}, {"url": "javascript:alert(1)"}, {"url": ["https://x"]},
        {"id": None}, {"id": ""}, {"id": "c" * 300},
    ],
)  # fmt: skip
def test_a_page_that_cannot_be_one_is_opened_anew(client, stripe, monkeypatch, changed):
    order = make_order(method=CARD)
    with monkeypatch.context() as broken:
        broken.setattr(stripe, "route", lambda path, params: RIGHT | changed)
        response = client.post(f"/en/order/{links.status_token(order)}/pay")
    order.refresh_from_db()
    assert (response.status_code, order.state, order.checkout_url) == (303, "new", "")
    client.post(f"/en/order/{links.status_token(order)}/pay")
    order.refresh_from_db()
    assert order.state == "awaiting_payment"


@pytest.mark.parametrize(
    "answer", ["{}", "[]", "null", '{"id": "re_1", "amount": %d, "status": "succeeded"}' % 10**30]
)
def test_a_200_that_says_nothing_does_not_block_a_refund(stripe, paid, finance, monkeypatch, answer):
    with monkeypatch.context() as broken:
        broken.setattr(stripe, "route", lambda path, params: json.loads(answer))
        assert "Stripe:" in finance(paid, "refund")
    finance(paid, "refund")
    assert (paid.state, len(stripe.refunds)) == ("refunded", 1)


# -- 14: disputes ------------------------------------------------------------------------------------
@pytest.mark.parametrize("warning", [False, True])
def test_a_dispute_stops_the_work_until_somebody_decides(stripe, paid, deliver, finance, warning, client):
    orders.start(paid, actor="staff:anna")
    orders.save_draft(paid, text="All good.", actor="staff:anna")
    due = int(time.time()) + 7 * 86400
    event = stripe.dispute(paid.payment_intent, warning=warning, due_by=due)
    assert [deliver(event), deliver(event)] == ["dispute noted", "seen before"]
    assert list(overview.overdue()) == [paid]
    with pytest.raises(orders.Disputed):
        orders.deliver(paid, actor="staff:anna")
    letter = paid.mails.get(kind="staff_dispute")
    assert letter.to == "staff@example.org"
    row = Dispute.objects.get()
    assert (row.due_at is None) == warning
    assert kinds(paid).count("dispute") == (0 if warning else 1)
    assert "go_on" in offered(client, paid)
    finance(paid, "go_on")
    assert not overview.overdue().exists()
    orders.deliver(paid, actor="staff:anna")
    assert paid.state == "delivered"


def test_a_dispute_that_was_lost_ends_the_order_when_staff_say_so(stripe, paid, deliver, finance, client):
    deliver(stripe.dispute(paid.payment_intent))
    finance(paid, "go_on")
    name = next(iter(stripe.disputes))
    assert deliver(stripe.decide(name, "lost")) == "dispute noted"
    assert list(overview.overdue()) == [paid]
    with pytest.raises(orders.Disputed):
        orders.start(paid, actor="staff:anna")
    assert {"go_on", "give_up"} <= offered(client, paid)
    finance(paid, "give_up")
    assert paid.state == "refunded"
    assert not overview.overdue().exists()


def test_a_dispute_that_was_won_lets_the_work_go_on(stripe, paid, deliver):
    deliver(stripe.dispute(paid.payment_intent))
    deliver(stripe.decide(next(iter(stripe.disputes)), "won"))
    assert not overview.overdue().exists()
    orders.start(paid, actor="staff:anna")


# -- letters -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", ["en", "ru", "es"])
@pytest.mark.parametrize("kind", ["payment_failed", "paid_twice", "part_refunded", "dispute"])
def test_the_letters_say_it_in_the_customers_language(lang, kind):
    order = make_order("paid", method=CARD, lang=lang)
    outbox.queue(order, kind)
    while outbox.send_due():
        pass
    newest = sent_mail.outbox[-1]
    assert order.code in newest.subject
    assert f"/{lang}/order/" in newest.body
    if lang != "en":
        assert not {"payment", "order", "bank"} & set(newest.body.replace("/", " ").lower().split()) - {
            "order"
        }


def test_refunds_module_says_nothing_to_stripe():
    assert "stripe_api" not in vars(refunds)


def test_a_customer_who_withdraws_gets_the_card_payment_back(client, paid, stripe, deliver):
    client.post(f"/en/order/{links.status_token(paid)}/withdraw")
    paid.refresh_from_db()
    assert paid.withdrawn_at is not None
    assert sum(row.amount for row in Refund.objects.filter(payment__order=paid)) == paid.price_cents
    assert paid.state == "refunded" or paid.refund_status == "pending"
    assert Mail.objects.filter(order=paid, kind="withdrawn").count() == 1


def test_a_withdrawal_holds_while_stripe_is_away(client, paid, stripe):
    stripe.failures.append(LOST)
    client.post(f"/en/order/{links.status_token(paid)}/withdraw")
    paid.refresh_from_db()
    assert paid.withdrawn_at is not None
    assert paid in overview.overdue() or paid.refund_status
