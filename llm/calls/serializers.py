"""How attempts and skips are told to callers: the JSON of `ask --json`, replies and receipts."""

from collections.abc import Iterable
from typing import Any

from llm.calls.deployment import Skipped
from llm.models import Attempt


def attempts(rows: Iterable[Attempt]) -> list[dict[str, Any]]:
    """What was sent upstream, in order."""
    return [
        {
            "provider": row.provider,
            "credential": row.credential,
            "model": row.model,
            "location": row.location or None,
            "outcome": str(row.outcome),
            "status": row.status,
            "retry_after_s": row.retry_after_s,
            "latency_ms": row.latency_ms,
            "detail": row.detail,
        }
        for row in rows
    ]


def skipped(rows: Iterable[Attempt], skips: Iterable[Skipped]) -> list[dict[str, Any]]:
    """What got no request at all: a deployment that was tried first and paused by that is not among it."""
    skips = list(skips)
    if not skips:
        return []
    rows = list(rows)
    tried = {(row.credential, row.model) for row in rows}
    tried_providers = {row.provider for row in rows}
    return [
        {
            "provider": skip.provider,
            "credential": skip.credential,
            "model": skip.model,
            "why": str(skip.why),
            "until": skip.until.isoformat() if skip.until else None,
            **({} if skip.limit is None else {"limit": skip.limit}),
        }
        for skip in skips
        if (skip.credential, skip.model) not in tried
        and not (skip.credential is None and skip.provider in tried_providers)
    ]
