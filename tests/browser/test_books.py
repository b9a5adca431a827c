"""Somebody with the role finance closes a month from the admin alone: table, CSV, comparison with Stripe."""

import csv
import re
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from audit.models import Order, Payment
from audit.orders import payments
from audit.orders import service as orders
from guardlabs.staff.roles import make_groups
from tests.browser.conftest import TIMEOUT_MS, Watch
from tests.factories import make_order
from tests.stripe_standin import signed


@pytest.fixture
def finance_page(chromium, live_server, transactional_db):
    """The desk of somebody who has the role finance, and no other right."""
    make_groups(Group, Permission)
    user = User.objects.create_user("fin", password="a long password", is_staff=True)
    user.groups.add(Group.objects.get(name="finance"))
    watch = Watch(live_server.url)
    context = chromium.new_context(base_url=live_server.url, locale="en-US", accept_downloads=True)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    watch.follow(page)
    page.goto("/admin/login/")
    page.fill("#id_username", "fin")
    page.fill("#id_password", "a long password")
    page.click("[type=submit]")
    yield page
    context.close()
    assert watch.problems == []


def deliver(event):
    body, signature = signed(event)
    answer = Client().post(
        "/stripe/webhook", body, content_type="application/json", headers={"Stripe-Signature": signature}
    )
    assert answer.status_code == 200


def pays(stripe, address, *, heard=True):
    """An order that its customer paid by card; `heard`: the webhook arrived."""
    order = make_order(method=Order.Method.STRIPE, email=address)
    payments.open_checkout(order, actor=orders.CUSTOMER)
    order.refresh_from_db()
    event = stripe.pay(order.checkout_session)
    if heard:
        deliver(event)
    return order, event["data"]["object"]["payment_intent"]


def table(page, name):
    return [
        [cell.strip() for cell in row.locator("th, td").all_inner_texts()]
        for row in page.locator(f"{name} tbody tr").all()
    ]


def test_finance_closes_a_month_from_the_admin_alone(stripe, finance_page, tmp_path):
    plain, first = pays(stripe, "plain@example.org")
    missed, second = pays(stripe, "missed@example.org", heard=False)
    part, third = pays(stripe, "part@example.org")
    whole, _ = pays(stripe, "whole@example.org")
    gone, fifth = pays(stripe, "gone@example.org")
    invoice = make_order("paid", email="invoice@example.org")
    stripe.make_refund(
        {"payment_intent": third, "amount": "1500"}
    )  # by hand, at Stripe, and nobody heard of it
    payments.refund(whole, actor="staff:anna")
    del stripe.payments[fifth]  # ours alone: a test account's, or a row that somebody forged
    stripe.payouts["po_1"] = {
        "id": "po_1", "object": "payout", "arrival_date": int(time.time()), "created": int(time.time()),
        "of": [first, third],
    }  # fmt: skip

    page = finance_page
    page.click("text=Payments")
    page.click("text=Books of a month")
    month = f"{timezone.now():%Y-%m}"
    expect(page.locator("#month")).to_have_value(month)
    page.click("#compare")
    differences = {(row[1], row[2], row[3], row[4]) for row in table(page, "#differences")}
    assert differences == {
        (missed.code, "–", "49.00", "taken over"),
        (part.code, "–", "15.00 done", "taken over"),
        (gone.code, "49.00", "–", "look into it"),
    }
    page.click("#compare")  # what was taken over is ours now; what nobody can explain stays
    assert [row[1] for row in table(page, "#differences")] == [gone.code]

    with page.expect_download() as download:
        page.click("text=Download as CSV")
    assert download.value.suggested_filename == f"payments-{month}.csv"
    file = tmp_path / "month.csv"
    download.value.save_as(file)
    with Path(file).open(newline="") as text:
        rows = list(csv.DictReader(text))
    by_kind = {(row["order"], row["kind"]): row for row in rows}
    fee, net = "1.72", "47.28"
    for order, payout in ((plain, "po_1"), (part, "po_1"), (missed, ""), (whole, "")):
        row = by_kind[order.code, "payment"]
        assert (row["amount"], row["fee"], row["net"], row["payout"]) == ("49.00", fee, net, payout)
    assert by_kind[invoice.code, "payment"]["fee"] == ""
    assert by_kind[part.code, "refund"]["amount"] == "-15.00"
    assert by_kind[whole.code, "refund"]["amount"] == "-49.00"
    assert by_kind[missed.code, "payment"]["reference"] == second

    # Both counters run without a gap, and no number is given twice.
    for kind in ("payment", "refund"):
        numbers = sorted(int(re.search(r"\d+$", row["number"])[0]) for row in rows if row["kind"] == kind)
        assert numbers == list(range(1, len(numbers) + 1))
    came = sum(float(row["amount"]) for row in rows if row["kind"] == "payment")
    sent = -sum(float(row["amount"]) for row in rows if row["kind"] == "refund")
    fees = sum(float(row["fee"] or 0) for row in rows)
    said = page.locator("#content").inner_text()
    assert (
        f"Paid {came:.2f}, sent back {sent:.2f}, Stripe’s fees {fees:.2f}, left {came - sent - fees:.2f}"
        in said
    )

    # From a difference to its order, and no further than finance may go.
    page.click(f"#differences >> text={gone.code}")
    expect(page.locator("#content")).to_contain_text(gone.code)
    assert page.goto("/admin/audit/scan/").status == 403
    assert Payment.objects.get(intent=second).order == missed
