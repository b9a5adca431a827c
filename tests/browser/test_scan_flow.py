"""The whole way from the landing page to the deleted result: by mouse, by keyboard alone, and without script."""

import re

import pytest
from playwright.sync_api import Page, expect

from audit.models import Report, Scan
from llm.models import Call
from llm.simulator import behaviours
from tests.browser.flow import CAPPED, MIXED, SAFEST, number_of, step_through, tick_all, wait_for_report
from tests.chain_setup import make_groq

LAST = len(SAFEST)
# How the focused element is outlined (an answer's outline is on its label), what it says, what it is.
FOCUS = """() => {
  const each = document.activeElement;
  return [getComputedStyle(each.closest('.option') || each).outlineStyle, each.innerText, each.outerHTML];
}"""


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.closest('fieldset, .summary, main')?.id || ''")


# -- with script -------------------------------------------------------------------------------------
def test_by_mouse(page):
    page.goto("/en/")
    page.click("main .button >> nth=0")
    expect(page.locator("fieldset:visible")).to_have_count(1)
    expect(page.locator("#back")).to_be_hidden()
    expect(page.locator("#seed_storage .step")).to_contain_text("Question 1 of 12")
    step_through(page, CAPPED)
    expect(page.locator("#submit")).to_be_visible()
    page.click("#check summary")
    expect(page.locator("#check li")).to_have_count(LAST)
    page.click("#submit")
    expect(page.locator("h1")).to_have_text("49 of 100: Fragile")
    assert "without AI, because no language model was available" in wait_for_report(page)
    assert page.inner_text("#report-status") == "Your report is ready."
    page.click("text=Delete now")
    page.click("text=Delete for good")
    expect(page.locator("h1")).to_have_text("Your result is gone")
    assert not Scan.objects.exists()


def test_from_the_landing_page_to_the_deleted_result_by_keyboard_alone(page):
    """Tab, Enter and the arrow keys only; the focus is always on something that can be seen."""

    def tab_to(name: str) -> None:
        for _ in range(120):
            page.keyboard.press("Tab")
            outline, text, html = page.evaluate(FOCUS)
            assert outline == "solid", html
            if text.strip() == name:
                return
        raise AssertionError(f"{name} cannot be reached")

    page.goto("/en/")
    tab_to("Start the check")
    page.keyboard.press("Enter")
    page.wait_for_url("**/scan/")
    page.focus("legend >> nth=0")
    for question, value in CAPPED.items():
        page.keyboard.press("Tab")
        page.keyboard.press("Space")  # the first answer
        for _ in range(number_of(question, value) - 1):
            page.keyboard.press("ArrowDown")
        expect(page.locator(f"#{question} input:checked")).to_have_value(value)
        page.keyboard.press("Enter")
    tab_to("Show my score")
    page.keyboard.press("Enter")
    page.wait_for_url("**/r/**")
    wait_for_report(page)
    tab_to("Delete now")
    page.keyboard.press("Enter")
    page.wait_for_url("**/delete")
    tab_to("Delete for good")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Your result is gone")
    assert not Scan.objects.exists()


def test_by_number_keys(page):
    page.goto("/en/scan/")
    page.keyboard.press("Tab")
    assert page.inner_text(":focus") == "Skip to content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    for number, (question, value) in enumerate(CAPPED.items()):
        if number:
            assert focused(page) == question
        page.keyboard.press(str(number_of(question, value)))
        expect(page.locator(f"#{question} input:checked")).to_have_value(value)
        page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "LEGEND"
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "submit":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/r/**")
    assert Scan.objects.get().answers == CAPPED
    wait_for_report(page)


def test_next_without_an_answer_says_so_and_stays(page):
    page.goto("/en/scan/")
    page.click("#next")
    error = page.locator("#seed_storage-error")
    expect(error).to_have_text("Choose an answer.")
    assert focused(page) == "seed_storage"
    assert "seed_storage-error" in page.get_attribute("#seed_storage", "aria-describedby")
    page.keyboard.press("1")
    expect(error).to_be_hidden()


def test_back_button_and_browser_back_keep_the_answers(page):
    page.goto("/en/scan/")
    step_through(page, dict(list(SAFEST.items())[:3]))
    expect(page.locator("#hot_cold_split")).to_be_visible()
    page.click("#back")
    expect(page.locator("#hardware_wallet")).to_be_visible()
    page.go_back()
    page.go_back()
    expect(page.locator("#hardware_wallet")).to_be_visible()
    page.go_back()
    expect(page.locator("#seed_backup")).to_be_visible()
    expect(page.locator("#seed_backup input:checked")).to_have_value(SAFEST["seed_backup"])


def test_changing_an_answer_from_the_list(page):
    page.goto("/en/scan/")
    step_through(page, SAFEST)
    page.click("#check summary")
    page.click("#check button >> nth=4")
    expect(page.locator("#account_2fa")).to_be_visible()


def test_number_keys_work_only_inside_the_form(page):
    page.goto("/en/scan/")
    page.focus(".brand")
    page.keyboard.press("1")
    expect(page.locator("input[type=radio]:checked")).to_have_count(1)  # the writer of the report


def test_answers_are_kept_in_the_form_only(page):
    page.goto("/en/scan/")
    step_through(page, dict(list(SAFEST.items())[:3]))
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert not re.search("|".join(SAFEST.values()), page.url)


def test_closing_the_tab_loses_nothing_and_two_tabs_make_one_call(page, new_page):
    page.goto("/en/scan/")
    step_through(page, CAPPED)
    page.click("#submit")
    page.wait_for_url("**/r/**")
    address = page.url
    other = new_page()
    other.goto(address)
    page.close()
    wait_for_report(other)
    assert Report.objects.count() == 1
    assert Call.objects.count() == 1


def test_the_report_appears_as_it_is_written_and_names_its_author(page, sim):
    make_groq(sim, keys=2, timeout_s=30, first_byte_s=10)
    sim.script("key-of-groq1", behaviours.payload("groq-429-tpd-1"))
    sim.script("key-of-groq2", behaviours.ok(pace=0.03))
    page.goto("/en/scan/")
    step_through(page, MIXED)
    expect(page.locator(".writer")).to_contain_text("Groq")
    page.click("#submit")
    expect(page.locator("[data-state=writing] .report-text h2 >> nth=0")).to_be_visible()
    expect(page.locator(".steps")).to_contain_text("groq1 is out of tokens for today")
    expect(page.locator(".working")).to_have_text("groq2 is writing your report.")
    report = wait_for_report(page)
    assert "Simulated report" in report
    assert "(groq2)" in report


def test_a_finding_that_is_folded_opens_when_it_is_linked_to(page):
    page.goto("/en/scan/")
    step_through(page, {**CAPPED, "sim_protection": "public_recovery"})
    page.click("#submit")
    page.click(".fixes a >> nth=1")
    expect(page.locator("#finding-sim_protection")).to_be_visible()
    expect(page.locator("#finding-sim_protection")).to_be_in_viewport()
    wait_for_report(page)


# -- without script ----------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", ["en", "ru", "es"])
def test_without_script(new_page, lang):
    page = new_page(java_script_enabled=False)
    page.goto(f"/{lang}/")
    page.click("main .button >> nth=0")
    expect(page.locator("fieldset:visible")).to_have_count(LAST + 1)
    expect(page.locator("#next")).to_be_hidden()
    tick_all(page, CAPPED)
    page.click("#submit")
    expect(page).to_have_url(re.compile(f"/{lang}/r/"))
    page.click("#report-body button")
    expect(page).to_have_url(re.compile("#report$"))
    for _ in range(100):
        if page.locator("[data-state=ready]").count():
            break
        page.click("#report-body a")
    expect(page.locator("[data-state=ready] .report-text")).to_be_visible()
    page.goto(page.url.partition("/report")[0].partition("#")[0])
    page.click(".delete .danger")
    page.click("main .danger")
    expect(page).to_have_url(re.compile(f"/{lang}/deleted/"))
    assert not Scan.objects.exists()


def test_without_script_an_error_is_shown_and_nothing_is_lost(new_page):
    page = new_page(java_script_enabled=False)
    page.goto("/en/scan/")
    answers = {key: value for key, value in SAFEST.items() if key != "token_approvals"}
    tick_all(page, answers)
    page.click("#submit")
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.locator("#summary")).to_be_focused()
    expect(page.locator("fieldset.question input:checked")).to_have_count(len(answers))
    page.click("#summary a")
    expect(page).to_have_url(re.compile("#token_approvals-1$"))
    tick_all(page, {"token_approvals": SAFEST["token_approvals"]})
    page.click("#submit")
    expect(page.locator("h1")).to_have_text("100 of 100: Solid")


def test_a_visitor_who_declines_ai_gets_a_report_at_once(page):
    page.goto("/en/scan/")
    step_through(page, SAFEST)
    page.check("input[name=ai][value=off]")
    page.click("#submit")
    assert "as you chose" in wait_for_report(page)
    assert not Call.objects.exists()
