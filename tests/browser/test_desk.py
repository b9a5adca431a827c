"""axe finds nothing on the pages of staff, and they keep the content policy; a report is framed and rendered."""

from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from llm.models import Attempt, Call, Credential, Model, Pause, Provider
from tests.browser.conftest import TIMEOUT_MS, Watch
from tests.browser.test_accessibility import one_of_all, violations
from tests.factories import make_scan


@pytest.fixture
def staff(chromium, live_server, bank):
    """A page of a signed-in chief, in the language that is asked for."""
    get_user_model().objects.create_superuser("chief", password="chief-of-staff")
    watch, contexts = Watch(live_server.url), []

    def make(lang):
        context = chromium.new_context(base_url=live_server.url, locale=lang, reduced_motion="reduce")
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        page = context.new_page()
        watch.follow(page)
        page.goto("/admin/login/")
        page.fill("#id_username", "chief")
        page.fill("#id_password", "chief-of-staff")
        page.click("[type=submit]")
        return page

    yield make
    for context in contexts:
        context.close()
    assert watch.problems == []


@pytest.mark.parametrize("lang", one_of_all("es"))
def test_the_pages_of_staff(staff, lang):
    now = timezone.now()
    provider = Provider.objects.create(slug="groq", kind="groq", name="Groq", free=True)
    Model.objects.create(provider=provider, name="m", rpd=1000)
    for label in ("groq1", "groq2"):
        Credential.objects.create(provider=provider, label=label, secret="key")
    Pause.objects.create(
        provider="groq", credential="groq1", kind="key_invalid", source="provider", since=now
    )
    scan = make_scan(lang=lang, ai=False)
    call = Call.objects.create(started_at=now, deadline_s=45, outcome="ok", tier=1)
    Attempt.objects.create(
        call=call, provider="groq", credential="groq2", account="groq2", model="m", tier=Decimal(1), free=True,
        started_at=now, finished_at=now, outcome="provider_down", status=503, detail="no upstream",
    )  # fmt: skip
    scan.reports.update(call=call, flags=["lang"])
    page, found = staff(lang), []
    for path in (
        "/admin/",
        "/admin/llm/provider/chain/",
        f"/admin/audit/scan/{scan.pk}/change/",
        "/admin/audit/scan/",
    ):
        page.goto(path)
        found += violations(page)
    assert found == []
    page.goto(f"/admin/audit/scan/{scan.pk}/change/")
    frame = page.frame_locator(".report-frame")
    assert frame.locator(".report-text h2").count() > 1
    assert frame.locator("h1").evaluate("e => getComputedStyle(e).fontFamily")  # the site's own sheet applies
