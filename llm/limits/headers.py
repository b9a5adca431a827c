"""Reads a provider's own account of a quota from its headers or its error text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from llm.configuration.limits import SHORT
from llm.failures.signals import seconds

# x-ratelimit-limit-requests, -tokens-minute, -input-tokens-hour; anthropic-ratelimit-output-tokens-limit
_WHAT = r"(?:(?P<way>input|output)-)?(?P<unit>requests|tokens)(?:-(?P<window>minute|hour|day))?"
_HEADERS = (
    (re.compile(rf"x-ratelimit-limit-{_WHAT}$"), "-limit-", ("-remaining-", "-reset-")),
    (re.compile(rf"anthropic-ratelimit-{_WHAT}-limit$"), "-limit", ("-remaining", "-reset")),
)
_TEXT = re.compile(
    r"(?:(?P<way>input|output) )?(?P<unit>tokens|requests) per (?P<window>minute|hour|day) "
    r"\((?:[IO]?[TR]P[MHD])\): Limit (?P<limit>\d{1,9})(?:, Used (?P<used>\d{1,9}))?", re.I,
)  # fmt: skip
_NAMES = {pair: name for name, pair in SHORT.items()}


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
    header = {low: value for name, value in headers.items() if "ratelimit-" in (low := name.lower())}
    return [*_from_headers(header, kind), *(_from_text(text) if text else ())]


def _from_headers(header: Mapping[str, str], kind: str) -> Iterator[Observed]:
    for name, value in header.items():
        if (told := _told(name)) is None or not _is_count(value):
            continue
        remaining, reset_s = header.get(told.remaining, ""), seconds(header.get(told.reset))
        window = told.window
        if window is None:
            # Groq documents requests as daily; elsewhere a reset beyond a minute tells the same.
            daily = told.unit == "requests" and (kind == "groq" or (reset_s or 0) > 60)
            window = "day" if daily else "minute"
        if field := _field(told.unit, told.way, window):
            limit = int(value)
            used = limit - int(remaining) if _is_count(remaining) else None
            yield Observed(field, limit, used, reset_s)


@dataclass(frozen=True, slots=True)
class _Told:
    """What the name of a header says, and by which names the same answer tells what is left of the limit."""

    unit: str
    way: str | None
    window: str | None
    remaining: str
    reset: str


@lru_cache(maxsize=256)
def _told(name: str) -> _Told | None:
    """Of a header that states a limit, in small letters; None of any other."""
    for pattern, this, (remaining, reset) in _HEADERS:
        if match := pattern.match(name):
            head, _, tail = name.rpartition(this)
            return _Told(
                match["unit"], match["way"], match["window"], head + remaining + tail, head + reset + tail
            )
    return None


def _field(unit: str, way: str | None, window: str) -> str | None:
    """The name of a limit; None of one that we have no name for."""
    suffix = {"input": "_in", "output": "_out"}.get((way or "").lower(), "")
    return _NAMES.get((unit.lower() + suffix, window.lower()))


def _is_count(value: str) -> bool:
    """Whether a column of 32 bits can hold it: some send their largest integer for "no limit"."""
    return len(value) <= 9 and value.isascii() and value.isdigit()


def _from_text(text: str) -> Iterator[Observed]:
    for match in _TEXT.finditer(text):
        if field := _field(match["unit"], match["way"], match["window"]):
            used = int(match["used"]) if match["used"] else None
            yield Observed(field, int(match["limit"]), used, method="refusal")
