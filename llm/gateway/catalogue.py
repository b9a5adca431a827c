"""What `model` may say: `auto` (the chain), `free`, a provider's slug, or `slug/model-id`."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from llm.calls.terms import forbidden
from llm.clients.access import use_of
from llm.configuration import snapshot
from llm.configuration.snapshot import ProviderConf
from llm.gateway.errors import ApiError
from llm.models import Client

AUTO, FREE = "auto", "free"
OWN = frozenset((AUTO, FREE))
OWNER = "guardlabs"
CREATED = 1_780_000_000  # OpenAI's shape wants a moment; models here are names, which have none


def arguments(model: str, client: Client, max_usd: Decimal | None) -> dict[str, Any]:
    """Arguments of the chain for a model's name, within what the client may use. Raises ApiError (404)."""
    limits = [
        limit
        for limit in (client.max_usd, max_usd, Decimal(0) if model == FREE else None)
        if limit is not None
    ]
    found: dict[str, Any] = {"max_usd": min(limits) if limits else None, "tiers": client.tiers or None}
    if model in OWN:
        return found
    slug, _, name = model.partition("/")
    for provider in _providers(client):
        if provider.slug == slug and (not name or any(one.name == name for one in provider.models)):
            return {**found, "providers": [slug], **({"models": [name]} if name else {})}
    raise unknown(model)


def unknown(model: str) -> ApiError:
    text = f"The model '{model[:200]}' does not exist or you do not have access to it."
    return ApiError(404, text, param="model", code="model_not_found")


def listed(client: Client) -> Iterator[dict[str, Any]]:
    """Every name that this client may use, in OpenAI's shape."""
    yield _entry(AUTO, OWNER)
    yield _entry(FREE, OWNER)
    for provider in _providers(client):
        yield _entry(provider.slug, provider.slug)
        for model in provider.models:
            yield _entry(f"{provider.slug}/{model.name}", provider.slug)


def _providers(client: Client) -> list[ProviderConf]:
    tiers, use = {Decimal(str(tier)) for tier in client.tiers}, use_of(client)
    return [
        provider
        for provider in snapshot.providers()
        if (not tiers or provider.tier in tiers) and provider.models and not forbidden(provider, use)
    ]


def _entry(name: str, owner: str) -> dict[str, Any]:
    """One name, in OpenAI's shape and in Anthropic's: their fields differ, so that it can have both."""
    return {
        "id": name, "object": "model", "created": CREATED, "owned_by": owner,
        "type": "model", "display_name": name, "created_at": "2026-05-28T20:26:40Z",
    }  # fmt: skip
