"""Reads for pages and for products that use the chain. Nothing here writes or calls a provider."""

from llm import state
from llm.models import Provider
from llm.rollup import Line, Source, Sums
from llm.rollup import read as read_sums

__all__ = ["Line", "Source", "Sums", "has_working_key", "reachable_providers", "read_sums"]


def reachable_providers() -> list[str]:
    """Names of the services that a call may reach now: enabled, and with a key (or in need of none)."""
    slugs = [provider.slug for provider in state.providers() if _has_key(provider)]
    names = dict(Provider.objects.filter(slug__in=slugs).values_list("slug", "name"))
    return [names[slug] for slug in slugs if slug in names]


def has_working_key() -> bool:
    """Whether any provider can be called at all; without one every report is the template's."""
    return any(_has_key(provider) for provider in state.providers())


def _has_key(provider: state.ProviderConf) -> bool:
    return bool(provider.models) and any(key.key or provider.keyless for key in provider.keys)
