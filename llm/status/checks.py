"""System checks of the chain's configuration, run by `manage.py check --database default`.

The configuration is in the database, so these are database checks: plain `check` of other commands leaves
them out, `migrate` runs them on what may be an empty database, and then they are silent.
"""

import math
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, router
from django.utils import timezone

from llm import secrets
from llm.adapters import adapter_for
from llm.calls.deployment import Deployment
from llm.configuration import snapshot
from llm.configuration.limits import Limit
from llm.configuration.snapshot import ProviderConf
from llm.failures.kinds import Failure, Kind
from llm.foresight import workload
from llm.libraries import missing_library
from llm.limits.learned import in_force, learned_limits
from llm.models import Credential, Provider

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
# Ids that their providers have ended, by slug, with what to use instead. From the providers' own notices.
RETIRED = {
    "groq": {
        "llama-3.3-70b-versatile": "openai/gpt-oss-120b",
        "llama-3.1-8b-instant": "openai/gpt-oss-20b",
        "meta-llama/llama-4-scout-17b-16e-instruct": "openai/gpt-oss-120b",
        "qwen/qwen3-32b": "qwen/qwen3.8-27b",
        "qwen/qwen3.6-27b": "qwen/qwen3.8-27b",
    },
    "deepseek": {"deepseek-chat": "deepseek-flash", "deepseek-reasoner": "deepseek-flash"},
    "nvidia": {"openai/gpt-oss-120b": "nvidia/nemotron-3-super-120b-a12b"},
    "vertex": {"gemini-3.6-flash": "gemini-3.8-flash"},
}


@register(Tags.database)
def check_chain(*, databases: Collection[str] | None = None, **options: Any) -> list[CheckMessage]:
    """Everything below, in three or four queries a check; nothing before the first migration."""
    if not databases or router.db_for_read(Provider) not in databases:
        return []
    try:
        rows = list(Provider.objects.filter(enabled=True).prefetch_related("models", "credentials"))
        providers = snapshot.read().providers
        return [
            *_retired_models(rows),
            *_accounts_counted_twice(rows),
            *_unknown_prices(providers),
            *_prompts_too_large(providers),
            *_missing_libraries(rows),
            *_proxies(),
            *_sdk_retries(providers),
            *_last_link(providers),
        ]
    except DatabaseError:  # not migrated yet
        return []


def _retired_models(rows: Iterable[Provider]) -> Iterator[CheckMessage]:
    """llm.W001: a model in use is known to be dead, by its last day, a provider's notice or its own answers."""
    today = timezone.now().date()
    gone = {
        (pause.provider, pause.model)
        for found in snapshot.open_pauses().values()
        for pause in found
        if pause.kind == Kind.MODEL_GONE
    }
    for row in rows:
        for model in row.models.all():
            instead = model.replacement or RETIRED.get(row.slug, {}).get(model.name, "")
            over = model.shutdown_on is not None and model.shutdown_on <= today
            if not model.enabled or not (
                over or model.name in RETIRED.get(row.slug, {}) or (row.slug, model.name) in gone
            ):
                continue
            switch = f"Use {instead} instead" if instead else "Use another model instead"
            yield Warning(
                f"{row.slug}: the model {model.name} is retired.",
                hint=f"{switch}: `providers check {row.slug}` asks the provider, the admin switches it.",
                id="llm.W001",
            )


def _accounts_counted_twice(rows: Iterable[Provider]) -> Iterator[CheckMessage]:
    """llm.W002: one quota is counted as two: the same key twice, or two names for one organisation."""
    for row in rows:
        by_key: dict[str, list[Credential]] = defaultdict(list)
        by_organisation: dict[str, set[str]] = defaultdict(set)
        for key in row.credentials.all():
            if not key.enabled:
                continue
            if fingerprint := _fingerprint(key):
                by_key[fingerprint].append(key)
            if key.organisation and key.account:
                by_organisation[key.organisation].add(key.account)
        for twins in by_key.values():
            if len({key.effective_account for key in twins}) > 1:
                labels = " and ".join(key.label for key in twins)
                yield Warning(
                    f"{row.slug}: {labels} are the same key, but counted as two accounts.",
                    hint="Delete one of them, or give both the same account: they share one quota.",
                    id="llm.W002",
                )
        for organisation, names in by_organisation.items():
            if len(names) > 1:
                yield Warning(
                    f"{row.slug}: the accounts {' and '.join(sorted(names))} are one, {organisation}.",
                    hint="Give their keys the same account. More keys of one organisation add no quota.",
                    id="llm.W002",
                )


def _fingerprint(key: Credential) -> str:
    try:
        return secrets.fingerprint(key.key()) if key.key() else ""
    except secrets.SecretError:
        return ""


def _unknown_prices(providers: Iterable[ProviderConf]) -> Iterator[CheckMessage]:
    """llm.W003: a paid model has no price, so no budget could be kept and the chain never uses it."""
    for provider in providers:
        for model in provider.models:
            if not provider.free and not model.price.known:
                yield Warning(
                    f"{provider.slug}: the price of {model.name} is unknown, so it is always skipped.",
                    hint="Set price_in and price_out (USD per million tokens) in the admin or providers file.",
                    id="llm.W003",
                )


def _prompts_too_large(providers: Iterable[ProviderConf]) -> Iterator[CheckMessage]:
    """llm.W004: one call in twenty, as measured, needs more tokens than a model's minute or day has."""
    asks = sorted(workload.measure().asks, key=lambda ask: ask.tokens_in + ask.max_tokens)
    large, learned = asks[int(0.95 * (len(asks) - 1))], learned_limits()
    for provider in providers:
        for model in provider.models:
            need = 1, large.tokens_in, large.max_tokens + model.reasoning_reserve
            accounts = {key.account: key for key in provider.keys}
            in_forces = [
                in_force(Deployment(provider, key, model), learned.get((provider.slug, account, model.name)))
                for account, key in accounts.items()
            ] or [model.in_force]
            above = [
                limit for each in in_forces for limit in each.sized if limit.measure(*need) > limit.amount
            ]
            if above:
                limit = min(above, key=lambda limit: limit.amount)
                yield Warning(
                    f"{provider.slug}: {model.name} allows {_of(limit)}, and calls need {_need(limit, need)}.",
                    hint="Shorten prompts, lower max_tokens or reasoning_reserve, or switch the model off.",
                    id="llm.W004",
                )


def _of(limit: Limit) -> str:
    unit = {"tokens_in": "tokens of input", "tokens_out": "tokens of output"}.get(limit.unit, limit.unit)
    return f"{limit.amount} {unit}"


def _need(limit: Limit, need: tuple[int, int, int]) -> int:
    return math.ceil(limit.measure(*need))


def _proxies() -> Iterator[CheckMessage]:
    """llm.W007: a proxy is set, and providers are called without it: waits are cut to a deadline per connection."""
    names = sorted(name for name in PROXIES if os.environ.get(name) or os.environ.get(name.lower()))
    if names:
        yield Warning(
            f"{' and '.join(names)} is set, but providers are called directly.",
            hint="Where there is no other way out, give each provider a base_url of a gateway that goes through it.",
            id="llm.W007",
        )


def _missing_libraries(rows: Iterable[Provider]) -> Iterator[CheckMessage]:
    """llm.W006: a provider's client library is an extra that is not installed, so it is always skipped."""
    for row in rows:
        if row.credentials.all() and (lacking := missing_library(row.kind)):
            yield Warning(
                f"{row.slug}: the library of {row.kind} is {lacking.partition(':')[0]}, so it is always skipped.",
                hint=f"Run `{lacking.partition(': ')[2]}`, or switch the provider off.",
                id="llm.W006",
            )


def _sdk_retries(providers: Iterable[ProviderConf]) -> Iterator[CheckMessage]:
    """llm.E001: a client library retries by itself, behind the chain's back and its budgets."""
    kinds = {provider.kind: provider for provider in providers if provider.keys}
    for kind, provider in kinds.items():
        key = next((key.key for key in provider.keys if key.key), "")
        try:
            adapter = adapter_for(
                kind=kind,
                base_url=provider.base_url,
                key=key,
                project=provider.project,
                location=next(iter(provider.locations), ""),
            )
        except Failure:  # a key that cannot be used: the chain says so itself
            continue
        if adapter.retries:
            yield Error(
                f"The client of {kind} providers retries up to {adapter.retries} times by itself.",
                hint="Build it with max_retries=0 in llm/adapters: the chain owns retries, and counts them.",
                id="llm.E001",
            )


def _last_link(providers: Iterable[ProviderConf]) -> Iterator[CheckMessage]:
    """llm.W005: nothing stands behind the first trouble: no provider, one alone, or free ones only."""
    usable = [p for p in providers if p.models and any(key.key or p.keyless for key in p.keys)]
    if not usable:
        yield Warning(
            "No provider can be called: every call fails at once.",
            hint="A free key is made at https://console.groq.com/keys: start with GROQ_API_KEY=gsk_… set.",
            id="llm.W005",
        )
    elif len(usable) == 1:
        yield Warning(
            f"{usable[0].slug} is the only link: when it fails, every call fails.",
            hint="Give a provider of another company a key; `manage.py providers` lists what is lacking.",
            id="llm.W005",
        )
    elif not any(_is_last_link(provider) for provider in usable):
        yield Warning(
            "The chain has no last link: when the free quotas are spent, every call fails.",
            hint="Add a paid provider with a daily budget (DeepSeek costs about $0.001 a report), or a "
            "keyless one of your own, such as Ollama.",
            id="llm.W005",
        )


def _is_last_link(provider: ProviderConf) -> bool:
    """A paid provider with a price; or one of one's own, that no quota ends."""
    if provider.free:
        return provider.keyless and not all(model.limits for model in provider.models)
    return any(model.price.known for model in provider.models)
