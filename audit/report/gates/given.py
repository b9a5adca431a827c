"""What an answer is held against, read from its own prompt, so that a recorded prompt can be judged as well."""

import re
from dataclasses import dataclass

from audit.report.text import slots

PLAN = re.compile(
    r"^- \*\*(?P<label>[^\W\d_][^:{}*\n]{0,30}):\*\* (?P<fixes>\{fix:\d{1,2}\}(?:, \{fix:\d{1,2}\})*)$",
    re.MULTILINE,
)
HEADING = re.compile(r"^## ([^\n]{1,80})$", re.MULTILINE)
EXAMPLE = "Example of a story"  # from here on the instructions show what may be said


@dataclass(frozen=True, slots=True)
class Given:
    """lang: of the report; rules: the instructions, which are not to be repeated; headings: its parts, in order.

    slots: those that it may use; times: the labels of the plan; planned: how many fixes that names; words: texts whose
    names may be named.
    """

    lang: str
    rules: str
    headings: tuple[str, ...]
    slots: frozenset[str]
    times: tuple[str, ...]
    planned: int
    words: str


def given(*, lang: str, system: str, user: str, tools: str = "") -> Given:
    """From the two messages of a prompt; `tools`: names of products that may be named beside those in the facts."""
    plan = list(PLAN.finditer(user))
    return Given(
        lang=lang,
        rules=system.partition(EXAMPLE)[0],
        headings=tuple(HEADING.findall(user)),
        slots=frozenset(slots.keys(user)),
        times=tuple(match["label"] for match in plan),
        planned=sum(match["fixes"].count("{") for match in plan),
        words=f"{user}\n{tools}",
    )
