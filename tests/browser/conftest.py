"""One Chromium for all browser tests; a fresh, empty profile for each of them."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests import factories

CHROMIUM = shutil.which("chromium")
TIMEOUT_MS = 60_000  # long, since a wait that comes true costs nothing: only what hangs ever takes it
expect.set_options(timeout=TIMEOUT_MS)

# playwright's own event loop runs in the test's thread, which Django would take for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


DAILY = False  # a sample of widths and schemes is enough


def pytest_configure(config: pytest.Config) -> None:
    global DAILY
    DAILY = "not exhaustive" in config.option.markexpr


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = os.path.dirname(__file__)  # noqa: PTH120
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="Debian's chromium is not installed"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=2 * TIMEOUT_MS
        )
        yield browser
        browser.close()


class Watch:
    """What a page must never do, noted as it happens."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.problems: list[str] = []

    def follow(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        # A 4xx answer that a test provokes is logged by the browser too; that is no fault of the page.
        if (
            message.type in {"error", "warning"}
            and "the server responded with a status of" not in message.text
        ):
            self.problems.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "data:")):
            self.problems.append(f"left the site: {request.url}")


@pytest.fixture
def bank(transactional_db: None) -> None:
    """Questions and cases in the database."""
    factories.load_bank()


@pytest.fixture
def new_page(chromium: Browser, live_server, bank) -> Iterator:
    """new_page(**context options) -> Page. Afterwards: no script error, no CSP violation, no cookie, no stranger."""
    contexts: list[BrowserContext] = []
    watch = Watch(live_server.url)

    def make(**options) -> Page:
        context = chromium.new_context(base_url=live_server.url, **{"locale": "en-US", **options})
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        page = context.new_page()
        watch.follow(page)
        return page

    yield make
    for context in contexts:
        assert context.cookies() == []
        context.close()
    assert watch.problems == []


@pytest.fixture
def page(new_page) -> Page:
    return new_page()
