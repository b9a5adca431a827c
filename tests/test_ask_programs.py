"""`ask`, `ask_pro` and `ask_hf` as programs, and the README's recipes run as they are written."""

import json
import os
import re
import subprocess

import pytest
from django.db import connection

from guardlabs.install import launchers
from llm.cli import main
from llm.simulator import behaviours as b
from tests.chain_setup import make_groq, make_provider, make_vertex
from tests.gateway_client import make_client
from tests.test_two_servers import ROOT

PATIENT = {"timeout_s": 40, "first_byte_s": 40}  # a program imports its SDK within its first attempt
pytestmark = pytest.mark.django_db(transaction=True)
if connection.vendor != "sqlite":
    pytest.skip("the programs need the test's database as a file", allow_module_level=True)


@pytest.fixture
def shell(tmp_path, settings):
    """Runs a command line with the programs on its PATH and this test's database."""
    programs = tmp_path / "bin"
    programs.mkdir()
    launchers.write(programs)
    environment = {
        "LLM_ALLOW_PRIVATE_HOSTS": "127.0.0.0/8",  # where the simulator is
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "SECRET_KEY": settings.SECRET_KEY,
        "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS),
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def run(command, **more):
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=tmp_path, env={**environment, **more},
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    return run


def test_ask_is_the_whole_chain_and_its_kin_are_one_provider_each(sim, shell, tmp_path):
    make_groq(sim, keys=1, **PATIENT)
    make_provider(sim, "huggingface", models=["m"], keys={"hf": ""}, free=True, tier=1.5, **PATIENT)
    make_vertex(sim, tmp_path, locations=["global"], **PATIENT)
    done = shell("ask hi; ask_hf --json hi; echo hi | ask_pro")
    assert done.returncode == 0, done.stderr
    text, told, more = done.stdout.splitlines()
    assert text
    assert json.loads(told)["provider"] == "hf"
    assert more
    footers = re.findall(r"^\[(\S+) ·", done.stderr, re.MULTILINE)
    assert footers == ["groq1", "vertex:global"]
    assert "\r" not in done.stderr  # progress is for a terminal only


def test_a_mistake_is_one_line_and_a_status_never_a_traceback(sim, shell):
    make_groq(sim, keys=1, **PATIENT)
    sim.script("key-of-groq1", b.http(429))
    done = shell("ask </dev/null || echo $?; ask_pro hi || echo $?; ask hi || echo $?")
    assert done.stdout.split() == ["2", "2", "3"]
    for line in ("ask: the prompt is empty", "ask: no provider of vertex is configured", "rate_limited_key"):
        assert line in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("program", "arguments", "says"),
    [
        ("ask", ["--max", "0", "hi"], "usage: ask "),
        ("ask_pro", ["hi"], "no provider of vertex"),
        ("ask_hf", ["hi"], "no provider of huggingface"),
        ("ask_hf", ["--provider", "groq", "hi"], "asks huggingface only"),
    ],
)
def test_a_program_that_asks_some_providers_asks_no_others(sim, capsys, program, arguments, says):
    make_groq(sim, keys=1)
    with pytest.raises(SystemExit) as left:
        main(program, arguments)
    assert left.value.code == 2
    assert says in capsys.readouterr().err
    assert sim.count() == 0


def test_without_settings_the_program_says_what_is_missing(shell):
    done = shell("ask hi", SITE_URL="nonsense")
    assert done.returncode == 1
    assert done.stderr.startswith("ask: not configured: SITE_URL")


# -- the README's recipes --------------------------------------------------------------------------------


def recipes():
    """(name, command) of each recipe: an indented block under its bold name."""
    section = (ROOT / "README.md").read_text().split("## Recipes for the chain\n", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"^\*\*(.+?)\*\*[^\n]*\n\n((?:    [^\n]*\n)+)", section, re.MULTILINE)
    return [(name, re.sub(r"^    ", "", block, flags=re.MULTILINE).strip()) for name, block in found]


@pytest.mark.exhaustive
def test_each_recipe_runs_as_it_is_written(sim, shell, tmp_path, live_server):
    make_groq(sim, keys=1, **PATIENT)
    _, key = make_client()
    (tmp_path / "ticket.txt").write_text("I cannot log in since yesterday.")
    (tmp_path / "facts.md").write_text("Made of steel.")
    shell("""git init -q -b main . && git config user.name t && git config user.email t@t && echo a > a.txt
             git add a.txt && git commit -qm one && git switch -qc topic && echo b >> a.txt && git commit -qam two""")
    told = {}
    for name, command in recipes():
        before = sim.count()
        done = shell(command, OPENAI_BASE_URL=f"{live_server.url}/v1", OPENAI_API_KEY=key)
        assert done.returncode == 0, f"{name}: {done.stderr}"
        assert sim.count() == before + 1
        told[name] = (done.stdout, str(sim.requests[-1].body["messages"]))
    assert set(told) == {
        "Content", "Review of a pull request", "Draft of a support reply", "Classification", "Chat",
    }  # fmt: skip
    assert (tmp_path / "description.md").read_text().strip()
    assert "Made of steel." in told["Content"][1]
    assert "+b" in told["Review of a pull request"][1]
    assert "log in" in told["Draft of a support reply"][1]
    assert set(json.loads(told["Classification"][0])) == {"topic", "urgent"}
    assert told["Chat"][0].rstrip().endswith("data: [DONE]")
