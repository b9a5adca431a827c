"""What `ask` prints: progress, who answered, and the JSON object. Control characters are taken out."""

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from llm import chain
from llm.configuration import presets
from llm.ledger import receipts
from llm.ledger.wording import usd_word
from llm.models import Call

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Progress:
    """Says on a terminal who is being asked, on one line that goes away again. Elsewhere it says nothing."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.wanted = stream.isatty() and os.environ.get("TERM") != "dumb"
        self.shown = False

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        self._clear()

    def show(self, event: chain.Event) -> None:
        self._clear()
        if not self.wanted:
            return
        if isinstance(event, chain.AttemptStarted):
            self._write(f"asking {safe_line(f'{event.credential} {event.model} {event.location}')} …")
        elif isinstance(event, chain.AttemptFailed):
            self._write(f"{safe_line(event.credential)}: {event.kind}, asking the next …")

    def _write(self, text: str) -> None:
        self.stream.write(text, style_func=str, ending="")
        self.stream.flush()
        self.shown = True

    def _clear(self) -> None:
        if self.shown:
            self.stream.write("\r\x1b[K", style_func=str, ending="")
            self.stream.flush()
            self.shown = False


def footer(reply: chain.Reply) -> str:
    parts = [
        reply.provider,
        f"in {reply.tokens_in}",
        f"out {reply.tokens_out}",
        usd_word(reply.cost_usd),
        f"{reply.latency_ms / 1000:.1f} s",
    ]
    return f"[{' · '.join([*parts, 'cached'] if reply.cached else parts)}]"


def told(reply: chain.Reply) -> dict[str, Any]:
    return {
        "text": reply.text, "provider": reply.provider, "model": reply.model, "cached": reply.cached,
        "cost_usd": _usd(reply.cost_usd), "tokens_in": reply.tokens_in, "tokens_out": reply.tokens_out,
        "latency_ms": reply.latency_ms, "attempts": reply.attempts, "skipped": reply.skipped,
        "receipt": receipts.of_reply(reply),
    }  # fmt: skip


def told_failure(exhausted: chain.ChainExhausted) -> dict[str, Any]:
    """The same object without a text; failed attempts may have cost something."""
    call = Call.objects.filter(pk=exhausted.call_id).first() or Call(cost_usd=Decimal(0))
    return {
        "text": None, "provider": None, "model": None, "cached": False,
        "cost_usd": _usd(call.cost_usd), "tokens_in": call.tokens_in, "tokens_out": call.tokens_out,
        "latency_ms": call.latency_ms, "attempts": exhausted.attempts, "skipped": exhausted.skipped,
        "receipt": receipts.issue(text="", cost_usd=call.cost_usd, attempts=exhausted.attempts),
    }  # fmt: skip


def _usd(cost: Decimal | None) -> str | None:
    return None if cost is None else f"{cost:.6f}"


def attempt_line(attempt: Mapping[str, Any]) -> str:
    where = f"{attempt['model']} in {attempt['location']}" if attempt.get("location") else attempt["model"]
    status = f" ({attempt['status']})" if attempt.get("status") else ""
    detail = f": {attempt['detail']}" if attempt.get("detail") else ""
    return f"{attempt['credential']} {where}: {attempt['outcome']}{status}{detail}"


def skip_line(skip: Mapping[str, Any]) -> str:
    what = " ".join(filter(None, (skip.get("credential") or skip["provider"], skip.get("model"))))
    until = f" until {skip['until']}" if skip.get("until") else ""
    hint = presets.key_hint(skip["provider"]) if skip["why"] == "no key" else ""
    return f"{what}: {skip['why']}{until}{f' (set {hint})' if hint else ''}"


def safe(text: str) -> str:
    """Text for a terminal, without the sequences that would steer it."""
    return CONTROL.sub("", text)


def safe_line(text: str) -> str:
    return safe(" ".join(text.split()))
