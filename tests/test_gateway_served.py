"""The gateway as it is served, by two workers: official SDKs, readers who leave, keys that are revoked, and storms."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from llm.simulator import Simulator
from llm.simulator import behaviours as b
from tests.gateway_site import ROOT, Site, conformance_providers, provider

CHECKS = 10


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One served site for the module, with a provider for each thing an SDK has to cope with."""
    with Simulator() as sim:
        site = Site(tmp_path_factory.mktemp("site"), sim)
        storm = (provider(sim, slug, tier=tier, free=slug != "paid") for slug, tier in TIERS.items())
        site.prepare(conformance_providers(sim) + "".join(storm))
        with site.serving():
            yield site


@pytest.fixture(scope="module")
def key(site):
    return site.add_client("sdk")


def wait_for(condition, what):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)  # for another process, which has no clock of ours
    raise AssertionError(what)


def post(url, key, body, *, timeout=60):
    """(status, headers, body) of one request on a connection of its own."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=timeout)
    try:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_the_official_python_sdk_finds_nothing_unusual(site, key):
    environment = {**os.environ, "OPENAI_BASE_URL": f"{site.url}/v1", "OPENAI_API_KEY": key}
    done = subprocess.run(
        [sys.executable, "-m", "tests.gateway_conformance"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert done.stdout.count("ok ") == CHECKS


@pytest.mark.exhaustive
def test_the_official_node_sdk_finds_nothing_unusual(site, key, tmp_path):
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("npm is not on this machine")
    installed = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "openai"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if installed.returncode:
        pytest.skip(f"npm could not install openai: {installed.stderr[-300:]}")
    shutil.copy(ROOT / "tests/gateway_conformance.mjs", tmp_path)
    environment = {**os.environ, "OPENAI_BASE_URL": f"{site.url}/v1", "OPENAI_API_KEY": key}
    done = subprocess.run(
        ["node", "gateway_conformance.mjs"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert done.stdout.count("ok ") == CHECKS


def policies(site):
    """How the kernel treats each thread of the workers when it wakes up."""
    workers = Path(f"/proc/{site.pid}/task/{site.pid}/children").read_text().split()
    threads = [Path(f"/proc/{worker}/task").iterdir() for worker in workers]
    return [{os.sched_getscheduler(int(thread.name)) for thread in each} for each in threads]


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="of Linux alone")
def test_a_worker_with_many_connections_does_not_interrupt_others_to_answer_them(site):
    wait_for(lambda: policies(site) == [{os.SCHED_OTHER}] * 2, "a worker at rest is in no haste")
    with ExitStack() as open_ones:
        for _ in range(12):
            open_ones.enter_context(socket.create_connection(("127.0.0.1", urlsplit(site.url).port)))
        wait_for(lambda: {os.SCHED_BATCH} in policies(site), "a busy worker interrupts others")
    wait_for(lambda: policies(site) == [{os.SCHED_OTHER}] * 2, "a worker is patient although nobody asks")


def test_a_reader_who_leaves_stops_the_provider_and_is_accounted(site):
    leaver = site.add_client("leaver")
    connection = HTTPConnection(urlsplit(site.url).netloc, timeout=30)
    body = {
        "model": "slow",
        "stream": True,
        "max_tokens": 20_000,
        "messages": [{"role": "user", "content": "x"}],
    }
    headers = {"Authorization": f"Bearer {leaver}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    answer = connection.getresponse()
    assert answer.status == 200
    answer.read(600)
    asked = site.sim.requests[-1]
    answer.close()
    connection.close()
    calls = "SELECT outcome, tokens_out FROM llm_call WHERE client = 'leaver'"
    wait_for(lambda: site.rows(calls)[0][0] != "running", "the call is still running")
    [(outcome, tokens_out)] = site.rows(calls)
    assert outcome == "cancelled"
    assert 0 < tokens_out < 3000
    assert asked.completion_tokens < 1000  # the provider was not left to write to its end


def test_a_revoked_key_is_refused_by_every_worker_at_once(site):
    key = site.add_client("gone")
    body = {"model": "good", "messages": [{"role": "user", "content": "x"}]}
    assert {post(site.url, key, body)[0] for _ in range(6)} == {200}
    site.manage("clients", "revoke", "gone")
    assert {post(site.url, key, body)[0] for _ in range(12)} == {401}


# -- storms ----------------------------------------------------------------------------------------------

FAULTS = [
    b.http(500), b.http(503), b.reset(), b.truncate(), b.truncate(mismatch=False), b.empty(), b.error_in_200(),
    b.midstream_death(after=1), b.malformed_chunk(after=1), b.error_in_stream(after=1), b.no_done(), b.content_filter(),
    b.http(429, headers={"retry-after": "1"}), b.http(400), b.slow_first_token(0.05), b.think_only(),
]  # fmt: skip
BUDGET, RPM = Decimal("0.02"), 40
TIERS = {"free1": 91, "free2": 92, "free3": 93, "paid": 99}


@pytest.mark.parametrize(
    ("requests", "connections"), [(300, 16), pytest.param(10_000, 64, marks=pytest.mark.exhaustive)]
)
def test_in_a_storm_of_faults_every_answer_is_valid_and_every_cent_is_counted(site, requests, connections):
    dice = random.Random(5)
    for slug in TIERS:
        faults = [dice.choice(FAULTS) if dice.random() < 0.3 else b.ok() for _ in range(requests)]
        site.sim.script(f"key-of-{slug}", *faults, b.ok())
    names = [f"{kind}-{requests}" for kind in ("plain", "thrifty", "brisk")]
    options = ((), ("--daily-budget-usd", str(BUDGET)), ("--rpm", str(RPM), "--concurrency", "4"))
    tiers = [word for tier in TIERS.values() for word in ("--tier", str(tier))]
    keys = [site.add_client(name, *tiers, *limits) for name, limits in zip(names, options, strict=True)]

    def ask(number):
        kind = number % 3
        model = "paid" if kind == 1 else "auto"
        body = {"model": model, "stream": number % 2 == 0, "deadline_s": 5,
                "messages": [{"role": "user", "content": f"Question {number}"}]}  # fmt: skip
        try:
            status, headers, text = post(site.url, keys[kind], body)
        except (OSError, HTTPException) as error:
            return f"{type(error).__name__}: {error}"
        return fault_of(status, headers, text, streamed=body["stream"])

    before = count(site)
    with ThreadPoolExecutor(connections) as pool:
        assert [fault for fault in pool.map(ask, range(requests)) if fault] == []
    ours = f"client IN {tuple(names)}"
    running = f"SELECT COUNT(*) FROM llm_call WHERE {ours} AND outcome = 'running'"
    wait_for(lambda: site.rows(running) == [(0,)], "a call is still running")
    of_calls = f"FROM llm_attempt a JOIN llm_call c ON c.id = a.call_id WHERE c.{ours}"
    [(written, ended)] = site.rows(f"SELECT COUNT(*), COUNT(a.finished_at) {of_calls}")
    # On a machine that is starved, a call's time may end before its request is out; on any other there is none.
    [(in_vain,)] = site.rows(f"SELECT COUNT(*) {of_calls} AND a.outcome = 'cut_short' AND a.status IS NULL")
    assert ended == written
    assert written - in_vain <= count(site) - before <= written
    [(spent,)] = site.rows(f"SELECT SUM(a.cost_usd) {of_calls} AND c.client = '{names[1]}'")
    assert 0 < round(Decimal(str(spent)), 6) <= BUDGET  # SQLite sums decimals as floats
    assert paid(site, f"{of_calls} AND a.provider = 'paid'") >= bill(site)
    brisk = f"SELECT started_at FROM llm_call WHERE client = '{names[2]}' ORDER BY started_at"
    times = [datetime.fromisoformat(moment).timestamp() for (moment,) in site.rows(brisk)]
    assert len(times) >= RPM
    assert all(later - earlier > 59.9 for earlier, later in zip(times, times[RPM:], strict=False))


def count(site):
    """Chat requests that reached the storm's providers."""
    return sum(site.sim.count(provider=slug) for slug in TIERS)


def bill(site):
    """What the paid provider asks for what it was sent and wrote, in USD; it forgets nothing of one storm."""
    served = [r for r in site.sim.requests if r.provider == "paid" and r.status == 200]
    usd = sum(Decimal("0.30") * r.prompt_tokens + Decimal("1.20") * r.completion_tokens for r in served)
    return round(usd / 10**6, 6)


def paid(site, of_calls):
    """What the ledger has for it; each row is rounded to a millionth of a dollar."""
    [(usd, rows)] = site.rows(f"SELECT SUM(a.cost_usd), COUNT(*) {of_calls}")
    return Decimal(str(usd)) + Decimal(rows or 0) / 2 / 10**6


def fault_of(status, headers, text, *, streamed):
    """What is wrong with an answer; empty when it is valid, or an error in shape."""
    try:
        if status == 200 and streamed:
            lines = [line.removeprefix("data: ") for line in text.decode().split("\n\n") if line]
            chunks = [json.loads(line) for line in lines if line != "[DONE]"]
            if "error" in chunks[-1]:
                return "" if chunks[-1]["error"]["code"] == "stream_interrupted" else f"error {chunks[-1]}"
            content = "".join(choice["delta"].get("content") or "" for c in chunks for choice in c["choices"])
            return "" if lines[-1] == "[DONE]" and content else f"stream {lines[-1][:100]}"
        body = json.loads(text)
        if status == 200:
            return "" if body["choices"][0]["message"]["content"] else "empty"
        error = body["error"]
        shaped = error["message"] and error["type"] and error["code"] and status in {400, 429, 502, 503}
        if status == 429 and not headers.get("Retry-After") and error["code"] != "insufficient_quota":
            return "429 without Retry-After"
        return "" if shaped else f"{status} {error}"
    except (ValueError, LookupError, TypeError) as error:
        return f"{status} {type(error).__name__} {text[:200]!r}"
