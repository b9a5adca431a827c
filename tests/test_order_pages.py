"""The pages of the manual audit: the form, the status behind a signed link, the receipt, the report."""

import logging
import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils.translation import override

from audit.models import Mail, Order
from audit.orders import forgetting, links, outbox
from audit.orders import form as order_form
from audit.orders import service as orders
from audit.orders.money import stripe_api
from audit.scans import service as scans
from audit.scans import tokens
from guardlabs.operations.logs import redact
from tests import secret_texts
from tests.factories import load_bank, make_order, make_scan
from tests.matrix import matrix

pytestmark = pytest.mark.django_db
LANGUAGES = ["en", "ru", "es"]
ONE_OF_ALL = ["en", *(pytest.param(lang, marks=pytest.mark.exhaustive) for lang in LANGUAGES[1:])]
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
HEX = "e9873d79c6d87dc0fb6a5778633389f4453213303da61f20bd67fc233aa33262"
XPRV = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBx"


def fields(**changed) -> dict[str, str]:
    return {
        "email": "anna@example.org",
        "time_zone": "Europe/Madrid",
        "message": "",
        "scan_link": "",
    } | changed


def html(response) -> str:
    return response.content.decode()


def status_path(order, lang="en", page="") -> str:
    return f"/{lang}/order/{links.status_token(order)}/{page}"


def report_path(order, **when) -> str:
    return f"/en/order/{links.delivery_token(order, **when)}/report"


# -- ordering ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("key", ["", "sk_test_1"])
def test_the_offer_names_price_time_and_way_to_pay(client, settings, lang, key):
    settings.AUDIT_PRICE_USD, settings.STRIPE_SECRET_KEY = 77, key
    response = client.get(f"/{lang}/order/")
    assert "77" in html(response)
    assert ("Stripe" in html(response)) == bool(key)
    assert not response.cookies
    assert "no-store" not in response.get("Cache-Control", "")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_order_is_made_in_the_language_of_the_page(client, lang):
    response = client.post(f"/{lang}/order/", fields(message="Is my setup fine?"))
    order = Order.objects.get()
    assert (response.status_code, response["Location"]) == (303, status_path(order, lang))
    assert (order.lang, order.email, order.time_zone) == (lang, "anna@example.org", "Europe/Madrid")
    assert (order.message, order.price_cents, order.state) == ("Is my setup fine?", 4900, "new")
    assert not response.cookies
    assert "no-store" in response["Cache-Control"]
    mail = Mail.objects.get(kind="received")
    assert (mail.lang, mail.to) == (lang, "anna@example.org")
    assert status_path(order, lang) in mail.text
    page = client.get(response["Location"])
    assert order.code in html(page)
    assert "anna@" not in html(page)
    assert page["Referrer-Policy"] == "no-referrer"


def test_with_stripe_the_status_page_leads_to_the_payment(client, stripe):
    response = client.post("/en/order/", fields())
    order = Order.objects.get()
    assert order.state == "awaiting_payment"
    assert f'href="{order.checkout_url}"' in html(client.get(response["Location"]))


def test_while_stripe_is_down_the_order_is_kept_and_can_be_paid_later(client, stripe, monkeypatch):
    monkeypatch.setattr(stripe_api, "RETRIES", 0)
    stripe.failures.append(500)
    response = client.post("/en/order/", fields())
    order = Order.objects.get()
    assert order.state == "new"
    assert "cannot be reached" in html(client.get(response["Location"]))
    assert client.post(status_path(order, page="pay")).status_code == 303
    order.refresh_from_db()
    assert order.state == "awaiting_payment"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email": ""}, "email"),
        ({"email": "nobody"}, "email"),
        ({"email": f"{'a' * 200}@{'b' * 60}.example"}, "email"),
        ({"email": "a@b.c\nBcc: x@example.org"}, "email"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"message": "x" * 1001}, "message"),
        ({"scan_link": "https://example.org/r/nothing/"}, "scan_link"),
        ({"scan_link": "some words"}, "scan_link"),
    ],
)
def test_a_wrong_field_is_named_and_the_others_are_kept(client, wrong, field):
    sent = fields(message="Keep me") | wrong
    response = client.post("/en/order/", sent)
    assert response.status_code == 400
    assert f'id="{field}-error"' in html(response)
    assert len(re.findall(r'id="\w+-error"', html(response))) == 1
    if field != "message":
        assert "Keep me" in html(response)
    if field != "email":
        assert 'value="anna@example.org"' in html(response)
    assert not Order.objects.exists()


# -- the scan ----------------------------------------------------------------------------------------
def test_a_result_page_sends_its_token_along_without_ordering(client):
    load_bank()
    token = scans.scan_token(make_scan(seed_storage="cloud_notes"))
    page = client.get(f"/en/r/{token}/")
    assert re.search(rf'action="/en/order/".*?name="scan_link" value="{token}"', html(page), re.S)
    response = client.post("/en/order/", {"scan_link": token})
    assert response.status_code == 200
    assert f'value="{token}"' in html(response)
    assert 'id="summary"' not in html(response)
    assert "no-store" in response["Cache-Control"]
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    "form", ["{token}", "http://testserver/en/r/{token}/", "/ru/r/{token}/?x=1", " {token} "]
)
def test_a_scan_is_linked_by_its_address_or_token(client, form):
    load_bank()
    scan = make_scan()
    client.post("/en/order/", fields(scan_link=form.format(token=scans.scan_token(scan))))
    assert Order.objects.get().scan == scan


def test_an_order_link_opens_no_scan_and_a_scan_link_no_order(client):
    load_bank()
    scan, order = make_scan(), make_order()
    assert client.get(f"/en/order/{scans.scan_token(scan)}/").status_code == 404
    assert client.get(f"/en/r/{links.status_token(order)}/").status_code == 404
    assert client.get(f"/en/order/{tokens.sign(order.public_id)}/").status_code == 404
    assert client.get(f"/en/order/{links.delivery_token(order)}/").status_code == 404
    assert client.get(f"/en/order/{links.status_token(order)}/report").status_code == 404


# -- secrets -----------------------------------------------------------------------------------------
def everything_stored() -> str:
    """Every text in the database."""
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names(cursor):
            if not table.startswith("audit_") or table in (
                "audit_incident",
                "audit_question",
                "audit_option",
            ):
                continue
            cursor.execute(f'SELECT * FROM "{table}"')
            found += [str(row) for row in cursor.fetchall()]
    return "\n".join(found)


@pytest.mark.parametrize("lang", ONE_OF_ALL)
@pytest.mark.parametrize("field", ["message", "email", "scan_link", "time_zone"])
@pytest.mark.parametrize("secret", [PHRASE, HEX, XPRV, PHRASE.replace(" ", "\n")])
def test_a_secret_in_any_field_appears_nowhere(
    client, caplog, capfd, mailoutbox, settings, lang, field, secret
):
    settings.ADMINS = [("staff", "staff@example.org")]
    sent = fields(message="Keep me")
    sent[field] = f"{secret}"
    with caplog.at_level(logging.DEBUG):
        response = client.post(f"/{lang}/order/", sent)
        outbox.send_due()
    assert response.status_code == 400
    assert not Order.objects.exists()
    output = capfd.readouterr()
    places = [html(response), caplog.text, output.out, output.err, everything_stored(), str(mailoutbox)]
    parts = [secret, secret.split()[0] + " " + secret.split()[-1], "sausage", "winner", secret[:30]]
    assert [part for part in parts for place in places if part in place] == []
    if field != "message":
        assert "Keep me" in html(response)
    if field != "email":
        assert 'value="anna@example.org"' in html(response)
    if field in ("message", "email", "scan_link"):
        with override(lang):
            kind = order_form.secret_guard.find(secret)
            assert str(order_form.SECRETS[kind])[:40] in html(response)


def test_a_host_is_stored_in_small_letters_of_any_alphabet(client):
    client.post("/en/order/", fields(email="Anna@\u041f\u0420\u0418\u041c\u0415\u0420.\u0440\u0444"))
    assert Order.objects.get().email == "Anna@\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444"


def test_a_secret_appears_nowhere_even_when_the_site_breaks(
    client, caplog, capfd, mailoutbox, settings, monkeypatch
):
    """The 500 page, the log of the crash and what it prints know nothing of the form."""
    settings.ADMINS = [("staff", "staff@example.org")]
    client.raise_request_exception = False
    monkeypatch.setattr(order_form, "time_zones", lambda: 1 / 0)
    with caplog.at_level(logging.DEBUG):
        response = client.post("/en/order/", fields(message=PHRASE))
    output = capfd.readouterr()
    assert response.status_code == 500
    assert "ZeroDivisionError" in caplog.text + output.err
    assert "sausage" not in html(response) + caplog.text + output.out + output.err
    assert mailoutbox == []


# -- limits and strangers ----------------------------------------------------------------------------
def test_one_network_may_order_ten_times_an_hour(client, settings):
    settings.SCAN_RATE = "20/h"
    for number in range(10):
        assert client.post("/en/order/", fields(email=f"{number}@example.org")).status_code == 303
    response = client.post("/en/order/", fields(email="x@example.org", message="Keep me"))
    assert (response.status_code, "Retry-After" in response) == (429, True)
    assert "Keep me" in html(response)
    assert Order.objects.count() == 10


def test_one_address_may_have_three_unpaid_orders(client):
    answers = [client.post("/en/order/", fields()).status_code for _ in range(4)]
    assert answers == [303, 303, 303, 409]


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 303), ("none", 303)]
)
def test_another_site_cannot_order_in_a_visitors_name(client, site, status):
    response = client.post("/en/order/", fields(), headers={"Sec-Fetch-Site": site})
    assert response.status_code == status


def test_tokens_of_orders_stay_out_of_the_log():
    order = make_order("delivered")
    for address in (status_path(order), status_path(order, page="pay"), report_path(order)):
        assert order.public_id not in redact(f"GET {address}?back=paid HTTP/1.1")


# -- the status page ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("lang", "state", "method"), matrix(LANGUAGES, list(orders.State), list(Order.Method))
)
def test_every_state_has_its_page_in_every_language(client, lang, state, method):
    if state == "refunded" and method == "stripe":
        return
    order = make_order(state, lang=lang, method=method)
    response = client.get(status_path(order, lang))
    page = html(response)
    assert response.status_code == 200
    assert f'data-state="{state}"' in page
    assert ("/cancel" in page) == (state in orders.UNPAID)
    assert (f"/{lang}/order/{links.status_token(order)}/receipt" in page) == (order.paid_at is not None)
    assert not response.cookies
    with override(lang):
        assert str(order.get_state_display()) in page


def test_a_changed_token_is_404(client):
    order = make_order("delivered")
    for path in (status_path(order), report_path(order)):
        token = path.split("/")[3]
        for place in range(0, len(token), 5):
            changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
            assert client.get(path.replace(token, changed)).status_code == 404


def test_the_customer_cancels_what_is_not_paid(client):
    order = make_order()
    assert client.post(status_path(order, page="cancel")).status_code == 303
    order.refresh_from_db()
    assert order.state == "cancelled"
    assert order.events.last().actor == "customer"
    paid = make_order("paid", email="b@example.org")
    assert client.post(status_path(paid, page="cancel")).status_code == 303
    paid.refresh_from_db()
    assert paid.state == "paid"


@pytest.mark.parametrize("page", ["pay", "link"])
def test_looking_changes_nothing(client, page):
    assert client.get(status_path(make_order(), page=page)).status_code == 405


def test_cancelling_asks_once(client):
    order = make_order()
    assert "Cancel this order?" in html(client.get(status_path(order, page="cancel")))
    order.refresh_from_db()
    assert order.state == "new"
    paid = make_order("paid", email="b@example.org")
    assert client.get(status_path(paid, page="cancel")).status_code == 303


def test_times_are_those_of_the_customer(client):
    with time_machine.travel("2026-11-23 12:00", tick=False):
        order = make_order("paid", time_zone="Asia/Almaty")
        assert "November 28, 2026, 5:00 PM GMT+05:00" in html(client.get(status_path(order)))


def test_a_receipt_names_the_order_and_the_payment(client):
    assert client.get(status_path(make_order(), page="receipt")).status_code == 404
    order = make_order("paid", method=Order.Method.STRIPE)
    page = html(client.get(status_path(order, page="receipt")))
    assert all(text in page for text in (order.code, "$49", order.payment_intent))


# -- the report --------------------------------------------------------------------------------------
def test_the_mailed_link_opens_the_report_until_it_expires(client):
    with time_machine.travel("2026-11-23 12:00", tick=False) as clock:
        order = make_order("delivered")
        mail = order.mails.get(kind="delivered")
        path = re.search(r"http://testserver(/en/order/\S+/report)", mail.text)[1]
        response = client.get(path)
        assert "All good." in html(response)
        assert "no-store" in response["Cache-Control"]
        clock.shift(timedelta(days=links.DELIVERY_DAYS))
        expired = client.get(path)
        assert expired.status_code == 410
        assert "All good." not in html(expired)
        assert "on its way" in html(client.post(path))
        assert "a moment ago" in html(client.post(path))
        fresh = order.mails.get(kind="link")
        assert fresh.to == "anna@example.org"
        path = re.search(r"http://testserver(/en/order/\S+/report)", fresh.text)[1]
        assert "All good." in html(client.get(path))


def test_the_status_page_mails_a_link_and_shows_none(client):
    order = make_order("delivered")
    assert "/report" not in html(client.get(status_path(order)))
    assert "on its way" in html(client.post(status_path(order, page="link")))
    assert order.mails.filter(kind="link").count() == 1
    assert client.post(status_path(make_order(), page="link")).status_code == 404


def test_there_is_no_report_before_it_is_delivered(client):
    order = make_order("in_progress")
    orders.save_draft(order, text="A draft", actor="staff:anna")
    assert client.get(report_path(order)).status_code == 404


# -- the privacy page stays true ---------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_privacy_page_says_what_orders_store(client, lang):
    assert "/order/" in html(client.get(f"/{lang}/privacy/"))


def test_zones_are_localised_cities_without_aliases():
    with override("ru"):
        groups = dict(order_form.time_zones())
    assert ("Europe/Moscow", "Москва") in groups["Европа"]
    assert "US/Pacific" not in order_form.zones()
    assert len(order_form.zones()) > 300


# -- what only looks like a secret -------------------------------------------------------------------
BARE_HASH = "5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060"


def sealed_in(response) -> str:
    return re.search(r'name="sealed" value="([^"]+)"', html(response))[1]


def test_what_only_looks_like_a_secret_is_sent_in_a_second_step_and_not_kept_till_then(client):
    response = client.post("/en/order/", fields(message=f"What is {BARE_HASH}?"))
    assert response.status_code == 400
    assert BARE_HASH not in html(response) + everything_stored()
    sent = fields(message="", sealed=sealed_in(response), not_secret="1")
    assert client.post("/en/order/", sent).status_code == 303
    assert Order.objects.get().message == f"What is {BARE_HASH}?"


def test_a_sure_secret_has_no_second_step(client):
    response = client.post("/en/order/", fields(message=PHRASE))
    assert 'name="sealed"' not in html(response)
    assert client.post("/en/order/", fields(message=PHRASE, not_secret="1")).status_code == 400
    assert not Order.objects.exists()


@pytest.mark.parametrize("forged", ["", "x", "gAAAAABm" + "A" * 60, "é"])
def test_a_seal_that_is_none_of_ours_opens_nothing(client, forged):
    client.post("/en/order/", fields(message="", sealed=forged, not_secret="1"))
    assert Order.objects.get().message == ""


def test_the_guard_looks_at_what_surrounds_a_private_link(client):
    """The rest of the field is shown again when another field is wrong."""
    token = scans.scan_token(make_scan())
    sent = fields(email="nobody", scan_link=f"{PHRASE} /r/{token}/")
    assert "sausage" not in html(client.post("/en/order/", sent))


def test_the_receipt_page_shows_no_secret_again(client):
    assert "sausage" not in html(client.get("/en/receipt/", {"receipt": PHRASE}))
    assert "no receipt of ours" in html(client.get("/en/receipt/", {"receipt": "no receipt of ours"}))


def test_a_phrase_in_two_fields_or_in_two_orders_is_found(client):
    words = secret_texts.VOID.split()[:12]
    parts = (" ".join(words[:4]), " ".join(words[4:8]), " ".join(words[8:]))
    response = client.post("/en/order/", fields(message=parts[0] + " " + parts[1][:4], scan_link=parts[1]))
    assert response.status_code == 400
    assert client.post("/en/order/", fields(message=parts[0])).status_code == 303
    assert client.post("/en/order/", fields(message=parts[1])).status_code == 400
    assert Order.objects.count() == 1


def test_the_result_can_be_taken_off_and_the_language_changed_without_losing_the_rest(client):
    scan = make_scan(ai=False)
    sent = {"email": "anna@example.org", "message": "My phone", "scan_link": scans.scan_token(scan)}
    page = html(client.post("/en/order/", {**sent, "email": "nobody"}))
    assert re.search(
        rf'<input type="checkbox" name="scan_link" value="{scans.scan_token(scan)}" checked>', page
    )
    page = html(client.post("/en/order/", {**sent, "email": "nobody", "scan_link": ""}))
    assert "My phone" in page
    assert scans.scan_token(scan) not in page
    page = html(client.post("/ru/order/", {**sent, "switch": "ru"}))
    assert 'lang="ru"' in page
    assert "anna@example.org" in page
    assert scans.scan_token(scan) in page
    assert 'role="alert"' not in page
    assert not Order.objects.exists()


def test_enter_presses_no_language(client):
    """The first submit button of a form in the page is its default button."""
    scan = make_scan(ai=False)
    for page, form in (
        (html(client.post("/en/order/", {"scan_link": scans.scan_token(scan)})), "order"),
        (html(client.get("/en/scan/")), "scan"),
    ):
        first = re.search(rf'<button[^>]*form="{form}"[^>]*>', page)[0]
        assert "name=" not in first


# -- letters to people who may not have asked for them -----------------------------------------------
def test_an_address_gets_few_letters_a_day_whatever_becomes_of_the_orders(client):
    codes = []
    for number in range(8):
        email = f"anna+{number}@example.org" if number % 2 else "Anna@example.org"
        response = client.post("/en/order/", fields(email=email))
        codes.append(response.status_code)
        if response.status_code == 303:
            client.post(response["Location"] + "cancel")
    assert codes == [303] * orders.A_DAY_AN_ADDRESS + [409] * (8 - orders.A_DAY_AN_ADDRESS)


def test_the_networks_of_one_ipv6_site_share_a_limit_of_orders(client, settings):
    settings.SCAN_RATE = "20/h"
    answers = [
        client.post(
            "/en/order/", fields(email=f"{n}@example.org"), REMOTE_ADDR=f"2001:db8:1:{n:x}::1"
        ).status_code
        for n in range(35)
    ]
    assert answers.count(303) == 30


def test_an_address_is_gone_when_its_letter_was_still_queued_as_it_was_forgotten():
    order = make_order("cancelled")
    Mail.objects.filter(order=order).delete()
    outbox.queue(order, "cancelled")
    forgetting.forget_words(order, actor="anna")
    outbox.send_due()
    assert not Mail.objects.filter(order=order).exclude(to=orders.NOBODY).exists()
    assert not Mail.objects.filter(order=order).exclude(text="").exists()
