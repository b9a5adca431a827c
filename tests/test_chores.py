"""Chores: each once per interval over all processes, and one that fails harms no other."""

import os
import time
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.utils import timezone

from guardlabs.operations import chores, probe, retention
from llm import maintenance
from llm.models import Notice
from tests.chain_setup import make_groq

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def var(tmp_path, settings):
    settings.VAR_DIR = tmp_path
    return tmp_path


@pytest.fixture
def done(monkeypatch):
    """What was done, instead of the real work."""
    done = []
    monkeypatch.setattr(
        chores, "chores", lambda: (
            chores.Chore("often", chores.MINUTE, lambda: done.append("often")),
            chores.Chore("daily", chores.DAY, lambda: done.append("daily")),
        )
    )  # fmt: skip
    return done


def test_what_is_due_is_done_once_by_whoever_comes_first(done):
    assert chores.run_due() == ["often", "daily"]
    assert chores.run_due() == []
    caches["chores"].delete("chore:often")  # its minute is over
    assert chores.run_due() == ["often"]
    assert done == ["often", "daily", "often"]


def test_a_chore_that_fails_is_logged_and_the_next_is_done(monkeypatch, caplog):
    done = []
    monkeypatch.setattr(
        chores, "chores", lambda: (
            chores.Chore("broken", 60, lambda: 1 / 0), chores.Chore("sound", 60, lambda: done.append(1)),
        )
    )  # fmt: skip
    assert chores.run_due() == ["sound"]
    assert done == [1]
    assert "chore broken failed" in caplog.text


def test_a_cache_that_is_away_stops_nothing(monkeypatch, caplog):
    def away(*arguments, **options):
        raise ConnectionError("no cache")

    monkeypatch.setattr(caches["chores"], "add", away)
    assert chores.run_due() == []
    assert "no cache" in caplog.text


def test_retention_is_one_of_them(monkeypatch, settings):
    settings.RETENTION_DAYS = 7
    asked = []
    monkeypatch.setattr(retention, "prune", asked.append)
    monkeypatch.setattr(maintenance, "run", lambda: None)
    assert "prune" in chores.run_due()
    assert asked == [7]


def test_providers_are_checked_daily_and_what_is_gone_is_noticed(sim, monkeypatch):
    make_groq(sim, keys=1, models=("no-such-model",))
    monkeypatch.setattr(maintenance, "run", lambda: None)
    assert "providers" in chores.run_due()
    assert "no-such-model: gone" in Notice.objects.get(kind="check_gone").subject


def test_the_command_says_what_was_done(done, capsys):
    call_command("chores")
    call_command("chores")
    assert capsys.readouterr().out == "done: often, daily\nnothing is due\n"


def test_whoever_looks_is_seen_by_the_health_check_and_the_desk(done, var):
    assert probe.main("worker", var) == 1
    assert chores.last_seen() is None
    chores.run_due()
    assert probe.main("worker", var) == 0
    assert timezone.now() - chores.last_seen() < timedelta(minutes=1)
    os.utime(var / probe.WORKER_SEEN, (0, time.time() - probe.WORKER_LATE_S - 1))
    assert probe.main("worker", var) == 1


def test_a_disk_that_is_full_stops_no_chore(done, settings):
    settings.VAR_DIR = settings.VAR_DIR / "nowhere"
    assert chores.run_due() == ["often", "daily"]
