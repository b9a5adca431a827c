"""The previews of shared cards: one picture for each band, drawn once and kept in `static/audit/cards/`.

    python -m audit.presentation.share_images    # after a change of bands or colours; needs playwright and chromium

They hold digits and a name only, so one set serves every language, and no exact score, so four are enough.
"""

import os
import shutil
from math import cos, pi, sin
from pathlib import Path

from audit.scoring import formula

FOLDER = Path(__file__).parent.parent / "static" / "audit" / "cards"
WIDTH, HEIGHT = 1200, 630
COLOURS = {"exposed": "#a3281c", "fragile": "#855000", "fair": "#1b5c88", "solid": "#1c693a"}
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


def _arc(low: int, high: int, *, radius: int = 345, gap: float = 0.5) -> str:
    """From one score to the next band's first, with a small gap before it."""

    def at(score: float) -> str:
        angle = pi * (1 - score / 100)
        return f"{600 + radius * cos(angle):.1f} {500 - radius * sin(angle):.1f}"

    return f"M{at(low)}A{radius} {radius} 0 0 1 {at(min(high + 1, 100) - (gap if high < 100 else 0))}"


def main() -> None:
    """Writes every picture as PNG."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for band in COLOURS:
            page.set_content(f'<body style="margin:0">{svg(band)}</body>')
            page.screenshot(path=FOLDER / f"{band}.png")
        browser.close()


if __name__ == "__main__":
    main()
