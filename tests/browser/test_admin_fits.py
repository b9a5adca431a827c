"""Every page and list of the admin: no column is cut (on a phone each row is a card), and axe finds nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django.utils import timezone

from audit.models import Incident
from llm.configuration import presets
from llm.models import Alias, Attempt, Call, CatalogueChange, Client, Credential, Notice, Pause, Provider
from tests.browser import conftest
from tests.browser.conftest import TIMEOUT_MS
from tests.browser.test_accessibility import DIAGONAL, SCHEMES, WIDTHS, axe, one_of_all
from tests.factories import make_order, make_scan

ADDED = (
    Alias,
    Client,
    Credential,
    Group,
    Incident,
    Provider,
    User,
)  # by hand; axe looks at their empty forms, too
ROUTED = "nvidia/nemotron-3-super-120b-a12b:free"
# What reaches beyond the window, or is hidden within a box that scrolls sideways; code may.
CUT = """() => {
  const width = document.documentElement.clientWidth, found = []
  if (document.documentElement.scrollWidth > width + 1) found.push('the page')
  for (const each of document.querySelectorAll('#content *')) {
    const style = getComputedStyle(each)
    const scrolls = ['auto', 'scroll', 'hidden'].includes(style.overflowX) && each.clientWidth > 30
    const fits = each.scrollWidth <= each.clientWidth + 1
    if (scrolls && !fits && !['PRE', 'TEXTAREA', 'INPUT', 'SELECT', 'IFRAME'].includes(each.tagName))
      found.push(`${each.tagName} ${each.className} ${each.scrollWidth} > ${each.clientWidth}`)
  }
  return found
}"""


def fill():
    """Rows with long names, as they are in life."""
    now = timezone.now()
    presets.install()
    for slug, labels in (
        ("groq", ["groq1", "groq2"]),
        ("openrouter", ["openrouter"]),
        ("deepseek", ["deepseek"]),
    ):
        for label in labels:
            Credential.objects.create(provider=Provider.objects.get(slug=slug), label=label, secret="key")
    Pause.objects.create(
        provider="groq", credential="groq2", kind="key_invalid", source="provider", since=now - timedelta(hours=2),
        detail="Invalid API Key: check the key at console.groq.com/keys",
    )  # fmt: skip
    for slug, model, outcome in (
        ("openrouter", ROUTED, "ok"),
        ("groq", "openai/gpt-oss-120b", "rate_limited_key"),
    ):
        call = Call.objects.create(
            started_at=now, finished_at=now, deadline_s=45, outcome="ok" if outcome == "ok" else "exhausted",
            tier=Decimal(1), purpose="audit-report", provider=slug, model=model, tokens_in=90_000, tokens_out=70_000,
            cost_usd=Decimal("0.012345"), latency_ms=18_000, attempt_count=2,
        )  # fmt: skip
        Attempt.objects.create(
            call=call, provider=slug, credential=slug, account=slug, model=model, tier=Decimal(1), free=True,
            started_at=now, finished_at=now, outcome=outcome, status=429, latency_ms=1800, tokens_in=90_000,
            tokens_out=70_000, detail="Rate limit reached for model in organization on tokens per day (TPD)",
        )  # fmt: skip
    Notice.objects.create(
        at=now, kind="key_invalid", subject="groq2: the key no longer works", detail="Invalid API Key"
    )
    CatalogueChange.objects.create(
        provider="openrouter", kind="gone", subject=f"{ROUTED} (presets)", detail="not in /models any more", patch="x",
        seen=now.date(),
    )  # fmt: skip
    Client.objects.create(
        name="mobile-app", key_hash="0" * 64, key_id="gl_abcd", rpm=60, concurrency=4, daily_calls=10_000,
        daily_budget_usd=Decimal("12.50"), data_class="personal", last_used_at=now,
    )  # fmt: skip
    return make_scan(lang="en", ai=False), make_order(), call


def pages(scan, order, call):
    own = (
        "index",
        "llm_chain",
        "llm_setup",
        "llm_playground",
        "audit_payment_month",
        "second_factor",
        "data_map",
    )
    yield from (reverse(f"admin:{name}") for name in (*own, "password_change"))
    yield reverse("admin:llm_chain_pause") + "?scope=groq"
    client, key = Client.objects.get(), Credential.objects.first()
    yield reverse("admin:llm_client_usage", args=[client.pk])
    yield reverse("admin:llm_chain_rotate", args=[key.pk])
    for row in (scan, order, call, client, key, key.provider, CatalogueChange.objects.get()):
        yield reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        if not conftest.DAILY:
            yield reverse(f"{name}_changelist") + "?q=nothing-like-it"
            if model in ADDED:
                yield reverse(f"{name}_add")


def sample(daily):
    """Every width in both schemes; every day only the diagonal, and axe (half of the time) in light alone."""
    rare = pytest.mark.exhaustive
    return [
        pytest.param(width, scheme, marks=() if (width, scheme) in daily else rare)
        for width in WIDTHS
        for scheme in SCHEMES
    ]


# Colours are measured in a context that has had one scheme from the start: a scheme that changes fades.
@pytest.mark.parametrize(("width", "scheme"), sample(DIAGONAL))
@pytest.mark.parametrize("lang", one_of_all("ru"))
def test_no_column_is_cut_and_axe_finds_nothing(chromium, live_server, bank, lang, width, scheme):
    get_user_model().objects.create_superuser("chief", password="chief-of-staff")
    rows, found = fill(), []
    context = chromium.new_context(
        base_url=live_server.url, locale=lang, reduced_motion="reduce", color_scheme=scheme,
        viewport={"width": width, "height": 900},
    )  # fmt: skip
    try:
        context.set_default_timeout(3 * TIMEOUT_MS)
        page = context.new_page()
        page.goto("/admin/login/")
        page.fill("#id_username", "chief")
        page.fill("#id_password", "chief-of-staff")
        page.click("[type=submit]")
        for path in pages(*rows):
            answer = page.goto(path)
            faults = [] if answer.ok else [f"{answer.status}"]
            faults += page.evaluate(CUT)[:3]
            if scheme == "light" or not conftest.DAILY:
                faults += axe(page)
            found += [f"{path} {each}" for each in faults]
    finally:
        context.close()
    assert not found, "\n".join(found)
