"""Reads a provider's own account of a quota from its headers or its error text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llm.failures.signals import seconds

_HEADER = re.compile(r"x-ratelimit-limit-(requests|tokens)(?:-(minute|day))?$")
_TEXT = re.compile(
    r"(?P<unit>tokens|requests) per (?P<window>minute|day) \((?:[TR]P[MD])\): Limit (?P<limit>\d{1,9})"
    r"(?:, Used (?P<used>\d{1,9}))?", re.I,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Observed:
    """One limit as the provider states it. `used` and `reset_s` (seconds) are None when it does not."""

    field: str  # rpm, tpd and the like: see llm.configuration.limits.SHORT
    limit: int
    used: int | None = None
    reset_s: float | None = None
    method: str = "header"  # or "refusal"


def observed(headers: Mapping[str, str], text: str = "", *, kind: str = "") -> list[Observed]:
    """Every limit that an answer names. `kind` is the adapter's: Groq counts requests by the day."""
    header = {name.lower(): value for name, value in headers.items()}
    return [*_from_headers(header, kind), *_from_text(text)]


def _from_headers(header: Mapping[str, str], kind: str) -> Iterator[Observed]:
    for name, value in header.items():
        if not (match := _HEADER.match(name)) or not _is_count(value):
            continue
        unit, window = match.groups()
        remaining = header.get(name.replace("-limit-", "-remaining-"), "")
        reset_s = seconds(header.get(name.replace("-limit-", "-reset-")))
        if window is None:
            # Groq documents requests as daily; elsewhere a reset beyond a minute tells the same.
            daily = unit == "requests" and (kind == "groq" or (reset_s or 0) > 60)
            window = "day" if daily else "minute"
        limit = int(value)
        yield Observed(
            field=f"{unit[0]}p{window[0]}",
            limit=limit,
            used=limit - int(remaining) if _is_count(remaining) else None,
            reset_s=reset_s,
        )


def _is_count(value: str) -> bool:
    """Whether a column of 32 bits can hold it: some send their largest integer for "no limit"."""
    return re.fullmatch(r"\d{1,9}", value, re.A) is not None


def _from_text(text: str) -> Iterator[Observed]:
    for match in _TEXT.finditer(text):
        yield Observed(
            field=f"{match['unit'][0].lower()}p{match['window'][0].lower()}",
            limit=int(match["limit"]),
            used=int(match["used"]) if match["used"] else None,
            method="refusal",
        )
