"""What the question form sends. Whether it is complete and known is decided in scans.py, once for all doors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

AI = "ai"
PREVIOUS = "previous"
NO = {"off", "0", "false", "no"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One value for each question that was answered, and whether a language model may write the report.

    `previous`: the token of the result that is checked again, or nothing.
    """

    answers: dict[str, str] = field(default_factory=dict)
    ai: bool = True
    previous: str = ""


def read(data: Mapping[str, str], *, questions: Iterable[str]) -> Sent:
    """The fields of the questions and the choice of writer (yes unless the visitor said no); others are dropped."""
    return Sent(
        answers={name: data[name] for name in questions if data.get(name)},
        ai=data.get(AI, "").strip().lower() not in NO,
        previous=data.get(PREVIOUS, ""),
    )
