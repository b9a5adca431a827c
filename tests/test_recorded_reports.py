"""Outputs as models write them, good and bad, held against the gates: no bad one in, at least 95 % of the good ones.

`recorded_reports/<lang>/facts.txt` is what the model was given. `tuned/` was there while the gates were written,
`held_out/` was written afterwards. The name says what is expected: good-…, flagged-… (accepted, but staff look at
it), or bad-<what is wrong>-…; docs/gates.md has the figures.
"""

import re
from pathlib import Path

import pytest
from django.utils import translation

from audit.report import gates
from audit.report.template import headings
from audit.scans.findings import Case
from llm.gates import all_of

FOLDER = Path(__file__).parent / "recorded_reports"
LANGS = ["en", "ru", "es"]
FILES = sorted(FOLDER.glob("*/*/*.md"))
SOURCE = "https://unchainedcrypto.com/68-million-stolen-in-dust-attack-returned-to-victim"


def facts(lang: str) -> str:
    return (FOLDER / lang / "facts.txt").read_text()


def verdict(path: Path) -> str | None:
    """Why the gates reject a recorded output; None if they accept it."""
    lang = path.parts[-3]
    given = dict.fromkeys(re.findall(r"^\[([a-z0-9-]+)\] ", facts(lang), re.MULTILINE))
    cases = [
        Case(
            slug=slug,
            kind="",
            name=slug,
            date="",
            loss="",
            what_happened="",
            lesson="",
            note="",
            sources=(SOURCE,),
        )
        for slug in given
    ]
    with translation.override(lang):
        checks = gates.report(lang, headings=headings(), cases=cases, words=f"{facts(lang)}\nRevoke.cash")
    return all_of(checks)(path.read_text())


def expected(path: Path) -> str:
    return path.stem.partition("-")[0]


@pytest.mark.parametrize("lang", LANGS)
def test_no_bad_output_is_accepted_and_nearly_every_good_one_is(lang):
    verdicts = {path: verdict(path) for path in FILES if path.parts[-3] == lang}
    bad = [path for path in verdicts if expected(path) == "bad"]
    fine = [path for path in verdicts if expected(path) != "bad"]
    assert [path.name for path in bad if verdicts[path] is None] == []
    accepted = [path for path in fine if verdicts[path] is None]
    refused = {path.name: verdicts[path] for path in fine if path not in accepted}
    assert len(accepted) >= 0.95 * len(fine), refused


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-3:]))
def test_figures_are_flagged_where_and_only_where_they_are_invented(path):
    flags = gates.unfounded(path.read_text(), facts(path.parts[-3]))
    if expected(path) != "bad":
        assert bool(flags) == (expected(path) == "flagged"), flags


def test_the_set_is_as_large_as_the_documents_say():
    kinds = [(expected(path), path.parts[-2]) for path in FILES]
    assert sum(kind == "good" for kind, _ in kinds) >= 25
    assert sum(kind == "bad" for kind, _ in kinds) >= 40
    assert sum(part.startswith("held_out") for _, part in kinds) >= len(kinds) / 3
