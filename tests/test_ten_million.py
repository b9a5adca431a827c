"""With ten million attempts in the ledger, nothing that a visitor or the staff wait for reads it from end to end."""

import json
import os
import subprocess
import sys

import pytest

from tests.test_postgres import INITDB, PG_CTL, postgres_url  # noqa: F401  # a fixture
from tests.test_two_servers import ROOT


@pytest.mark.exhaustive
@pytest.mark.skipif(not (INITDB and PG_CTL), reason="PostgreSQL is not on this machine")
def test_every_hot_query_uses_an_index(postgres_url):  # noqa: F811
    done = subprocess.run(
        [sys.executable, "-m", "tests.ten_million", os.environ.get("ATTEMPTS", "10000000")],
        cwd=ROOT, env={**os.environ, "DATABASE_URL": postgres_url, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()[1:]]
    assert len({line["ask"] for line in lines}) >= 9
    assert [line for line in lines if line["scans"]] == []
