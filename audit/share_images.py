"""The previews of links: one of the site for each language, and one of shared cards for each band.

    DJANGO_SETTINGS_MODULE=guardlabs.settings python -m audit.share_images

draws them after a change of words, bands or colours; needs playwright and chromium. They are kept in
`static/audit/previews/` and `static/audit/cards/`. Cards hold digits and a name only, so one set serves every
language, and no exact score, so four are enough.
"""

import os
import shutil
from base64 import b64encode
from math import cos, pi, sin
from pathlib import Path

import django
from django.conf import settings
from django.utils.translation import gettext, override

from audit.scoring import formula

FOLDER = Path(__file__).parent.parent / "static" / "audit" / "cards"
WIDTH, HEIGHT = 1200, 630
COLOURS = {"exposed": "#d92d20", "fragile": "#d97706", "fair": "#2563eb", "solid": "#16a34a"}
FONTS = FOLDER.parent / "fonts"
SHIELD = (
    '<path fill="#0b5a52" d="M16 1.5 28 6v9.5c0 7-4.8 12.3-12 15-7.2-2.7-12-8-12-15V6z"/>'
    '<path fill="none" stroke="#fff" stroke-width="3" d="m10.5 16 4 4 7-8"/>'
)


def edges(band: str) -> tuple[int, int]:
    """The lowest and highest score of a band."""
    names = [name for _least, name in formula.BANDS]
    place = names.index(band)
    return formula.BANDS[place][0], formula.BANDS[place - 1][0] - 1 if place else 100


def svg(band: str) -> str:
    """The picture of a band: its part of the gauge in colour, and its range."""
    least, most = edges(band)
    arcs = "".join(
        f'<path d="{_arc(low, high)}" fill="none" stroke-width="74" '
        f'stroke="{COLOURS[name] if name == band else "#d8d8cf"}"/>'
        for name in COLOURS
        for low, high in [edges(name)]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="Liberation Sans, DejaVu Sans, sans-serif" text-anchor="middle">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#f6f5f1"/>{arcs}'
        f'<text x="600" y="455" font-size="150" font-weight="700" fill="{COLOURS[band]}">{least}–{most}</text>'
        f'<text x="600" y="525" font-size="46" fill="#4d5c58">/ 100</text>'
        f'<g transform="translate(40 34) scale(1.9)">{SHIELD}</g>'
        f'<text x="115" y="82" font-size="46" font-weight="700" fill="#16211f" text-anchor="start">GuardLabs</text>'
        "</svg>"
    )


def _arc(
    low: int, high: int, *, radius: int = 345, gap: float = 0.5, centre: tuple[int, int] = (600, 500)
) -> str:
    """From one score to the next band's first, with a small gap before it."""

    def at(score: float) -> str:
        angle = pi * (1 - score / 100)
        return f"{centre[0] + radius * cos(angle):.1f} {centre[1] - radius * sin(angle):.1f}"

    return f"M{at(low)}A{radius} {radius} 0 0 1 {at(min(high + 1, 100) - (gap if high < 100 else 0))}"


def preview(lang: str) -> str:
    """The picture of the site in a language: its first sentence beside the gauge of the sample."""
    with override(lang):
        hook = gettext("Find the weak spot before a thief does")
        facts = gettext("12 questions, about 5 minutes, free")
    face = b64encode((FONTS / "golos-text-700.woff2").read_bytes()).decode()
    drawn = "".join(
        f'<path d="{_arc(low, high, radius=150, centre=(930, 350))}" fill="none" stroke-width="40" '
        f'stroke="{COLOURS[name]}" opacity="{1 if name == "fragile" else 0.25}"/>'
        for name in COLOURS
        for low, high in [edges(name)]
    )
    return (
        f"<style>@font-face {{ font-family: Golos; src: url(data:font/woff2;base64,{face}) }} "
        f"body {{ margin: 0; background: #f4f5f2; color: #0f1b1a; font-family: sans-serif }} "
        f"h1 {{ position: absolute; left: 70px; top: 150px; width: 660px; margin: 0; font: 64px/1.15 Golos }} "
        f"p {{ position: absolute; left: 70px; top: 480px; margin: 0; font-size: 34px; color: #51605d }}</style>"
        f"<h1>{hook}</h1><p>{facts}</p>"
        f'<svg width="{WIDTH}" height="{HEIGHT}" font-family="Golos" text-anchor="middle">{drawn}'
        f'<text x="930" y="345" font-size="96" fill="#0f1b1a">49</text>'
        f'<g transform="translate(66 44) scale(1.7)">{SHIELD}</g>'
        f'<text x="135" y="88" font-size="40" fill="#0f1b1a" text-anchor="start">GuardLabs</text></svg>'
    )


def main() -> None:
    """Writes every picture as PNG."""
    django.setup()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for band in COLOURS:
            page.set_content(f'<body style="margin:0">{svg(band)}</body>')
            page.screenshot(path=FOLDER / f"{band}.png")
        for lang, _name in settings.LANGUAGES:
            page.set_content(preview(lang))
            page.evaluate("document.fonts.ready")
            page.screenshot(path=FOLDER.parent / "previews" / f"{lang}.png")
        browser.close()


if __name__ == "__main__":
    main()
