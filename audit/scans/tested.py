"""When an answer was last tested, such as a backup by restoring it; after a time it counts no more. Pure.

The month is the visitor's own word. It ages, which the result page says; it never moves the score, which rests on
the answers alone and can be redone by hand.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

# The answers that claim a test.
CLAIMS = {"seed_backup": "two_sites_tested", "privacy_inheritance": "full_plan"}
OLD_AFTER_MONTHS = 12
MONTH = re.compile(r"(20\d{2})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A question with the month of its test (`2026-05`); `old`: more than a year before today."""

    question: str
    month: str
    old: bool


def clean(given: Mapping[str, str], *, answers: Mapping[str, str], today: date) -> dict[str, str]:
    """The months that can be true: of answers that claim a test, well-formed and not in the future."""
    return {
        name: month
        for name, value in CLAIMS.items()
        if answers.get(name) == value
        and MONTH.fullmatch(month := given.get(name, "").strip())
        and month <= f"{today:%Y-%m}"
    }


def ages(tested: Mapping[str, str], *, today: date) -> list[Tested]:
    """What was tested when, and whether that is too long ago."""
    found = []
    for name, month in tested.items():
        year, number = map(int, month.split("-"))
        months = (today.year - year) * 12 + today.month - number
        found.append(Tested(question=name, month=month, old=months > OLD_AFTER_MONTHS))
    return found
