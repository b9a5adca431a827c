"""What a letter is made of."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail without its addresses."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What differs between letters. `facts`: labelled lines; `link`: words and address of the button."""

    subject: str
    lines: list[str]
    facts: list[tuple[str, str]] = field(default_factory=list)
    block: str = ""  # several lines of staff, as they typed them
    link: tuple[str, str] | None = None
