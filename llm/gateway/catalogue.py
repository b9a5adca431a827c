"""What `model` may say, and what of it a client can be served by.

`auto` (the chain), `free`, a provider's slug, `slug/model-id`, a model's id alone, or an alias of the providers file.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from django.utils import timezone

from llm.calls.fitting import UNKNOWN_MAX_OUTPUT
from llm.calls.terms import forbidden
from llm.clients.access import use_of
from llm.configuration import snapshot
from llm.configuration.snapshot import ModelConf, ProviderConf
from llm.gateway.errors import ApiError
from llm.limits.calendar import today
from llm.models import Client, Model

AUTO, FREE = "auto", "free"
OWN = frozenset((AUTO, FREE))  # names that mean what they always mean
OWNER = "guardlabs"
CREATED = 1_780_000_000  # OpenAI's shape wants a moment; models here are names, which have none
CREATED_AT = "2026-05-28T20:26:40Z"  # the same for Anthropic's
CHAT, EMBEDDING = Model.Kind.CHAT, Model.Kind.EMBEDDING


@dataclass(frozen=True, slots=True)
class Served:
    """A model that a client could be served by, now or once what has paused it is over."""

    provider: ProviderConf
    model: ModelConf

    @property
    def name(self) -> str:
        return f"{self.provider.slug}/{self.model.name}"


def arguments(model: str, client: Client, max_usd: Decimal | None, kind: str = CHAT) -> dict[str, Any]:
    """Arguments of the chain for a model's name, within what the client may use. Raises ApiError (404)."""
    state = None if model in OWN else snapshot.read()  # no alias has these names
    name = target(model, state.aliases) if state else model
    limits = [
        limit
        for limit in (client.max_usd, max_usd, Decimal(0) if name == FREE else None)
        if limit is not None
    ]
    found: dict[str, Any] = {"max_usd": min(limits) if limits else None, "tiers": client.tiers or None}
    if state is None or name in OWN:
        return found
    meant = _meant(name, list(_allowed(state.providers, client, kind)))
    if not meant:
        raise unknown(model)
    slugs = list(dict.fromkeys(one.provider.slug for one in meant))
    names = list(dict.fromkeys(one.model.name for one in meant))
    return {**found, "providers": slugs, **({} if name == slugs[0] else {"models": names})}


def vectors(model: str, client: Client, max_usd: Decimal | None, dimensions: int | None) -> dict[str, Any]:
    """Arguments of the chain for embeddings: one family, of so many numbers. Raises ApiError (400, 404).

    model: as for a chat, or a family's name. `auto` is the first family in the order of the providers.
    """
    found = arguments(AUTO, client, max_usd)
    state = snapshot.read()
    name = target(model, state.aliases)
    allowed = list(_allowed(state.providers, client, EMBEDDING))
    meant = allowed if name in OWN else _meant(name, allowed)
    meant = meant or [one for one in allowed if one.model.family == name]
    if not meant:
        raise unknown(model)
    family, longest = meant[0].model.family, max(one.model.dimensions or 0 for one in meant)
    size = dimensions or meant[0].model.dimensions or 0
    if size > longest:
        text = f"'dimensions' must be at most {longest} for the model '{model[:200]}'."
        raise ApiError(400, text, param="dimensions", code="invalid_request")
    of_family = meant if name not in {AUTO, FREE} else [one for one in meant if one.model.family == family]
    if name == FREE:
        found["max_usd"] = Decimal(0)
    return {
        **found,
        "vectors": (family, size),
        "providers": list(dict.fromkeys(one.provider.slug for one in of_family)),
        "models": list(dict.fromkeys(one.model.name for one in of_family)),
    }


def target(model: str, aliases: Mapping[str, str]) -> str:
    """What a name means. An alias may hold `*`: then the longest one that fits."""
    if model in aliases:
        return aliases[model]
    fitting = [name for name in aliases if "*" in name and fnmatchcase(model, name)]
    return aliases[max(fitting, key=len)] if fitting else model


def _meant(name: str, allowed: list[Served]) -> list[Served]:
    """A provider's models, one of them, or all models of that id."""
    slug, _, id = name.partition("/")
    of_provider = [one for one in allowed if one.provider.slug == slug and (not id or one.model.name == id)]
    return of_provider or [one for one in allowed if one.model.name == name]


def unknown(model: str) -> ApiError:
    text = f"The model '{model[:200]}' does not exist or you do not have access to it."
    return ApiError(404, text, param="model", code="model_not_found")


def listed(client: Client) -> Iterator[dict[str, Any]]:
    """Every name that this client could be served by, in the shapes of OpenAI and of Anthropic."""
    state = snapshot.read()
    found = served(state.providers, client)
    chat = [one for one in found if one.model.kind == CHAT]
    if chat:
        yield _entry(AUTO, OWNER, chat)
    if free := [one for one in chat if one.provider.free]:
        yield _entry(FREE, OWNER, free)
    for provider in dict.fromkeys(one.provider.slug for one in found):
        own = [one for one in found if one.provider.slug == provider]
        if usual := [one for one in own if one.model.kind == CHAT]:
            yield _entry(provider, provider, usual)
        for one in own:
            yield _entry(one.name, provider, [one])
    for alias, name in sorted(state.aliases.items()):
        meant = chat if name == AUTO else free if name == FREE else _meant(name, found)
        if meant and "*" not in alias:
            yield _entry(alias, OWNER, meant)


def served(providers: Iterable[ProviderConf], client: Client) -> list[Served]:
    """Models that this client could be served by: allowed, with a key, not over, and payable."""
    now = timezone.now()
    return [
        one
        for kind in (CHAT, EMBEDDING)
        for one in _allowed(providers, client, kind)
        if _has_key(one.provider) and not _is_over(one, now) and _is_payable(one, client)
    ]


def one(client: Client, name: str) -> dict[str, Any]:
    """The entry of a name; of a model's id alone, or one that an alias fits, too. Raises ApiError (404)."""
    entries = {entry["id"]: entry for entry in listed(client)}
    name_meant = target(name, snapshot.read().aliases)
    alone = next((id for id in entries if id.partition("/")[2] == name_meant), name_meant)
    for found in (name, name_meant, alone):
        if found in entries:
            return {**entries[found], "id": name}
    raise unknown(name)


def _allowed(providers: Iterable[ProviderConf], client: Client, kind: str) -> Iterator[Served]:
    tiers, use = {Decimal(str(tier)) for tier in client.tiers}, use_of(client)
    for provider in providers:
        if (not tiers or provider.tier in tiers) and not forbidden(provider, use):
            for model in provider.models if kind == CHAT else provider.embeddings:
                yield Served(provider, model)


def _has_key(provider: ProviderConf) -> bool:
    return any(key.key or provider.keyless for key in provider.keys)


def _is_over(one: Served, now: datetime) -> bool:
    ended = one.model.shutdown_on
    credit = one.provider.credit_until
    return (ended is not None and today(one.provider.day_reset, now) >= ended) or (
        credit is not None and now.date() > credit
    )


def _is_payable(one: Served, client: Client) -> bool:
    """Whether its price is known, and within what a call of this client's may cost."""
    most = one.model.price.most(1, 1)
    return most is not None and (client.max_usd != 0 or most == 0)


def room(model: ModelConf) -> int | None:
    """Tokens of input and output that one request may have: the window, or a limit below it. None: nobody said."""
    rooms = [int(most) for limit in model.limits if (most := limit.most_out(0)) is not None]
    # A limit of input alone leaves room for a whole answer beside it.
    output = model.max_output or UNKNOWN_MAX_OUTPUT
    rooms += [limit.amount + output for limit in model.limits if limit.unit == "tokens_in"]
    return min((*rooms, *filter(None, (model.context,))), default=None)


def _entry(name: str, owner: str, meant: list[Served]) -> dict[str, Any]:
    """meant: what may answer under this name; the entry says what the largest and ablest of them can."""
    models = [one.model for one in meant]
    outputs = [min(filter(None, (model.max_output, room(model)))) for model in models if model.max_output]
    found: dict[str, Any] = {
        "id": name, "object": "model", "created": CREATED, "owned_by": owner,
        "type": "model", "display_name": name, "created_at": CREATED_AT,
        "kind": models[0].kind,
        "context_length": max(filter(None, map(room, models)), default=None),
        "max_output_tokens": max(outputs, default=None),
    }  # fmt: skip
    if models[0].kind == EMBEDDING:
        sizes = {"dimensions": models[0].dimensions, "family": models[0].family}
        return {**found, **sizes, "abilities": []}
    abilities = ("tools", "json_schema", "images", "prefill")
    takes = [ability for ability in abilities if any(getattr(model, ability) for model in models)]
    inputs = ["text", "image"] if "images" in takes else ["text"]
    return {
        **found,
        "abilities": takes,
        "input_modalities": inputs,
        "free": all(one.provider.free for one in meant),
    }
