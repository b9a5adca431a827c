"""Chores: each once per interval over all processes, and one that fails harms no other."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.core.cache import caches
from django.core.management import call_command

from guardlabs.operations import chores, probe, retention
from llm import maintenance
from llm.models import Notice
from tests.chain_setup import make_groq

pytestmark = pytest.mark.django_db
SERVICE = """
import pathlib, tempfile
import django; django.setup()
from django.conf import settings
from django.core.management import call_command
from guardlabs.operations import chores
settings.VAR_DIR = pathlib.Path(tempfile.mkdtemp())
chores.run_due = lambda: print("looked", flush=True)
chores.PROBE_EVERY_S, chores.probes.run_due = 0, lambda: None
call_command("chores", "--forever", skip_checks=True)
"""


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


def test_a_service_of_its_own_goes_on_until_it_is_told_and_is_seen_to(tmp_path, monkeypatch):
    seen = tmp_path / probe.CHORES_SEEN
    monkeypatch.setattr(chores, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(chores, "PROBE_EVERY_S", 0.0)
    monkeypatch.setattr(chores.probes, "run_due", lambda: None)
    monkeypatch.setattr(chores.connections, "close_all", lambda: None)
    stopping, looks = threading.Event(), []

    def look():
        looks.append(probe.main("chores", tmp_path))
        if len(looks) == 3:
            stopping.set()

    monkeypatch.setattr(chores, "run_due", look)
    chores.run_until(stopping, first_after_s=0, looked=seen.touch)
    assert looks == [1, 0, 0]  # unseen before the first look has ended
    os.utime(seen, (0, time.time() - probe.CHORES_LATE_S - 1))
    assert probe.main("chores", tmp_path) == 1


def test_the_service_ends_at_sigterm(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE], cwd=Path(__file__).parent.parent, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )  # fmt: skip
    assert process.stdout.readline() == "looked\n"
    process.terminate()
    assert process.wait(20) == 0


def test_the_thread_ends_when_it_is_told(done):
    stopping = threading.Event()
    stopping.set()
    thread = chores.start(stopping)
    thread.join(timeout=5)
    assert not thread.is_alive()
    assert done == []
