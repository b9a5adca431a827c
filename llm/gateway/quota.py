"""GET /v1/quota: what is left for a client, door by door, until when; its own limits; what remains until midnight."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from llm.clients import access
from llm.configuration import snapshot
from llm.gateway import catalogue
from llm.limits.calendar import day_start
from llm.limits.left import QuotaLeft, quota_left
from llm.limits.quota import LedgerMeter
from llm.models import Call, Client


@dataclass(frozen=True, slots=True)
class Used:
    """By a client since midnight UTC."""

    calls: int
    usd: Decimal


def of(client: Client, now: datetime | None = None) -> dict[str, Any]:
    """As JSON. Accounts are numbered, not named: whose they are is no client's business."""
    now = now or timezone.now()
    state = snapshot.read()
    served = catalogue.served(state.providers, client)
    slugs = {one.provider.slug for one in served}
    names = {(one.provider.slug, one.model.name) for one in served}
    providers = [provider for provider in state.providers if provider.slug in slugs]
    accounts = {
        (provider.slug, account): number
        for provider in providers
        for number, account in enumerate(dict.fromkeys(key.account for key in provider.keys), 1)
    }
    used = _used(client, now)
    limits = [
        _limit(line, accounts)
        for line in quota_left(providers, now)
        if not line.model or (line.provider, line.model) in names
    ]
    return {
        "object": "quota",
        "at": _moment(now),
        "client": _own(client, used, now),
        "limits": limits,
        "paused": _pauses(slugs, state.pauses, now),
        "until_midnight": _until_midnight(client, used, now),
    }


def _used(client: Client, now: datetime) -> Used:
    calls = Call.objects.filter(client=client.name, started_at__gte=day_start("utc", now)).count()
    return Used(calls, LedgerMeter(now).spent_by(client.name))


def _limit(line: QuotaLeft, accounts: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    return {
        "provider": line.provider,
        "account": accounts.get((line.provider, line.account)),
        "model": line.model or None,
        "models": list(line.models),
        "scope": line.scope,
        "unit": line.unit,
        "per": line.per or None,
        "limit": line.limit,
        "used": line.used,
        "left": line.left,
        "until": _moment(line.until),
    }


def _own(client: Client, used: Used, now: datetime) -> dict[str, Any]:
    """The client's own limits; None is no limit."""
    budget = client.daily_budget_usd
    return {
        "name": client.name,
        "requests_per_minute": client.rpm,
        "requests_at_a_time": client.concurrency,
        "requests_a_day": _left(client.daily_calls, used.calls),
        "usd_a_day": None if budget is None else {
            "limit": f"{budget:.6f}", "used": f"{used.usd:.6f}", "left": f"{max(budget - used.usd, 0):.6f}",
        },
        "usd_a_call": None if client.max_usd is None else f"{client.max_usd:.6f}",
        "until": _moment(day_start("utc", now) + timedelta(days=1)),
        "data_class": access.use_of(client).data_class,
    }  # fmt: skip


def _left(limit: int | None, used: int) -> dict[str, int] | None:
    return None if limit is None else {"limit": limit, "used": used, "left": max(limit - used, 0)}


def _pauses(slugs: set[str], pauses: Mapping[str, list[Any]], now: datetime) -> list[dict[str, Any]]:
    """What of these providers is not asked now, why, and until when."""
    return [
        {"provider": slug, "credential": pause.credential or None, "model": pause.model or None, "why": pause.kind,
         "until": _moment(pause.until)}
        for slug in sorted(slugs) for pause in pauses.get(slug, ())
        if pause.until is None or pause.until > now
    ]  # fmt: skip


def _until_midnight(client: Client, used: Used, now: datetime) -> dict[str, Any]:
    """How many more calls this client makes today if it goes on as it has since midnight UTC."""
    midnight = day_start("utc", now)
    passed = max((now - midnight).total_seconds(), 1.0)
    left = 86_400.0 - passed
    calls = round(used.calls * left / passed)
    usd = float(used.usd) * left / passed
    room = None if client.daily_calls is None else max(client.daily_calls - used.calls, 0)
    return {
        "seconds": round(left),
        "calls": calls,
        "usd": f"{usd:.6f}",
        "enough": room is None or calls <= room,
    }


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds").replace("+00:00", "Z")
