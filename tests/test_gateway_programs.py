"""Programs as people install them, with their defaults and nothing but an address and a key.

Each has one script in tests/programs that takes a scenario's name and prints what came of it as JSON. Their versions
are fixed there: package-lock.json and requirements.txt.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from llm.simulator import Simulator
from llm.simulator import behaviours as b
from tests.gateway_site import ROOT, Site, provider

pytestmark = pytest.mark.exhaustive
SCRIPTS = ROOT / "tests/programs"
WORDS = "It rains in Oslo today, and it is going to rain tomorrow as well."
RESULT = "rain in Oslo"
# Who answers in which scenario: one tier each, which the scenario's client is limited to.
TIERS = {"plain": 1, "streamed": 1, "tool": 2, "structured": 2, "cancel": 3}
PROVIDERS = {
    "speaker": b.ok(WORDS),
    "worker": b.tool_user({
        "weather": {"town": "Oslo"},
        "StructuredOutput": {"mood": "good"},  # Claude Code's, for --json-schema
        "Read": {"file_path": "note.txt"},  # Claude Code's
        "exec": {"input": "text(await tools.exec_command({cmd: 'cat note.txt'}))"},  # Codex's, with its own models
        "exec_command": {"cmd": "cat note.txt"},  # Codex's, with models that it does not know
    }),
    "slow": b.ok("word " * 2000, pace=0.02),
}  # fmt: skip
ALIASES = "".join(f'[[alias]]\nname = "{name}"\nto = "auto"\n' for name in ("claude-*", "gpt-*"))
PYTHON, NODE = [sys.executable], ["node"]
CHAT, RESPONSES, ANTHROPIC = ({"PROGRAM_MODEL": name} for name in ("chat", "responses", "anthropic"))
CODEX = """
model_provider = "guardlabs"
[model_providers.guardlabs]
name = "GuardLabs"
base_url = "{url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
"""
PROGRAMS = {
    "openai-python-chat": ("openai_chat.py", {}),
    "openai-python-responses": ("openai_responses.py", {}),
    "openai-node-chat": ("openai_chat.mjs", {}),
    "openai-node-responses": ("openai_responses.mjs", {}),
    "anthropic-python": ("anthropic_messages.py", {}),
    "anthropic-node": ("anthropic_messages.mjs", {}),
    "agents-sdk": ("agents_sdk.py", {"OPENAI_AGENTS_DISABLE_TRACING": "1"}),
    "pydantic-ai-openai": ("pydantic_ai_openai.py", {}),
    "pydantic-ai-anthropic": ("pydantic_ai_openai.py", {"PROGRAM_MODEL": "anthropic:claude-sonnet-5"}),
    "langchain-openai": ("langchain_chat.py", {}),
    "langchain-anthropic": ("langchain_chat.py", ANTHROPIC),
    "ai-sdk-responses": ("ai_sdk.mjs", {}),
    "ai-sdk-chat": ("ai_sdk.mjs", CHAT),
    "ai-sdk-anthropic": ("ai_sdk.mjs", ANTHROPIC),
    "codex": ("codex.py", {}),
    "codex-auto": ("codex.py", {"PROGRAM_MODEL": "auto"}),
    "claude-code": ("claude_code.py", {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A served site whose three providers speak, use tools, and are slow."""
    with Simulator() as sim:
        site = Site(tmp_path_factory.mktemp("site"), sim)
        providers = (provider(sim, slug, tier=tier) for tier, slug in enumerate(PROVIDERS, 1))
        site.prepare("".join(providers) + ALIASES)
        for slug, behaviour in PROVIDERS.items():
            sim.script(f"key-of-{slug}", behaviour)
        with site.serving():
            site.keys = add_clients(site)
            yield site


def add_clients(site):
    """A key for each program and scenario, by `program-scenario`; made in one process, whose start costs a second."""
    wanted = {f"{program}-{scenario}": tier for program in PROGRAMS for scenario, tier in TIERS.items()}
    code = (
        "import django; django.setup(); import json; from llm.clients import access\n"
        f"print(json.dumps({{name: access.add(name=name, tiers=[str(tier)])[1] for name, tier in {wanted!r}.items()}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=site.environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


@contextmanager
def alone(folder):
    """One process at a time; the others wait."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def installed(kind, *files):
    """The folder in which these files of tests/programs are installed; kept beside the libraries until they change."""
    versions = hashlib.sha256(b"".join((SCRIPTS / name).read_bytes() for name in files)).hexdigest()[:12]
    folder = Path(sys.prefix) / "programs" / f"{kind}-{versions}"
    with alone(folder):
        if not (folder / "done").exists():
            for name in files:
                shutil.copy(SCRIPTS / name, folder)
            {"python": install_with_uv, "npm": install_with_npm}[kind](folder)
            (folder / "done").touch()
    return folder


def install_with_uv(folder):
    uv = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", sys.executable]
    fetch([*uv, "--target", folder / "lib", "-r", folder / "requirements.txt"], folder)


def install_with_npm(folder):
    if not shutil.which("npm"):
        pytest.skip("npm is not on this machine")
    fetch(["npm", "ci", "--no-audit", "--no-fund"], folder)
    package = folder / "node_modules/@anthropic-ai/claude-code"
    subprocess.run(["node", "install.cjs"], cwd=package, check=True, timeout=120)  # npm may not run it


def fetch(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=400)
    if done.returncode:
        pytest.skip(f"the programs could not be installed: {done.stderr[-300:]}")


@pytest.fixture(scope="module")
def libraries():
    return installed("python", "requirements.txt") / "lib"


@pytest.fixture(scope="module")
def packages():
    return installed("npm", "package.json", "package-lock.json")


@pytest.fixture(params=PROGRAMS)
def program(request, site, tmp_path):
    """Starts a program's script for a scenario, in a home of its own."""
    name, more = request.param, PROGRAMS[request.param][1]
    script = SCRIPTS / PROGRAMS[name][0]
    environment = {**os.environ, "HOME": str(tmp_path), **more}
    needs_npm = script.suffix == ".mjs" or script.name in ("codex.py", "claude_code.py")
    if needs_npm:
        folder = request.getfixturevalue("packages")
        environment["PROGRAMS"] = str(folder)
    else:
        environment["PYTHONPATH"] = str(request.getfixturevalue("libraries"))
    if script.suffix == ".mjs":  # Node looks for packages beside the script
        script = shutil.copy(script, tmp_path)
        (tmp_path / "node_modules").symlink_to(folder / "node_modules")
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex/config.toml").write_text(CODEX.format(url=site.url))

    def start(scenario):
        key = site.keys[f"{name}-{scenario}"]
        addresses = {
            "OPENAI_BASE_URL": f"{site.url}/v1", "OPENAI_API_KEY": key, "ANTHROPIC_BASE_URL": site.url,
            "ANTHROPIC_AUTH_TOKEN" if name == "claude-code" else "ANTHROPIC_API_KEY": key,
        }  # fmt: skip
        return subprocess.Popen(
            [*(NODE if Path(script).suffix == ".mjs" else PYTHON), script, scenario], cwd=tmp_path,
            env={**environment, **addresses}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    start.name = name
    return start


def told(process):
    """What a script has printed."""
    output, complaints = process.communicate("\n", timeout=300)
    assert process.returncode == 0, output[-2000:] + complaints[-4000:]
    return json.loads(output.splitlines()[-1])


def wait_for(condition, what):
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.1)  # for other processes, which have no clock of ours
    raise AssertionError(what)


def test_a_plain_answer(program):
    assert told(program("plain"))["text"] == WORDS


def test_a_streamed_answer(program):
    answer = told(program("streamed"))
    assert answer["text"] == WORDS
    assert answer.get("pieces", 2) > 1  # Codex tells none


def test_a_round_trip_of_a_tool(program):
    assert RESULT in told(program("tool"))["text"]


def test_a_structured_answer(program):
    assert told(program("structured"))["mood"] in ("good", "simulated")


def test_a_reader_who_leaves_stops_the_provider(program, site):
    before = site.sim.count("key-of-slow")
    process = program("cancel")
    wait_for(lambda: site.sim.count("key-of-slow") > before or process.poll() is not None, "nobody was asked")
    told(process)
    rows = f"SELECT outcome FROM llm_call WHERE client = '{program.name}-cancel'"
    wait_for(lambda: site.rows(rows) and ("running",) not in site.rows(rows), "a call is still running")
    assert set(site.rows(rows)) == {("cancelled",)}
    assert (
        max(each.completion_tokens for each in site.sim.requests[before - site.sim.count("key-of-slow") :])
        < 2000
    )
