"""Programs as people install them, with their defaults and nothing but an address and a key."""

import os
import shutil
import subprocess
import sys

import pytest

from llm.simulator import Simulator
from llm.simulator import behaviours as b
from tests.gateway_site import Site, provider

pytestmark = pytest.mark.exhaustive
WORDS = "Hello from the simulator."
ALIASES = "".join(f'[[alias]]\nname = "{name}"\nto = "auto"\n' for name in ("claude-*", "gpt-*"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Simulator() as sim:
        sim.script("key-of-good", b.ok(WORDS))
        site = Site(tmp_path_factory.mktemp("site"), sim)
        site.prepare(provider(sim, "good") + ALIASES)
        with site.serving():
            yield site


@pytest.fixture(scope="module")
def npm(tmp_path_factory):
    """Installs packages into a folder of their own, and returns it."""
    folder = tmp_path_factory.mktemp("npm")

    def install(*packages):
        if not shutil.which("npm"):
            pytest.skip("npm is not on this machine")
        command = ["npm", "install", "--no-audit", "--no-fund", *packages]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=400)
        if done.returncode:
            pytest.skip(f"npm could not install {packages}: {done.stderr[-300:]}")
        return folder

    return install


def run(command, folder, **environment):
    """What a program prints, in a home of its own."""
    told = {**os.environ, "HOME": str(folder), **environment}
    done = subprocess.run(command, cwd=folder, env=told, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    return done.stdout


def test_claude_code_answers(site, npm):
    folder = npm("@anthropic-ai/claude-code")
    package = folder / "node_modules/@anthropic-ai/claude-code"
    subprocess.run(["node", "install.cjs"], cwd=package, check=True, timeout=120)  # npm may not run it
    told = run(
        [folder / "node_modules/.bin/claude", "-p", "Say hello."], folder,
        ANTHROPIC_BASE_URL=site.url, ANTHROPIC_AUTH_TOKEN=site.add_client("claude"),
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
    )  # fmt: skip
    assert WORDS in told


def test_codex_answers(site, npm):
    folder = npm("@openai/codex")
    (folder / ".codex").mkdir()
    (folder / ".codex/config.toml").write_text(
        'model_provider = "guardlabs"\n[model_providers.guardlabs]\nname = "GuardLabs"\n'
        f'base_url = "{site.url}/v1"\nenv_key = "GUARDLABS_API_KEY"\nwire_api = "responses"\n'
    )
    command = [folder / "node_modules/.bin/codex", "exec", "--skip-git-repo-check", "Say hello."]
    assert WORDS in run(command, folder, GUARDLABS_API_KEY=site.add_client("codex"))


NODE = """
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";
const openai = new OpenAI(), anthropic = new Anthropic();
const response = await openai.responses.create({ model: "gpt-5", input: "Say hello." });
console.log("responses", response.output_text);
let text = "";
for await (const event of await openai.responses.create({ model: "auto", input: "x", stream: true }))
  if (event.type === "response.output_text.delta") text += event.delta;
console.log("events", text);
const ask = { model: "claude-sonnet-5", max_tokens: 50, messages: [{ role: "user", content: "Say hello." }] };
console.log("messages", (await anthropic.messages.create(ask)).content[0].text);
console.log("stream", (await anthropic.messages.stream(ask).finalMessage()).content[0].text);
"""


def test_the_node_sdks_speak_responses_and_messages(site, npm):
    folder = npm("openai", "@anthropic-ai/sdk")
    (folder / "ask.mjs").write_text(NODE)
    key = site.add_client("node")
    told = run(
        ["node", "ask.mjs"], folder, OPENAI_BASE_URL=f"{site.url}/v1", OPENAI_API_KEY=key,
        ANTHROPIC_BASE_URL=site.url, ANTHROPIC_API_KEY=key,
    )  # fmt: skip
    assert told.splitlines() == [f"{kind} {WORDS}" for kind in ("responses", "events", "messages", "stream")]


AI_SDK = """
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";
const gateway = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY });
console.log("responses", (await generateText({ model: gateway("auto"), prompt: "Say hello." })).text);
console.log("chat", (await generateText({ model: gateway.chat("auto"), prompt: "Say hello." })).text);
let text = "";
for await (const piece of streamText({ model: gateway("auto"), prompt: "x" }).textStream) text += piece;
console.log("stream", text);
"""


def test_the_ai_sdk_answers(site, npm):
    folder = npm("ai", "@ai-sdk/openai", "zod")
    (folder / "ai.mjs").write_text(AI_SDK)
    told = run(
        ["node", "ai.mjs"], folder, OPENAI_BASE_URL=f"{site.url}/v1", OPENAI_API_KEY=site.add_client("ai-sdk")
    )
    assert told.splitlines() == [f"{kind} {WORDS}" for kind in ("responses", "chat", "stream")]


PYTHON = """
from agents import Agent, Runner
from langchain_openai import ChatOpenAI
from pydantic_ai import Agent as PydanticAgent
print("agents", Runner.run_sync(Agent(name="a", instructions="Be brief."), "Say hello.").final_output)
print("pydantic", PydanticAgent("openai:gpt-5").run_sync("Say hello.").output)
print("anthropic", PydanticAgent("anthropic:claude-sonnet-4-5").run_sync("Say hello.").output)
print("langchain", ChatOpenAI(model="gpt-5").invoke("Say hello.").content)
"""


def test_pythons_agents_answer(site, tmp_path):
    packages = ["openai-agents", "pydantic-ai-slim[openai,anthropic]", "langchain-openai"]
    command = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", sys.executable, "--target"]
    done = subprocess.run(
        [*command, tmp_path / "lib", *packages], capture_output=True, text=True, timeout=400
    )
    if done.returncode:
        pytest.skip(f"the packages could not be installed: {done.stderr[-300:]}")
    key = site.add_client("agents")
    told = run(
        [sys.executable, "-c", PYTHON], tmp_path, PYTHONPATH=str(tmp_path / "lib"), OPENAI_API_KEY=key,
        OPENAI_BASE_URL=f"{site.url}/v1", ANTHROPIC_BASE_URL=site.url, ANTHROPIC_API_KEY=key,
        OPENAI_AGENTS_DISABLE_TRACING="1",
    )  # fmt: skip
    assert told.splitlines() == [
        f"{kind} {WORDS}" for kind in ("agents", "pydantic", "anthropic", "langchain")
    ]
