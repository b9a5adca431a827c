"""The chart of losses by kind of attack and year. Pure: entries in, places in a drawing and a table out.

Losses reach from a thousand dollars to more than a billion, so the scale is logarithmic; and because the length
of a bar means nothing on such a scale, sums are drawn as dots. Places are percentages of the width: the drawing
fits any screen and its letters keep their size.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log10

from audit import formats
from audit.presentation.library import STATISTICS, Entry

LANE_PX = 24
NEAREST = 8.0  # two dots closer than this, in percent of the width, go into lanes of their own
MARGIN = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What a kind of attack is known to have taken in a year, in USD.

    Single thefts add up. A combined figure (all drainers of a year) may contain some of them, so it is never added:
    the larger of the two counts. `unconfirmed`: at least one of the cases is.
    """

    year: str
    usd: int
    unconfirmed: bool

    @property
    def money(self) -> str:
        return formats.money(self.usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A sum in the drawing: `x` and `y` as SVG writes them, `name` the year's last two digits."""

    sum: Sum
    x: str
    y: int

    @property
    def name(self) -> str:
        return self.sum.year[2:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A kind of attack: its dots, and one cell for each year of the table (None: no known loss)."""

    kind: str
    label: str
    dots: tuple[Dot, ...]
    cells: tuple[Sum | None, ...]
    usd: int
    height: int

    @property
    def money(self) -> str:
        return formats.money(self.usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line of the scale."""

    x: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Rows by the sum of all years, the scale, and how many cases could not be drawn for want of a figure."""

    years: tuple[str, ...]
    rows: tuple[Row, ...]
    marks: tuple[Mark, ...]
    unknown: int
    left_out: int


def chart(found: Iterable[Entry]) -> Chart | None:
    """The chart of these cases, None if no loss among them is known. Statistics are left out of every sum."""
    listed = list(found)
    cases = [each for each in listed if each.kind != STATISTICS]
    known = [each for each in cases if each.loss_usd]
    if not known:
        return None
    years = tuple(sorted({each.year for each in known}))
    sums = {
        kind: [total for year in years if (total := _sum(known, kind=kind, year=year))]
        for kind in {each.kind for each in known}
    }
    values = [each.usd for row in sums.values() for each in row]
    low, high = int(log10(min(values))), int(log10(max(values))) + 1
    labels = {each.kind: each.kind_label for each in known}
    rows = [
        _row(kind=kind, label=labels[kind], sums=row, years=years, low=low, high=high)
        for kind, row in sums.items()
    ]
    return Chart(
        years=years,
        rows=tuple(sorted(rows, key=lambda row: (-row.usd, row.label))),
        marks=tuple(
            Mark(x=_percent(_place(10**power, low, high)), label=formats.scale(10**power))
            for power in range(low, high + 1)
        ),
        unknown=len(cases) - len(known),
        left_out=len(listed) - len(cases),
    )


def _sum(known: Iterable[Entry], *, kind: str, year: str) -> Sum | None:
    cases = [each for each in known if (each.kind, each.year) == (kind, year)]
    if not cases:
        return None
    return Sum(
        year=year,
        usd=max(
            sum(each.loss_usd or 0 for each in cases if not each.combined),
            *(each.loss_usd or 0 for each in cases if each.combined),
            0,
        ),
        unconfirmed=not all(each.confirmed for each in cases),
    )


def _row(*, kind: str, label: str, sums: Sequence[Sum], years: Sequence[str], low: int, high: int) -> Row:
    """The dots from left to right, each in the first lane where it touches no other."""
    lanes: list[float] = []
    dots = []
    for each in sorted(sums, key=lambda total: total.usd):
        x = _place(each.usd, low, high)
        lane = next((n for n, last in enumerate(lanes) if x - last >= NEAREST), len(lanes))
        lanes[lane : lane + 1] = [x]
        dots.append(Dot(sum=each, x=_percent(x), y=lane * LANE_PX + LANE_PX // 2))
    by_year = {each.year: each for each in sums}
    return Row(
        kind=kind,
        label=label,
        dots=tuple(dots),
        cells=tuple(by_year.get(year) for year in years),
        usd=sum(each.usd for each in sums),
        height=len(lanes) * LANE_PX,
    )


def _place(usd: int, low: int, high: int) -> float:
    """Percent of the width."""
    return MARGIN + (100 - 2 * MARGIN) * (log10(usd) - low) / (high - low)


def _percent(place: float) -> str:
    return f"{place:.1f}%"
