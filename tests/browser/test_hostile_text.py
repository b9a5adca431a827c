"""Hostile text in a real browser: from a language model, from the form, from the address. Nothing runs, nothing leaves.

The content security policy is switched off where it says so: what is shown must be harmless without its help.
"""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page

from audit.bank.incidents import INCIDENTS
from audit.bank.questions import QUESTIONS
from audit.models import Incident, Report
from audit.report import jobs
from audit.scans import service as scans
from llm import chain
from tests import report_texts
from tests.browser.conftest import TIMEOUT_MS, Watch
from tests.factories import beside_the_loop, make_scan
from tests.fake_chain import FakeChain, a_reply
from tests.xss_payloads import payloads

ALL = payloads()
SIZE = 24
BATCHES = [ALL[start : start + SIZE] for start in range(0, len(ALL), SIZE)]

OWN_LINKS = [url for case in INCIDENTS for url in case.sources]
OWN_LINKS += [standard.url for question in QUESTIONS for standard in question.standards]

# Touches everything as a visitor might: pointer, focus, toggles, clicks that lead nowhere.
TOUCH = """() => {
  for (const each of document.querySelectorAll('main *')) {
    for (const type of ['mouseover', 'pointerenter', 'focus', 'toggle', 'animationstart', 'load', 'error'])
      each.dispatchEvent(new Event(type, {bubbles: false}));
    if (!each.closest('a, form, summary, button')) each.click?.();
  }
}"""
# What no sanitised text has: handlers, styles, resources, addresses that run or belong to somebody else.
SUSPECTS = """(own) => [...document.querySelectorAll('main, main *')].flatMap(each => [...each.attributes]
  .filter(({name, value}) => /^on|^style$|^srcdoc$|^ping$|^formaction$/.test(name)
    || (/^(src|href|action|xlink:href)$/.test(name)
        && !(value.startsWith('/') && !value.startsWith('//') || value.startsWith('#') || own.includes(value))))
  .map(({name, value}) => `${each.tagName} ${name}=${value}`))
  .concat([...document.querySelectorAll('main :is(script, style, iframe, object, embed, base, meta, img, video)')]
    .map(each => each.tagName))"""


class Trap:
    """A page without protection by the policy, and a note of every dialog and every request to a stranger."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.watch = Watch(origin)
        self.watch.follow(page)
        page.on("dialog", self._dialog)

    def _dialog(self, dialog) -> None:
        self.watch.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def caught(self) -> list[str]:
        """What happened on the page so far, and what waits in it."""
        self.page.evaluate(TOUCH)
        found = self.page.evaluate(SUSPECTS, OWN_LINKS)
        problems, self.watch.problems = self.watch.problems, []
        return problems + found


@pytest.fixture
def trap(chromium: Browser, live_server, bank) -> Iterator[Trap]:
    context = chromium.new_context(base_url=live_server.url, bypass_csp=True)
    context.set_default_timeout(TIMEOUT_MS)
    yield Trap(context.new_page(), live_server.url)
    assert context.cookies() == []
    context.close()


def written(monkeypatch, text: str) -> str:
    """The address of a result whose report a model wrote like this. The fake chain asks no gate."""
    FakeChain(monkeypatch, chain.Delta(text), chain.Completed(a_reply(text)))
    scan = make_scan("middle")
    report = beside_the_loop(lambda: jobs.write_report_now(scan))
    assert report.status == Report.Status.READY
    return reverse("audit:result", kwargs={"token": scans.scan_token(scan)})


def in_the_making(text: str) -> str:
    """The address of a result whose report is being written and has come this far."""
    scan = make_scan("middle")
    Report.objects.filter(scan=scan).update(
        status=Report.Status.WRITING, draft=text, heartbeat_at=timezone.now(), claim="somebody"
    )
    return reverse("audit:result", kwargs={"token": scans.scan_token(scan)})


def test_the_trap_catches_what_it_is_for(trap):
    """Without this, the tests below could pass because nothing is ever seen."""
    trap.page.goto("/en/privacy/")
    trap.page.evaluate(
        """() => document.querySelector('main').insertAdjacentHTML('beforeend',
          '<img src=x onerror=alert(1)><p onpointerenter=alert(2)>x</p><a href="javascript:alert(3)">x</a>'
          + '<img src="https://evil.example/p.gif">')"""
    )
    trap.page.wait_for_function("() => [...document.images].every(each => each.complete)")
    caught = "\n".join(trap.caught())
    for trace in (
        "dialog: 1",
        "dialog: 2",
        "A href=javascript:alert(3)",
        "left the site: https://evil.example",
    ):
        assert trace in caught


def test_a_report_by_a_model_that_was_turned_against_its_reader(trap, monkeypatch):
    for batch in BATCHES:
        address = written(monkeypatch, report_texts.EN + "\n\n".join(batch))
        trap.page.goto(address)
        trap.page.wait_for_selector(".report-text")
        assert trap.caught() == [], batch


def test_a_report_in_the_making_is_as_harmless_as_a_finished_one(trap):
    for batch in BATCHES:
        trap.page.goto(in_the_making("## So far\n\n" + "\n\n".join(batch)))
        trap.page.wait_for_selector(".report-text")
        assert trap.caught() == [], batch


@pytest.mark.exhaustive
def test_hostile_answers_come_back_as_nothing(trap):
    for batch in BATCHES:
        trap.page.goto("/en/scan/")
        trap.page.evaluate(
            """([names, values]) => {
              const form = Object.assign(document.createElement('form'), {method: 'post', action: '/en/scan/'});
              names.forEach((name, place) => {
                const field = Object.assign(document.createElement('input'), {type: 'hidden', name});
                field.value = values[place % values.length];
                form.append(field);
              });
              document.body.append(form);
              form.submit();
            }""",
            [[*(question.id for question in QUESTIONS), "ai", *batch], batch],
        )
        trap.page.wait_for_selector("#summary")
        assert trap.caught() == [], batch


@pytest.mark.exhaustive
def test_hostile_addresses(trap):
    for batch in BATCHES:
        trap.page.goto("about:blank")
        query = quote("\n".join(batch), safe="")
        trap.page.goto(f"/en/incidents/?kind={query}&year=2023#{query}")
        assert trap.caught() == [], batch
    for path in (
        "/en/<script>alert(1)</script>",
        "/en/r/<img src=x onerror=alert(1)>/",
        "/en/incidents/'onload=/",
    ):
        trap.page.goto(path)
        assert trap.caught() == []


def test_a_case_whose_words_were_tampered_with(trap):
    text = "\n".join(ALL)
    Incident.objects.filter(slug="bybit-2025").update(
        name=ALL[0],
        what_happened=text,
        lesson=text,
        note=text,
        sources=["javascript:alert(1)", 'https://x"onload=1'],
    )
    trap.page.goto("/en/incidents/bybit-2025/")
    assert trap.caught() == []
    trap.page.goto("/en/incidents/?kind=blind_signing")
    assert trap.caught() == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", range(len(ALL)))
def test_every_payload_alone(trap, monkeypatch, number):
    for address in (written(monkeypatch, report_texts.EN + ALL[number]), in_the_making(ALL[number])):
        trap.page.goto(address)
        trap.page.wait_for_selector("[data-state=ready], [data-state=writing]")
        assert trap.caught() == []
