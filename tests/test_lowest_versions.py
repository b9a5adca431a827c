"""The wheel of `llm` promises ranges: it works with the lowest version of each and with the newest, on every Python."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_another_project import OWN
from tests.test_two_servers import ROOT

UV = [sys.executable, "-m", "uv"]
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
    complete(user="hi", deadline_s=60)
except ChainExhausted as error:
    print(django.__version__, {attempt["outcome"] for attempt in error.attempts})
"""
FILE = OWN.format(url="http://127.0.0.1:9")


def interpreter(version):
    """Of a Python that this machine has; skips where it has none."""
    pyenv = [str(each) for each in Path.home().glob(f".pyenv/versions/{version}.*/bin")]
    found = subprocess.run(
        [*UV, "python", "find", "--no-python-downloads", version], capture_output=True, text=True, cwd="/",
        env={**os.environ, "PATH": os.pathsep.join([*pyenv, os.environ["PATH"]])},
    )  # fmt: skip
    if found.returncode:
        pytest.skip(f"no Python {version} is on this machine")
    return found.stdout.strip()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("python", "resolution", "django"),
    [("3.11", "lowest-direct", "5.2"), ("3.11", "highest", "5.2."), ("3.12", "highest", "6."),
     ("3.13", "highest", "6.")],
)  # fmt: skip
def test_the_app_runs_on_the_versions_that_it_allows(tmp_path, python, resolution, django):
    """Needs a package index; says so and skips where there is none."""
    base, venv, chosen = interpreter(python), tmp_path / "venv", tmp_path / "chosen.txt"
    found = subprocess.run(
        [*UV, "pip", "compile", "--quiet", "--resolution", resolution, "--python", base, "--no-header",
         "-o", str(chosen), str(ROOT / "pyproject.toml")],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if "client error" in found.stderr or "Failed to fetch" in found.stderr:
        pytest.skip("no package index can be reached")
    assert found.returncode == 0, found.stderr
    subprocess.run([*UV, "venv", "--quiet", "--python", base, str(venv)], check=True, timeout=120)
    mine = str(venv / "bin" / "python")
    subprocess.run(
        [*UV, "pip", "install", "--quiet", "--python", mine, "-r", str(chosen)], check=True, timeout=600
    )
    (tmp_path / "manage.py").write_text((ROOT / "tests/example_project/manage.py").read_text())
    (tmp_path / "providers.toml").write_text(FILE)
    done = subprocess.run(
        [mine, "-c", TRY], cwd=tmp_path, capture_output=True, text=True, timeout=300,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "OWN_KEY": "key-of-own"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()[-1]
    assert said.startswith(django)
    assert said.endswith(" {'provider_down'}")
