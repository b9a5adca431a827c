"""The order of events of a drill: a site on a scratch database, waves of visitors, and after each wave the books."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from audit.models import Report, Scan
from audit.scans import service as scans
from guardlabs.operations.drill import books, scratch, storm, visitors
from guardlabs.operations.drill.books import Books
from guardlabs.operations.drill.outage import Relay
from guardlabs.operations.drill.visitors import Site, Visit
from guardlabs.operations.drill.weather import Weather
from llm.configuration import file as config
from llm.configuration import snapshot
from llm.ledger import bookkeeper, spending
from llm.models import Attempt, Pause, Provider
from llm.pauses import breaker
from llm.simulator import Simulator

DEADLINE_S = 4
WORKERS, THREADS, VISITORS = 2, 24, 32
WAVE = 40  # scans; a new storm for each, since after a few calls the chain knows whom to leave alone
KILL_SHARE, STAFF_SHARE = 0.1, 0.4  # of the waves
FIRST_BYTE_S, TIMEOUT_S = 0.3, 0.5
BUDGET_USD, SITE_BUDGET_USD = Decimal("0.02"), Decimal("0.03")
START_S = 60.0


@dataclass
class Result:
    """What a drill found. `problems`: one line for each thing that did not hold."""

    visits: list[Visit] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    kills: int = 0
    unclaimed: int = 0
    database: str = ""
    cache: str = ""
    seconds: float = 0.0
    books: Books = field(default_factory=Books)
    log: Counter[str] = field(default_factory=Counter)

    @property
    def served_by(self) -> Counter[str]:
        return Counter(visit.provider or "nobody" for visit in self.visits)


def drill(*, number: int, seed: int, say: Callable[[str], None] = lambda line: None) -> Result:
    """Sends so many visitors through storms made of the seed; `say` hears of each wave. Takes 0.05 s a scan or so."""
    name = f"guardlabs_drill_{secrets.token_hex(4)}"
    began, result, dice = time.monotonic(), Result(), Random(seed)
    if not settings.ENCRYPTION_KEYS:
        settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with scratch.database(name) as (directory, url), Simulator() as sim, _relay() as relay:
        weather = Weather(directory / "weather")
        weather.rule()
        sim.clock = weather.time
        sim.log.keep_all()
        result.database, result.cache = connection.vendor, "redis" if relay else "database"
        _prepare(sim, directory)
        with _served(name, url, directory, relay) as (site, gunicorn):
            questions = site.send(None, "GET", "/api/v1/questionnaire?lang=en")[1]["questions"]
            warm = [visitors.plan(-1, Random(n), questions) for n in range(4 * WORKERS)]
            _wave(site, warm, gunicorn, None, 0.0)  # the first calls load SDKs, for which a drill has no time
            result.books.begin()
            sim.log.clear()
            for wave, first in enumerate(range(0, number, WAVE)):
                told = storm.break_out(sim, weather, dice, wave)
                if relay:
                    relay.cut(bool(told["cache"]))
                coming = [visitors.plan(n, dice, questions) for n in range(first, min(first + WAVE, number))]
                killed = storm.comes("kill", KILL_SHARE, wave, dice)
                kill_at = dice.randrange(len(coming)) if killed else None
                _wave(site, coming, gunicorn, kill_at, dice.random())
                result.kills += kill_at is not None
                result.visits += coming
                if gunicorn.poll() is not None:
                    break
                result.problems += _close_the_books(site, sim, weather, result)
                say(f"wave {wave + 1}: {told}, {len(result.problems)} problems so far")
                weather.set("ahead_s", weather.get("ahead_s") + dice.choice(storm.JUMPS_S))
                if dice.random() < STAFF_SHARE:
                    breaker.close(Pause.objects.filter(closed_at=None, until=None), by="staff")
        result.problems += books.visits(result.visits, DEADLINE_S)
        result.problems += [*books.deadlines(DEADLINE_S), *books.ended()]
        result.log = _worst_lines(directory / "log")
    result.seconds = time.monotonic() - began
    return result


def _prepare(sim: Simulator, directory: Path) -> None:
    """A database as after a first start, with the simulator's providers only."""
    call_command("prepare", stdout=(directory / "prepared").open("w"))
    Provider.objects.all().delete()  # presets, which real keys in the environment would serve
    config.load(sim.providers_toml(directory))
    sim.enforce_free_tiers()
    Provider.objects.update(first_byte_s=FIRST_BYTE_S, timeout_s=TIMEOUT_S)
    Provider.objects.filter(free=False).update(daily_budget_usd=BUDGET_USD)


@contextmanager
def _relay() -> Iterator[Relay | None]:
    """What stands between the workers and Redis, if there is Redis."""
    if not settings.REDIS_URL:
        yield None
        return
    parts = urlsplit(settings.REDIS_URL)
    relay = Relay(parts.hostname or "127.0.0.1", parts.port or 6379)
    try:
        yield relay
    finally:
        relay.close()


@contextmanager
def _served(
    name: str, url: str, directory: Path, relay: Relay | None
) -> Iterator[tuple[Site, "subprocess.Popen[bytes]"]]:
    """The site under gunicorn, as in production but for its clock, its disk and its cache."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "guardlabs.settings",
        "SECRET_KEY": settings.SECRET_KEY,
        "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS),
        "DATABASE_URL": url,
        "REDIS_URL": settings.REDIS_URL and _through(relay),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1",
        "PORT": str(port),
        "WEB_CONCURRENCY": str(WORKERS),
        "WEB_THREADS": str(THREADS),
        "SCAN_RATE": "1000000/h",  # counted, and never reached
        "CHORES": "off",
        "LLM_CACHE": "off",
        "LLM_DAILY_BUDGET_USD": str(SITE_BUDGET_USD),
        "REPORT_DEADLINE_S": str(DEADLINE_S),
        "DRILL_NAME": name,
        "DRILL_WEATHER": str(directory / "weather"),
    }
    command = [
        "-m",
        "gunicorn",
        "-c",
        "python:guardlabs.gunicorn",
        "--preload",
        "guardlabs.operations.drill.node:application",
    ]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(  # noqa: S603  # our own Python and words
            [sys.executable, *command],
            env=environment,
            cwd=settings.BASE_DIR,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    site = Site(port)
    try:
        until = time.monotonic() + START_S
        while True:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the site did not start:\n{(directory / 'log').read_text()[-2000:]}")
            try:
                if site.once("GET", "/readyz")[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        yield site, server
        if server.poll() is not None:
            raise RuntimeError(f"the site ended by itself:\n{(directory / 'log').read_text()[-2000:]}")
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


def _through(relay: Relay | None) -> str:
    parts = urlsplit(settings.REDIS_URL)
    login = parts.netloc.rpartition("@")[0]
    place = f"127.0.0.1:{relay.port if relay else parts.port}"
    return parts._replace(netloc=f"{login}@{place}" if login else place).geturl()


def _wave(
    site: Site, coming: list[Visit], gunicorn: "subprocess.Popen[bytes]", kill_at: int | None, which: float
) -> None:
    """All visitors of a wave, VISITORS at a time; one worker is killed when the nth of them is done."""
    done = count()

    def one(visit: Visit) -> None:
        visitors.come(site, visit)
        if next(done) == kill_at:
            workers = _children(gunicorn.pid)
            os.kill(workers[int(which * len(workers))], signal.SIGKILL)

    with ThreadPoolExecutor(VISITORS) as pool:
        for _ in pool.map(one, coming):
            pass


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _close_the_books(site: Site, sim: Simulator, weather: Weather, result: Result) -> list[str]:
    """After a wave: what nobody came back for is asked for, the dead are buried, and the sums compared."""
    weather.set("disk_s", 0.0)
    for scan in Scan.objects.filter(reports__status__in=Report.UNFINISHED).distinct():
        result.unclaimed += 1
        left = Visit(-1, True, scan.lang, scan.ai, {}, token=scans.scan_token(scan))
        visitors.wait_for_report(site, left)
    alive = Attempt.objects.filter(outcome="running")
    while alive.filter(started_at__gt=timezone.now() - timedelta(seconds=DEADLINE_S)).exists():
        time.sleep(0.05)
    weather.set("ahead_s", weather.get("ahead_s") + DEADLINE_S + bookkeeper.ABANDONED_AFTER_S + 5)
    bookkeeper.mark_abandoned()
    snapshot.forget()
    problems = [*result.books.wave(sim.requests), *books.budgets(SITE_BUDGET_USD), *spending.differences()]
    sim.log.clear()
    return problems


def _worst_lines(log: Path) -> Counter[str]:
    """What the workers logged as errors, by message."""
    found: Counter[str] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        if " ERROR " in line and "Worker (pid" not in line:
            found[line.split(" ERROR ", 1)[1][:160]] += 1
    return found
