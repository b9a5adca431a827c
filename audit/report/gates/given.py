"""What an answer is held against, read from its own prompt, so that a recorded prompt can be judged as well."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from audit.report.text import slots

CASE = re.compile(r"^\{case:(\d{1,2})\} (.*)$", re.MULTILINE)
PLAN = re.compile(r"^(?P<label>[^\W\d_][^:{}\n]{0,30}): (?P<fixes>(?:\{fix:\d{1,2}\} ?)+)$", re.MULTILINE)
HEADINGS = re.compile(r'"## ([^"\n]{1,80})"')
BAND = re.compile(r"\{band\} = ([^;\n]{1,40})")


@dataclass(frozen=True, slots=True)
class Given:
    """lang: of the report; rules: the instructions, which are not to be repeated; headings: its parts, in order.

    slots: those that it may use; times: the labels of the plan; planned: how many fixes that names; cases: the facts
    of each case, by slot; words: texts whose names may be named; band: the reader's, in words; weak, passed: question
    ids, where they are known.
    """

    lang: str
    rules: str
    headings: tuple[str, ...]
    slots: frozenset[str]
    times: tuple[str, ...]
    planned: int
    cases: dict[str, str]
    words: str
    band: str
    weak: frozenset[str] = frozenset()
    passed: frozenset[str] = frozenset()


def given(
    *,
    lang: str,
    system: str,
    user: str,
    tools: str = "",
    weak: Collection[str] = (),
    passed: Collection[str] = (),
) -> Given:
    """From the two messages of a prompt; `tools`: names of products that may be named beside those in the facts."""
    plan = list(PLAN.finditer(user))
    band = BAND.search(user)
    return Given(
        lang=lang,
        rules=system,
        headings=tuple(HEADINGS.findall(system)),
        slots=frozenset(slots.keys(user)),
        times=tuple(match["label"] for match in plan),
        planned=sum(match["fixes"].count("{") for match in plan),
        cases={f"case:{number}": words for number, words in CASE.findall(user)},
        words=f"{user}\n{tools}",
        band=band[1].strip(" .«»“”") if band else "",
        weak=frozenset(weak),
        passed=frozenset(passed),
    )
