"""The assessment as JSON data, to be stored with a scan. Pure, like `scoring`."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from audit.scoring.formula import Assessment, Cap, CategoryLoss, Finding


def dump(assessment: Assessment) -> dict[str, Any]:
    """The assessment as JSON data, decimals as text so that nothing is rounded; `load` reads it back."""
    data = asdict(assessment)
    return {key: _plain(value) for key, value in data.items()}


def load(data: Mapping[str, Any]) -> Assessment:
    """The assessment that `dump` wrote."""
    return Assessment(
        score=data["score"],
        raw_score=data["raw_score"],
        cap=Cap(data["cap"]["limit"], tuple(data["cap"]["because"])) if data["cap"] else None,
        assessed=data["assessed"],
        lost=Decimal(data["lost"]),
        band=data["band"],
        breakdown=tuple(
            CategoryLoss(row["category"], Decimal(row["lost"]), Decimal(row["max"]))
            for row in data["breakdown"]
        ),
        findings=tuple(
            Finding(**{**row, **{name: Decimal(row[name]) for name in ("lost", "points_per_minute")}})
            for row in data["findings"]
        ),
        passed=tuple(data["passed"]),
        not_assessed=tuple(data["not_assessed"]),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
