"""Which deployments a call would try, in which order, and what is skipped, why and until when.

A pure function of configuration, pauses and the meter: the chain, the chain page and the forecast share it.
Order: provider by tier; within it for each account, for each model, for each location, the first usable key.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from llm.failures import Kind
from llm.state import KeyConf, ModelConf, PauseView, ProviderConf

# After their time these are tried by one call first, not by all; a plain rate limit simply is over.
HALF_OPEN_KINDS = frozenset(Kind) - {Kind.RATE_LIMITED_KEY}


@dataclass(frozen=True, slots=True)
class Want:
    """What a call needs. `chars_in` is the length of its messages; `tokens_in` our estimate of them."""

    tokens_in: int
    max_tokens: int
    providers: frozenset[str] | None = None
    tiers: frozenset[Decimal] | None = None
    max_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """One (credential, model, location) that can be tried. `probes` are the ended pauses it would test."""

    provider: ProviderConf
    key: KeyConf
    model: ModelConf
    location: str = ""
    probes: tuple[PauseView, ...] = ()

    @property
    def label(self) -> str:
        """What a report's `provider` shows: the credential, with its location where there are several."""
        return f"{self.key.label}:{self.location}" if self.location else self.key.label


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was passed over without a request. Empty names stand for the whole provider."""

    provider: str
    why: str
    credential: str | None = None
    model: str | None = None
    until: datetime | None = None


@dataclass(slots=True)
class CallSkips:
    """What one call has learned that concerns this call alone."""

    providers: set[str] = field(default_factory=set)
    models: set[tuple[str, str]] = field(default_factory=set)
    deployments: set[tuple[str, str, str]] = field(default_factory=set)  # (credential, model, location)


class Meter(Protocol):
    """What has been used so far; asked only for deployments that the plan reaches."""

    def room(self, deployment: Deployment, want: Want) -> Skipped | None:
        """None when the account's quota has room for the call, else why not."""
        ...

    def spent_today(self, provider: str) -> Decimal: ...

    def spent_ever(self, provider: str) -> Decimal: ...


def plan(
    providers: tuple[ProviderConf, ...],
    pauses: dict[str, list[PauseView]],
    meter: Meter,
    want: Want,
    skips: CallSkips,
    now: datetime,
) -> Iterator[Deployment | Skipped]:
    """Deployments to try and what is passed over, lazily and in order."""
    for provider in in_order(providers, pauses, now):
        if provider.slug in skips.providers or not _wanted(provider, want):
            continue
        open_here = pauses.get(provider.slug, [])
        if reason := _provider_reason(provider, meter, now):
            yield reason
        elif (blocking := _blocking([p for p in open_here if not _narrow(p)], now)) is not None:
            yield _paused(provider, blocking)
        else:
            yield from _within(provider, open_here, meter, want, skips, now)


def in_order(
    providers: tuple[ProviderConf, ...], pauses: dict[str, list[PauseView]], now: datetime
) -> list[ProviderConf]:
    """Providers by tier; one that has been blocked for too long stands behind the next healthy tier."""
    demoted = {p.slug for p in providers if is_demoted(p, pauses.get(p.slug, []), now)}
    healthy = [p for p in providers if p.slug not in demoted]
    ordered = list(healthy)
    for provider in [p for p in providers if p.slug in demoted]:
        next_tier = next((p.tier for p in healthy if p.tier > provider.tier), None)
        places = [i for i, p in enumerate(ordered) if next_tier is not None and p.tier <= next_tier]
        ordered.insert(places[-1] + 1 if places else len(ordered), provider)
    return ordered


def is_demoted(provider: ProviderConf, pauses: list[PauseView], now: datetime) -> bool:
    """Blocked for longer than its `demote_after_h`."""
    limit = timedelta(hours=provider.demote_after_h)
    return any(p.kind == Kind.BLOCKED_PROVIDER and not _narrow(p) and now - p.since > limit for p in pauses)


def _within(
    provider: ProviderConf,
    pauses: list[PauseView],
    meter: Meter,
    want: Want,
    skips: CallSkips,
    now: datetime,
) -> Iterator[Deployment | Skipped]:
    accounts: dict[str, list[KeyConf]] = {}
    for key in provider.keys:
        if key.key or provider.keyless:
            accounts.setdefault(key.account, []).append(key)
        else:
            yield Skipped(provider.slug, key.problem or "no key", credential=key.label)
    for keys in accounts.values():
        for model in provider.models:
            if (provider.slug, model.name) in skips.models:
                continue
            for location in provider.locations or ("",):
                yield from _first_usable(provider, keys, model, location, pauses, meter, want, skips, now)


def _first_usable(
    provider: ProviderConf,
    keys: list[KeyConf],
    model: ModelConf,
    location: str,
    pauses: list[PauseView],
    meter: Meter,
    want: Want,
    skips: CallSkips,
    now: datetime,
) -> Iterator[Deployment | Skipped]:
    for key in keys:
        if (key.label, model.name, location) in skips.deployments:
            continue
        covering = [
            p
            for p in pauses
            if p.covers(credential=key.label, account=key.account, model=model.name, location=location)
        ]
        if (blocking := _blocking(covering, now)) is not None:
            yield _paused(provider, blocking, key, model)
            continue
        ended = tuple(p for p in covering if p.until is not None and p.until <= now)
        deployment = Deployment(provider, key, model, location, ended)
        if reason := _cost_reason(deployment, meter, want) or meter.room(deployment, want):
            yield reason
            return  # the account's other keys share its quota
        yield deployment
        return


def _narrow(pause: PauseView) -> bool:
    return bool(pause.credential or pause.account or pause.model or pause.location)


def _blocking(pauses: list[PauseView], now: datetime) -> PauseView | None:
    """The pause that holds longest, of those that hold now or are being probed by another call."""
    holding = [
        p
        for p in pauses
        if p.until is None
        or p.until > now
        or (p.kind in HALF_OPEN_KINDS and p.probe_until and p.probe_until > now)
    ]
    return max(holding, key=lambda p: (p.until is None, p.until or now)) if holding else None


def _paused(
    provider: ProviderConf, pause: PauseView, key: KeyConf | None = None, model: ModelConf | None = None
) -> Skipped:
    return Skipped(
        provider.slug,
        pause.kind,
        credential=key.label if key else None,
        model=model.name if model else None,
        until=pause.until,
    )


def _wanted(provider: ProviderConf, want: Want) -> bool:
    return (want.providers is None or provider.slug in want.providers) and (
        want.tiers is None or provider.tier in want.tiers
    )


def _provider_reason(provider: ProviderConf, meter: Meter, now: datetime) -> Skipped | None:
    if not provider.keys:
        return Skipped(provider.slug, "no key")
    if not provider.models:
        return Skipped(provider.slug, "no model")
    if provider.credit_until and now.date() > provider.credit_until:
        return Skipped(provider.slug, "trial credit has ended")
    if provider.credit_usd is not None and meter.spent_ever(provider.slug) >= provider.credit_usd:
        return Skipped(provider.slug, "trial credit is spent")
    return None


def worst_cost(deployment: Deployment, want: Want) -> Decimal | None:
    """The most that the call can cost here, in USD; None when the price is unknown."""
    return deployment.model.price.cost(want.tokens_in, want.max_tokens + deployment.model.reasoning_reserve)


def _cost_reason(deployment: Deployment, meter: Meter, want: Want) -> Skipped | None:
    provider = deployment.provider
    worst = worst_cost(deployment, want)
    why = ""
    if worst is None:
        why = "price unknown"  # no budget could be kept
    elif worst > 0:
        if want.max_usd is not None and worst > want.max_usd:
            why = "over max_usd" if want.max_usd else "free only"
        elif provider.daily_budget_usd is not None:
            if meter.spent_today(provider.slug) + worst > provider.daily_budget_usd:
                why = "daily budget spent"
        if not why and provider.credit_usd is not None:
            if meter.spent_ever(provider.slug) + worst > provider.credit_usd:
                why = "trial credit is spent"
    if not why:
        return None
    return Skipped(provider.slug, why, credential=deployment.key.label, model=deployment.model.name)
