"""The report as a visitor sees it come: live, by polling where events are blocked, by a link without script."""

import re

import pytest
from playwright.sync_api import Page, expect

from audit.models import Report
from audit.pages import live
from audit.report import gates
from audit.scans import service as scans
from llm.models import Call
from llm.simulator import behaviours as b
from tests import report_sets, report_texts
from tests.browser.flow import wait_for_report
from tests.chain_setup import make_deepseek, make_groq
from tests.factories import make_scan
from tests.xss_payloads import payloads

HEADINGS = ("Where you stand", "Your plan", "What to keep")


@pytest.fixture
def groq(sim, pen):
    """A slow writer, after one that is spent; it ends when `pen` is let go."""
    make_groq(sim, keys=2, timeout_s=120, first_byte_s=60)
    sim.script("key-of-groq1", b.payload("groq-429-tpd-1"))
    sim.script("key-of-groq2", b.ok(pace=0.06))
    return sim


def asked(page: Page) -> list[str]:
    """Every request for the report, as it is made: the method and the last part of the address."""
    made: list[str] = []
    page.on(
        "request",
        lambda request: (
            "/r/" in request.url and made.append(f"{request.method} {request.url.rsplit('/', 1)[-1]}".strip())
        ),
    )
    return made


def a_report() -> str:
    """A good report of the scan of these tests, as a model wrote it."""
    good = (each for each in report_sets.recorded("en") if each.good and each.scan == "middle")
    return next(good).with_headings(HEADINGS)


def open_result(page: Page) -> None:
    """A scan that has just been made, and its page."""
    page.goto(f"/en/r/{scans.scan_token(make_scan())}/")


def text_so_far(page: Page) -> str:
    return page.inner_text("#report-body .report-text")


SEEN = """window.seen = [];
new MutationObserver(() => {
  const text = document.querySelector('[data-state=writing] .report-text');
  if (text && text.innerText !== seen.at(-1)) seen.push(text.innerText);
}).observe(document, {childList: true, subtree: true, characterData: true});"""


def longer_than(page: Page, length: int) -> None:
    page.wait_for_function(
        "length => document.querySelector('[data-state=writing] .report-text')?.innerText.length > length",
        arg=length,
    )


def test_the_text_grows_before_the_visitors_eyes(page, groq, pen):
    made, pen.words = asked(page), 12
    groq.script("key-of-groq2", b.ok(pace=0.06))
    page.add_init_script(SEEN)
    open_result(page)
    expect(page.locator(".steps")).to_contain_text("Groq (gpt-oss-120b) is out of tokens for today")
    expect(page.locator(".steps")).to_contain_text("→ Groq (gpt-oss-120b)")
    expect(page.locator(".working")).to_have_text("Groq (gpt-oss-120b) is writing your report.")
    longer_than(page, 40)
    bar = page.locator("#report-body progress")
    assert bar.get_attribute("max") == "45"
    assert 0 < bar.evaluate("bar => bar.value") < 45
    pen.on.set()
    longer_than(page, len(text_so_far(page)) + 40)
    pen.up.set()
    report = wait_for_report(page)
    assert "Groq (gpt-oss-120b)" in report
    lengths = [len(text) for text in page.evaluate("seen")]
    assert len(lengths) > 1
    assert lengths == sorted(lengths)
    assert made == ["GET", "POST report?fragment=1", "GET events"]  # one stream, no polling


def test_no_raw_markdown_is_ever_seen_and_what_is_read_stays_in_place(page, groq, pen):
    pen.words = 12
    page.add_init_script(SEEN)
    open_result(page)
    page.wait_for_selector("[data-state=writing] .report-text h3")
    page.evaluate("window.kept = document.querySelector('[data-state=writing] .report-text h3')")
    pen.on.set()
    longer_than(page, len(text_so_far(page)) + 1)
    assert page.evaluate("kept.isConnected")  # a selection in it would have survived
    pen.up.set()
    wait_for_report(page)
    seen = page.evaluate("seen")
    assert len(set(seen)) > 1
    assert not [text for text in seen if re.search(r"\*\*|^#+ ?$|`|\]\(", text, re.M)]


@pytest.mark.exhaustive
def test_a_reader_of_the_screen_hears_the_steps_and_the_end_not_every_word(page, groq, pen):
    page.add_init_script(
        """window.said = [];
        addEventListener('DOMContentLoaded', () => {
          const status = document.getElementById('report-status');
          if (status) new MutationObserver(() => said.push(status.textContent))
            .observe(status, {childList: true, characterData: true, subtree: true});
        });"""
    )
    open_result(page)
    expect(page.locator("#report-status")).to_have_attribute("role", "status")
    expect(page.locator("#report-status")).to_contain_text("→ Groq (gpt-oss-120b)")
    pen.up.set()
    wait_for_report(page)
    said = page.evaluate("said")
    assert said[-1] == "Your report is ready."
    assert 2 <= len(said) <= 4
    assert "→ Groq (gpt-oss-120b)" in said[-2]


def test_text_of_an_attempt_that_fails_is_taken_back(page, sim, pen):
    make_groq(sim, keys=1, timeout_s=120, first_byte_s=60)
    make_deepseek(sim, timeout_s=30, first_byte_s=10)
    unfinished = a_report().partition(f"## {HEADINGS[-1]}")[0]  # a part is missing, found at the end
    sim.script("key-of-groq1", b.ok(unfinished, pace=0.03))
    open_result(page)
    expect(page.locator("#report-body")).to_contain_text("stolen vaults from a forum")
    pen.up.set()
    text = wait_for_report(page)
    assert "stolen vaults from a forum" not in text
    assert "deepseek" in text


@pytest.mark.exhaustive
def test_a_text_in_the_wrong_language_is_never_seen(page, sim):
    make_groq(sim, keys=1, timeout_s=30, first_byte_s=10)
    make_deepseek(sim, timeout_s=30, first_byte_s=10)
    sim.script("key-of-groq1", b.ok(report_texts.RU, pace=0.03))
    page.add_init_script(SEEN)
    open_result(page)
    text = wait_for_report(page)
    assert "deepseek" in text
    assert not [seen for seen in [*page.evaluate("seen"), text] if re.search("[а-яё]", seen)]


# -- where events do not come through -------------------------------------------------------------------
def test_blocked_events_are_replaced_by_polling(page, groq, pen):
    page.route("**/events", lambda route: route.fulfill(status=403))
    made = asked(page)
    open_result(page)
    longer_than(page, 40)
    with page.expect_request("**/report?fragment=1"):  # one more
        pen.up.set()
    assert "Groq (gpt-oss-120b)" in wait_for_report(page)
    assert made.count("GET events") == 1
    assert made.count("GET report?fragment=1") >= 2


@pytest.mark.exhaustive
def test_a_proxy_that_holds_events_back_is_noticed(page, groq, pen):
    page.clock.install()
    held = []
    page.route("**/events", lambda route: held.append(route))  # neither answered nor refused
    made = asked(page)
    open_result(page)
    page.wait_for_selector("[data-state=writing]")
    page.clock.run_for(7000)
    page.clock.resume()
    page.wait_for_selector("[data-state=writing] .report-text h3")
    assert held
    assert made.count("GET report?fragment=1") > 0
    pen.up.set()
    for route in held:
        route.abort()
    wait_for_report(page)


@pytest.mark.exhaustive
def test_a_connection_that_has_lived_its_life_is_taken_up_again(page, groq, pen, monkeypatch):
    monkeypatch.setattr(live, "LIFE_S", 0.7)
    made = asked(page)
    with page.expect_request("**/events"):
        open_result(page)
    with page.expect_request("**/events"):
        pass
    pen.up.set()
    wait_for_report(page)
    assert made.count("GET events") > 1
    assert "GET report?fragment=1" not in made


@pytest.mark.exhaustive
def test_coming_back_later_goes_on_where_it_is_with_the_same_call(page, new_page, groq, pen):
    open_result(page)
    longer_than(page, 40)
    address = page.url
    page.close()
    again = new_page()
    again.goto(address)
    expect(again.locator("[data-state=writing] .report-text h3").first).to_be_visible()
    pen.up.set()
    wait_for_report(again)
    assert (Call.objects.count(), Report.objects.count()) == (1, 1)


def test_without_script_a_link_shows_the_text_so_far(new_page, groq, pen):
    page = new_page(java_script_enabled=False)
    open_result(page)
    page.click("#report-body button")
    expect(page.locator("#report-body progress")).to_be_visible()
    for _ in range(200):
        page.click("text=See how far it is")
        if page.locator("[data-state=writing] .report-text h3").count():
            break
    expect(page.locator("main progress")).to_be_visible()
    pen.up.set()
    for _ in range(200):
        if page.locator("[data-state=ready]").count():
            break
        page.click("text=See how far it is")
    expect(page.locator("[data-state=ready] .report-text")).to_contain_text("GuardLabs provider simulator")


# -- hostile text ----------------------------------------------------------------------------------------
def see_hostile_text(page: Page, sim, pen, begins: str, pace: float) -> list[str]:
    """What a visitor sees, one after the other, of a report that turns hostile. Nothing of it may run."""
    make_groq(sim, keys=1, timeout_s=120, first_byte_s=60)
    hostile = "\n\n".join([begins, *payloads()])
    sim.script("key-of-groq1", b.ok(hostile, pace=pace))
    page.add_init_script(SEEN)
    page.add_init_script("window.ran = []; window.alert = (what) => ran.push(what); window.print = alert;")
    page.on("dialog", lambda dialog: pytest.fail(f"it ran: {dialog.message}"))
    open_result(page)
    longer_than(page, 400)  # it was there while it was written
    pen.up.set()
    wait_for_report(page)
    seen = page.evaluate("seen")
    assert page.evaluate("ran") == []
    assert (
        page.locator("#report-body .report-text :is(script, img, svg, iframe, form, style, object)").count()
        == 0
    )
    return seen


@pytest.mark.exhaustive
def test_a_report_that_turns_hostile_is_not_shown_any_further(page, sim, pen):
    seen = see_hostile_text(page, sim, pen, a_report(), pace=0.02)
    assert not [text for text in seen if "<" in text or "alert" in text]


def test_hostile_markdown_runs_nothing_while_it_is_written(page, sim, pen, monkeypatch):
    """The gates would not show it; what is shown must be harmless without their help."""
    monkeypatch.setattr(gates, "content", lambda held: {})
    seen = see_hostile_text(page, sim, pen, "## Report", pace=0.008)
    assert max(len(text) for text in seen if "<iframe src=" in text) > 400
