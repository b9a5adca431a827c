"""Reads for pages and for products that use the chain. Nothing here writes or calls a provider."""

from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from llm.chain.plan import CallSkips, Deployment, Planner, Want
from llm.chain.selector import site_budget_usd
from llm.configuration import snapshot
from llm.ledger.rollup import Line, Source, Sums
from llm.ledger.rollup import read as read_sums
from llm.limits.quota import LedgerMeter, taught
from llm.models import Call, Provider

__all__ = [
    "Line", "Source", "Sums", "can_answer", "cost_of", "has_working_key", "reachable_providers", "read_sums",
]  # fmt: skip


def reachable_providers() -> list[str]:
    """Names of the services that a call may reach now: enabled, and with a key (or in need of none)."""
    slugs = [provider.slug for provider in snapshot.providers() if _has_key(provider)]
    names = dict(Provider.objects.filter(slug__in=slugs).values_list("slug", "name"))
    return [names[slug] for slug in slugs if slug in names]


def has_working_key() -> bool:
    """Whether any provider can be called at all; without one every report is the template's."""
    return any(_has_key(provider) for provider in snapshot.providers())


def can_answer(*, tokens_in: int, max_tokens: int, now: datetime | None = None) -> bool:
    """Whether a call of this size would find a deployment to try now: not paused, with room, within the budgets.

    Asks nobody, and reserves nothing: a moment later it may be otherwise.
    """
    now, current = now or timezone.now(), snapshot.read()
    meter = LedgerMeter(now, taught() if current.anything_taught else {})
    want = Want(tokens_in=tokens_in, estimated_in=tokens_in, max_tokens=max_tokens)
    planner = Planner(current.providers, current.pauses, meter, want, CallSkips(), now, site_budget_usd())
    return any(isinstance(step, Deployment) for step in planner.steps())


def cost_of(call_id: int | None) -> Decimal | None:
    """What a call cost in USD, failed attempts included; None when a price is unknown, 0 without a call."""
    if call_id is None:
        return Decimal(0)
    return Call.objects.filter(pk=call_id).values_list("cost_usd", flat=True).first()


def _has_key(provider: snapshot.ProviderConf) -> bool:
    return bool(provider.models) and any(key.key or provider.keyless for key in provider.keys)
