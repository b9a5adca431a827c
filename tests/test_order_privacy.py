"""One order's data: what staff may hand out, what is forgotten when, and what stays because it is an invoice."""

import json
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from audit.models import Mail, Order, OrderEvent, StripeEvent
from audit.orders import forgetting, outbox
from audit.orders import service as orders
from guardlabs.operations import retention
from tests.factories import load_bank, make_order, make_scan

pytestmark = pytest.mark.django_db
STAFF = "staff:admin"
WORDS = "my question about my wallet"


@pytest.fixture
def closed():
    load_bank()
    order = make_order("closed", message=WORDS, scan=make_scan(ai=False))
    Mail.objects.update(state=Mail.State.SENT, sent_at=timezone.now())
    StripeEvent.objects.create(id="evt_1", type="checkout.session.completed", order=order, outcome="paid")
    return order


def everything(order):
    """All the order's text in the database."""
    rows = [*Order.objects.filter(pk=order.pk).values(), *Mail.objects.filter(order=order).values()]
    return json.dumps([*rows, *OrderEvent.objects.filter(order=order).values()], default=str)


def test_the_export_holds_every_column_of_every_row(closed, admin_client):
    response = admin_client.post(reverse("admin:audit_order_export", args=[closed.pk]))
    found = response.json()
    assert response["Content-Disposition"] == f'attachment; filename="{closed.code}.json"'
    assert "no-store" in response["Cache-Control"]
    assert (found["order"]["email"], found["order"]["message"]) == ("anna@example.org", WORDS)
    for model, rows in (
        (Order, [found["order"]]), (OrderEvent, found["history"]), (Mail, found["mails"]),
        (StripeEvent, found["payment_news"]),
    ):  # fmt: skip
        assert rows
        assert set(rows[0]) == {field.name for field in model._meta.concrete_fields} - {"order", "scan"}
    assert found["scan"]["answers"] == closed.scan.answers
    assert found["scan"]["reports"][0]["text"]


def test_an_export_is_written_down_twice(closed, admin_client):
    admin_client.post(reverse("admin:audit_order_export", args=[closed.pk]))
    assert closed.events.filter(what="exported", actor="staff:admin").count() == 1
    assert LogEntry.objects.filter(object_id=str(closed.pk), change_message="export").exists()


def test_looking_alone_exports_nothing(closed, admin_client):
    assert admin_client.get(reverse("admin:audit_order_export", args=[closed.pk])).status_code == 405


@pytest.mark.parametrize(
    ("permissions", "status"),
    [((), 403), (("view_order",), 403), (("process_order",), 403), (("view_order", "process_order"), 200)],
)
def test_who_may_export(closed, client, permissions, status):
    user = User.objects.create_user("eve", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    assert client.post(reverse("admin:audit_order_export", args=[closed.pk])).status_code == status
    if status == 200 or "view_order" in permissions:
        page = client.get(reverse("admin:audit_order_change", args=[closed.pk])).content.decode()
        assert ('id="do-export"' in page) is (status == 200)


def test_an_erased_order_keeps_its_invoice_and_no_word(closed):
    text = everything(closed)
    assert WORDS in text
    assert "/order/" in text  # the letters' links
    forgetting.forget_words(closed, actor=STAFF)
    text = everything(closed)
    assert WORDS not in text
    assert "/order/" not in text
    assert (closed.email, closed.invoice, closed.price_cents) == ("anna@example.org", "IBAN DE00", 4900)
    assert closed.mails.count() > 3


def test_of_an_order_that_was_never_paid_the_address_goes_too():
    order = make_order("cancelled", message=WORDS)
    Mail.objects.update(state=Mail.State.SENT)
    forgetting.forget_words(order, actor=STAFF)
    assert "anna@example.org" not in everything(order)
    assert order.email == orders.NOBODY


def test_a_letter_that_still_waits_is_sent_first():
    order = make_order("cancelled")
    forgetting.forget_words(order, actor=STAFF)
    waiting = order.mails.filter(state=Mail.State.QUEUED)
    assert waiting.exists()
    assert all(mail.text and mail.to == "anna@example.org" for mail in waiting)


def test_a_letter_without_its_wording_is_not_sent_again(closed):
    mail = closed.mails.first()
    Mail.objects.filter(pk=mail.pk).update(state=Mail.State.FAILED)
    forgetting.forget_words(closed, actor=STAFF)
    assert outbox.retry(mail) is False


def test_time_forgets_the_words_of_ended_orders_alone(closed):
    going = make_order("paid", message=WORDS, email="b@example.org")
    young = make_order("cancelled", message=WORDS, email="c@example.org")
    long_ago = timezone.now() - timedelta(days=31)
    Order.objects.exclude(pk=young.pk).update(state_since=long_ago)
    Mail.objects.update(created_at=long_ago)
    counts = retention.prune(30)
    assert counts["wordings of orders"] == 1
    assert WORDS not in everything(closed)
    assert closed.events.last().actor == orders.CLOCK
    for order in (going, young):
        order.refresh_from_db()
        assert order.message == WORDS
    assert going.mails.filter(state=Mail.State.QUEUED).exclude(text="").exists()
    assert retention.prune(30)["wordings of orders"] == 0
