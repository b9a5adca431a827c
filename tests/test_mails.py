"""The outbox: written with what it tells, sent after the commit by a real SMTP server, retried, in each language."""

import logging
import re
import threading
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
import time_machine
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from django.db import connection, transaction
from django.utils import timezone

from audit.models import Mail, Order
from audit.orders import outbox
from audit.orders import service as orders
from audit.orders.letters import compose
from audit.orders.money import upkeep
from tests.factories import make_order
from tests.ports import free_port

pytestmark = pytest.mark.django_db
LANGUAGES = ["en", "ru", "es"]


class Inbox:
    """What the server took; `answers` are what it says to the next recipients instead of yes."""

    def __init__(self):
        self.mails, self.answers = [], []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


@pytest.fixture
def inbox(settings):
    """A real SMTP server on loopback that the site sends to."""
    handler = Inbox()
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.factory = lambda: SMTP(handler, hostname="mail.test")
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_TIMEOUT = 60
    yield handler
    controller.stop()


def waiting() -> list[str]:
    return list(Mail.objects.filter(state="queued").order_by("pk").values_list("kind", flat=True))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_mail_arrives_as_text_and_html_in_the_language_of_the_order(inbox, lang):
    order = make_order(lang=lang)
    assert outbox.send_due() == 1
    ((to, mail),) = inbox.mails
    text, page = mail.get_body("plain").get_content(), mail.get_body("html").get_content()
    assert to == [mail["To"]] == ["anna@example.org"]
    assert order.code in mail["Subject"]
    assert mail["Content-Language"] == lang
    assert mail["Auto-Submitted"] == "auto-generated"
    link = re.search(r"http://testserver/\S+", text)[0]
    assert f"/{lang}/order/" in link
    assert link in page
    assert f'<html lang="{lang}">' in page
    assert "http://testserver/static" not in page  # nothing is fetched by reading
    assert {"en": "Thank you", "ru": "Спасибо", "es": "Gracias"}[lang] in text


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", compose.KINDS)
def test_every_letter_is_whole_in_every_language(kind, lang):
    order = make_order("delivered", lang=lang)
    letter = compose.compose(order, kind, lang=lang)
    if kind != "staff_key":  # it speaks of all orders
        assert order.code in letter.subject
    assert "\n" not in letter.subject
    assert "&amp;" not in letter.text
    assert "None" not in letter.text
    assert "%(" not in letter.text + letter.html
    if lang == "ru":
        assert re.search("[а-я]", letter.subject + letter.text)


def test_what_staff_write_is_text_in_a_mail():
    order = make_order()
    orders.send_invoice(order, text="IBAN: <b>DE00</b>\nBank & Co", actor="staff:anna")
    mail = order.mails.get(kind="invoice")
    assert "IBAN: <b>DE00</b>\nBank & Co" in mail.text
    assert "&lt;b&gt;DE00" in mail.html


def test_a_mail_is_sent_once(inbox):
    make_order()
    assert [outbox.send_due(), outbox.send_due()] == [1, 0]
    assert len(inbox.mails) == 1
    mail = Mail.objects.get()
    assert (mail.state, mail.attempts, mail.sent_at is not None) == ("sent", 1, True)


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_mail_once(inbox):
    for number in range(6):
        make_order(email=f"{number}@example.org")
    barrier = threading.Barrier(3)

    def work():
        barrier.wait()
        outbox.send_due()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(to[0] for to, _mail in inbox.mails) == [f"{number}@example.org" for number in range(6)]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_of_what_was_rolled_back(inbox, monkeypatch):
    woken = []
    monkeypatch.setattr(outbox, "wake", lambda: woken.append(1))
    with transaction.atomic():
        make_order()
        assert woken == []
        transaction.set_rollback(True)
    assert (woken, outbox.send_due()) == ([], 0)
    make_order()
    assert woken == [1]


@pytest.mark.parametrize("answer", ["451 try later", "421 too busy"])
def test_a_mail_that_is_not_taken_is_tried_again_later(inbox, answer):
    with time_machine.travel("2026-11-23 12:00", tick=False) as clock:
        make_order()
        inbox.answers = [answer, answer]
        assert outbox.send_due() == 0
        assert outbox.send_due() == 0
        assert len(inbox.answers) == 1  # not before its time
        clock.shift(timedelta(minutes=1, seconds=1))
        assert outbox.send_due() == 0
        clock.shift(timedelta(minutes=1, seconds=1))
        assert outbox.send_due() == 0
        clock.shift(timedelta(minutes=4))
        assert outbox.send_due() == 1
    assert Mail.objects.get().attempts == 3


def test_an_address_that_does_not_exist_is_given_up_at_once(inbox):
    order = make_order()
    inbox.answers = ["550 no such user"]
    outbox.send_due()
    mail = Mail.objects.get()
    assert (mail.state, mail.last_error) == ("failed", "SMTPRecipientsRefused 550")
    assert outbox.retry(mail)
    assert outbox.send_due() == 1
    assert order.mails.get().state == "sent"


def test_a_server_that_stays_away_is_given_up_in_the_end(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    with time_machine.travel("2026-11-23 12:00", tick=False) as clock:
        make_order()
        for _ in range(20):
            outbox.send_due()
            clock.shift(timedelta(days=2))
    mail = Mail.objects.get()
    assert (mail.state, mail.attempts) == ("failed", len(outbox.BACKOFF) + 1)
    assert not outbox.retry(Mail(pk=mail.pk + 1))


def test_a_worker_that_dies_while_sending_is_followed_by_another(inbox, monkeypatch):
    with time_machine.travel("2026-11-23 12:00", tick=False) as clock:
        make_order()
        with monkeypatch.context() as dying:
            dying.setattr(outbox, "get_connection", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                outbox.send_due()
        assert outbox.send_due() == 0  # it may still be at work
        clock.shift(outbox.LEASE)
        assert outbox.send_due() == 1


def test_the_log_names_order_and_server_code_but_no_address_and_no_link(inbox, caplog):
    with caplog.at_level(logging.DEBUG):
        order = make_order()
        inbox.answers = ["550 anna@example.org is unknown"]
        outbox.send_due()
        make_order(email="boris@example.org")
        outbox.send_due()
    ours = "\n".join(each.getMessage() for each in caplog.records if each.name.startswith("audit"))
    assert f"of order {order.code} was not sent (attempt 1, given up): SMTPRecipientsRefused 550" in ours
    assert "was sent" in ours
    assert "example.org" not in ours
    assert "/order/" not in ours


def test_the_address_cannot_add_headers(inbox):
    order = make_order()
    Order.objects.filter(pk=order.pk).update(email="a@example.org\nBcc: b@example.org")
    Mail.objects.update(to="a@example.org\nBcc: b@example.org")
    assert outbox.send_due() == 0
    assert inbox.mails == []


def test_staff_are_told_of_what_waits_for_them(settings):
    settings.ADMINS = [("a", "a@staff.test"), ("b", "b@staff.test")]
    order = make_order("paid", lang="ru", message="What the customer wrote")
    told = Mail.objects.filter(kind__startswith="staff").order_by("pk")
    assert [(mail.kind, mail.to, mail.lang) for mail in told] == [
        ("staff_new", "a@staff.test", "en"), ("staff_new", "b@staff.test", "en"),
        ("staff_paid", "a@staff.test", "en"), ("staff_paid", "b@staff.test", "en"),
    ]  # fmt: skip
    assert all(f"/admin/audit/order/{order.pk}/" in mail.text for mail in told)
    assert not [
        mail for mail in told if "customer wrote" in mail.text or "/order/" in mail.text.split("/admin/")[0]
    ]


def test_the_chores_tend_orders_and_send_everything(inbox, monkeypatch):
    monkeypatch.setattr(outbox, "BATCH", 2)
    for number in range(outbox.BATCH + 3):
        make_order(email=f"{number}@example.org")
    Order.objects.filter(email="0@example.org").update(created_at=timezone.now() - timedelta(days=15))
    while upkeep.tend():
        pass
    sent = 0
    while batch := outbox.send_due():
        sent += batch
    assert (sent, waiting()) == (2 + 4, [])
