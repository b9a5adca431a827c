"""The gauge: a score from 0 to 100 as a half circle, worked out for the template that draws it. Pure."""

from dataclasses import dataclass
from math import cos, pi, sin

from django.utils.translation import gettext

from audit.formats import BAND_WORDS
from audit.scoring import formula


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A place in the gauge's drawing."""

    x: str
    y: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A band in the gauge's drawing: `dash` places it on the arc, `least` is its lowest score."""

    name: str
    label: str
    least: int
    dash: str
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A half circle from 0 to 100 in four zones: `knob` is where the score stands, `raw` marks the raw score
    where a cap lowered it, with its number at `raw_label`.
    """

    score: int
    raw_score: int
    band: str
    label: str
    zones: tuple[Zone, ...]
    knob: Point
    raw: tuple[Point, Point] | None
    raw_label: Point | None


CENTRE_X, CENTRE_Y, RADIUS, HALF_WIDTH = 120, 122, 96, 8
ZONE_GAP = 0.4


def _at(score: float, radius: float = RADIUS) -> Point:
    angle = pi * (1 - score / 100)
    return Point(x=f"{CENTRE_X + radius * cos(angle):.1f}", y=f"{CENTRE_Y - radius * sin(angle):.1f}")


def _zones(band: str) -> tuple[Zone, ...]:
    """The bands from left to right, with a small gap between them."""
    found, end = [], 100.0
    for least, name in formula.BANDS:
        start = least + (ZONE_GAP if least else 0)
        found.append(
            Zone(
                name=name,
                label=str(BAND_WORDS[name]),
                least=least,
                dash=f"0 {start:g} {end - start:g} 100",
                on=name == band,
            )
        )
        end = least - ZONE_GAP
    return tuple(reversed(found))


def gauge(*, score: int, raw_score: int) -> Gauge:
    """The gauge of a score; the raw score is marked only where a cap lowered it."""
    band = formula.band(score)
    capped = raw_score > score
    words = {"score": score, "band": str(BAND_WORDS[band]), "raw": raw_score}
    return Gauge(
        score=score,
        raw_score=raw_score,
        band=band,
        label=(
            gettext("%(score)d of 100, %(band)s; %(raw)d without the cap")
            if capped
            else gettext("%(score)d of 100, %(band)s")
        )
        % words,
        zones=_zones(band),
        knob=_at(score),
        raw=(_at(raw_score, RADIUS - HALF_WIDTH - 4), _at(raw_score, RADIUS + HALF_WIDTH + 4))
        if capped
        else None,
        raw_label=_at(raw_score, RADIUS - HALF_WIDTH - 17) if capped else None,
    )
