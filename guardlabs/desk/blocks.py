"""What a section of the desk is made of: tables whose numbers are links, and charts with a table behind them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import number_format

WIDTH, HEIGHT, GAP = 600, 110, 4  # of a chart, in its own units
LEAST_BARS = 10  # that a chart has room for


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, with the list behind it if there is one; `of`: how much of how much, as a bar."""

    text: str
    url: str = ""
    of: tuple[int, int] | None = None


Row = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """The first column names the row, the others are numbers unless `words`; `foot` is the row of totals."""

    head: Sequence[str]
    rows: Sequence[Row]
    foot: Row = ()
    caption: str = ""
    words: bool = False

    @property
    def labelled(self) -> list[list[tuple[str, Cell]]]:
        """Each row's cells with the name of their column, which a phone shows beside them."""
        return [list(zip(self.head, row, strict=False)) for row in self.rows]

    @property
    def is_wide(self) -> bool:
        return len(self.head) > 3 or self.words


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars from left to right; `most` labels the highest."""

    title: str
    bars: Sequence[Bar]
    most: str
    summary: str
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that needs a person."""

    text: str
    url: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the desk. `behind` is the table behind the charts; `empty` is said when there is nothing to show."""

    id: str
    title: str
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    behind: Table | None = None
    items: Sequence[Item] = ()
    empty: str = ""
    note: str = ""
    wide: bool = False
    link: Cell | None = field(default=None)


def chart(title: str, values: Sequence[tuple[str, float, str]], *, most: str) -> Chart:
    """Bars of (label, value, the value in words), the highest as high as the chart."""
    top = max((value for _label, value, _text in values), default=0) or 1
    step = WIDTH / max(len(values), LEAST_BARS)  # one bar as wide as the chart would be a wall
    bars = []
    for place, (label, value, text) in enumerate(values):
        height = round(HEIGHT * value / top, 1)
        bars.append(
            Bar(
                x=round(place * step + GAP / 2, 1),
                y=round(HEIGHT - height, 1),
                width=round(step - GAP, 1),
                height=height,
                title=f"{label}: {text}",
            )
        )
    summary = f"{title}. {values[0][0]} – {values[-1][0]}. {most}" if values else title
    return Chart(title, bars, most, summary)


def listing(name: str, **query: Any) -> str:
    """The address of a list of the admin, `app_model`, with a filter."""
    address = reverse(f"admin:{name}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def whole(number: int) -> str:
    return number_format(number, 0, force_grouping=True)


def money(usd: Decimal, places: int = 4) -> str:
    return f"${number_format(usd.quantize(Decimal(1).scaleb(-places)), places, force_grouping=True)}"


def counted(number: int, name: str, **query: Any) -> Cell:
    """A number with the list that it counts."""
    return Cell(whole(number), listing(name, **query))


def plain(texts: Iterable[str]) -> Row:
    return [Cell(text) for text in texts]


def ordered(found: Mapping[str, int]) -> list[str]:
    """Names by their numbers, the highest first."""
    return sorted(found, key=lambda name: (-found[name], name))
