"""The whole way from the landing page to the deleted result: by mouse, by keyboard alone, and without script."""

import re

import pytest
from playwright.sync_api import Page, expect

from audit.models import Report, Scan
from llm.models import Call
from llm.simulator import behaviours
from tests.browser.flow import CAPPED, MIXED, SAFEST, number_of, step_through, tick_all, wait_for_report
from tests.browser.test_accessibility import one_of_all
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


@pytest.mark.exhaustive
def test_by_number_keys(page):
    page.goto("/en/scan/")  # from the first moment on, wherever the focus is
    for number, (question, value) in enumerate(CAPPED.items()):
        if number:
            assert focused(page) == question
        page.keyboard.press(str(number_of(question, value)))
        expect(page.locator(f"#{question} input:checked")).to_have_value(value)
        page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.className") == "ask"
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


@pytest.mark.exhaustive
def test_changing_an_answer_from_the_list(page):
    page.goto("/en/scan/")
    step_through(page, SAFEST)
    page.click("#check summary")
    page.click("#check button >> nth=4")
    expect(page.locator("#account_2fa")).to_be_visible()


def test_number_keys_leave_links_and_buttons_alone(page):
    page.goto("/en/scan/")
    page.focus(".brand")
    page.keyboard.press("1")
    expect(page.locator("input[type=radio]:checked")).to_have_count(0)


def test_a_reload_keeps_the_answers_in_this_tab_until_they_are_sent(page):
    page.goto("/en/scan/")
    step_through(page, dict(list(SAFEST.items())[:6]))
    page.reload()
    expect(page.locator("#password_hygiene")).to_be_visible()
    expect(page.locator("fieldset.question input:checked")).to_have_count(6)
    assert page.evaluate("localStorage.length") == 0
    assert not re.search("|".join(SAFEST.values()), page.url)
    step_through(page, dict(list(SAFEST.items())[6:]))
    page.click("#submit")
    page.wait_for_url("**/r/**")
    assert page.evaluate("sessionStorage.length") == 0


@pytest.mark.exhaustive
def test_an_address_beyond_the_first_gap_opens_the_gap(page):
    page.goto("/en/scan/#password_hygiene")
    expect(page.locator("#seed_storage")).to_be_visible()


def test_a_link_to_go_on_later_holds_the_answers_in_its_fragment(page, new_page):
    page.goto("/en/scan/")
    step_through(page, dict(list(SAFEST.items())[:4]))
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.click("#later button")
    assert "#resume=" in page.url
    other = new_page()
    asked: list[str] = []
    other.on("request", lambda request: asked.append(request.url))
    other.goto(page.url)
    expect(other.locator("#account_2fa")).to_be_visible()
    expect(other.locator("fieldset.question input:checked")).to_have_count(4)
    assert "metal" not in other.url
    assert not [url for url in asked if "metal" in url.split("#")[0]]


@pytest.mark.parametrize("script", [True, False])
def test_another_language_on_question_seven_keeps_six_answers(new_page, script):
    six = dict(list(SAFEST.items())[:6])
    page = new_page(java_script_enabled=script)
    page.goto("/en/scan/")
    if script:
        step_through(page, six)
        expect(page.locator("#password_hygiene")).to_be_visible()
    else:
        tick_all(page, six)
    page.click(".languages [lang=ru]")
    expect(page.locator("html[lang=ru]")).to_have_count(1)
    expect(page.locator("fieldset.question input:checked")).to_have_count(6)
    for question, value in six.items():
        expect(page.locator(f"input[name={question}][value={value}]")).to_be_checked()
    expect(page.locator("#password_hygiene")).to_be_visible()
    assert not Scan.objects.exists()


@pytest.mark.parametrize("lang", one_of_all("ru"))
def test_on_a_phone_next_is_in_view_on_every_question(new_page, lang):
    page = new_page(viewport={"width": 360, "height": 640})
    page.goto(f"/{lang}/scan/")
    for question, value in SAFEST.items():
        expect(page.locator(f"#{question}")).to_be_visible()
        assert page.evaluate("scrollY") == 0
        expect(page.locator("#next")).to_be_in_viewport(ratio=1)
        expect(page.locator(f"#{question} .option >> nth=0")).to_be_in_viewport()
        page.locator(f"input[name={question}][value={value}]").evaluate("each => each.click()")
        page.click("#next")
    expect(page.locator("#submit")).to_be_in_viewport(ratio=1)


def test_a_choice_with_the_mouse_moves_on_and_one_with_the_keys_does_not(page):
    page.goto("/en/scan/")
    page.locator("#seed_storage .option >> nth=1").click()
    expect(page.locator("#seed_backup")).to_be_visible()
    page.keyboard.press("1")
    page.wait_for_timeout(400)
    expect(page.locator("#seed_backup")).to_be_visible()


@pytest.mark.exhaustive
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


def test_the_report_appears_as_it_is_written_and_names_its_author(page, sim, pen):
    make_groq(sim, keys=2, timeout_s=120, first_byte_s=60)
    sim.script("key-of-groq1", behaviours.payload("groq-429-tpd-1"))
    sim.script("key-of-groq2", behaviours.ok(pace=0.03))
    page.goto("/en/scan/")
    step_through(page, MIXED)
    expect(page.locator(".writer")).to_contain_text("Groq")
    expect(page.locator(".writer input:checked")).to_have_count(0)
    page.click("#submit")
    expect(page.locator(".writer .error")).to_be_visible()
    page.check("input[name=ai][value=on]")
    page.click("#submit")
    expect(page.locator("[data-state=writing] .report-text h3 >> nth=0")).to_be_visible()
    expect(page.locator(".steps")).to_contain_text("Groq (gpt-oss-120b) is out of tokens for today")
    expect(page.locator(".working")).to_have_text("Groq (gpt-oss-120b) is writing your report.")
    pen.up.set()
    report = wait_for_report(page)
    assert "GuardLabs provider simulator" in report
    assert "Written by Groq" in report


def test_a_finding_that_is_folded_opens_when_it_is_linked_to(page):
    page.goto("/en/scan/")
    step_through(page, {**CAPPED, "sim_protection": "public_recovery"})
    page.click("#submit")
    page.click(".fixes a >> nth=1")
    expect(page.locator("#finding-sim_protection")).to_be_visible()
    expect(page.locator("#finding-sim_protection")).to_be_in_viewport()
    wait_for_report(page)


# -- without script ----------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", one_of_all("es"))
def test_without_script(new_page, lang):
    page = new_page(java_script_enabled=False)
    page.goto(f"/{lang}/")
    page.click("main .button >> nth=0")
    expect(page.locator("fieldset:visible")).to_have_count(LAST)
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


def test_a_visitor_who_declines_ai_gets_a_report_at_once(page, sim):
    make_groq(sim, keys=1)
    page.goto("/en/scan/")
    step_through(page, SAFEST)
    page.check("input[name=ai][value=off]")
    page.click("#submit")
    assert "as you chose" in wait_for_report(page)
    assert not Call.objects.exists()
