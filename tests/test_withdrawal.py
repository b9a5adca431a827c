"""Terms and withdrawal: kept with the order, a button as long as the right lasts, and the money goes back."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from audit.models import Mail, Order
from audit.orders import overview, terms, withdrawal
from audit.orders import service as orders
from tests.factories import make_order
from tests.test_order_pages import LANGUAGES, fields, html, status_path

pytestmark = pytest.mark.django_db


def after(**span):
    return time_machine.travel(timezone.now() + timedelta(**span), tick=False)


def ordered(client, **changed):
    client.post("/en/order/", fields(**changed))
    return Order.objects.get()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_terms_are_public_and_name_the_right_and_its_form(client, settings, lang):
    settings.SELLER_NAME = "Guard & Labs GmbH"
    page = html(client.get(f"/{lang}/terms/"))
    assert "Guard &amp; Labs GmbH" in page
    assert "14" in page
    assert "art. 49" in page
    assert f"/{lang}/terms/" in html(client.get(f"/{lang}/order/"))


def test_an_order_keeps_which_terms_it_was_made_under_and_what_was_asked(client):
    order = ordered(client, begin="1")
    assert order.terms_version == terms.VERSION
    assert order.begin_asked_at is not None
    letter = Mail.objects.get(kind="received").text
    assert "Your right of withdrawal" in letter
    assert "You asked us to begin at once" in letter


def test_an_order_without_the_wish_is_taken_and_keeps_the_whole_right(client):
    order = ordered(client)
    assert order.begin_asked_at is None
    assert "You asked us to begin at once" not in Mail.objects.get(kind="received").text
    orders.mark_paid(order, actor="test")
    orders.start(order, actor="test")
    orders.save_draft(order, text="# Report", actor="test")
    orders.deliver(order, actor="test")
    assert terms.withdraw_until(order) == order.paid_at + terms.WITHDRAWAL


def test_what_was_ticked_stays_ticked_when_the_form_comes_back(client):
    page = client.post("/en/order/", fields(email="no address", begin="1"))
    assert page.status_code == 400
    assert 'name="begin" value="1" required checked' in html(page)


@pytest.mark.parametrize(
    ("state", "zone", "begin", "days"),
    [
        ("new", "UTC", True, None),
        ("awaiting_payment", "UTC", False, None),
        ("paid", "UTC", True, 14),
        ("in_progress", "Europe/Madrid", True, 14),
        ("delivered", "Europe/Madrid", True, None),
        ("delivered", "Europe/Madrid", False, 14),
        ("delivered", "America/Sao_Paulo", True, 7),
        ("delivered", "America/Manaus", False, 14),
        ("closed", "America/Sao_Paulo", True, 7),
        ("refunded", "UTC", False, None),
        ("cancelled", "UTC", False, None),
    ],
)
def test_how_long_the_right_lasts(state, zone, begin, days):
    order = make_order(state, time_zone=zone)
    Order.objects.filter(pk=order.pk).update(begin_asked_at=timezone.now() if begin else None)
    order.refresh_from_db()
    until = terms.withdraw_until(order)
    assert (until is None) == (days is None)
    if days:
        start = order.delivered_at if days == 7 else order.paid_at
        assert until == start + timedelta(days=days)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_button_asks_once_and_then_withdraws(client, settings, lang):
    settings.ADMINS = [("a", "a@staff.test")]
    order = make_order("in_progress", lang=lang, method="invoice")
    assert "/withdraw" in html(client.get(status_path(order, lang)))
    assert client.get(status_path(order, lang, "withdraw")).status_code == 200
    order.refresh_from_db()
    assert order.withdrawn_at is None
    client.post(status_path(order, lang, "withdraw"))
    order.refresh_from_db()
    assert order.withdrawn_at is not None
    assert Mail.objects.filter(order=order, kind="withdrawn", lang=lang).count() == 1
    assert Mail.objects.filter(order=order, kind="staff_withdrawn").count() == 1
    page = html(client.get(status_path(order, lang)))
    assert "/withdraw" not in page
    client.post(status_path(order, lang, "withdraw"))  # once more changes nothing
    assert Mail.objects.filter(order=order, kind="withdrawn").count() == 1


def test_the_work_stops_and_staff_see_what_has_to_go_back():
    order = make_order("paid", method="invoice")
    withdrawal.withdraw(order)
    with pytest.raises(orders.NotAllowed):
        orders.start(order, actor="test")
    assert order in overview.overdue()
    working = make_order("in_progress", method="invoice", email="b@example.org")
    withdrawal.withdraw(working)
    orders.save_draft(working, text="# Late", actor="test")
    with pytest.raises(orders.NotAllowed):
        orders.deliver(working, actor="test")


def test_when_the_time_is_over_nothing_happens(client):
    order = make_order("paid", method="invoice")
    with after(days=14, minutes=1):
        assert "/withdraw" not in html(client.get(status_path(order)))
        assert client.get(status_path(order, page="withdraw")).status_code == 303
        client.post(status_path(order, page="withdraw"))
    order.refresh_from_db()
    assert order.withdrawn_at is None


def test_nobody_withdraws_without_the_orders_link(client):
    make_order("paid", method="invoice")
    assert client.post("/en/order/nonsense/withdraw").status_code == 404
