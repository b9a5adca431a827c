"""The cache that ships, as a table: what it counts and marks holds between processes, and for as long as was asked."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.core.cache import CacheHandler
from django.core.management import call_command
from django.db import connection

from guardlabs.web import database_cache
from guardlabs.web.database_cache import AtomicDatabaseCache

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("cache", "cache_logins", "cache_chores")
ROUNDS = 12
RACER = """
import sys
from concurrent.futures import ThreadPoolExecutor
import django; django.setup()
from django.core.cache import caches
from django.db import connection
from django.test import RequestFactory
from audit import throttle
from guardlabs.staff import limits

request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.7")

def race(_):
    limits.MOST_KEPT = 0  # this process remembers nothing: what holds is what is shared
    with limits._lock:
        limits._own.clear()
    try:
        return limits.claim(request, "anna"), throttle.scan_wait_s(request) == 0
    finally:
        connection.close()

print("ready", flush=True)
sys.stdin.readline()
marks = [name for name in range(%d) for _ in "12" if caches["chores"].add(f"mark-{name}", 1, 60)]
with ThreadPoolExecutor(4) as pool:
    taken = list(pool.map(race, range(20)))
print(marks, sum(guess for guess, _ in taken), sum(scan for _, scan in taken))
""" % ROUNDS  # fmt: skip


@pytest.fixture
def tables(db):
    for name in NAMES:
        call_command("createcachetable", name, verbosity=0)
    yield
    with connection.cursor() as cursor:
        for name in NAMES:
            cursor.execute(f"DROP TABLE {name}")


@pytest.fixture
def cache(tables):
    return AtomicDatabaseCache("cache", {"OPTIONS": {"MAX_ENTRIES": 20}})


def test_it_is_what_ships_without_redis():
    done = subprocess.run(
        [sys.executable, "-c", "import django; django.setup(); from django.core.cache import caches\n"
         "print([type(caches[name]).__name__ for name in ('default', 'logins', 'chores')])"],
        cwd=ROOT, env={**os.environ, "DJANGO_SETTINGS_MODULE": "guardlabs.settings", "REDIS_URL": ""},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == str(["AtomicDatabaseCache"] * 3)


def url():
    here = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{here['NAME']}"
    return f"postgresql://{here['USER']}@{here['HOST']}:{here['PORT']}/{here['NAME']}"


@pytest.mark.django_db(transaction=True)
def test_two_processes_count_every_guess_and_every_scan_and_claim_a_mark_once(tables):
    chores = AtomicDatabaseCache("cache_chores", {})
    for name in range(0, ROUNDS, 2):
        chores.add(f"mark-{name}", 1, -5)  # over, and still in the table; the others were never there
    connection.close()
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "guardlabs.settings", "DATABASE_URL": url(), "REDIS_URL": "",
        "SCAN_RATE": "7/h",
    }  # fmt: skip
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER], cwd=ROOT, env=environment, text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]  # fmt: skip
    assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 2
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    told = [racer.communicate(timeout=120)[0].rsplit("]", 1) for racer in racers]
    marks = Counter(mark for line, _ in told for mark in eval(line + "]"))
    guesses, scans = (sum(int(rest.split()[place]) for _, rest in told) for place in (0, 1))
    assert marks == dict.fromkeys(range(ROUNDS), 1)
    assert (guesses, scans) == (5, 7)


def test_counting_does_not_change_how_long_a_counter_lives(cache):
    with time_machine.travel("2026-11-23 12:00:00Z", tick=False) as clock:
        assert cache.add("guesses", 0, 900)
        assert [cache.incr("guesses"), cache.incr("guesses"), cache.decr("guesses")] == [1, 2, 1]
        clock.shift(890)
        assert cache.incr("guesses") == 2
        clock.shift(20)
        assert cache.get("guesses") is None
        with pytest.raises(ValueError, match="guesses"):
            cache.incr("guesses")


def test_a_mark_is_taken_once_until_it_is_over(cache):
    with time_machine.travel("2026-11-23 12:00:00Z", tick=False) as clock:
        assert [cache.add("mark", 1, 60), cache.add("mark", 2, 60)] == [True, False]
        clock.shift(61)
        assert [cache.add("mark", 3, 60), cache.get("mark")] == [True, 3]
        assert cache.add("for-ever", 1, None)
        clock.shift(10**9)
        assert cache.get("for-ever") == 1


def test_a_counter_that_another_process_changed_meanwhile_is_counted_again(cache, monkeypatch):
    cache.add("n", 0, 60)
    first = cache.get

    def get(key, **options):
        value = first(key, **options)
        monkeypatch.undo()
        cache.incr("n")  # the other process, between reading and writing
        return value

    monkeypatch.setattr(cache, "get", get)
    assert cache.incr("n") == 2


def test_the_table_has_room_again_when_it_is_full(cache, monkeypatch):
    monkeypatch.setattr(database_cache, "LOOK_AT_SIZE", 1)
    for number in range(15):
        cache.add(f"over-{number}", 1, -5)
    for number in range(100):
        cache.add(f"new-{number}", 1, 60)
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM cache")
        assert cursor.fetchone()[0] <= 21


def test_the_shipped_tables_are_large_and_do_not_push_each_other_out():
    from guardlabs import settings as shipped

    if settings.REDIS_URL:
        pytest.skip("the cache is in Redis here")
    handler = CacheHandler(shipped.CACHES)
    sizes = {name: handler[name]._max_entries for name in ("default", "logins", "chores")}
    assert min(sizes.values()) >= 1_000
    assert len({handler[name]._table for name in sizes}) == 3
