"""Reads for pages and for products that use the chain. Nothing here writes or calls a provider."""

from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from llm.calls.deployment import CallSkips, Deployment
from llm.calls.spec import CallSpec
from llm.chain.plan import Planner
from llm.chain.selector import site_budget_usd
from llm.configuration import snapshot
from llm.ledger.wording import tier_word
from llm.limits.learned import known
from llm.limits.quota import LedgerMeter
from llm.models import Call, Provider
from llm.storage.rollup import Line, Source, Sums
from llm.storage.rollup import read as read_sums

__all__ = [
    "Line", "Source", "Sums", "can_answer", "cost_of", "free_models", "has_working_key", "provider_name",
    "reachable_providers",
    "read_sums", "tier_word",
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
    meter = LedgerMeter(now, known(current.learned))
    want = CallSpec(tokens_in=tokens_in, estimated_in=tokens_in, max_tokens=max_tokens)
    planner = Planner(current.providers, current.pauses, meter, want, CallSkips(), now, site_budget_usd())
    return any(isinstance(step, Deployment) for step in planner.steps())


def free_models(*, tokens_in: int, max_tokens: int, now: datetime | None = None) -> list[tuple[str, str]]:
    """Slug and model of every deployment that would take a call of this size now and cost nothing; each once."""
    now, current = now or timezone.now(), snapshot.read()
    meter = LedgerMeter(now, known(current.learned))
    want = CallSpec(tokens_in=tokens_in, estimated_in=tokens_in, max_tokens=max_tokens, max_usd=Decimal(0))
    planner = Planner(current.providers, current.pauses, meter, want, CallSkips(), now, site_budget_usd())
    ready = [step for step in planner.steps() if isinstance(step, Deployment)]
    return list(dict.fromkeys((step.provider.slug, step.model.name) for step in ready))


def provider_name(label: str) -> str:
    """The name of the service behind a credential's label (with or without its location); the label if unknown."""
    names = Provider.objects.filter(credentials__label=label.partition(":")[0]).values_list("name", flat=True)
    return names.first() or label


def cost_of(call_id: int | None) -> Decimal | None:
    """What a call cost in USD, failed attempts included; None when a price is unknown, 0 without a call."""
    if call_id is None:
        return Decimal(0)
    return Call.objects.filter(pk=call_id).values_list("cost_usd", flat=True).first()


def _has_key(provider: snapshot.ProviderConf) -> bool:
    return bool(provider.models) and any(key.key or provider.keyless for key in provider.keys)
