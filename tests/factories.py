"""The one way in which tests build scans and what belongs to them."""

from typing import Any

from audit import bank_load, catalogue, scans
from audit.models import Scan


def load_bank() -> None:
    """Questions, options and incidents into the database, as a first start does."""
    bank_load.load()


def answers(kind: str = "best", **changed: str) -> dict[str, str]:
    """A full set of answers: `best`, `worst`, `middle` (the option in the middle) or `absent` (does not apply
    wherever that can be said, else the best); single answers by question id."""
    chosen = {}
    for item in catalogue.scoring_bank():
        rated = [choice for choice in item.choices if not choice.not_applicable]
        absent = [choice for choice in item.choices if choice.not_applicable]
        chosen[item.id] = {
            "best": rated[0],
            "worst": rated[-1],
            "middle": rated[len(rated) // 2],
            "absent": (absent or rated)[0],
        }[kind].value
    return {**chosen, **changed}


def make_scan(kind: str = "middle", *, lang: str = "en", ai: bool = True, **changed: str) -> Scan:
    """A stored scan with its report waiting, or written by rule when `ai` is off."""
    return scans.create_scan(answers=answers(kind, **changed), lang=lang, ai=ai)


def scan_body(kind: str = "middle", *, lang: str = "en", ai: bool = False, **changed: str) -> dict[str, Any]:
    """What is posted to the API."""
    return {"lang": lang, "answers": answers(kind, **changed), "ai": ai}
