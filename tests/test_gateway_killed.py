"""Workers that are killed under load: the ledger has all that providers saw, at no less than they will bill."""

import json
import os
import re
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from http.client import HTTPException

import pytest

from llm.simulator import Simulator
from llm.simulator import behaviours as b
from tests.gateway_site import Site, provider
from tests.test_gateway_served import post
from tests.test_two_servers import _children

pytestmark = pytest.mark.exhaustive
NUMBER = re.compile(r"#(\d+)#")
REQUESTS, CONNECTIONS, KILLS = 500, 24, 3
# As `operations/upkeep` does a minute after a call's time is up, without that minute.
BURY = (
    "from datetime import timedelta; from django.utils import timezone; from llm.ledger import bookkeeper;"
    "print(bookkeeper.mark_abandoned(timezone.now() + timedelta(minutes=20)))"
)


def test_workers_killed_under_load_leave_a_ledger_that_is_exact(tmp_path):
    with Simulator() as sim:
        site = Site(tmp_path, sim)
        site.prepare(provider(sim, "free", tier=1) + provider(sim, "paid", tier=2, free=False))
        sim.script(
            "key-of-free", *[b.ok(pace=0.01), b.http(503), b.slow_first_token(0.2), b.reset()] * REQUESTS
        )
        sim.script("key-of-paid", *[b.ok(), b.ok(pace=0.02), b.slow_first_token(0.3)] * REQUESTS)
        with site.serving():
            _storm(site, site.add_client("load", "--concurrency", "100", "--rpm", "100000"))
        buried = int(site.manage("shell", "-v0", "-c", BURY))
        assert buried >= KILLS
        _check(site, buried)


def _storm(site, key):
    done = []

    def ask(number):
        body = {
            "model": "auto", "stream": number % 2 == 0, "max_tokens": 300,
            "messages": [{"role": "user", "content": f"#{number}# Where should I keep my seed phrase?"}],
        }  # fmt: skip
        try:
            done.append((number, post(site.url, key, body)[0]))
        except (OSError, HTTPException):
            done.append((number, None))  # its worker was killed

    def kill():
        for n in range(1, KILLS + 1):
            while len(done) < REQUESTS * n // (KILLS + 1):
                time.sleep(0.05)  # for other processes, which have no clock of ours
            os.kill(_children(site.pid)[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(ask, range(REQUESTS)))
    killer.join()
    statuses = Counter(status for _, status in done)
    assert statuses[200] > REQUESTS // 2, statuses
    assert set(statuses) <= {200, 503, None}, statuses


def _check(site, buried):
    seen = Counter(
        (NUMBER.search(json.dumps(record.body))[1], record.credential.removeprefix("key-of-"))
        for record in site.sim.requests
        if record.endpoint == "chat"
    )
    rows = site.rows(
        "SELECT c.messages, a.credential, a.outcome, a.cost_usd, a.reserved_usd, a.finished_at"
        " FROM llm_attempt a JOIN llm_call c ON c.id = a.call_id"
    )
    written = Counter((NUMBER.search(messages)[1], credential) for messages, credential, *_ in rows)
    assert seen - written == Counter()  # nothing was sent that is not in the ledger
    unsent = (written - seen).total()  # written down, and killed before it was sent
    assert unsent <= buried
    assert all(finished for *_, finished in rows)
    lost = [row for row in rows if row[2] == "abandoned"]
    assert len(lost) <= KILLS * CONNECTIONS
    assert all(cost == reserved for _, _, _, cost, reserved, _ in lost)
    bill = sum(
        Decimal("0.30") * record.prompt_tokens + Decimal("1.20") * record.completion_tokens
        for record in site.sim.requests
        if record.provider == "paid"
    ) / 10**6  # fmt: skip
    booked = sum(Decimal(str(cost)) for _, credential, _, cost, *_ in rows if credential == "paid")
    assert booked + Decimal(len(rows)) / 2 / 10**6 >= bill
    [(of_calls,)] = site.rows("SELECT SUM(cost_usd) FROM llm_call")
    assert Decimal(str(of_calls)) == pytest.approx(booked, abs=Decimal("0.000001"))
    assert site.rows("SELECT COUNT(*) FROM llm_call WHERE outcome = 'running'") == [(0,)]
