"""A newcomer's path: an empty site, a key that is pasted, and the first answered call, without leaving the pages."""

import json
import re

import pytest
from playwright.sync_api import expect

from llm.models import Call, Credential
from tests.browser.test_accessibility import violations
from tests.browser.test_desk import staff  # noqa: F401
from tests.chain_setup import make_groq


@pytest.fixture(autouse=True)
def _keys(settings):
    from cryptography.fernet import Fernet

    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    settings.LLM_STATUS_SOURCES = []  # no worker runs beside a test


def test_from_nothing_to_the_first_answered_call(staff, sim, live_server):  # noqa: F811
    make_groq(sim, keys=0)
    page = staff("en")
    page.goto("/admin/")
    expect(page.locator(".status-line")).to_contain_text("Template only")
    page.click(".status-button")
    assert page.url.endswith("/admin/llm/provider/setup/")
    found = violations(page)
    page.fill("#id_text", "export GROQ_API_KEY='gsk_pasted_4242424242'")
    page.click("button[value=keys]")
    expect(page.locator(".trial.ok")).to_contain_text(re.compile(r"openai/gpt-oss-120b answered in \d+ ms"))
    assert "gsk_pasted" not in page.content()
    assert Credential.objects.get().key() == "gsk_pasted_4242424242"
    page.click("button[value=client]")
    curl = page.inner_text("#first-call")
    found += violations(page)
    assert found == []
    address, key = re.search(r"curl (\S+)", curl)[1], re.search(r"Bearer (\S+)\"", curl)[1]
    body = json.loads(re.search(r"-d '(.+)'", curl)[1])
    answer = page.request.post(address, data=body, headers={"Authorization": f"Bearer {key}"})
    assert answer.ok, answer.text()
    assert Call.objects.get(client="first-call").outcome == "ok"
    page.goto("/admin/")
    expect(page.locator(".status-line")).to_contain_text("groq answers")
