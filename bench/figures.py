"""What a section measured: figures, some of them with a target."""

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number. `at_most` and `at_least` are targets; without one the figure informs only.

    `why`: what keeps it from its target, where that is known.
    """

    name: str
    value: float | None
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""
    why: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether the target is met; None without a target."""
        if self.at_most is None and self.at_least is None:
            return None
        if self.value is None:
            return False
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    def as_json(self) -> dict[str, Any]:
        kept = {name: value for name, value in asdict(self).items() if value not in (None, "")}
        if self.passed is not False:
            kept.pop("why", None)
        return {"value": None} | kept | ({} if self.passed is None else {"passed": self.passed})


@dataclass
class Section:
    """The figures of one section. `about` says how they were measured; `skipped`, why there are none."""

    about: str
    figures: list[Figure] = field(default_factory=list)
    skipped: str = ""

    def add(self, name: str, value: float | None, unit: str = "", **more: Any) -> None:
        rounded = round(value, 4) if isinstance(value, float) else value
        self.figures.append(Figure(name=name, value=rounded, unit=unit, **more))

    def as_json(self) -> dict[str, Any]:
        figures = [figure.as_json() for figure in self.figures]
        return {"about": self.about, "figures": figures} | ({"skipped": self.skipped} if self.skipped else {})


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of all values lie, by nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median_ms(seconds: Sequence[float]) -> float:
    return statistics.median(seconds) * 1000


def p99_ms(seconds: Sequence[float]) -> float:
    return percentile(seconds, 0.99) * 1000


def machine() -> dict[str, Any]:
    """What the numbers depend on."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
