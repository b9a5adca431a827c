"""Reads what a provider said when it failed: codes, prose, and how long to wait. No judgement here.

Every provider has its own shape (`{"error": {...}}`, `[{"error": {...}}]`, `{"error": "text"}`,
`{"detail": ...}`, problem+json, HTML, nothing), so the body is walked, not unpacked.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from llm.failures.evidence import Asked, unquoted

CODE_KEYS = {
    "code", "type", "status", "reason", "error_type", "error_code", "error_name", "quotaid", "limit_source",
    "blockreason", "finish_reason", "finishreason", "error",
}  # fmt: skip
TEXT_KEYS = {"message", "detail", "title", "error", "error_description", "msg", "reason", "description"}
WAIT_KEYS = {
    "retry_after", "retrydelay", "estimated_time", "retry_after_seconds", "reset_at", "resets_at", "retry_at",
    "reset_time", "resets_in_seconds",
}  # fmt: skip
# What another service said to the provider, or what we said, is not the provider's word about us.
FOREIGN_KEYS = {
    "raw", "input", "ctx", "value", "given", "received", "patterns", "prompt", "messages", "tools", "body", "arguments",
    "cause", "trace", "traceback", "stack", "inner_error", "inner_exception", "innerexception", "loc", "param", "field",
}  # fmt: skip
# Beside the error itself; an error within one of these is somebody else's.
ERRORS = {"error", "errors"}
ASIDE = {"metadata", "meta", "debug", "details", "context", "extra", "response", "data"}
FOREIGN_BEGINNINGS = (
    "upstream", "original_", "provider_error", "provider_response", "previous_", "flagged_", "failed_", "request_body",
    "echo", "quoted", "raw_",
)  # fmt: skip
# Which part of the request a provider complains of; these are about what every request has.
PLACE_KEYS = {"param", "loc", "field"}
EVERY_REQUEST_HAS = {
    "", "body", "model", "messages", "message", "prompt", "input", "none", "null", "api_key", "quota",
}  # fmt: skip

MOST_S = 1e14  # beyond any date in milliseconds: no time at all
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(?<!\d)(\d++(?:\.\d++)?)\s*+(ms|us|µs|ns|d|h|m|s)(?![a-z])", re.I)
_WORDY = re.compile(
    r"(?:again|retry|wait|reset[a-z]{0,10}|available)\D{0,25}?(?:in|after|for)?\s{0,3}"
    r"((?:\d[\d,]{0,20}(?:\.\d{1,20})?\s{0,3}(?:milliseconds?|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|ms|[dhms])[\s,]{0,3}(?:and\s{1,3})?){1,8})",
    re.I,
)
A_UNIX_TIME, A_UNIX_TIME_IN_MS = 1e9, 1e11
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_BARE = re.compile(r"\d{1,20}(?:\.\d{1,20})?")
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_UNTIL = re.compile(
    r"\b(?:again|access|reset\w{0,3}|available|renews?|retry|until) {1,3}(?:on|at|after|until)?:? {0,3}"
    r"(\d{4}-\d\d-\d\d(?:(?:T| at | )\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z| UTC|[+-]\d\d:?\d\d)?)?)",
    re.I,
)
_SPENT = re.compile(
    r"\b(?:r|remaining)=0\b[^=]{0,9}\b(?:t|reset)=(\d{1,9})"
)  # RateLimit, of the IETF's drafts
_ZONED = re.compile(r"(?:Z|UTC|[+-]\d\d:?\d\d)$", re.I)
_UNIT_NAMES = (
    (r"milliseconds?", "ms"), (r"(?:seconds?|secs?)", "s"), (r"(?:minutes?|mins?)", "m"),
    (r"(?:hours?|hrs?)", "h"), (r"days?", "d"),
)  # fmt: skip
_ORGANISATION = re.compile(r"\borgani[sz]ation\s+[`'\"]?(org[-_][\w-]+)", re.I)
_SECRETS = re.compile(r"\b(?:sk|gsk|hf|nvapi|AIza|AQ|ya29|Bearer)[-_.\s][\w.*-]{6,}|\bAIza[\w-]{10,}")


def seconds(value: object) -> float | None:
    """A wait in seconds from `7.66s`, `2m59.56s`, `12h`, `644ms`, `30` or 30; None when it is none of these."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value) if 0 <= value <= MOST_S else None
    text = str(value).strip()
    if _NUMBER.fullmatch(text):
        total = float(text)
    elif (parts := _DURATION.findall(text)) and not _DURATION.sub("", text).strip():
        total = sum([float(number) * _UNITS[unit.lower()] for number, unit in parts])
    else:
        return None
    return total if total <= MOST_S else None


def _wordy_waits(text: str) -> Iterator[float]:
    for match in _WORDY.finditer(text):
        phrase = re.sub(r",|\band\b", "", match[1])
        for name, unit in _UNIT_NAMES:
            phrase = re.sub(rf"(?<=[\d\s]){name}", unit, phrase, flags=re.I)
        if (wait := seconds(re.sub(r"\s+", "", phrase))) is not None:
            yield wait


def _walk(node: object, key: str = "", above: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every (lower-case key, scalar) of a JSON value, without the parts that quote another service."""
    if isinstance(node, dict):
        for name, child in node.items():
            below = str(name).lower()
            foreign = below in FOREIGN_KEYS or below.startswith(FOREIGN_BEGINNINGS)
            if not foreign and not (below in ERRORS and _is_aside(above)):
                yield from _walk(child, below, (*above, below))
    elif isinstance(node, list):
        for child in node:
            yield from _walk(child, key, above)
    else:
        yield key, node


def _is_aside(above: tuple[str, ...]) -> bool:
    """Whether this is beside an error rather than the error itself."""
    return any(name in ASIDE and any(one in ERRORS for one in above[:n]) for n, name in enumerate(above))


def _places(node: object, depth: int = 0) -> Iterator[object]:
    """What a refusal gives as the place of the fault: `param`, `loc` (as pydantic has it), `field` (Google)."""
    if depth > 8:
        return
    if isinstance(node, dict):
        for name, child in node.items():
            if str(name).lower() in PLACE_KEYS:
                yield child
            else:
                yield from _places(child, depth + 1)
    elif isinstance(node, list):
        for child in node:
            yield from _places(child, depth + 1)


def _is_place(value: object) -> bool:
    parts = [str(part) for part in value if not isinstance(part, int)] if isinstance(value, list) else [value]
    last = str(parts[-1] if parts else "").strip().lower()
    return isinstance(value, str | list) and last not in EVERY_REQUEST_HAS


def redact(text: str) -> str:
    """The text without anything that looks like a key."""
    return _SECRETS.sub("***", text)


@dataclass(frozen=True)
class Signals:
    """What one failed exchange said. `status` is None when there was no HTTP answer.

    `asked` is what was sent, to tell its words from the provider's; without it only quotation marks do.
    """

    status: int | None = None
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    body: str = field(default="", repr=False)
    exception: str = field(default="", repr=False)
    asked: Asked | None = field(default=None, repr=False)

    @cached_property
    def header(self) -> dict[str, str]:
        """Headers by lower-case name, also those that a gateway repeats inside its error body."""
        found = {str(name).lower(): str(value) for name, value in (self.headers or {}).items()}
        for name, value in self._scalars:
            if name.startswith("x-ratelimit") and name not in found:
                found[name] = str(value)
        return found

    @cached_property
    def json(self) -> Any:
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value[0] if isinstance(value, list) and value else value

    @cached_property
    def _scalars(self) -> list[tuple[str, Any]]:
        try:
            return list(_walk(self.json))
        except RecursionError:
            return []

    @cached_property
    def codes(self) -> frozenset[str]:
        """Structured codes in lower case; `upstream` is added when a gateway names whose failure it is."""
        found = {
            str(value).strip().lower()
            for name, value in self._scalars
            if name in CODE_KEYS and value is not None and len(str(value)) <= 100
        }
        if self.asked and self.has_place:  # of a part of the request, whose own names it may repeat
            found = {code for code in found if not self.asked.is_named(code)}
        if any(name == "provider_name" and value for name, value in self._scalars):
            found.add("upstream")
        return frozenset(found)

    @cached_property
    def has_place(self) -> bool:
        """Whether it points at a part of what was sent."""
        return any(_is_place(place) for place in _places(self.json))

    @cached_property
    def cites(self) -> bool:
        """Whether its prose repeats a name of the caller's own making, such as a tool's or a property's."""
        return self.asked is not None and self.asked.is_cited(self.text)

    @cached_property
    def text(self) -> str:
        """The prose: messages of a JSON body, or the body without tags; plus the exception's text."""
        if self.json is None:
            words = re.sub(
                r"<(script|style)\b.*?(?:</\1>|\Z)|<[^<>]*>", " ", self.body[:20_000], flags=re.S | re.I
            )
        else:
            words = " ".join(
                value for name, value in self._scalars if name in TEXT_KEYS and isinstance(value, str)
            )
            if isinstance(self.json, str):
                words = self.json
        return re.sub(r"\s+", " ", f"{words} {self.exception}").strip()[:4000]

    @cached_property
    def unquoted(self) -> str:
        """The prose without what it quotes."""
        return unquoted(self.text)

    @cached_property
    def own_words(self) -> str:
        """The prose without what it quotes and without what the request contains."""
        return self.asked.without(self.unquoted) if self.asked else self.unquoted

    def says(self, pattern: str, *, known: bool = False) -> bool:
        """Whether the provider says it in its own words.

        known: whole sentences of a provider, which stay true when a name in the request is one of their words;
        only the request that says the same sentence takes its meaning away.
        """
        text = self.unquoted if known else self.own_words
        if known:  # a sentence does not begin within a name such as delete_model
            pattern = rf"(?<![\w-])(?:{pattern})"
        for match in re.finditer(pattern, text, re.I):
            if self.asked is None or not self.asked.contains(match[0]):
                return True
        return False

    def names_model(self) -> bool:
        """Whether the prose names the model that was asked, by its id or by the last part of it."""
        model = self.asked.model.lower() if self.asked else ""
        text = self.text.lower()
        return bool(model) and any(
            len(name) > 1 and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None
            for name in (model, model.rsplit("/", 1)[-1])
        )

    @cached_property
    def is_html(self) -> bool:
        return "html" in self.header.get("content-type", "") or bool(
            re.match(r"\s*<(!doctype|html|head|body)", self.body, re.I)
        )

    @cached_property
    def error_status(self) -> int | None:
        """The status that counts: an error inside a 200 body brings its own."""
        if self.status is not None and self.status >= 300:
            return self.status
        error = self.json.get("error") if isinstance(self.json, dict) else None
        if isinstance(error, dict):
            for name in ("code", "status", "http_status"):
                value = str(error.get(name))
                if re.fullmatch(r"[3-5]\d\d", value, re.A):
                    return int(value)
        return self.status

    @property
    def organisation(self) -> str:
        """The account as the provider names it, such as Groq's `org_…`; empty when it does not."""
        match = _ORGANISATION.search(self.text)
        return match[1] if match else ""

    def detail(self) -> str:
        """One line for staff, without what looks like a key."""
        return redact(self.text)

    def retry_after_s(self, now: float) -> float | None:
        """The longest wait that is named anywhere, in seconds; None when none is. `now` is a Unix time."""
        return max((wait for wait, _ in self.waits(now)), default=None)

    def waits(self, now: float) -> list[tuple[float, bool]]:
        """Every wait that is named, in seconds, and whether it came as a bare number. `now` is a Unix time.

        A moment, as a date or a Unix time, is told as what is left until then, by the provider's clock if it shows it.
        """
        header = self.header
        if (date := _http_date(header.get("date"))) is not None:
            now = date
        found: list[tuple[float | None, bool]] = [(wait, False) for wait in _wordy_waits(self.own_words)]
        found += [(moment - now, False) for moment in _wordy_moments(self.own_words)]
        found += [_wait(value, now) for name, value in self._scalars if name in WAIT_KEYS]
        milliseconds, value = header.get("retry-after-ms"), header.get("retry-after")
        if (wait := seconds(milliseconds)) is not None:
            found.append((wait / 1000, False))
        if value and value != milliseconds:  # some send the same number under both names
            whole = _wait(value, now)  # a header that came twice is told as a list
            found += [whole] if whole[0] is not None else [_wait(part, now) for part in value.split(",")]
        for name, reset in header.items():
            if "limit" in name and "reset" in name:
                # A reset matters only for the limit that is used up; the others are still ticking.
                remaining = header.get(name.replace("reset", "remaining", 1))
                if remaining is not None and seconds(remaining) == 0:
                    found.append(_wait(reset, now))
        if spent := _SPENT.search(header.get("ratelimit", "")):
            found.append((float(spent[1]), False))
        return [(wait, is_bare) for wait, is_bare in found if wait is not None and wait > 0]


def _http_date(value: str | None) -> float | None:
    try:
        moment: datetime | None = parsedate_to_datetime(value) if value else None
        return moment.timestamp() if moment else None
    except (ValueError, OverflowError):
        return None


def _wait(value: object, now: float) -> tuple[float | None, bool]:
    """Seconds from a duration, an HTTP date, an ISO date, or a Unix time (in seconds or thousandths); bare or not."""
    if isinstance(value, str) and (moment := _http_date(value) or _iso_date(value)) is not None:
        return moment - now, False
    wait = seconds(value)
    if wait is None or wait < A_UNIX_TIME:
        return wait, _BARE.fullmatch(str(value).strip()) is not None
    return (wait / 1000 if wait > A_UNIX_TIME_IN_MS else wait) - now, False


def _iso_date(value: str) -> float | None:
    text = value.strip().replace(" UTC", "+00:00").replace(" at ", "T")
    if not _ISO.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _wordy_moments(text: str) -> Iterator[float]:
    """Moments that prose names as the end of a wait: "You will regain access on 2026-12-01 at 00:00 UTC"."""
    for match in _UNTIL.finditer(text):
        # Without a zone it is the provider's own midday, wherever that is.
        if _ZONED.search(match[1]) and (moment := _iso_date(match[1])) is not None:
            yield moment
