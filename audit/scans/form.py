"""What the question form sends. Whether it is complete and known is decided in service.py, for forms and API alike."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

AI = "ai"
PREVIOUS = "previous"
TESTED = "tested."
SWITCH = "switch"
NO = {"off", "0", "false", "no"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One value for each question that was answered, and whether a language model may write the report
    (None: not said; the form asks for it, a program that posts without it gets what the API's default gives).

    `tested`: question to month, as typed. `previous`: the token of the result that is checked again, or nothing.
    """

    answers: dict[str, str] = field(default_factory=dict)
    ai: bool | None = None
    previous: str = ""
    tested: dict[str, str] = field(default_factory=dict)


def read(data: Mapping[str, str], *, questions: Collection[str]) -> Sent:
    """The fields of the questions and the choice of writer (None unless the visitor said); others are dropped."""
    return Sent(
        answers={name: data[name] for name in questions if data.get(name)},
        ai=data[AI].strip().lower() not in NO if data.get(AI) else None,
        previous=data.get(PREVIOUS, ""),
        tested={name: data[key] for name in questions if data.get(key := f"{TESTED}{name}")},
    )
