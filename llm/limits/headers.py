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
    header = {name.lower(): value for name, value in headers.items()}
    found = list(_from_headers(header, kind))
    return [*found, *_from_text(text)] if text else found


def _from_headers(header: Mapping[str, str], kind: str) -> Iterator[Observed]:
    for name, value in header.items():
        if (stated := _stated(name)) is None or not _is_count(value):
            continue
        match, remaining_name, reset_name = stated
        remaining, reset_s = header.get(remaining_name, ""), seconds(header.get(reset_name))
        window = match["window"]
        if window is None:
            # Groq documents requests as daily; elsewhere a reset beyond a minute tells the same.
            daily = match["unit"] == "requests" and (kind == "groq" or (reset_s or 0) > 60)
            window = "day" if daily else "minute"
        if field := _field(match, window):
            limit = int(value)
            used = limit - int(remaining) if _is_count(remaining) else None
            yield Observed(field, limit, used, reset_s)


@lru_cache(maxsize=256)
def _stated(name: str) -> tuple[re.Match[str], str, str] | None:
    """What a header is the limit of, and which others say what remains and when it is reset; None of any other."""
    for pattern, this, (remaining_name, reset_name) in _HEADERS:
        if match := pattern.match(name):
            head, _, tail = name.rpartition(this)
            return match, f"{head}{remaining_name}{tail}", f"{head}{reset_name}{tail}"
    return None


def _field(match: re.Match[str], window: str) -> str | None:
    """The name of a limit; None of one that we have no name for."""
    way = {"input": "_in", "output": "_out"}.get((match["way"] or "").lower(), "")
    return _NAMES.get((match["unit"].lower() + way, window.lower()))


def _is_count(value: str) -> bool:
    """Whether a column of 32 bits can hold it: some send their largest integer for "no limit"."""
    return len(value) <= 9 and value.isascii() and value.isdigit()


def _from_text(text: str) -> Iterator[Observed]:
    for match in _TEXT.finditer(text):
        if field := _field(match, match["window"]):
            used = int(match["used"]) if match["used"] else None
            yield Observed(field, int(match["limit"]), used, method="refusal")
