"""Finance closes a month from the admin alone; numbers have no gaps; older orders got their rows."""

import csv
import importlib
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse
from django.utils import timezone

from audit.models import Counter, Order, Payment, Refund
from audit.orders import links, payments
from audit.orders import service as orders
from audit.orders.money import month as months
from guardlabs.staff.roles import make_groups
from tests.factories import make_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance(client):
    make_groups(Group, Permission)
    user = User.objects.create_user("fin", is_staff=True)
    user.groups.add(Group.objects.get(name="finance"))
    client.force_login(user)
    return client


def bought(number: int) -> Order:
    order = make_order(method=Order.Method.STRIPE, email=f"c{number}@example.org")
    payments.open_checkout(order, actor="customer")
    return order


def test_finance_closes_a_month_whose_webhooks_were_all_lost(stripe, finance):
    first, second = bought(1), bought(2)
    intents = [
        stripe.pay(order.checkout_session)["data"]["object"]["payment_intent"] for order in (first, second)
    ]
    stripe.make_refund({"payment_intent": intents[1], "amount": "1000"})
    stripe.payouts["po_1"] = {"id": "po_1", "object": "payout", "created": 0, "of": intents[:1]}
    invoice = make_order("paid", email="i@example.org")
    address = reverse("admin:audit_payment_month") + f"?month={timezone.now():%Y-%m}"
    found = finance.post(address).context["differences"]
    assert [(each.what, each.mended) for each in found] == [("payment", True)] * 2 + [("refund", True)]
    page = finance.post(address)
    assert b'id="equal"' in page.content
    assert page.context["totals"] == {"in": "147.00", "back": "10.00", "fees": "3.44", "left": "133.56"}
    text = finance.get(reverse("admin:audit_payment_csv") + f"?month={timezone.now():%Y-%m}").content.decode()
    rows = {(row["kind"], row["order"]): row for row in csv.DictReader(StringIO(text))}
    assert rows["payment", first.code]["payout"] == "po_1"
    assert (rows["payment", first.code]["fee"], rows["payment", first.code]["net"]) == ("1.72", "47.28")
    assert rows["refund", second.code]["amount"] == "-10.00"
    assert rows["payment", invoice.code]["method"] == "invoice"
    numbers = sorted(row["number"] for row in rows.values())
    assert numbers == ["GL-000001", "GL-000002", "GL-000003", "GL-C-000001"]


@pytest.mark.parametrize("name", ["payment", "refund", "dispute"])
def test_finance_reads_the_rows(stripe, finance, name):
    assert finance.get(reverse(f"admin:audit_{name}_changelist")).status_code == 200


def test_a_month_that_stripe_cannot_be_asked_about_is_shown_all_the_same(stripe, finance):
    stripe.failures.extend([500] * 4)
    page = finance.post(reverse("admin:audit_payment_month") + "?month=2026-13")
    assert page.status_code == 200
    assert "differences" not in page.context


@pytest.mark.parametrize(
    ("text", "first", "last"), [("2026-12", "2026-12-01", "2027-01-01"), ("x", "2026-11-01", "2026-12-01")]
)
def test_a_month_ends_where_the_next_begins(text, first, last):
    month = months.Month.read(
        text, now=timezone.datetime(2026, 11, 5, tzinfo=timezone.get_default_timezone())
    )
    assert (f"{month.start:%Y-%m-%d}", f"{month.end:%Y-%m-%d}") == (first, last)


def test_a_number_is_given_back_when_the_payment_is_not_taken(monkeypatch):
    order = make_order("awaiting_payment")
    monkeypatch.setattr(orders.outbox, "queue", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        orders.mark_paid(order, actor="staff:anna")
    monkeypatch.undo()
    orders.mark_paid(order, actor="staff:anna")
    assert order.payments.get().invoice_number == 1


def test_the_receipt_says_who_sold(client, settings):
    settings.SELLER_NAME, settings.SELLER_TAX_ID = "Guard Labs SL", "B12345678"
    settings.SELLER_TAX_NOTE = "No VAT: article 1."
    order = make_order("paid")
    page = client.get(f"/en/order/{links.status_token(order)}/receipt").content.decode()
    for words in ("Guard Labs SL", "B12345678", "No VAT: article 1.", "GL-000001"):
        assert words in page
        assert words in order.mails.get(kind="paid").text


def test_older_orders_get_their_rows():
    """As the migration finds them: orders with fields of their own, and no rows."""
    paid, sent_back, open_page = (
        make_order("paid", method="stripe", email=f"{n}@example.org") for n in range(3)
    )
    lost = make_order("paid", method="stripe", email="lost@example.org")
    new = make_order(email="new@example.org")
    for model in (Refund, Payment, Counter):
        model.objects.all().delete()
    Order.objects.filter(pk=sent_back.pk).update(
        state="refunded", refund_status="succeeded", refund_id="re_1"
    )
    Order.objects.filter(pk=lost.pk).update(refund_status="pending")
    Order.objects.filter(pk=open_page.pk).update(state="awaiting_payment", paid_at=None, payment_intent="")
    migration = importlib.import_module("audit.migrations.0006_rows_of_older_orders")
    migration.make_rows(apps, None)
    assert paid.payments.get().left == 4900
    assert (sent_back.payments.get().left, sent_back.payments.get().refunds.get().credit_note) == (0, 1)
    assert open_page.payments.get().state == "open"
    assert lost.payments.get().refunds.get().state == "asked"
    assert not new.payments.exists()
    assert sorted(Payment.objects.exclude(invoice_number=None).values_list("invoice_number", flat=True)) == [
        1,
        2,
        3,
    ]
    assert orders.next_number("invoice") == 4
