"""The request that is measured, and the providers that it is sent to."""

from datetime import timedelta
from typing import Any

from bench.upstream import Upstream

# About as long as a report's prompt and as what it is answered with: 450 and 400 tokens.
PROMPT = "Explain to the owner of a crypto wallet what their weak spots are and how to mend them. " * 20
TEXT = "Move the seed phrase from the photo roll to a metal plate, and keep it in two places. " * 18
MAX_TOKENS = 1000
CALL: dict[str, Any] = {"user": PROMPT, "max_tokens": MAX_TOKENS, "purpose": "bench", "lang": "en"}
# Metered, so that every call is checked against them, but never reached.
AMPLE = {"rpm": 1_000_000, "rpd": 10_000_000, "tpm": 100_000_000, "tpd": 1_000_000_000}


def free_and_paid(
    sim: Upstream, *, keys: int = 5, quotas: dict[str, int] | None = None, **fields: Any
) -> None:
    """Groq with some keys, each an account of its own, and DeepSeek behind it at a price and a budget.

    The simulator knows their keys as key-of-groq1, … and key-of-deepseek.
    """
    from tests.chain_setup import OSS, make_deepseek, make_groq

    make_groq(sim, keys=keys, models=[{"name": OSS, **(quotas or {})}], **fields)
    make_deepseek(sim, daily_budget_usd="1000", **fields)


def remember(attempts: int, *, days: int) -> None:
    """Fills the ledger with older attempts: of some days before today, or (0) of today."""
    from django.utils import timezone

    from llm.models import Attempt, Call
    from tests.chain_setup import OSS

    now = timezone.now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    first, last = (today - timedelta(days=days), today) if days else (today, now - timedelta(minutes=11))
    call = Call.objects.create(started_at=now, finished_at=now, deadline_s=45, outcome="ok")
    Attempt.objects.bulk_create(
        Attempt(
            call=call, provider="groq", credential="groq1", account="groq1", model=OSS, tier=1, free=True,
            started_at=first + n / attempts * (last - first), finished_at=now, outcome="ok", tokens_in=450,
            tokens_out=400, cost_usd=0,
        )
        for n in range(attempts)
    )  # fmt: skip
