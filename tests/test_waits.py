"""How long a stated wait may be, and in which notations a moment comes."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from llm.failures import waits
from llm.failures.kinds import Kind
from llm.failures.rules import classify
from llm.pauses import breaker

NOW = 1_795_435_200.0  # 2026-11-23 12:00:00 UTC


def wait_of(status=429, headers=None, body="", message=""):
    body = json.dumps({"error": {"message": message}}) if message else body
    return classify(status=status, headers=headers, body=body, now=NOW).retry_after_s


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("30", 30),
        ("2.5", 2.5),
        (f"{NOW + 90:.0f}", 90),  # a Unix time
        (f"{(NOW + 90) * 1000:.0f}", 90),  # in milliseconds
        (f"{NOW - 90:.0f}", None),  # it is over
        ("1000000000", None),  # a Unix time of 2001
        ("9999999999", None),  # of 2286
        ("60000", 60),  # milliseconds
        ("120000", 120),
        ("86400", 86_400),
        ("Mon, 23 Nov 2026 12:05:00 GMT", 300),
        ("2026-11-23T12:05:00Z", 300),
        ("2026-11-23T14:05:00+02:00", 300),
        ("2026-11-23 12:05:00", 300),
        ("2026-13-45T12:05:00Z", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("31536000", 31_536),  # no rate limit lasts a year
    ],
)
def test_retry_after_is_read_as_what_it_is(value, expected):
    assert wait_of(headers={"retry-after": value}) == (expected and pytest.approx(expected, abs=0.01))


@pytest.mark.parametrize(
    ("status", "message", "value", "expected"),
    [
        (503, "", "30000", 30),
        (503, "", "45678", 45.678),  # half a day of being down is not meant
        (429, "Rate limit reached on requests per minute (RPM)", "59873", 59.873),
        (429, "Too many concurrent requests", "7200", 7.2),
        (429, "Rate limit reached on tokens per day (TPD)", "59873", 59_873),
        (402, "Insufficient Balance", "2592001", 2_592_001),
        (429, "You have exceeded your monthly quota of requests per month", "1209600", 1_209_600),
    ],
)
def test_milliseconds_are_told_from_seconds_by_what_the_kind_allows(status, message, value, expected):
    headers = {"retry-after": value}
    assert wait_of(status, headers, message=message) == pytest.approx(expected)


def test_the_same_number_under_both_names_is_milliseconds():
    assert wait_of(headers={"retry-after": "1500", "retry-after-ms": "1500"}) == 1.5


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("retry_after", NOW + 40, 40), ("reset_at", "2026-11-23T12:01:00Z", 60), ("retry_after", 90_000, 90),
        ("resets_at", (NOW + 40) * 1000, 40), ("retryDelay", "38s", 38), ("retry_after", 1e18, None),
    ],
)  # fmt: skip
def test_fields_of_a_body_are_read_alike(field, value, expected):
    assert wait_of(body=json.dumps({"error": {field: value}})) == (expected and pytest.approx(expected))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("You will regain access on 2026-11-24 at 00:00 UTC.", 43_200),
        ("Your limit resets at 2026-11-23T13:00:00Z", 3600),
        ("Try again after 2026-11-23 12:10:00 UTC", 600),
        ("Your limit will reset at 2026-11-23 18:00:00", None),  # in which zone?
        ("The model was retired on 2025-01-01", None),
    ],
)
def test_a_moment_in_prose_is_a_wait(message, expected):
    assert wait_of(message=message) == expected


@pytest.mark.parametrize("kind", breaker.GUESSES)
def test_no_guess_of_ours_is_longer_than_a_guess_may_be(kind):
    assert waits.GUESSED_S[kind] > breaker.GUESSES[kind].most_s * 1.1


@pytest.mark.parametrize("day_reset", ["utc", "pacific", "rolling"])
def test_a_guess_until_midnight_is_obeyed(day_reset):
    now = datetime(2026, 11, 1, 7, 1, tzinfo=UTC)  # a day of 25 hours in California
    until = breaker.next_day(day_reset, now)
    assert waits.holds(Held(Kind.RATE_LIMITED_KEY, "guess", now, until), now)


class Held:
    def __init__(self, kind, source, since, until):
        self.kind, self.source, self.since, self.until = kind, source, since, until


@pytest.mark.parametrize(
    ("kind", "source", "since_s", "until_s", "held"),
    [
        (Kind.PROVIDER_DOWN, "guess", 0, 15, True),
        (Kind.PROVIDER_DOWN, "guess", -60, -1, False),
        (Kind.PROVIDER_DOWN, "guess", -60, None, True),
        (Kind.PROVIDER_DOWN, "guess", 0, 7200, False),
        (Kind.PROVIDER_DOWN, "provider", 0, 7200, True),
        (Kind.PROVIDER_DOWN, "provider", 0, 86_400, False),
        (Kind.PROVIDER_DOWN, "provider", 600, 620, False),  # it begins in ten minutes
        (Kind.CREDITS_DEPLETED, "provider", 0, 30 * 86_400, True),
        ("paused_by_staff", "staff", 0, 1e8, True),
        ("lacks_tools", "guess", 0, 1e8, False),
    ],
)
def test_a_pause_further_ahead_than_its_kind_allows_is_not_obeyed(kind, source, since_s, until_s, held):
    now = datetime(2026, 11, 23, tzinfo=UTC)
    until = None if until_s is None else now + timedelta(seconds=until_s)
    assert waits.holds(Held(kind, source, now + timedelta(seconds=since_s), until), now) is held
