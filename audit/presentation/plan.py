"""What follows a result: one small step a day, and a calendar file that says nothing of what it is for. Pure.

The calendar leaves the site: it is synced to clouds and read over shoulders. So its entries use the words of the
neutral sheet (plain_words.py), and hold no address, no score and no name of ours.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils.translation import gettext

from audit.bank import plain_words
from audit.bank.findings import Details, Weakness

DAYS = 30
STEP_EVERY_DAYS = 7  # after the first one, a week for each
MOST_ENTRIES = 4
CHECK_AFTER_DAYS = 90
DRILL_AFTER_DAYS = 180
LINE_BYTES = 75  # RFC 5545, 3.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One step; `heading`: the fix that it begins, empty for its further steps."""

    step: str
    heading: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """At most DAYS steps, one a day."""

    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """An entry for a whole day."""

    on: date
    title: str
    text: str = ""


def plan(details: Details, *, order: Sequence[str] = ()) -> Plan:
    """The steps of the fixes, those named in `order` (question ids) first, then by points lost."""
    return Plan(
        days=tuple(
            Day(step=step, heading="" if number else weakness.action)
            for weakness in _ordered(details, order)
            for number, step in enumerate(weakness.option.fix_steps)
        )[:DAYS]
    )


def next_check(made: datetime) -> datetime:
    """When to look again after a check of `made`."""
    return made + timedelta(days=CHECK_AFTER_DAYS)


def calendar(details: Details, *, order: Sequence[str], today: date) -> list[CalendarEntry]:
    """The first steps from tomorrow on, a week apart; a check-up; and a drill with the spare copies."""
    plain = [
        plain_words.PLAIN[w.finding.question]
        for w in _ordered(details, order)
        if w.finding.question in plain_words.PLAIN
    ]
    entries = [
        CalendarEntry(
            on=today + timedelta(days=1 + STEP_EVERY_DAYS * number),
            title=gettext(words.title),
            text="\n".join(gettext(step) for step in words.steps),
        )
        for number, words in enumerate(plain[:MOST_ENTRIES])
    ]
    entries.append(
        CalendarEntry(on=today + timedelta(days=CHECK_AFTER_DAYS), title=gettext("Check-up at home"))
    )
    entries.append(
        CalendarEntry(
            on=today + timedelta(days=DRILL_AFTER_DAYS),
            title=gettext("Drill: are the spare copies complete and readable?"),
        )
    )
    return entries


def ics(entries: Iterable[CalendarEntry], *, seed: str, now: datetime) -> str:
    """The entries as an iCalendar file (RFC 5545). `seed` makes ids that stay the same and tell nothing."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Checklist//EN", "CALSCALE:GREGORIAN"]
    for number, entry in enumerate(entries):
        uid = hashlib.sha256(f"calendar {seed} {number}".encode()).hexdigest()[:32]
        lines += [
            "BEGIN:VEVENT",
            f"UID:{uid}",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{entry.on:%Y%m%d}",
            f"SUMMARY:{_escaped(entry.title)}",
            *([f"DESCRIPTION:{_escaped(entry.text)}"] if entry.text else []),
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _ordered(details: Details, order: Sequence[str]) -> list[Weakness]:
    rank = {question: place for place, question in enumerate(order)}
    return sorted(details.weaknesses, key=lambda each: rank.get(each.finding.question, len(rank)))


def _escaped(text: str) -> str:
    for mark in ("\\", ";", ","):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> str:
    """Lines of at most 75 bytes; what follows begins with a space. No letter is cut in two."""
    parts, size = [""], 0
    for letter in line:
        width = len(letter.encode())
        if size + width > LINE_BYTES - (len(parts) > 1):
            parts.append("")
            size = 0
        parts[-1] += letter
        size += width
    return "\r\n ".join(parts)
