"""The public crash test for failover software (Failover Bench, 16 faults), streamed through /v1 with default times.

Two free providers, the second one sound. Each fault has a pair of providers and a client of its own, so that all are
played at the same time; in the real times the longest takes 76 s. Verdicts as there: pass, rescued and well-behaved;
partial, rescued with a remark; safe, a clean error in time; fail, a hang, half an answer as a whole one, or hammering.
"""

import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from bench.figures import Section
from llm.simulator import Simulator
from llm.simulator import behaviours as b

ABOUT = (
    "16 faults of a provider, streamed through /v1, two free providers, default times (first word within 10 s, silence "
    "of 20 s). Published on 2026-09-12: reference client 16/0/0/0, Portkey 11/2/0/3, Bifrost 9/3/3/1, LiteLLM 9/3/4/0."
)
PROMPT = (
    "Explain in exactly sixty words why a gateway earns trust only when the provider behind it misbehaves."
)
ANSWER = " ".join(f"word{n}" for n in range(1, 61))
HOLD = {"headers": {"x-guardlabs-hold": "true"}, "body": {"on_content_block": "error"}}
VERDICTS = ("pass", "partial", "safe", "fail")
TOO_LONG = b.http(400, {"error": {"message": "too long", "code": "context_length_exceeded"}})
BUSY = b.http(503, {"error": {"message": "The engine is currently overloaded.", "code": "overloaded"}})


@dataclass(frozen=True, kw_only=True)
class Fault:
    """behaviours: of the first provider, the last one for ever. limit_s: beyond it the call hangs."""

    name: str
    behaviours: tuple[b.Behaviour, ...]
    limit_s: float = 40
    remark_s: float | None = None  # slower than that is a remark
    tries: tuple[int, int] = (1, 6)  # of the first provider; fewer is a remark, more a failure
    ideal: str = "success"


OK = b.ok(ANSWER)
FAULTS = (
    Fault(name="S01 429 with Retry-After", behaviours=(b.http(429, headers={"retry-after": "2"}), OK), tries=(2, 2)),
    Fault(name="S02 429 without a word", behaviours=(b.http(429),)),
    Fault(name="S03 500 once", behaviours=(b.http(500), OK), tries=(2, 6), limit_s=20),
    Fault(name="S04 503 for ever", behaviours=(BUSY,)),
    Fault(name="S05 reset once", behaviours=(b.reset(), OK), limit_s=20),
    Fault(name="S06 silence", behaviours=(b.hang(),), limit_s=100, tries=(1, 1)),
    Fault(name="S07 first word after 20 s", behaviours=(b.slow_first_token(20, ANSWER),), limit_s=60, remark_s=15),
    Fault(name="S08 stream cut", behaviours=(b.midstream_death(after=3),)),
    Fault(name="S09 stream stalls", behaviours=(b.midstream_stall(after=3),), limit_s=45),
    Fault(name="S10 malformed event", behaviours=(b.malformed_chunk(after=3),), limit_s=30),
    Fault(name="S11 no [DONE]", behaviours=(b.no_done(),), limit_s=8),
    Fault(
        name="S12 context too long",
        behaviours=(TOO_LONG,),
        tries=(1, 1), limit_s=20,
    ),
    Fault(
        name="S13 content refused",
        behaviours=(b.http(400, {"error": {"message": "Rejected.", "code": "content_policy_violation"}}),),
        tries=(1, 1), limit_s=20, ideal="error",
    ),
    Fault(name="S14 cut, and no prefill", behaviours=(b.midstream_death(after=3),)),
    Fault(name="S15 down for 60 s", behaviours=(BUSY,)),
    Fault(name="S16 accounting", behaviours=(BUSY,)),
)  # fmt: skip


def run() -> Section:
    import llm.adapters.openai  # noqa: F401  # its import is no part of a call's time

    section = Section(ABOUT)
    with Simulator() as sim:
        sim.default(OK)
        modes = {"default": {}, "hold + on_content_block error": HOLD}
        with ThreadPoolExecutor(2 * len(FAULTS)) as pool:
            jobs = {
                (mode, fault.name): pool.submit(_judge, sim, fault, _prepare(sim, fault, place), choice)
                for place, (mode, choice, fault) in enumerate(
                    (mode, choice, fault) for mode, choice in modes.items() for fault in FAULTS
                )
            }
            verdicts = {key: job.result() for key, job in jobs.items()}
    for mode in modes:
        found = [verdicts[mode, fault.name] for fault in FAULTS]
        for fault, verdict in zip(FAULTS, found, strict=True):
            section.add(f"{mode}: {fault.name}", None, verdict)
        least = 11 if mode == "default" else 15
        for verdict in VERDICTS:
            limits = {"pass": {"at_least": least}, "fail": {"at_most": 0}}.get(verdict, {})
            section.add(f"{mode}: {verdict}", found.count(verdict), "of 16", **limits)
    return section


def _prepare(sim: Simulator, fault: Fault, place: int) -> tuple[str, str]:
    """A pair of providers in a tier of its own. Returns the first one's slug and the client's key."""
    from llm.clients import access
    from llm.models import Credential, Model, Provider

    tier = place + 1
    for name in ("a", "b"):
        slug = f"{name}{place}"
        row = Provider.objects.create(
            slug=slug, kind="openai", name=slug, base_url=f"{sim.url}/{slug}/v1", tier=tier, free=True,
            position=0 if name == "a" else 1,
        )  # fmt: skip
        Model.objects.create(provider=row, name=f"model-{slug}")
        Credential.objects.create(provider=row, label=slug, secret=f"key-of-{slug}")
    sim.script(f"key-of-a{place}", *fault.behaviours)
    _, key = access.add(name=f"client{place}", tiers=[str(tier)])
    return f"a{place}", key


def _judge(sim: Simulator, fault: Fault, pair: tuple[str, str], choice: Mapping[str, Any]) -> str:
    from django.db import connection

    try:
        if fault.name.startswith("S15"):
            return _outage(sim, *pair, choice)
        text, error, model, usage, seconds = _ask(pair[1], choice)
        return _verdict(
            sim, fault, pair[0], text=text, error=error, model=model, usage=usage, seconds=seconds
        )
    finally:
        connection.close()


def _verdict(
    sim: Simulator, fault: Fault, slug: str, *, text: str, error: str, model: str, usage: Any, seconds: float
) -> str:
    tries = sim.count(f"key-of-{slug}")
    if seconds > fault.limit_s or tries > fault.tries[1] or not (error or _is_whole(text)):
        return "fail"
    if fault.ideal == "error":
        return "pass" if error else "partial"
    if error:
        return "safe"
    if fault.name.startswith("S16") and not (model.endswith(f"model-b{slug[1:]}") and usage):
        return "fail"
    late = fault.remark_s is not None and seconds > fault.remark_s
    return "partial" if late or tries < fault.tries[0] or not usage else "pass"


def _is_whole(text: str) -> bool:
    """The answer, or the simulator's own where a fault of it has no other."""
    return text == ANSWER or (text.startswith("Simulated answer") and text.endswith("no model was asked."))


def _outage(sim: Simulator, slug: str, key: str, choice: Mapping[str, Any]) -> str:
    """Twenty calls, one every 4 s; the first provider is down for the first 60 s."""
    began, answers, back = time.monotonic(), [], None
    threading.Timer(60, lambda: sim.script(f"key-of-{slug}", OK)).start()
    for number in range(20):
        time.sleep(max(began + 4 * number - time.monotonic(), 0))
        text, error, model, *_ = _ask(key, choice)
        answers.append(not error and text == ANSWER)
        if back is None and number >= 15 and model.endswith(f"model-{slug}"):
            back = time.monotonic() - began - 60
    if not all(answers) or back is None or back > 30:
        return "fail"
    return "pass"


def _ask(key: str, choice: Mapping[str, Any]) -> tuple[str, str, str, Any, float]:
    """Text, error, model, usage and seconds of one streamed call."""
    from django.test import Client

    body = {
        "messages": [{"role": "user", "content": PROMPT}], "stream": True,
        "stream_options": {"include_usage": True}, **choice.get("body", {}),
    }  # fmt: skip
    began = time.monotonic()
    response = Client().post(
        "/v1/chat/completions", json.dumps(body), "application/json",
        headers={"authorization": f"Bearer {key}", **choice.get("headers", {})},
    )  # fmt: skip
    text = error = model = ""
    usage = None
    if response.status_code != 200:
        return "", f"HTTP {response.status_code}", "", None, time.monotonic() - began
    for event in b"".join(response.streaming_content).decode().split("\n\n"):  # type: ignore[arg-type]
        data = event.removeprefix("data: ")
        if not data or data == "[DONE]":
            continue
        chunk = json.loads(data)
        error = str((chunk.get("error") or {}).get("code") or error)
        model, usage = chunk.get("model") or model, chunk.get("usage") or usage
        for one in chunk.get("choices") or ():
            text += one["delta"].get("content") or ""
    return text, error, model, usage, time.monotonic() - began
