"""A whole order in a browser, in each language: ordered, paid on Stripe's page, delivered, read, refunded."""

import re
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core import mail as outbox
from playwright.sync_api import Page, expect

from audit.models import Order
from audit.orders import deliverable, links
from audit.orders import outbox as mails
from audit.scans import service as scans
from tests.browser.test_accessibility import NO_MOTION, one_of_all, path, violations
from tests.factories import make_order, make_scan
from tests.stripe_standin import KEY, SECRET, StripeStandin

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"


@pytest.fixture
def paid_by_card(settings, live_server, new_page):
    """The site, connected to a stand-in for Stripe that sends its webhooks; leaving for its page is no fault."""
    with StripeStandin(webhook_url=f"{live_server.url}/stripe/webhook") as standin:
        settings.SITE_URL = live_server.url
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, SECRET
        settings.STRIPE_API_BASE = standin.base
        yield standin


@pytest.fixture
def staff_page(chromium, live_server):
    """A page that is logged in to the admin; it has a profile of its own, because staff do get cookies."""
    User.objects.create_superuser("anna", password="a long password")
    context = chromium.new_context(base_url=live_server.url, locale="en-US")
    page = context.new_page()
    page.goto("/admin/login/")
    page.fill("#id_username", "anna")
    page.fill("#id_password", "a long password")
    page.click("[type=submit]")
    yield page
    context.close()


def letter(kind: str, address: str) -> str:
    """Sends what waits; the first link of the newest mail of this kind."""
    while mails.send_due():
        pass
    newest = Order.objects.get(email=address).mails.filter(kind=kind).order_by("-pk")[0]
    sent = [message for message in outbox.outbox if message.subject == newest.subject]
    assert len(sent) == 1
    assert sent[0].to == [address]
    return re.search(r"http://\S+", sent[0].body)[0]


def order_with_phrase_first(page: Page, lang: str, address: str) -> None:
    """Fills the form; the first try holds a recovery phrase, which must come back empty with the rest kept."""
    page.fill("#email", address)
    page.select_option("#time_zone", "Europe/Madrid")
    page.fill("#message", PHRASE)
    page.click("main form button")
    expect(page.locator("#message-error")).to_be_visible()
    expect(page.locator("#email")).to_have_value(address)
    expect(page.locator("#time_zone")).to_have_value("Europe/Madrid")
    expect(page.locator("#message")).to_have_value("")
    assert "sausage" not in page.content()
    page.fill("#message", "Two hardware wallets, one PIN. Fine?")


@pytest.mark.parametrize("lang", one_of_all("en"))
def test_from_a_result_to_the_report_and_back(paid_by_card, new_page, staff_page, lang):
    address = f"{lang}@example.org"
    scan = make_scan("worst", lang=lang, ai=False)
    page = new_page()
    page.goto(path("result", lang, token=scans.scan_token(scan)))
    page.click("section form[action$='/order/'] button")
    expect(page.locator("input[name=scan_link]")).to_have_value(scans.scan_token(scan))
    order_with_phrase_first(page, lang, address)
    page.click("main form button")

    expect(page.locator("#state")).to_have_attribute("data-state", "awaiting_payment")
    order = Order.objects.get(email=address)
    assert (order.scan, order.lang) == (scan, lang)
    assert letter("received", address).startswith(f"{page.url.split('/order/')[0]}/order/")
    pay = new_stripe_page(page)
    pay.goto(page.get_attribute("#pay", "href"))
    expect(pay.locator("h1")).to_have_text("Pay $49.00")
    pay.click("#pay")
    expect(pay.locator("h1")).to_contain_text(order.code)  # back on our site; the webhook is on its way
    pay.context.close()
    expect_state(page, order, "paid")
    assert letter("paid", address)
    assert order.mails.filter(kind="paid").count() == 1

    desk = f"/admin/audit/order/{order.pk}/change/"
    staff_page.goto(desk)
    staff_page.click("#do-start")
    staff_page.click("#do-fill")
    text = staff_page.input_value("#draft")
    assert text.count("### ") == len(scan.assessment.findings)
    staff_page.fill("#draft", text.replace(deliverable.BLANK, "Two plates of steel."))
    staff_page.click("[name=preview]")
    expect(staff_page.locator("html")).to_have_attribute("lang", lang)
    expect(staff_page.locator(".report-text h3")).to_have_count(len(scan.assessment.findings))
    staff_page.goto(desk)
    staff_page.click("#do-deliver")
    expect_state(page, order, "delivered")

    link = letter("delivered", address)
    page.goto(urlsplit(link).path)
    expect(page.locator(".report-text h3")).to_have_count(len(scan.assessment.findings))
    page.emulate_media(media="print")
    expect(page.locator(".note.warn")).to_be_hidden()
    expect(page.locator("header")).to_be_hidden()
    page.emulate_media(media="screen")

    staff_page.goto(desk)
    staff_page.check("#sure-refund")
    staff_page.click("#do-refund")
    expect(staff_page.locator(".messagelist li.success")).to_be_visible()
    expect_state(page, order, "refunded")
    assert letter("refunded", address)
    assert len(paid_by_card.refunds) == 1


def new_stripe_page(page: Page) -> Page:
    """A profile of its own for Stripe's page, which may do what our pages may not."""
    return page.context.browser.new_context().new_page()


def expect_state(page: Page, order: Order, state: str) -> None:
    """The status page says so, at the latest when it is loaded again."""
    for _ in range(400):
        page.goto(urlsplit(links.status_url(order)).path)
        if page.get_attribute("#state", "data-state") == state:
            break
        page.wait_for_timeout(100)
    expect(page.locator("#state")).to_have_attribute("data-state", state)


@pytest.mark.parametrize("lang", one_of_all("ru"))
def test_axe_finds_nothing_on_the_pages_of_an_order(new_page, live_server, settings, lang):
    settings.SITE_URL = live_server.url
    page = new_page(**NO_MOTION)
    page.goto(path("order", lang))
    found = violations(page)
    page.click("main form button")  # the errors
    expect(page.locator("#summary")).to_be_visible()
    found += violations(page)
    order = make_order("delivered", lang=lang)
    waiting = make_order("awaiting_payment", lang=lang, email="b@example.org")
    token = links.status_token(order)
    for address in (
        path("order-status", lang, token=token),
        path("order-status", lang, token=links.status_token(waiting)),
        path("order-receipt", lang, token=token),
        path("order-report", lang, token=links.delivery_token(order)),
    ):
        page.goto(address)
        found += violations(page)
    assert found == []
