"""axe finds nothing on any page, in any language, at 360 and 1280 px, light and dark; and nothing overflows."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils.translation import override
from playwright.sync_api import Page, expect

from audit.report import jobs
from audit.scans import service as scans
from tests.browser import conftest
from tests.browser.flow import SAFEST, tick_all, wait_for_report
from tests.factories import beside_the_loop, make_scan
from tests.matrix import one_of

LANGUAGES = ["en", "ru", "es"]


def one_of_all(daily: str) -> list:
    """Every language; all but one of them only when there is time (`make test-all`)."""
    return one_of(daily, *(lang for lang in LANGUAGES if lang != daily))


WIDTHS = [360, 1280]
SCHEMES = ["light", "dark"]
DIAGONAL = {(360, "dark"), (1280, "light")}
NO_MOTION = {"reduced_motion": "reduce"}  # axe would see half-faded colours


def axe(page: Page) -> list[str]:
    """What axe finds on the page as it is, one line per rule.

    It need not fetch style sheets again (`preload`), which only serves rules that are off, and which complains of every
    `@import`.
    """
    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    return [f"{each['id']}: {'; '.join(node['html'][:120] for node in each['nodes'][:3])}" for each in found]


def violations(page: Page) -> list[str]:
    """What axe finds, one line each, and pages wider than the window. At every width and in both schemes: in all
    combinations and with forced colours by `make test-all`, each of them once every day."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{page.url} {width}: wider than the window")
        for scheme in SCHEMES:
            if conftest.DAILY and (width, scheme) not in DIAGONAL:
                continue
            page.emulate_media(color_scheme=scheme)
            found += [f"{page.url} {width} {scheme} {each}" for each in axe(page)]
    page.emulate_media(color_scheme="light")
    if not conftest.DAILY:
        page.emulate_media(forced_colors="active")
        found += [f"{page.url} forced colours {each}" for each in axe(page)]
        page.emulate_media(forced_colors="none")
    assert page.locator("h1").count() == 1
    return found


def path(name: str, lang: str, **kwargs: str) -> str:
    with override(lang):
        return reverse(f"audit:{name}", kwargs=kwargs)


@pytest.mark.parametrize("lang", one_of_all("ru"))
def test_public_pages_and_errors(new_page, lang):
    page = new_page(**NO_MOTION)
    found = []
    for name in ("landing", "scan", "privacy", "deleted", "about", "approvals", "order-sample"):
        page.goto(path(name, lang))
        found += violations(page)
    page.goto(f"/{lang}/nothing-here")
    assert found + violations(page) == []


@pytest.mark.parametrize("lang", one_of_all("en"))
def test_library_method_and_first_aid(new_page, lang):
    page = new_page(**NO_MOTION)
    found = []
    for address in (
        path("incidents", lang) + "?year=2023",
        path("incident", lang, slug="bybit-2025"),
        path("method", lang),
        path("hacked", lang),
    ):
        page.goto(address)
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        found += violations(page)
    assert found == []


@pytest.mark.parametrize("lang", one_of_all("ru"))
def test_the_form_on_its_way(new_page, lang):
    page = new_page(**NO_MOTION)
    page.goto(path("scan", lang))
    page.click("#next")  # the error
    found = violations(page)
    for value in SAFEST.values():
        page.check(f"fieldset:visible input[value={value}]")
        page.click("#next")
    page.click("#check summary")  # the last step
    assert found + violations(page) == []


@pytest.mark.parametrize("lang", one_of_all("ru"))
def test_the_one_page_form_with_errors(new_page, lang):
    """Sent by a browser without script; looked at by one with script, because axe is one."""
    page = new_page(**NO_MOTION)
    page.route("**/scan*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(path("scan", lang))
    tick_all(page, dict(list(SAFEST.items())[2:]))
    page.click("#submit")
    expect(page.locator("#summary")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("lang", one_of_all("ru"))
@pytest.mark.parametrize("kind", one_of("middle", "absent"))
def test_private_pages(new_page, lang, kind):
    page = new_page(**NO_MOTION)
    scan = make_scan(kind, lang=lang, seed_storage="cloud_notes" if kind == "middle" else "no_seed")
    token = scans.scan_token(scan)
    page.goto(path("delete", lang, token=token))
    found = violations(page)
    page.goto(path("report", lang, token=token))  # the button
    found += violations(page)
    beside_the_loop(lambda: jobs.write_report_now(scan))
    page.goto(path("result", lang, token=token))
    wait_for_report(page)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert found + violations(page) == []
