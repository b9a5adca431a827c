"""The admin in Russian and Spanish: no text of ours is left in English."""

import re
from contextlib import suppress
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from audit.admin import words
from audit.models import Dispute, Mail, Order, OrderEvent, StripeEvent
from audit.orders.letters import compose
from llm.models import (
    Alias,
    Attempt,
    Call,
    CatalogueChange,
    Client,
    Credential,
    Limit,
    Model,
    Notice,
    Pause,
    Provider,
    Quota,
)  # fmt: skip
from tests.factories import make_order, make_scan
from tests.matrix import one_of

pytestmark = pytest.mark.django_db


VOID = {"input", "img", "br", "hr", "meta", "link", "source", "wbr", "path", "use", "rect", "line"}


class Texts(HTMLParser):
    """What a page shows: its texts, and those that a reader is told of elements."""

    def __init__(self):
        super().__init__()
        self.found, self.silent = set(), 0

    def handle_starttag(self, tag, attrs):
        classes = dict(attrs).get("class") or ""
        if self.silent and tag not in VOID:
            self.silent += 1
        elif (
            tag in ("script", "style", "code", "pre", "textarea", "kbd", "td")
            or "readonly" in classes.split()
        ):
            self.silent = 1
        for name, value in attrs:
            if name in ("placeholder", "title", "aria-label", "alt", "data-label") and value:
                self.found.add(value.strip())

    def handle_endtag(self, tag):
        if self.silent:
            self.silent -= 1

    def handle_data(self, data):
        if not self.silent and data.strip():
            self.found.add(" ".join(data.split()))


def texts(client, path, lang):
    client.cookies["django_language"] = lang
    response = client.get(path, headers={"accept-language": lang})
    if response.status_code != 200:
        return set()
    parser = Texts()
    parser.feed(response.content.decode())
    return parser.found


@pytest.fixture
def filled(db):
    call_command("load_bank", verbosity=0)
    now = timezone.now()
    groq = Provider.objects.create(slug="xq", kind="groq", name="Xq", free=True)
    Model.objects.create(provider=groq, name="xm", rpd=1000, tpm=8000)
    Limit.objects.create(provider=groq, scope="account", per="day", unit="requests", amount=50)
    Credential.objects.create(provider=groq, label="xk", secret="key")
    Alias.objects.create(name="xa", to="auto")
    Client.objects.create(name="xc", key_hash="0" * 64, key_id="xi")
    Pause.objects.create(provider="xq", credential="xk", kind="key_invalid", source="provider", since=now)
    Quota.objects.create(provider="xq", account="xk", model="xm", tpm=4000)
    Notice.objects.create(at=now, kind="check_paid", subject="x")
    CatalogueChange.objects.create(provider="xq", kind="new", subject="xs", patch="", seen=now.date())
    call = Call.objects.create(
        started_at=now, finished_at=now, deadline_s=45, outcome="ok", tier=1, purpose="xp"
    )
    Attempt.objects.create(
        call=call, provider="xq", credential="xk", account="xk", model="xm", tier=1, free=True, started_at=now,
        finished_at=now, outcome="provider_down", status=503, detail="xd",
    )  # fmt: skip
    scan = make_scan(lang="en", ai=False)
    scan.reports.update(call=call)
    order = make_order("refunded")
    StripeEvent.objects.create(id="evt_x", type="charge.dispute.created", order=order, outcome="xo")
    Dispute.objects.create(
        order=order, payment=order.payments.get(), stripe_id="dp_x", kind="dispute", status="under_review"
    )


def paths():
    yield from (
        "/admin/",
        reverse("admin:llm_chain"),
        reverse("admin:llm_setup"),
        reverse("admin:llm_playground"),
    )
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        with suppress(NoReverseMatch):  # some lists are pages of their own
            if row := model._default_manager.first():
                yield reverse(f"{name}_change", args=[row.pk])


# Names, and what the rows are called; codes and ids begin with a small letter or a digit.
NAMES = {
    "Cloudflare", "GuardLabs", "Groq", "HTTP", "JavaScript", "Node", "OpenAI", "Python", "True", "False", "Vertex AI",
    "Total", "Error", "Tokens", "Alias", "Crypto clipper spread by USB sticks",
    "Where do you keep your main seed phrase?",
}  # fmt: skip


@pytest.mark.parametrize("lang", one_of("ru", "es"))
def test_no_text_of_the_admin_is_left_in_english(admin_client, filled, lang):
    left = {}
    for path in paths():
        for text in texts(admin_client, path, "en") & texts(admin_client, path, lang):
            if re.match(r"[A-Z][a-z]{2,}", text) and text not in NAMES and not text.startswith("Otp_"):
                left.setdefault(text, path)
    assert sorted(left.items()) == []


def test_the_history_of_an_order_and_its_letters_are_in_words(admin_client, filled):
    """Codes belong into the CSV. Every event and letter that the code writes has its words."""
    order = Order.objects.get()
    html = admin_client.get(
        reverse("admin:audit_order_change", args=[order.pk]), headers={"accept-language": "ru"}
    ).content.decode()
    for said in ("заказ сделан → новый (клиент)", "деньги возвращены (admin)", "спор: решает банк"):
        assert said in html
    assert {each.what for each in OrderEvent.objects.all()} <= words.EVENTS.keys()
    assert {each.kind for each in Mail.objects.all()} <= compose.KINDS.keys() == words.LETTERS.keys()
