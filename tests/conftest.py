"""Fixtures that many tests share."""

import asyncio
import gc
import threading
from collections import Counter

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import caches
from django.core.management.commands import flush
from django.db import connection, transaction
from django.utils import translation

from audit.orders import outbox
from guardlabs.install.catalogues import compile_catalogues
from guardlabs.operations import troubles
from guardlabs.staff import limits
from llm.cache import responses
from llm.calls import affinity, tokens
from llm.chain import slow_start
from llm.configuration import snapshot
from llm.operations import upkeep
from llm.pauses import probes


def pytest_configure(config):
    """The daily tests are the same every day: hypothesis looks for new examples in `make test-all` only. How long one
    takes is no failure on any machine."""
    compile_catalogues(settings.LOCALE_PATHS[0])
    hypothesis.settings.register_profile(
        "ours", deadline=None, database=None, derandomize="not exhaustive" in config.option.markexpr,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )  # fmt: skip
    hypothesis.settings.load_profile("ours")


def pytest_collection_finish():
    """What is loaded by now stays: the collector need not look at it again and again, while every thread waits."""
    gc.collect()
    gc.freeze()


FILLED_BY_POST_MIGRATE = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """After a test that commits, Django empties all tables and lets post_migrate fill some of them again, which takes
    longer than most tests: here the same rows are put back instead."""
    kept = {}
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in FILLED_BY_POST_MIGRATE:
            cursor.execute(f"SELECT * FROM {table}")
            kept[table] = cursor.fetchall()

    def put_back(*args, **kwargs):
        with transaction.atomic(), connection.cursor() as cursor:
            for table, rows in kept.items():
                marks = ", ".join(["%s"] * len(rows[0]))
                cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "emit_post_migrate_signal", put_back)
        yield


@pytest.fixture(autouse=True)
def _clean_slate(monkeypatch):
    """Nothing that a process keeps between calls is kept between tests, and no thread works on the side."""
    monkeypatch.setattr(upkeep, "_last", float("inf"))
    monkeypatch.setattr(outbox, "wake", lambda: None)
    monkeypatch.setattr(troubles, "LITTLE_BYTES", 0)  # whatever room this machine has
    for cache in caches.all(initialized_only=True):
        cache.clear()
    translation.activate(settings.LANGUAGE_CODE)  # a request leaves its own language behind
    snapshot.forget()
    tokens.forget()
    responses.forget()
    slow_start.forget()
    affinity.forget()
    probes.forget()
    limits._own.clear()


@pytest.fixture
def no_waiting(monkeypatch):
    """A call that would rest before it goes on does not."""
    monkeypatch.setattr("llm.clock.sleep", lambda seconds: None)


@pytest.fixture(autouse=True)
def _no_loop_of_a_browser(request):
    """Playwright's loop, suspended between its own tests, stays marked as running in this thread: others must not
    meet it, since nothing that starts a loop of its own would work beside it."""
    loop = asyncio._get_running_loop()
    if loop is None or request.node.get_closest_marker("browser"):
        yield
        return
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)


@pytest.fixture
def sim():
    """The provider simulator, fresh."""
    from llm.simulator import Simulator

    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def held(monkeypatch):
    """An event: the simulator's slow answers begin once it is set, whatever their seconds."""
    from llm.simulator.connection import Connection

    go = threading.Event()
    monkeypatch.setattr(Connection, "wait", lambda connection, seconds=None: go.wait(60))
    yield go
    go.set()


class Pen:
    """What the simulator's paced streams are written with.

    words: after so many pieces it stops (None: it does not), until `on` is set; and before their end, until `up` is.
    """

    def __init__(self):
        self.words, self.on, self.up = None, threading.Event(), threading.Event()

    def let_go(self):
        self.on.set()
        self.up.set()


@pytest.fixture
def pen(monkeypatch):
    """So that a report is in the making for as long as a browser or a server takes to look at it."""
    from llm.simulator.connection import Connection

    made, written, wait, end = Pen(), Counter(), Connection.wait, Connection.end_chunked

    def waits(connection, seconds=None):
        wait(connection, seconds)
        written[connection] += 1
        if written[connection] == made.words:
            made.on.wait(120)

    def ends(connection, *events):
        made.up.wait(120)
        end(connection, *events)

    monkeypatch.setattr(Connection, "wait", waits)
    monkeypatch.setattr(Connection, "end_chunked", ends)
    yield made
    made.let_go()


@pytest.fixture
def virtual(monkeypatch):
    """Time in which a provider's silence lasts as long as it may, and takes a moment."""
    from tests.virtual_time import VirtualTime

    return VirtualTime(monkeypatch)


@pytest.fixture
def stripe(settings):
    """A stand-in for Stripe that the site is connected to, fresh; webhooks wait in stripe.events."""
    from tests.stripe_standin import KEY, SECRET, StripeStandin

    with StripeStandin() as standin:
        settings.STRIPE_SECRET_KEY = KEY
        settings.STRIPE_WEBHOOK_SECRET = SECRET
        settings.STRIPE_API_BASE = standin.base
        yield standin


@pytest.fixture
def chain(sim):
    """Groq with one key, and DeepSeek behind it at a price."""
    from tests.chain_setup import make_deepseek, make_groq

    make_groq(sim, keys=1)
    make_deepseek(sim)
    return sim


@pytest.fixture
def gateway(db):
    """The gateway, asked by a client of its own."""
    from tests.gateway_client import Gateway, make_client

    return Gateway(make_client()[1])
