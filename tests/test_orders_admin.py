"""Orders in the admin: buttons post, need their permission, and are written down; the report is written here."""

from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from audit.admin.orders import ACTIONS, MONEY, PROCESS
from audit.models import Mail, Order, OrderEvent, StripeEvent
from audit.orders import deliverable, overview
from tests.factories import load_bank, make_order, make_scan
from tests.matrix import matrix

pytestmark = pytest.mark.django_db
VIEW = "audit.view_order"


@pytest.fixture
def staff(client):
    """staff(*permissions) -> a client that is logged in with just these."""

    def login(*permissions: str):
        user = User.objects.create_user(f"user{User.objects.count()}", is_staff=True)
        for permission in permissions:
            app, codename = permission.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        client.force_login(user)
        return client

    return login


def act(client, order, name, **data):
    return client.post(reverse("admin:audit_order_act", args=[order.pk, name]), data)


def page(client, order) -> str:
    response = client.get(reverse("admin:audit_order_change", args=[order.pk]))
    assert response.status_code == 200
    return unescape(response.content.decode())


def said(client, order, name, **data) -> str:
    response = client.post(reverse("admin:audit_order_act", args=[order.pk, name]), data, follow=True)
    return " ".join(map(str, response.context["messages"]))


def state(order) -> str:
    order.refresh_from_db()
    return order.state


@pytest.mark.parametrize("model", [Order, OrderEvent, Mail, StripeEvent])
def test_lists_and_pages_open_with_a_constant_number_of_queries(
    admin_client, model, django_assert_max_num_queries
):
    for number in range(4):
        order = make_order("delivered", email=f"{number}@example.org")
        StripeEvent.objects.create(id=f"evt_{number}", type="refund.created", order=order, outcome="noted")
    name = model._meta.model_name
    with django_assert_max_num_queries(10):
        assert admin_client.get(reverse(f"admin:audit_{name}_changelist")).status_code == 200
    change = reverse(f"admin:audit_{name}_change", args=[model.objects.first().pk])
    assert admin_client.get(change).status_code == 200
    for url in (f"admin:audit_{name}_add",):
        assert admin_client.get(reverse(url)).status_code == 403
    assert (
        admin_client.post(reverse(f"admin:audit_{name}_delete", args=[model.objects.first().pk])).status_code
        == 403
    )


def test_the_overdue_filter_is_the_queue(admin_client, monkeypatch):
    make_order("paid")
    late = make_order("paid", email="late@example.org")
    Order.objects.filter(pk=late.pk).update(due_at=late.created_at)
    listed = admin_client.get(reverse("admin:audit_order_changelist"), {"overdue": "1"})
    assert [row.pk for row in listed.context["cl"].result_list] == [late.pk]


@pytest.mark.parametrize(
    ("permissions", "name"),
    matrix([(), (VIEW,), (VIEW, PROCESS), (VIEW, MONEY), (PROCESS, MONEY)], list(ACTIONS)),
)
def test_each_action_needs_its_permission_and_a_post(staff, name, permissions):
    client = staff(*permissions)
    start = {"start": "paid", "fill": "paid", "save": "paid", "close": "delivered", "deliver": "delivered",
             "link": "delivered", "invoice": "new", "paid": "awaiting_payment", "cancel": "new",
             "refund": "paid", "refunded": "paid", "forget": "closed"}.get(name, "paid")  # fmt: skip
    order = make_order(start)
    before = order.events.count()
    allowed = VIEW in permissions and ACTIONS[name].permission in permissions
    url = reverse("admin:audit_order_act", args=[order.pk, name])
    assert client.get(url).status_code == 405
    assert act(client, order, name, text="Some words", sure="on").status_code == (302 if allowed else 403)
    if not allowed:
        assert order.events.count() == before
        assert not LogEntry.objects.exists()
    elif name not in {
        "refund",
        "ask",
        "accept",
        "return",
        "go_on",
        "give_up",
    }:  # nothing of the kind to do there
        assert order.events.count() > before
        assert order.events.filter(actor__startswith="staff:user").exists()
        assert LogEntry.objects.get().object_id == str(order.pk)


def test_actions_carry_a_csrf_token(admin_user, client):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin_user)
    order = make_order("paid")
    assert act(strict, order, "start").status_code == 403
    assert state(order) == "paid"
    assert "csrfmiddlewaretoken" in page(strict, order)


def test_strangers_are_sent_to_the_login(client):
    order = make_order("paid")
    assert act(client, order, "start").status_code == 302
    assert client.get(reverse("admin:audit_order_preview", args=[order.pk])).status_code == 302
    assert state(order) == "paid"


def test_buttons_are_those_of_the_state_and_the_permissions(staff):
    order = make_order("paid")
    assert "do-start" in page(staff(VIEW, PROCESS), order)
    assert "do-refunded" not in page(staff(VIEW, PROCESS), order)
    assert "do-refunded" in page(staff(VIEW, MONEY), order)
    assert "do-start" not in page(staff(VIEW, MONEY), order)
    assert "do-close" not in page(staff(VIEW, PROCESS, MONEY), order)


def test_from_the_scan_to_the_delivered_report(admin_client):
    load_bank()
    scan = make_scan("worst", lang="ru")
    order = make_order("paid", lang="ru", scan=scan)
    act(admin_client, order, "start")
    act(admin_client, order, "fill")
    order.refresh_from_db()
    assert order.draft.count("### ") == len(scan.assessment.findings)
    assert "Коротко" in order.draft
    assert deliverable.BLANK in said(admin_client, order, "deliver")
    assert state(order) == "in_progress"
    text = (
        order.draft.replace(deliverable.BLANK, "Сделай это [так](https://example.org/guide).")
        + "<script>x</script>"
    )
    response = act(admin_client, order, "save", text=text, preview="1")
    preview = admin_client.get(response["Location"])
    assert '<html lang="ru">' in preview.content.decode()
    assert 'href="https://example.org/guide"' in preview.content.decode()
    assert "<script>x" not in preview.content.decode()
    assert "unsafe" not in preview["Content-Security-Policy"]
    act(admin_client, order, "deliver")
    assert state(order) == "delivered"
    assert order.mails.filter(kind="delivered").count() == 1


def test_a_draft_is_not_overwritten_by_the_template(admin_client):
    order = make_order("in_progress")
    act(admin_client, order, "save", text="Mine")
    assert "draft already" in said(admin_client, order, "fill")
    order.refresh_from_db()
    assert order.draft == "Mine"


def test_a_report_that_would_be_cut_is_refused(admin_client):
    order = make_order("in_progress")
    assert "longer than" in said(admin_client, order, "save", text="x" * (deliverable.MAX_CHARS + 1))
    order.refresh_from_db()
    assert order.draft == ""


def test_the_longest_report_in_any_alphabet_is_kept(admin_client, settings):
    """Sent as the page sends it, below the limit on the size of requests."""
    order = make_order("in_progress")
    assert 'enctype="multipart/form-data"' in page(admin_client, order)
    act(admin_client, order, "save", text="ж" * deliverable.MAX_CHARS)
    order.refresh_from_db()
    assert len(order.draft) == deliverable.MAX_CHARS


def test_an_empty_report_is_not_delivered(admin_client):
    order = make_order("in_progress")
    assert "empty" in said(admin_client, order, "deliver")
    assert state(order) == "in_progress"


def test_an_invoice_order_from_invoice_to_refund(admin_client):
    order = make_order()
    assert "Write how to pay" in said(admin_client, order, "invoice", text=" ")
    act(admin_client, order, "invoice", text="IBAN DE00 1234")
    assert "IBAN DE00 1234" in order.mails.get(kind="invoice").text
    act(admin_client, order, "paid", text="bank line 17")
    assert state(order) == "paid"
    assert order.events.get(new="paid").detail == "bank line 17"
    assert "Tick the box" in said(admin_client, order, "refunded")
    act(admin_client, order, "refunded", sure="on")
    assert state(order) == "refunded"


def test_a_card_order_cannot_be_marked_as_paid_by_hand(admin_client):
    order = make_order("awaiting_payment", method=Order.Method.STRIPE)
    assert "Only Stripe" in said(admin_client, order, "paid")
    assert state(order) == "awaiting_payment"


def test_a_refund_goes_through_stripe(admin_client, stripe):
    order = make_order("paid", method=Order.Method.STRIPE)
    stripe.payments[order.payment_intent] = {"currency": "usd", "left": 4900}
    assert "Tick the box" in said(admin_client, order, "refund")
    assert stripe.refunds == {}
    assert "Stripe has the refund" in said(admin_client, order, "refund", sure="on")
    assert state(order) == "refunded"
    assert len(stripe.refunds) == 1
    assert "do-refund" not in page(admin_client, order)


def test_stripes_no_is_shown_without_a_secret(admin_client, stripe, settings):
    order = make_order("paid", method=Order.Method.STRIPE)
    words = said(admin_client, order, "refund", sure="on")
    assert "resource_missing" in words
    assert settings.STRIPE_SECRET_KEY not in words
    assert (state(order), order.refund_status) == ("paid", "failed")


def test_what_the_state_forbids_is_said(admin_client):
    order = make_order("closed")
    assert "closed" in said(admin_client, order, "start")


def test_the_customers_words_are_text(admin_client):
    order = make_order(message="<img src=x onerror=alert(1)>")
    response = admin_client.get(reverse("admin:audit_order_change", args=[order.pk]))
    assert b"<img src=x" not in response.content


def test_a_mail_that_was_given_up_is_sent_again(admin_client):
    make_order()
    mail = Mail.objects.get()
    Mail.objects.update(state="failed", attempts=9)
    admin_client.post(
        reverse("admin:audit_mail_changelist"), {"action": "send_again", "_selected_action": [mail.pk]}
    )
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == ("queued", 0)
    assert mail.order.events.last().what == "mail sent again"
    assert "/order/" not in page_of_mail(admin_client, mail)


def page_of_mail(client, mail) -> str:
    content = client.get(reverse("admin:audit_mail_change", args=[mail.pk])).content.decode()
    return content.replace("/admin/audit/order/", "")


def test_unknown_actions_and_orders_are_404(admin_client):
    order = make_order()
    assert act(admin_client, order, "explode").status_code == 404
    assert act(admin_client, Order(pk=0), "start").status_code == 404
    assert overview.counts_by_state()["new"] == 1


def test_what_is_good_already_names_the_habits_and_not_the_questions():
    load_bank()
    text = deliverable.template(make_order(scan=make_scan("best", ai=False)))
    assert "- Words on metal, never photographed" in text
    assert "- Where do you keep" not in text
