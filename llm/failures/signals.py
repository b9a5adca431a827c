"""Reads what a provider said when it failed: codes, prose, and how long to wait. No judgement here.

Every provider has its own shape (`{"error": {...}}`, `[{"error": {...}}]`, `{"error": "text"}`,
`{"detail": ...}`, problem+json, HTML, nothing), so the body is walked, not unpacked.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

CODE_KEYS = {
    "code", "type", "status", "reason", "error_type", "error_code", "error_name", "quotaid", "limit_source",
    "blockreason", "finish_reason", "finishreason", "param", "error",
}  # fmt: skip
TEXT_KEYS = {"message", "detail", "title", "error", "error_description", "msg", "reason", "description"}
WAIT_KEYS = {"retry_after", "retrydelay", "estimated_time", "retry_after_seconds"}
# What another service said to the provider is not about us: its words must not be read as the provider's.
FOREIGN_KEYS = {"raw", "provider_error_code", "previous_errors"}

MOST_S = 1e14  # beyond any date in milliseconds: no time at all
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(?<!\d)(\d++(?:\.\d++)?)\s*+(ms|us|µs|ns|d|h|m|s)(?![a-z])", re.I)
_WORDY = re.compile(
    r"(?:again|retry|wait|reset[a-z]{0,10}|available)\D{0,25}?(?:in|after|for)?\s{0,3}"
    r"((?:\d[\d,]{0,20}(?:\.\d{1,20})?\s{0,3}(?:milliseconds?|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|ms|[dhms])[\s,]{0,3}(?:and\s{1,3})?){1,8})",
    re.I,
)
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
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        parts = [(text, "s")]
    else:
        parts = _DURATION.findall(text)
        if not parts or _DURATION.sub("", text).strip():
            return None
    total = sum(float(number) * _UNITS[unit.lower()] for number, unit in parts)
    return total if total <= MOST_S else None


def _wordy_waits(text: str) -> Iterator[float]:
    for match in _WORDY.finditer(text):
        phrase = re.sub(r",|\band\b", "", match[1])
        for name, unit in _UNIT_NAMES:
            phrase = re.sub(rf"(?<=[\d\s]){name}", unit, phrase, flags=re.I)
        if (wait := seconds(re.sub(r"\s+", "", phrase))) is not None:
            yield wait


def _walk(node: object, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every (lower-case key, scalar) of a JSON value, without the parts that quote another service."""
    if isinstance(node, dict):
        for name, child in node.items():
            if str(name).lower() not in FOREIGN_KEYS:
                yield from _walk(child, str(name).lower())
    elif isinstance(node, list):
        for child in node:
            yield from _walk(child, key)
    else:
        yield key, node


def redact(text: str) -> str:
    """The text without anything that looks like a key."""
    return _SECRETS.sub("***", text)


@dataclass(frozen=True)
class Signals:
    """What one failed exchange said. `status` is None when there was no HTTP answer."""

    status: int | None = None
    headers: Mapping[str, str] | None = None
    body: str = ""
    exception: str = ""

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
        if any(name == "provider_name" and value for name, value in self._scalars):
            found.add("upstream")
        return frozenset(found)

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
        """One line for staff: at most 300 characters, no keys."""
        return redact(self.text)[:300]

    def retry_after_s(self, now: float) -> float | None:
        """The longest wait that is named anywhere, in seconds; None when none is. `now` is a Unix time."""
        header = self.header
        if (date := _http_date(header.get("date"))) is not None:
            now = date
        waits: list[float | None] = [*_wordy_waits(self.text)]
        waits += [seconds(value) for name, value in self._scalars if name in WAIT_KEYS]
        if (milliseconds := seconds(header.get("retry-after-ms"))) is not None:
            waits.append(milliseconds / 1000)
        if value := header.get("retry-after"):
            until = _http_date(value)
            waits.append(until - now if until is not None else seconds(value))
        for name, value in header.items():
            if name.startswith("x-ratelimit-reset"):
                # A reset matters only for the limit that is used up; the others are still ticking.
                remaining = header.get(name.replace("-reset", "-remaining", 1))
                if remaining is not None and seconds(remaining) == 0:
                    waits.append(_reset(value, now))
        named = [wait for wait in waits if wait is not None and wait > 0]
        return max(named) if named else None


def _http_date(value: str | None) -> float | None:
    try:
        moment: datetime | None = parsedate_to_datetime(value) if value else None
        return moment.timestamp() if moment else None
    except (ValueError, OverflowError):
        return None


def _reset(value: str, now: float) -> float | None:
    """Seconds until a reset given as a duration, a Unix time, or a Unix time in milliseconds."""
    wait = seconds(value)
    if wait is None or wait < 1e9:
        return wait
    return (wait / 1000 if wait > 1e11 else wait) - now
