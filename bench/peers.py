"""LiteLLM's Router doing the same failover, where it happens to be installed. It is no dependency of ours."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from bench import failover
from bench.figures import Section, median_ms
from bench.upstream import ok, upstream_process
from bench.workload import MAX_TOKENS, PROMPT, TEXT

ABOUT = (
    "LiteLLM's Router with 5 dead Groq keys and a paid fallback, as its documents set it up (2 retries, cooldown), "
    "20 calls each. Not installed by us: two of its releases were compromised."
)
FAULTS, CALLS = {"429", "cloudflare-1010", "hang"}, 20


def run() -> Section:
    section = Section(ABOUT)
    if find_spec("litellm") is None:
        section.skipped = "litellm is not installed"
        return section
    with upstream_process() as sim:
        for fault in failover.FAULTS:
            if fault.name in FAULTS:
                tell(section, sim, fault)
    section.add("version", None, note=version("litellm"))
    return section


def tell(section: Section, sim: Any, fault: failover.Fault) -> None:
    sim.reset()
    sim.default(ok(TEXT))
    for number in range(failover.KEYS):
        sim.script(f"key-of-groq{number + 1}", fault.behaviour)
    router = make_router(sim.url)
    wasted, seconds, answered = [], [], 0
    for _ in range(CALLS):
        before, began = sim.count(None, "groq"), time.perf_counter()
        try:
            router.completion("free", [{"role": "user", "content": PROMPT}], max_tokens=MAX_TOKENS)
            answered += 1
        except Exception:  # whatever it raises, the call was lost
            pass
        seconds.append(time.perf_counter() - began)
        wasted.append(sim.count(None, "groq") - before)
    name = f"{fault.name}: LiteLLM"
    section.add(f"{name}, wasted by the first call", wasted[0], "requests")
    section.add(f"{name}, wasted per call after the first", sum(wasted[1:]) / (CALLS - 1), "requests")
    section.add(f"{name}, first call", seconds[0] * 1000, "ms")
    section.add(f"{name}, later calls, median", median_ms(seconds[1:]), "ms")
    section.add(f"{name}, answered", answered / CALLS * 100, "%")


def make_router(url: str) -> Any:
    """Five deployments of one free model group, and a paid group to fall back to."""
    from litellm import Router

    def deployment(group: str, path: str, model: str, key: str) -> dict[str, Any]:
        params = {"model": f"openai/{model}", "api_base": f"{url}/{path}", "api_key": key}
        return {"model_name": group, "litellm_params": {**params, "timeout": failover.TIMEOUT_S}}

    free = [
        deployment("free", "groq/openai/v1", "openai/gpt-oss-120b", f"key-of-groq{number + 1}")
        for number in range(failover.KEYS)
    ]
    paid = deployment("paid", "deepseek/v1", "deepseek-flash", "key-of-deepseek")
    return Router(model_list=[*free, paid], fallbacks=[{"free": ["paid"]}], num_retries=2)


PORTKEY = "@portkey-ai/gateway@1.15.2"
START_S = 30


def portkey(stack: ExitStack) -> tuple[str, int] | None:
    """Portkey's gateway, installed from npm for this run and started as its own command does: its address and process
    id. None without BENCH_PEERS=on or npm."""
    if os.environ.get("BENCH_PEERS") != "on" or not shutil.which("npm") or not shutil.which("node"):
        return None
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="portkey-"))
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PORTKEY]
    if subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False).returncode:
        return None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = f"{folder}/node_modules/@portkey-ai/gateway/build/start-server.js"
    server = subprocess.Popen(
        ["node", start, "--headless", f"--port={port}"],
        env={**os.environ, "NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    stack.callback(server.wait)
    stack.callback(server.terminate)
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return f"http://127.0.0.1:{port}", server.pid
    return None
