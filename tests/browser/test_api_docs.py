"""The API's page of documentation is as accessible as the others and as quiet."""

from tests.browser.test_accessibility import NO_MOTION, violations


def test_the_api_documentation(new_page):
    page = new_page(**NO_MOTION)
    page.goto("/api/docs")
    assert violations(page) == []
