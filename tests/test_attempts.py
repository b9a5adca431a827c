"""Why an attempt failed, in words for a visitor, in every language."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import translation

from audit.report import attempts
from llm import chain
from llm.failures.kinds import Kind

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def failure(**changed) -> chain.AttemptFailed:
    names = {
        "provider": "groq",
        "credential": "groq1",
        "model": "m",
        "location": "",
        "detail": "secret detail",
    }
    return chain.AttemptFailed(**{"kind": Kind.RATE_LIMITED_KEY, **names, **changed})


def line(who: str, outcome: str, **more: str) -> dict[str, str]:
    return {"provider": who, "model": "m", "outcome": outcome, **more}


def test_every_kind_of_failure_has_its_words():
    assert {kind for kind in attempts.SENTENCES if "/" not in kind} == {str(kind) for kind in Kind}


@pytest.mark.parametrize("lang", [code for code, _ in settings.LANGUAGES])
def test_the_words_are_different_and_name_who_it_was(lang):
    with translation.override(lang):
        told = {str(words) % {"who": "groq1"} for words in attempts.SENTENCES.values()}
    assert len(told) == len(attempts.SENTENCES)
    assert all("groq1" in sentence for sentence in told)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", "groq1 is out of tokens for today (next try: November 24, 00:00 UTC) → groq2"),
        ("ru", "У groq1 на сегодня кончились токены (снова с 24 ноября, 00:00 UTC) → groq2"),
        (
            "es",
            "groq1 se ha quedado sin tokens por hoy (próximo intento: 24 de noviembre, 00:00 UTC) → groq2",
        ),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_a_spent_quota_says_until_when_and_who_is_next(lang, words):
    kept = attempts.failed(failure(window="day", until=datetime(2026, 11, 24, tzinfo=UTC)))
    with translation.override(lang):
        told = attempts.lines([line("groq1", "trying") | kept, line("groq2", "trying")], today=NOW)
    assert told == [words]


@time_machine.travel(NOW, tick=False)
def test_a_time_of_today_needs_no_date_and_a_short_pause_no_time():
    long, short = (failure(until=NOW + timedelta(seconds=seconds)) for seconds in (300, 20))
    told = [
        attempts.sentence({"provider": "groq1"} | attempts.failed(each), today=NOW) for each in (long, short)
    ]
    assert told == ["groq1 has used up its quota (next try: 12:05 UTC)", "groq1 has used up its quota"]


def test_what_the_provider_said_is_not_kept():
    assert "secret" not in str(attempts.failed(failure()))


def test_the_last_failure_waits_for_who_is_next():
    assert attempts.lines([line("groq1", "provider_down")], today=NOW) == ["groq1 does not answer"]
    assert attempts.lines([line("groq1", "trying")], today=NOW) == []
    assert attempts.lines([], today=NOW) == []


def test_many_failures_are_counted_not_listed():
    told = attempts.lines([line(f"groq{n}", "key_invalid") for n in range(1, 9)], today=NOW)
    assert told[0] == "3 attempts before failed"
    assert told[1].startswith("groq4 ")
    assert len(told) == 1 + attempts.MOST_LINES


def test_a_kind_that_this_version_does_not_know_is_told_as_silence():
    assert attempts.sentence(line("x", "from_the_future"), today=NOW) == "x does not answer"
