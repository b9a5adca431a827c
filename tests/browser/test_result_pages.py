"""The pages around a result in Chromium: by keyboard alone, without script, accessible, and on paper."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from audit.models import Scan
from audit.scans import service as scans
from audit.scans import shares
from tests.browser.flow import number_of
from tests.browser.test_accessibility import NO_MOTION, one_of_all, path, violations
from tests.factories import answers, beside_the_loop, make_scan

CAPPED = {"seed_storage": "cloud_notes", "account_2fa": "none"}


def tab_to(page: Page, selector: str, *, most: int = 60) -> None:
    """Presses Tab until the element has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus").count():
            return
    raise AssertionError(f"{selector} is not reached by keyboard")


@pytest.fixture
def address(bank) -> str:
    scan = make_scan("best", ai=False, **CAPPED)
    return path("result", "en", token=scans.scan_token(scan))


def test_fixes_by_keyboard_alone(page, address):
    page.goto(f"{address}fixes")
    tab_to(page, "#done-seed_storage")
    page.keyboard.press("Space")
    tab_to(page, "#done-account_2fa")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#after")).to_have_text("You would score 100: Solid")
    expect(page.locator("#done-seed_storage")).to_be_checked()
    expect(page.locator("#score")).to_be_in_viewport()


def test_a_replay_by_keyboard_alone(page, address):
    page.goto(f"{address}replay/")
    tab_to(page, "#case")
    page.keyboard.type("Polycule")
    tab_to(page, ".pick button")
    page.keyboard.press("Enter")
    expect(page.locator("#case-name")).to_contain_text("Polycule")
    expect(page.locator(".verdict-of")).to_contain_text("this theft would have ended at step 2")


def test_checking_again_by_keyboard_alone(page, address):
    page.goto(f"{address}again")  # begins with the list of answers
    expect(page.locator("#check li")).to_have_count(12)
    page.locator("#check button >> nth=0").focus()
    page.keyboard.press("Enter")
    tab_to(page, "#seed_storage input:checked")
    page.keyboard.press(str(number_of("seed_storage", "metal")))
    page.keyboard.press("Enter")
    tab_to(page, "#submit")
    page.keyboard.press("Enter")
    expect(page.locator("#last-time")).to_be_visible()
    assert Scan.objects.latest("pk").answers == answers("best", account_2fa="none")


@pytest.mark.parametrize("lang", one_of_all("es"))
def test_without_script(new_page, bank, lang):
    """Try fixes, replay a case, share and take back, check again."""
    page = new_page(java_script_enabled=False)
    scan = make_scan("best", lang=lang, ai=False, **CAPPED)
    token = scans.scan_token(scan)
    page.goto(path("fixes", lang, token=token))
    page.check("#done-seed_storage")
    page.click("form button")
    expect(page.locator("#after .fragile")).to_be_visible()
    page.goto(path("replay", lang, token=token))
    page.select_option("#case", "wazirx-2024")
    page.click(".pick button")
    expect(page).to_have_url(re.compile("case=wazirx-2024"))
    page.goto(path("result", lang, token=token))
    page.click("form[action$='/share'] button")
    page.click("a[href*='/s/']")
    expect(page.locator("h1 .fragile")).to_be_visible()
    page.goto(path("result", lang, token=token))
    page.click("form[action$='/unshare'] button")
    expect(page.locator("a[href*='/s/']")).to_have_count(0)
    page.click("a[href$='/again']")
    page.check("input[name=seed_storage][value=metal]")
    page.click("#submit")
    expect(page.locator("#last-time")).to_be_visible()


@pytest.mark.parametrize("lang", ["ru"])
def test_downloads_have_neutral_names(new_page, bank, lang):
    page = new_page(accept_downloads=True)
    scan = make_scan("middle", lang=lang, ai=False)
    page.goto(path("result", lang, token=scans.scan_token(scan)))
    for extension in ("md", "json"):
        with page.expect_download() as download:
            page.click(f"a[href$='export.{extension}']")
        assert download.value.suggested_filename == f"checklist-{scan.created_at:%Y-%m-%d}.{extension}"


@pytest.mark.parametrize("lang", one_of_all("ru"))
def test_the_pages_are_accessible(new_page, bank, lang):
    page = new_page(**NO_MOTION)
    old = make_scan("middle", lang=lang, ai=False)
    scan = beside_the_loop(
        lambda: scans.create_scan(answers=answers("best", **CAPPED), lang=lang, ai=False, previous=old)
    )
    shares.share(scan)
    scan.refresh_from_db()
    token = scans.scan_token(scan)
    addresses = [
        path("fixes", lang, token=token) + "?done=seed_storage&done=account_2fa",
        path("replay", lang, token=token) + "?case=tmobile-33m-award-2025",
        path("print", lang, token=token),
        path("card", lang, token=shares.share_token(scan)),
        path("again", lang, token=token),
        path("result", lang, token=token),
    ]
    found = []
    for address in addresses:
        page.goto(address)
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        found += violations(page)
    assert found == []


def test_on_paper_the_sheet_has_no_link_and_the_result_no_buttons(page, address):
    page.emulate_media(media="print")
    page.goto(f"{address}print")
    assert page.inner_text("body").startswith("Home security checklist")
    page.goto(address)
    for selector in (".top", ".foot", ".button", "#share", "a[href*='/replay/']", "a[href*='/fixes']"):
        assert not [each for each in page.locator(selector).all() if each.is_visible()], selector


SCREENS, SCREEN_PX = 8, 740  # at most this many of a phone's screens for a middling result


@pytest.mark.parametrize("lang", ["en", "ru", "es"])
def test_a_middling_result_is_short_on_a_phone(new_page, bank, lang):
    page = new_page(viewport={"width": 360, "height": SCREEN_PX})
    page.goto(path("result", lang, token=scans.scan_token(make_scan("middle", lang=lang, ai=False))))
    expect(page.locator("#report-body [data-state=ready]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") <= SCREENS * SCREEN_PX
    order = page.evaluate(
        "[...document.querySelectorAll('#first, #report, #why, #plan, #yours')].map(each => each.id)"
    )
    assert order == ["first", "report", "why", "plan", "yours"]


@pytest.mark.parametrize("kind", ["middle", "worst"])
def test_a_result_is_four_pages_on_paper(new_page, bank, kind):
    page = new_page()
    page.goto(path("result", "ru", token=scans.scan_token(make_scan(kind, lang="ru", ai=False))))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) <= 4


def test_the_steps_of_first_aid_keep_their_numbers(page):
    page.goto("/en/hacked/")
    styles = (
        "[...document.querySelectorAll('.situation ol')].map(each => getComputedStyle(each).listStyleType)"
    )
    assert set(page.evaluate(styles)) == {"decimal"}


def test_with_forced_colours_progress_and_gauge_are_still_drawn(new_page, bank):
    page = new_page(forced_colors="active")
    page.goto("/en/scan/")
    assert (
        page.evaluate("getComputedStyle(document.querySelector('#steps progress')).borderTopStyle") == "solid"
    )
    page.goto("/en/")
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.gauge .knob')).forcedColorAdjust") == "none"
    )


def test_the_labels_of_the_loss_chart_do_not_touch(new_page, bank):
    page = new_page(viewport={"width": 360, "height": 740})
    for lang in ("en", "ru", "es"):
        page.goto(f"/{lang}/incidents/")
        boxes = page.evaluate(
            "[...document.querySelectorAll('.chart-row:first-child text')]"
            ".map(each => each.getBoundingClientRect()).map(each => [each.left, each.right])"
        )
        assert len(boxes) > 2
        assert all(one[1] < other[0] for one, other in pairwise(boxes)), (lang, boxes)


def test_ticking_a_fix_shows_the_new_score_at_once(page, address):
    page.goto(f"{address}fixes")
    page.check("#done-seed_storage")
    expect(page.locator("#done-seed_storage")).to_be_checked()
    expect(page).to_have_url(re.compile("done=seed_storage"))
    expect(page.locator("#after")).to_contain_text("You would score 59")
