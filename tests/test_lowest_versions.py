"""The wheel of `llm` promises ranges: it works with the lowest version of each, too."""

import os
import subprocess
import sys

import pytest

from tests.test_two_servers import ROOT

TRY = """
import os, sys
sys.argv = ["manage.py"]
import manage
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("providers", "load", "providers.toml", verbosity=0)
from llm import complete, ChainExhausted
import django, groq, openai
try:
    complete(user="hi", deadline_s=5)
except ChainExhausted as error:
    print(django.__version__, {attempt["outcome"] for attempt in error.attempts})
"""
FILE = """
[[provider]]
slug = "own"
kind = "openai"
name = "Own"
base_url = "http://127.0.0.1:9/v1"
free = true
[[provider.model]]
id = "m"
[[provider.key]]
label = "own"
secret = "env:OWN_KEY"
"""


@pytest.mark.exhaustive
def test_the_app_runs_on_the_lowest_versions_that_it_allows(tmp_path):
    """Needs a package index; says so and skips where there is none."""
    uv, venv = [sys.executable, "-m", "uv"], tmp_path / "venv"
    lowest = tmp_path / "lowest.txt"
    found = subprocess.run(
        [*uv, "pip", "compile", "--quiet", "--resolution", "lowest-direct", "--no-header", "-o", str(lowest),
         str(ROOT / "pyproject.toml")],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if "client error" in found.stderr or "Failed to fetch" in found.stderr:
        pytest.skip("no package index can be reached")
    assert found.returncode == 0, found.stderr
    assert "django==5.2\n" in lowest.read_text()
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(venv)], check=True, timeout=120)
    python = str(venv / "bin" / "python")
    subprocess.run(
        [*uv, "pip", "install", "--quiet", "--python", python, "-r", str(lowest)], check=True, timeout=600
    )
    (tmp_path / "manage.py").write_text((ROOT / "tests/example_project/manage.py").read_text())
    (tmp_path / "providers.toml").write_text(FILE)
    done = subprocess.run(
        [python, "-c", TRY], cwd=tmp_path, capture_output=True, text=True, timeout=300,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "OWN_KEY": "key-of-own"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "5.2 {'provider_down'}"
