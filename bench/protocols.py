"""What Responses and Messages cost above chat completions: CPU of the server for one request."""

from contextlib import ExitStack

from bench.figures import Section
from bench.gateway import WORKERS, served
from bench.load import Target, cpu_s, hammer
from bench.upstream import ok, upstream_process
from bench.workload import AMPLE, MAX_TOKENS, PROMPT, TEXT, free_and_paid

ABOUT = (
    "The same request in three protocols on gunicorn (2 ASGI workers, SQLite), over 16 connections, in turns: CPU time "
    "of the server's processes by request, and what it is above chat completions. Responses once with their default, "
    "which stores each answer for `previous_response_id`, and once with `store: false`."
)
CONNECTIONS, SECONDS, ROUNDS = 16, 1, 6
MESSAGES = [{"role": "user", "content": PROMPT}]
BODIES = {
    "chat": ("/v1/chat/completions", {"messages": MESSAGES, "max_tokens": MAX_TOKENS}),
    "responses": ("/v1/responses", {"input": PROMPT, "max_output_tokens": MAX_TOKENS}),
    "responses, store: false": (
        "/v1/responses", {"input": PROMPT, "max_output_tokens": MAX_TOKENS, "store": False},
    ),
    "messages": ("/v1/messages", {"messages": MESSAGES, "max_tokens": MAX_TOKENS}),
}  # fmt: skip
MOST_MS = 1.0  # above chat


def run() -> Section:
    from llm.clients import access as clients

    section = Section(ABOUT)
    with ExitStack() as stack:
        sim = stack.enter_context(upstream_process())
        sim.default(ok(TEXT))
        free_and_paid(sim, keys=3, quotas=AMPLE, first_byte_s=30, timeout_s=60)
        _, key = clients.add(name="bench")
        url, pid = stack.enter_context(served(WORKERS))
        targets = {
            name: Target(f"{url}{path}", {"Authorization": f"Bearer {key}"}, {"model": "auto", **body})
            for name, (path, body) in BODIES.items()
        }
        for target in targets.values():
            hammer(target, CONNECTIONS, 1)  # which warms it up
        figures = measured(targets, pid)
    for name, (spent_ms, errors) in figures.items():
        section.add(f"{name}, CPU a request", spent_ms, "ms")
        section.add(f"{name}, errors", errors, "requests", at_most=0)
    chat = figures["chat"][0]
    for name, (spent_ms, _) in figures.items():
        if name != "chat":
            section.add(f"{name}, CPU a request above chat", spent_ms - chat, "ms", at_most=MOST_MS)
    return section


def measured(targets: dict[str, Target], pid: int) -> dict[str, tuple[float, int]]:
    """CPU a request in ms, the least of the rounds, and errors in all of them, by protocol.

    The protocols take turns, so that none of them has the machine's good moments for itself.
    """
    found: dict[str, list[float]] = {name: [] for name in targets}
    errors = dict.fromkeys(targets, 0)
    for _ in range(ROUNDS):
        for name, target in targets.items():
            before = cpu_s(pid)
            load = hammer(target, CONNECTIONS, SECONDS)
            found[name].append((cpu_s(pid) - before) / max(load.count, 1) * 1000)
            errors[name] += load.errors
    return {name: (min(spent), errors[name]) for name, spent in found.items()}
