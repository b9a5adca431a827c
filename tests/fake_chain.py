"""Stands in for the chain where a test is about the audit: a script of events instead of providers."""

import threading
from contextlib import aclosing
from decimal import Decimal

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async

from audit.report import generate, tasks
from llm import chain
from tests import report_texts


def a_reply(text: str = report_texts.EN, **changed) -> chain.Reply:
    return chain.Reply(
        **{
            "text": text, "provider": "groq1", "model": "llama", "finish_reason": "stop",
            "cost_usd": Decimal("0.000123"), "tokens_in": 800, "tokens_out": 500, "latency_ms": 900,
            "skipped": [], "call_id": None,
            "attempts": [{"credential": "groq1", "model": "llama", "location": None, "outcome": "ok"}],
            **changed,
        }
    )  # fmt: skip


class FakeChain:
    """Stands in for `llm.chain` in `audit.report`: a script of events or an exception."""

    def __init__(self, monkeypatch, *script):
        self.script = script or (chain.Completed(a_reply()),)
        self.calls: list[dict] = []
        monkeypatch.setattr(generate.chain, "astream", self.astream)
        monkeypatch.setattr(generate.chain, "acomplete", self.acomplete)

    async def astream(self, **call):
        self.calls.append(call)
        for event in self.script:
            if isinstance(event, Exception):
                raise event
            if iscoroutinefunction(event):
                await event()
            elif callable(event):
                await sync_to_async(event)()
            else:
                yield event

    async def acomplete(self, **call):
        call.pop("on_event", None)
        async with aclosing(self.astream(**call)) as events:
            async for event in events:
                if isinstance(event, chain.Completed):
                    return event.reply
        raise RuntimeError("the script has no answer")


def inline(claim, job):
    """Stands in for `audit.report.tasks.spawn`: the report is written at once, by the test's own thread."""
    async_to_sync(job)()


def finish_reports():
    """Waits until this process writes no report any more."""
    for _ in range(3000):
        if not tasks._claims:
            return
        threading.Event().wait(0.01)  # for a loop in another thread
    raise AssertionError("a report is still being written")
