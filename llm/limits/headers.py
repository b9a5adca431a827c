"""Reads a provider's own account of a quota from its headers or its error text."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

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


class Observed(NamedTuple):
    """One limit as the provider states it. `used` and `reset`, how long until it is, are None when it does not."""

    field: str  # rpm, tpd and the like: see llm.configuration.limits.SHORT
    limit: int
    used: int | None = None
    reset: str | float | None = None
    method: str = "header"  # or "refusal"

    @property
    def reset_s(self) -> float | None:
        """In seconds. Few ask."""
        return seconds(self.reset)


def observed(headers: Mapping[str, str], text: str = "", *, kind: str = "") -> list[Observed]:
    """Every limit that an answer names. `kind` is the adapter's: Groq counts requests by the day."""
    found = []
    for name, what, window, remaining_name, reset_name in _stated(tuple(headers)):
        value = headers[name]
        if not _is_count(value):
            continue
        remaining, reset = headers.get(remaining_name, ""), headers.get(reset_name)
        if window is None:
            # Groq documents requests as daily; elsewhere a reset beyond a minute tells the same.
            daily = what == "requests" and (kind == "groq" or (seconds(reset) or 0) > 60)
            window = "day" if daily else "minute"
        if field := _NAMES.get((what, window)):
            limit = int(value)
            used = limit - int(remaining) if _is_count(remaining) else None
            found.append(Observed(field, limit, used, reset))
    return [*found, *_from_text(text)] if text else found


class _Stated(NamedTuple):
    """A header that states a limit: of what, in which window if it says so, and in which headers it says more."""

    name: str
    what: str
    window: str | None
    remaining: str
    reset: str


@lru_cache(maxsize=64)
def _stated(names: tuple[str, ...]) -> tuple[_Stated, ...]:
    """Those of an answer's headers that state limits: a provider's answers have the same headers each time."""
    spelled = {name.lower(): name for name in names}
    found = []
    for name in spelled:
        for pattern, this, others in _HEADERS:
            if match := pattern.match(name):
                head, _, tail = name.rpartition(this)
                remaining, reset = (spelled.get(f"{head}{other}{tail}", "") for other in others)
                found.append(_Stated(spelled[name], _what(match), match["window"], remaining, reset))
                break
    return tuple(found)


def _what(match: re.Match[str]) -> str:
    """The unit of a limit: requests, tokens, tokens_in or tokens_out."""
    way = {"input": "_in", "output": "_out"}.get((match["way"] or "").lower(), "")
    return match["unit"].lower() + way


def _is_count(value: str) -> bool:
    """Whether a column of 32 bits can hold it: some send their largest integer for "no limit"."""
    return len(value) <= 9 and value.isascii() and value.isdigit()


def _from_text(text: str) -> Iterator[Observed]:
    for match in _TEXT.finditer(text):
        if field := _NAMES.get((_what(match), match["window"].lower())):
            used = int(match["used"]) if match["used"] else None
            yield Observed(field, int(match["limit"]), used, method="refusal")
