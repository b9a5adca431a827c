"""Deletes what the ledger need not keep for ever. Sums by the day outlive it: see llm.storage.rollup."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet, Sum

from llm.ledger.spending import MONEY
from llm.models import Attempt, CachedReply, Call, Notice, PastSpending, Pause
from llm.storage.transactions import write_transaction

BATCH = 500  # rows a transaction, so that no call waits long for its turn to write


def prune(before: datetime) -> dict[str, int]:
    """Deletes calls (with their attempts), kept replies, notices and closed pauses from before that moment.

    Returns how many rows of each. A call that is still running stays.
    """
    old: dict[str, QuerySet[Any]] = {
        "calls": Call.objects.filter(started_at__lt=before).exclude(outcome=Call.Outcome.RUNNING),
        "kept replies": CachedReply.objects.filter(filled_at__lt=before),
        "notices": Notice.objects.filter(at__lt=before),
        "pauses": Pause.objects.filter(closed_at__lt=before),
    }
    return {
        name: in_batches(rows, _delete_calls if name == "calls" else _delete) for name, rows in old.items()
    }


def in_batches(rows: QuerySet[Any], delete: Callable[[QuerySet[Any]], None]) -> int:
    """Calls `delete` with a batch of the rows until none is left; returns how many there were."""
    total = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        delete(rows.model._default_manager.filter(pk__in=keys))
        total += len(keys)
    return total


def _delete_calls(rows: QuerySet[Any]) -> None:
    """What paid attempts have cost outlives them: credits are for ever."""
    with write_transaction():
        calls = list(rows.select_for_update().values_list("pk", flat=True))
        paid = Attempt.objects.filter(call__in=calls, free=False).order_by().values_list("provider")
        for provider, usd in paid.annotate(usd=Sum(MONEY)):
            past, _ = PastSpending.objects.get_or_create(provider=provider)
            PastSpending.objects.filter(pk=past.pk).update(usd=F("usd") + (usd or 0))
        Call.objects.filter(pk__in=calls).delete()


def _delete(rows: QuerySet[Any]) -> None:
    with write_transaction():
        rows.delete()
