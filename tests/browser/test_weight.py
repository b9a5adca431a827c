"""How much a first visit transfers, and from whom: little, and from us alone."""

from playwright.sync_api import Response

LIMIT_BYTES = 60 * 1024
PUBLIC = ["", "scan/", "incidents/", "incidents/bybit-2025/", "method/", "hacked/", "privacy/"]


def test_the_landing_page_is_small_even_without_compression(new_page, live_server):
    """Bodies as they are before any compression, everything counted: page, style, script, icon."""
    for lang in ("en", "ru", "es"):
        page = new_page()
        sizes: dict[str, int] = {}

        def note(response: Response, sizes: dict[str, int] = sizes) -> None:
            sizes[response.url] = len(response.body())

        page.on("response", note)
        page.goto(f"/{lang}/", wait_until="networkidle")
        assert f"{live_server.url}/{lang}/" in sizes
        assert any(url.endswith("site.css") for url in sizes)
        assert [url for url in sizes if not url.startswith(live_server.url)] == []
        assert sum(sizes.values()) <= LIMIT_BYTES, sizes


def test_a_public_page_asks_nobody_else_and_runs_at_most_one_script(page, live_server):
    asked: list[tuple[str, str]] = []
    page.on("request", lambda request: asked.append((request.resource_type, request.url)))
    for name in PUBLIC:
        asked.clear()
        page.goto(f"/en/{name}", wait_until="networkidle")
        assert asked, name
        assert [url for _kind, url in asked if not url.startswith(live_server.url)] == []
        assert [kind for kind, _url in asked].count("script") <= 1
