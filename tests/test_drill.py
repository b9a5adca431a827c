"""The drill itself: its invariants hold in a storm, and it notices when they do not."""

import os
import re
import shutil
import subprocess
import sys
from decimal import Decimal
from random import Random

import pytest
from django.utils import timezone

from guardlabs.operations.drill import books, storm, visitors
from guardlabs.operations.drill.run import WAVE
from guardlabs.operations.drill.weather import Weather
from llm.ledger import bookkeeper
from llm.models import Attempt, Call
from llm.simulator import Record
from tests.factories import load_bank, make_scan
from tests.test_many_nodes import redis  # noqa: F401  # a fixture
from tests.test_postgres import INITDB, PG_CTL, postgres_url  # noqa: F401  # a fixture
from tests.test_two_servers import ROOT

SEED = 2026
SHORT = (max(storm.RARE.values()) + 1) * WAVE  # scans: the fewest that meet everything


def drill(scans, **environment):
    done = subprocess.run(
        [sys.executable, "manage.py", "drill", "--scans", str(scans), "--seed", str(SEED)],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "guardlabs.settings", **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert f"seed {SEED}" in done.stdout
    assert "held: no 5xx, no lost scan" in done.stdout
    return done.stdout


@pytest.mark.exhaustive
@pytest.mark.parametrize("scans", [SHORT, 1_000])
def test_a_storm_leaves_everything_in_order(tmp_path, scans):
    own = tmp_path / "site.sqlite3"
    said = drill(scans, DATABASE_URL=f"sqlite:///{own}", REDIS_URL="")
    assert not own.exists()  # the site's own database is never touched
    assert int(re.search(r"(\d+) workers killed", said)[1]) >= 1
    served = dict(re.findall(r"^  (\S+) +(\d+)$", said, re.MULTILINE))
    free = sum(int(number) for name, number in served.items() if name.startswith(("groq", "open", "hugg")))
    assert free > scans // 10


def test_the_shortest_storm_has_everything_in_it(tmp_path, sim):
    weather, waves = Weather(tmp_path / "weather"), range(SHORT // WAVE)
    for seed in range(20):
        dice = Random(seed)
        told = [storm.break_out(sim, weather, dice, wave) for wave in waves]
        assert any(wave["slow disk"] for wave in told)
        assert any(wave["cache"] for wave in told)
    assert all(any(storm.comes(kind, 0.0, wave, dice) for wave in waves) for kind in storm.RARE)


@pytest.mark.exhaustive
def test_a_long_storm_on_sqlite(tmp_path):
    drill(10_000, DATABASE_URL=f"sqlite:///{tmp_path / 'site.sqlite3'}", REDIS_URL="")


@pytest.mark.exhaustive
@pytest.mark.skipif(not (INITDB and PG_CTL and shutil.which("redis-server")), reason="no PostgreSQL or Redis")
@pytest.mark.parametrize("scans", [1_000, 10_000])
def test_a_storm_on_postgresql_and_redis(postgres_url, redis, scans):  # noqa: F811
    said = drill(scans, DATABASE_URL=postgres_url, REDIS_URL=redis.url)
    assert "on postgresql, cache in redis" in said


# -- it notices ------------------------------------------------------------------------------------------
def an_attempt(**changed):
    call = Call.objects.create(started_at=timezone.now(), deadline_s=4, outcome="ok")
    fields = {
        "provider": "deepseek", "credential": "deepseek", "account": "deepseek", "model": "deepseek-flash", "tier": 2,
        "free": False, "started_at": timezone.now(), "finished_at": timezone.now(), "outcome": "ok",
        "tokens_in": 1000, "tokens_out": 500, "cost_usd": Decimal("0.00045"),
    }  # fmt: skip
    return Attempt.objects.create(call=call, **(fields | changed))


def a_record(**changed):
    fields = {
        "time": 0.0, "endpoint": "chat", "provider": "deepseek", "credential": "sk-simulated",
        "model": "deepseek-flash", "status": 200, "prompt_tokens": 1000, "completion_tokens": 500,
    }  # fmt: skip
    return Record(**(fields | changed))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("attempt", "records", "problem"),
    [
        ({}, [a_record()], None),
        ({}, [], "0 received"),
        ({}, [a_record(), a_record()], "2 received"),
        ({}, [a_record(completion_tokens=501)], "never counted"),
        ({"cost_usd": Decimal("0.00046")}, [a_record()], "cost 0.000460"),
        ({"outcome": "abandoned", "tokens_in": 0, "tokens_out": 0}, [], None),
        ({"outcome": "provider_down", "tokens_in": 0, "tokens_out": 0, "cost_usd": 0}, [], "0 received"),
        (
            {
                "outcome": "provider_down",
                "detail": books.TIME_IS_UP,
                "tokens_in": 0,
                "tokens_out": 0,
                "cost_usd": 0,
            },
            [],
            None,
        ),
        ({"outcome": "cut_short", "tokens_in": 0, "tokens_out": 0, "cost_usd": 0}, [], None),
        ({"outcome": "cut_short", "tokens_in": 0, "tokens_out": 3, "first_token_ms": 40}, [], "0 received"),
        ({"outcome": "cancelled", "tokens_in": 0, "tokens_out": 0, "first_token_ms": 40}, [], "0 received"),
    ],
)
def test_a_ledger_that_differs_from_what_was_received_is_found(attempt, records, problem):
    an_attempt(**attempt)
    found = list(books.Books().wave(records))
    assert problem in " ".join(found) if problem else found == []


@pytest.mark.django_db
def test_a_busy_machine_explains_few_attempts_that_reached_nobody():
    nothing = {"outcome": "provider_down", "tokens_in": 0, "tokens_out": 0, "cost_usd": 0}
    for _ in range(3):
        an_attempt(detail=books.TIME_IS_UP, **nothing)
    assert "reached nobody" in " ".join(books.Books().wave([]))


@pytest.mark.django_db
def test_a_broken_budget_is_found(monkeypatch):
    from llm.models import Provider

    Provider.objects.create(slug="deepseek", kind="openai", name="D", daily_budget_usd=Decimal("0.0004"))
    an_attempt()
    assert "more than 0.000400" in " ".join(books.budgets(Decimal(1)))
    assert "all cost" in " ".join(books.budgets(Decimal("0.0004")))


@pytest.mark.django_db
def test_a_lost_scan_a_late_report_and_an_error_are_found():
    load_bank()
    from audit.scans import service as scans

    scan = make_scan(ai=False)
    well = {
        "by_form": True,
        "lang": "en",
        "ai": False,
        "answers": {},
        "token": scans.scan_token(scan),
        "report": "## x",
    }
    assert list(books.visits([visitors.Visit(number=1, statuses=[302, 200], **well)], 4)) == []
    late = visitors.Visit(number=2, waited_s=60, **well)
    failed = visitors.Visit(number=3, statuses=[500], **well)
    lost = visitors.Visit(number=4, **(well | {"token": ""}))
    found = "\n".join(books.visits([late, failed, lost], 4))
    assert "visitor 2 waited 60.0 s" in found
    assert "visitor 3 was answered [500]" in found
    assert "visitor 4: the scan is lost" in found
    make_scan()
    an_attempt(outcome="running", finished_at=None)
    assert list(books.ended()) == ["1 scans have no report", "1 rows of Attempt never ended"]
    assert bookkeeper.mark_abandoned() == 0
