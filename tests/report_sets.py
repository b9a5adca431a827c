"""Reports as models write them, good and with one flaw each, and the prompt that each of them answers.

`recorded_reports/<lang>.toml` was there while the gates were tuned; `<lang>.<set>.toml` are sets that were tried once
and counted, before anything was mended after them. A bad one is a good one of its file with a flaw put in: `text` at
the end of a `part` (or of the story itself: `story`), `before` in front of all, a part left out (`drop`) or told again
(`repeat`), all of it cut to `keep_words` a part; or `text` is the `whole` of it. Each spoils the next good one.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.bank import catalogue
from audit.bank.findings import Details, details
from audit.models import Scan
from audit.scoring import json as scoring_json
from audit.scoring.formula import assess
from tests.factories import answers

FOLDER = Path(__file__).parent / "recorded_reports"
LANGS = ("en", "ru", "es")
FIRST = "tuned"
SETS = (
    FIRST,
    "held_out",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
)
SCANS: dict[str, dict[str, str]] = {
    "mixed": {
        "seed_storage": "cloud_notes", "account_2fa": "sms", "phishing_support": "click_links",
        "tx_verification": "first_last", "token_approvals": "unlimited_known", "password_hygiene": "browser_saved",
    },
    "few": {"sim_protection": "recovery_no_lock", "device_hygiene": "daily_mixed"},
    "middle": {},
    "best": {},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recorded:
    """`kind` is `good` or the kind of flaw; `scan`: whose report it is; headings are H1, H2, H3 still."""

    lang: str
    name: str
    kind: str
    scan: str
    text: str

    @property
    def good(self) -> bool:
        return self.kind == "good"

    def with_headings(self, headings: tuple[str, ...]) -> str:
        text = self.text
        for place, heading in enumerate(headings, start=1):
            text = text.replace(f"## H{place}", f"## {heading}")
        return text


def recorded(lang: str, name: str = FIRST) -> list[Recorded]:
    """A set of a language, good ones first; a set without good ones of its own spoils those of the first."""
    path = FOLDER / (f"{lang}.toml" if name == FIRST else f"{lang}.{name}.toml")
    data = tomllib.loads(path.read_text())
    good = [
        Recorded(lang, each["name"], "good", each.get("scan", "mixed"), each["text"].strip() + "\n")
        for each in data.get("good", ())
    ]
    bases = good or [each for each in recorded(lang) if each.good]
    mixed = [each for each in bases if each.scan == "mixed"]
    return [*good, *(_spoilt(each, mixed[n % len(mixed)], n) for n, each in enumerate(data.get("bad", ())))]


def _spoilt(flaw: dict[str, Any], base: Recorded, number: int) -> Recorded:
    name = f"{flaw['kind']}-{number}"
    if flaw.get("whole"):
        return Recorded(base.lang, name, flaw["kind"], flaw.get("scan", "mixed"), flaw["text"].strip() + "\n")
    head, *parts = base.text.split("## H")
    parts = [f"## H{part}".rstrip() for part in parts]
    place = flaw.get("part", 1) - 1
    if "text" in flaw and flaw.get("story"):
        heading, story, *rest = parts[0].split("\n\n")
        parts[0] = "\n\n".join([heading, f"{story} {flaw['text']}", *rest])
    elif "text" in flaw:
        glue = "\n\n" if flaw["text"].startswith(("```", "<", "{")) else " "
        parts[place] += glue + flaw["text"]
    if flaw.get("repeat") == "part":
        parts[place] += "\n\n" + parts[place].split("\n", 2)[2]
    if "drop" in flaw:
        del parts[flaw["drop"] - 1]
    if "keep_words" in flaw:
        parts = [" ".join(part.split(" ")[: flaw["keep_words"]]).rstrip(" ,;:") + "." for part in parts]
    text = "\n\n".join(filter(None, [flaw.get("before", ""), head, *parts])) + "\n"
    if flaw.get("repeat") == "all":
        text += "\n" + text
    return Recorded(base.lang, name, flaw["kind"], base.scan, text)


def scan_details(name: str) -> Details:
    """What is known of a made-up scan, in the active language. Reads the bank."""
    chosen = answers("middle" if name == "middle" else "best", **SCANS[name])
    result = assess(catalogue.scoring_bank(), chosen)
    return details(Scan(answers=chosen, result=scoring_json.dump(result)))


def everything() -> Iterator[Recorded]:
    for lang in LANGS:
        for name in SETS:
            yield from recorded(lang, name)
