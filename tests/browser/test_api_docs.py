"""The API's page of documentation is as accessible as the others and as quiet."""

from tests.browser.test_accessibility import NO_MOTION, violations


def test_the_api_documentation(new_page):
    page = new_page(**NO_MOTION)
    page.goto("/api/docs")
    assert violations(page) == []
    page.set_viewport_size({"width": 1000, "height": 1400})
    page.emulate_media(color_scheme="light")
    page.screenshot(path="/tmp/docs.png")
