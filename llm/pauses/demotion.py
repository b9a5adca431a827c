"""The order of providers: by tier, but for those that have been blocked for too long."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol, TypeVar

from llm.configuration.snapshot import PauseView
from llm.failures.kinds import Kind


class Ranked(Protocol):
    """A provider, as configuration or as a row."""

    @property
    def slug(self) -> str: ...

    @property
    def tier(self) -> Decimal: ...

    @property
    def demote_after_h(self) -> float: ...


R = TypeVar("R", bound=Ranked)


def in_order(providers: Sequence[R], pauses: dict[str, list[PauseView]], now: datetime) -> list[R]:
    """Providers by tier; one that has been blocked for too long stands behind the next healthy tier."""
    if not pauses:
        return list(providers)
    demoted = {p.slug for p in providers if p.slug in pauses and is_demoted(p, pauses[p.slug], now)}
    if not demoted:
        return list(providers)
    healthy = [p for p in providers if p.slug not in demoted]
    ordered = list(healthy)
    for provider in [p for p in providers if p.slug in demoted]:
        next_tier = next((p.tier for p in healthy if p.tier > provider.tier), None)
        places = [i for i, p in enumerate(ordered) if next_tier is not None and p.tier <= next_tier]
        ordered.insert(places[-1] + 1 if places else len(ordered), provider)
    return ordered


def is_demoted(provider: Ranked, pauses: list[PauseView], now: datetime) -> bool:
    """Blocked for longer than its `demote_after_h`."""
    limit = timedelta(hours=provider.demote_after_h)
    return any(p.kind == Kind.BLOCKED_PROVIDER and not is_narrow(p) and now - p.since > limit for p in pauses)


def is_narrow(pause: PauseView) -> bool:
    return bool(pause.credential or pause.account or pause.model or pause.location)
