"""Several processes on one SQLite file: what one learns the other knows, and one that is killed leaves no debt."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.db import connection

from llm.chain import ChainExhausted, complete
from llm.failures.kinds import Kind
from llm.ledger import bookkeeper
from llm.models import Attempt, Call, Credential, Pause
from llm.pauses import breaker
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, make_deepseek, make_groq

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="of one file"),
    pytest.mark.usefixtures("no_waiting"),
]

# Reads {"threads", "arguments"} lines and answers with who served each of the calls.
WORKER = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
import django
django.setup()
from django.db import connection
import llm.adapters.groq
from llm.chain import ChainExhausted, complete

def call(arguments):
    try:
        return complete(**arguments).provider
    except ChainExhausted as error:
        return sorted({skip["why"] for skip in error.skipped})
    finally:
        connection.close()

print("ready", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    with ThreadPoolExecutor(order["threads"]) as pool:
        print(json.dumps(list(pool.map(call, [order["arguments"]] * order["threads"]))), flush=True)
"""
# Begins one call and stays in its middle.
BEGINNER = """
import sys
import django
django.setup()
from llm.chain import stream

events = stream(user="hi", max_tokens=600, deadline_s=30)
print(type(next(events)).__name__, flush=True)
for event in events:
    pass
"""


def python(program):
    database = connection.settings_dict["NAME"]
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": f"sqlite:///{database}",
        },
    )


class Worker:
    """Another process that makes calls when it is told to."""

    def __init__(self):
        self.process = python(WORKER)

    def ask(self, threads=1, **arguments):
        order = {"threads": threads, "arguments": {"user": "hi"} | arguments}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def complete(self, **arguments):
        self.ask(**arguments)
        return self.answer()[0]


@pytest.fixture(scope="module")
def workers(django_db_setup):
    both = Worker(), Worker()
    for worker in both:
        assert worker.process.stdout.readline() == "ready\n"
    yield both
    for worker in both:
        worker.process.communicate()


def test_the_processes_share_one_file():
    assert Path(connection.settings_dict["NAME"]).is_file()


def test_what_one_finds_dead_the_others_leave_alone(sim, workers):
    make_groq(sim, keys=5)
    make_deepseek(sim)
    sim.block_edge("groq")
    one, two = workers
    assert one.complete() == "deepseek"
    assert two.complete() == "deepseek"
    assert complete(user="hi").provider == "deepseek"
    assert sim.count(provider="groq") == 1


def test_staff_are_obeyed_by_every_process_at_once(sim, workers):
    make_groq(sim, keys=2)
    one, two = workers
    sim.script("key-of-groq1", b.payload("groq-401-invalid-key"), b.ok())
    assert one.complete() == "groq2"
    assert two.complete() == "groq2"
    breaker.close(Pause.objects.all(), by="staff")
    assert one.complete() == "groq1"
    Credential.objects.filter(label="groq1").update(enabled=False, updated_at=datetime.now(tz=UTC))
    assert [one.complete(), two.complete()] == ["groq2", "groq2"]


def test_a_quota_is_used_by_all_processes_together_and_never_exceeded(sim, workers):
    make_groq(sim, keys=1, models=[{"name": OSS, "rpm": 5}], timeout_s=20)
    sim.limit("groq1", OSS, rpm=5)  # the provider would refuse a sixth
    for worker in workers:
        worker.ask(threads=8)
    served = [who for worker in workers for who in worker.answer()]
    assert served.count("groq1") == 5
    assert served.count(["quota of the minute"]) == 11
    assert [record.status for record in sim.requests] == [200] * 5


def test_of_two_processes_one_tries_what_was_paused(sim, workers):
    make_groq(sim, keys=1, timeout_s=20)
    make_deepseek(sim, timeout_s=20)
    sim.script("key-of-groq1", b.http(503))
    ended = datetime.now(tz=UTC) - timedelta(seconds=1)
    row = Pause.objects.create(
        provider="groq",
        kind=Kind.PROVIDER_DOWN,
        source="guess",
        since=ended - timedelta(minutes=1),
        until=ended,
    )
    for worker in workers:
        worker.ask(threads=4)
    assert [worker.answer() for worker in workers] == [["deepseek"] * 4] * 2
    assert sim.count(provider="groq") == 1
    row.refresh_from_db()
    assert row.streak == 2


def test_the_ledger_of_all_processes_adds_up(sim, workers):
    make_groq(sim, keys=3, timeout_s=20)
    for worker in workers:
        worker.ask(threads=12)
    assert [worker.answer() for worker in workers] == [["groq1"] * 12] * 2
    assert (Call.objects.filter(outcome="ok").count(), Attempt.objects.filter(outcome="ok").count()) == (
        24,
        24,
    )
    assert sum(Attempt.objects.values_list("tokens_out", flat=True)) == sum(
        r.completion_tokens for r in sim.requests
    )
    assert sum(Attempt.objects.values_list("tokens_in", flat=True)) == sum(
        r.prompt_tokens for r in sim.requests
    )


def test_a_process_that_is_killed_leaves_rows_that_say_so_and_frees_what_it_reserved(sim):
    make_groq(sim, keys=1, models=[{"name": OSS, "tpm": 1000}], timeout_s=30, first_byte_s=30)
    sim.script("key-of-groq1", b.hang(), b.ok())
    process = python(BEGINNER)
    assert process.stdout.readline() == "AttemptStarted\n"
    process.kill()
    process.communicate()
    row = Attempt.objects.get()
    assert (row.outcome, row.finished_at, row.call.outcome) == ("running", None, "running")

    def why(seconds):
        with time_machine.travel(row.started_at + timedelta(seconds=seconds), tick=False):
            try:
                return complete(user="hi", max_tokens=600).provider
            except ChainExhausted as error:
                return error.skipped[0]["why"]

    assert why(85) == "quota of the minute"  # it might still be alive
    assert bookkeeper.mark_abandoned(row.started_at + timedelta(seconds=85)) == 0
    assert (
        bookkeeper.mark_abandoned(row.started_at + timedelta(seconds=95)) == 1
    )  # its deadline, and a minute
    row.refresh_from_db()
    assert (row.outcome, row.call.outcome) == ("abandoned", "abandoned")
    assert row.finished_at == row.call.finished_at == row.started_at + timedelta(seconds=95)
    sim.script("key-of-groq1", b.ok())
    assert why(96) == "groq1"
    assert bookkeeper.mark_abandoned(row.started_at + timedelta(days=1)) == 0


def test_a_call_that_takes_its_time_is_not_buried(sim):
    call = Call.objects.create(started_at=datetime.now(tz=UTC), deadline_s=600)
    assert bookkeeper.mark_abandoned(call.started_at + timedelta(seconds=650)) == 0
    assert bookkeeper.mark_abandoned(call.started_at + timedelta(seconds=661)) == 1
