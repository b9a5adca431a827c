"""Stands in for the chain where a test is about the audit: a script of events instead of providers."""

from decimal import Decimal

from audit.report import generate
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
        monkeypatch.setattr(generate.chain, "stream", self.stream)
        monkeypatch.setattr(generate.chain, "complete", self.complete)

    def stream(self, **call):
        self.calls.append(call)
        for event in self.script:
            if isinstance(event, Exception):
                raise event
            if callable(event):
                event()
            else:
                yield event

    def complete(self, **call):
        return next(event.reply for event in self.stream(**call) if isinstance(event, chain.Completed))
