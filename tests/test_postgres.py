"""The same code on PostgreSQL: the suites that lean on the database run again on a cluster of their own."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.machine import find
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
INITDB, PG_CTL = find("initdb"), find("pg_ctl")

pytestmark = pytest.mark.skipif(not (INITDB and PG_CTL), reason="PostgreSQL is not on this machine")


@pytest.fixture(scope="module")
def postgres_url():
    """A throw-away cluster. PostgreSQL refuses to run as root, so root lends it to another user."""
    folder = Path(tempfile.mkdtemp(prefix="guardlabs-pg-"))
    who = {}
    if os.geteuid() == 0:
        user = next(
            (name for name in ("postgres", "nobody") if name in {p.pw_name for p in pwd.getpwall()}), None
        )
        if user is None:
            pytest.skip("no unprivileged user to run PostgreSQL as")
        shutil.chown(folder, user)
        who = {"user": user}
    port, data = free_port(), str(folder / "data")
    quiet = {"check": True, "capture_output": True, "cwd": folder, **who}
    options = f"-p {port} -k {folder} -h 127.0.0.1 -c fsync=off"
    try:
        subprocess.run([INITDB, "-D", data, "-A", "trust", "-U", "guardlabs", "-E", "UTF8"], **quiet)
        subprocess.run([PG_CTL, "-D", data, "-w", "-o", options, "-l", str(folder / "log"), "start"], **quiet)
        yield f"postgresql://guardlabs@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(
            [PG_CTL, "-D", data, "-m", "immediate", "stop"], capture_output=True, cwd=folder, **who
        )
        shutil.rmtree(folder, ignore_errors=True)


def suite(postgres_url, *files):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not exhaustive and not browser", *files],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": postgres_url, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


# File by file, the tests whose outcome depends on the database; one process runs them all.
DAILY = {
    "test_quota test_pauses test_cache": "threads at_once side_by",
    "test_money": "kept bounded prun died disk max_usd all_time reservation",
    "test_rollup test_metrics test_retention test_database_cache": "test",
    "test_late_rows": "test",
    "test_limits": "counters shared counts worker account rolled transaction",
}


def test_what_leans_on_the_database_works(postgres_url):
    """Counters and pauses under concurrency, the ledger, sums, retention."""
    files = sorted(
        file for names in DAILY for name in names.split() for file in ROOT.glob(f"tests/{name}*.py")
    )
    choice = " or ".join(
        f"({' or '.join(names.split())}) and ({' or '.join(words.split())})" for names, words in DAILY.items()
    )
    assert " passed" in suite(postgres_url, *map(str, files), "-k", choice)


@pytest.mark.exhaustive
def test_the_admin_works(postgres_url):
    assert " passed" in suite(
        postgres_url, "tests/test_llm_admin.py", "tests/test_audit_admin.py", "tests/test_orders_admin.py",
        "tests/test_staff_login.py", "tests/test_desk.py",
    )  # fmt: skip


@pytest.mark.exhaustive
def test_the_whole_state_works(postgres_url):
    assert " passed" in suite(
        postgres_url,
        "tests/test_quota.py",
        "tests/test_pauses.py",
        "tests/test_edges.py",
        "tests/test_cache.py",
    )


@pytest.mark.exhaustive
def test_limits_of_every_shape_work(postgres_url):
    assert " passed" in suite(postgres_url, "tests/test_limits.py", "tests/test_week_of_limits.py")


@pytest.mark.exhaustive
def test_orders_and_payments_work(postgres_url):
    files = (
        "tests/test_orders.py",
        "tests/test_payments.py",
        "tests/test_stripe_webhook.py",
        "tests/test_mails.py",
    )
    assert " passed" in suite(postgres_url, *files)


@pytest.mark.exhaustive
def test_the_chain_and_the_audit_work(postgres_url):
    files = ("tests/test_chain.py", "tests/test_scans.py", "tests/test_report.py", "tests/test_api.py")
    assert " passed" in suite(postgres_url, *files)


@pytest.mark.exhaustive
def test_no_address_breaks_over_what_nobody_should_send_it(postgres_url):
    assert " passed" in suite(postgres_url, "tests/test_every_address.py")


@pytest.mark.exhaustive
def test_a_week_of_limits_is_exact(postgres_url):
    assert " passed" in suite(postgres_url, "tests/test_week_of_limits.py", "-m", "exhaustive")
