"""Which deployments a call would try, in which order, and what is skipped, why and until when.

Pure: configuration, pauses and the meter go in. The chain, the chain page and the forecast share it.
Order: provider by tier; within it for each account, for each model, for each location, the first usable key.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol, TypeVar

from llm.chain.terms import Use, forbidden, lacking
from llm.configuration.snapshot import KeyConf, ModelConf, PauseView, ProviderConf
from llm.failures import waits
from llm.failures.rules import Kind
from llm.limits.calendar import today
from llm.limits.prices import MILLION

ABOVE_LIMIT = "request above limit"
SPARE = "spare"  # another key of the account comes first, and they share its quota
# After their time these are tried by one call first, not by all; a plain rate limit simply is over.
HALF_OPEN_KINDS = frozenset(Kind) - {Kind.RATE_LIMITED_KEY}


@dataclass(frozen=True, slots=True)
class Want:
    """What a call needs, in tokens.

    `estimated_in` by the alphabet, `tokens_in` corrected by experience: quotas are kept by it. `most_in` is the most
    that it can be: money is kept by it. `max_tokens` is a cap of visible text, see `fitted`; `named` says whether the
    caller has named it.
    """

    tokens_in: int
    max_tokens: int
    estimated_in: int = 0
    most_in: int = 0
    named: bool = True
    providers: frozenset[str] | None = None
    tiers: frozenset[Decimal] | None = None
    max_usd: Decimal | None = None
    models: frozenset[str] | None = None
    needs: frozenset[str] = frozenset()  # what a model must take: see llm.chain.terms
    use: Use | None = None
    client: str = ""
    client_budget_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """One (credential, model, location) that can be tried. `probes` are the ended pauses it would test."""

    provider: ProviderConf
    key: KeyConf
    model: ModelConf
    location: str = ""
    probes: tuple[PauseView, ...] = ()

    @property
    def name(self) -> tuple[str, str, str]:
        """Credential, model and location."""
        return self.key.label, self.model.name, self.location

    @property
    def scope(self) -> dict[str, str]:
        """What a pause that covers it may name."""
        return {
            "credential": self.key.label, "account": self.key.account, "model": self.model.name,
            "location": self.location,
        }  # fmt: skip

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
    limit: int | None = None  # tokens that a request may have there, where it was above that


@dataclass(slots=True)
class CallSkips:
    """What one call has learned that concerns this call alone."""

    providers: set[str] = field(default_factory=set)
    models: set[tuple[str, str]] = field(default_factory=set)
    deployments: set[tuple[str, str, str]] = field(default_factory=set)  # (credential, model, location)
    silent: set[str] = field(default_factory=set)  # providers that let this call wait for nothing


class Meter(Protocol):
    """What has been used so far; asked only for deployments that the plan reaches."""

    def room(self, deployment: Deployment, want: Want) -> Skipped | None:
        """None when the account's quota has room for the call, else why not."""
        ...

    def spent_today(self, provider: str) -> Decimal: ...

    def spent_ever(self, provider: str) -> Decimal: ...

    def spent_by(self, client: str) -> Decimal: ...


class _NoMeter:
    """Knows of nothing that was used."""

    def room(self, deployment: Deployment, want: Want) -> Skipped | None:
        return None

    def spent(self, name: str) -> Decimal:
        return Decimal(0)

    spent_today = spent_ever = spent_by = spent


NO_METER: Meter = _NoMeter()


@dataclass(frozen=True, slots=True)
class Planner:
    """Walks the configuration for one call. Everything it knows was handed to it."""

    providers: tuple[ProviderConf, ...]
    pauses: dict[str, list[PauseView]]
    meter: Meter
    want: Want
    skips: CallSkips
    now: datetime
    site_budget_usd: Decimal | None = None

    def steps(self) -> Iterator[Deployment | Skipped]:
        """Deployments to try and what is passed over, lazily and in order."""
        for provider in in_order(self.providers, self.pauses, self.now):
            if self._is_left(provider):
                yield from self._provider(provider)

    def survey(self) -> Iterator[tuple[Deployment, Skipped | None]]:
        """Every deployment there is, in the order of `steps`, with why the call would pass it over, if it would."""
        for provider in in_order(self.providers, self.pauses, self.now):
            wide = [pause for pause in self.pauses.get(provider.slug, []) if not _narrow(pause)]
            why, held = self._unusable(provider), self._blocking(wide)
            whole = Skipped(provider.slug, why) if why else _paused(held) if held else None
            accounts: dict[str, list[KeyConf]] = {}
            for key in provider.keys:
                accounts.setdefault(key.account, []).append(key)
            for keys in accounts.values():
                for model in provider.models:
                    for location in provider.locations or ("",):
                        yield from self._survey(provider, keys, model, location, whole)

    def _survey(
        self,
        provider: ProviderConf,
        keys: list[KeyConf],
        model: ModelConf,
        location: str,
        whole: Skipped | None,
    ) -> Iterator[tuple[Deployment, Skipped | None]]:
        """The keys of one account as `_first_usable` goes through them, those behind the first one too."""
        reached = False
        for key in keys:
            covering = self._covering(provider, key, model, location)
            deployment = Deployment(provider, key, model, location, probes=tuple(covering))
            if not (key.key or provider.keyless):
                yield deployment, Skipped(provider.slug, key.problem or "no key", key.label)
            elif whole:
                yield deployment, whole
            elif ended := self._ended(provider, model):
                yield deployment, Skipped(provider.slug, ended, key.label, model.name)
            elif blocking := self._blocking(covering):
                yield deployment, _paused(blocking, key, model)
            elif reached:
                yield deployment, Skipped(provider.slug, SPARE, key.label, model.name)
            else:
                reached = True
                yield deployment, refusal(deployment, self.want, self.meter, self.site_budget_usd)

    def after(self, slug: str) -> list[ProviderConf]:
        """The providers that would be tried after this one."""
        ordered = in_order(self.providers, self.pauses, self.now)
        places = [place for place, provider in enumerate(ordered) if provider.slug == slug]
        return ordered[places[0] + 1 :] if places else []

    def may_use(self, provider: ProviderConf) -> bool:
        """Whether the call could be sent to anything of this provider."""
        return self._is_left(provider) and any(
            isinstance(step, Deployment) for step in self._provider(provider)
        )

    def _is_left(self, provider: ProviderConf) -> bool:
        passed = self.skips.providers | self.skips.silent
        return provider.slug not in passed and self._wanted(provider)

    def _wanted(self, provider: ProviderConf) -> bool:
        wanted = self.want
        return (wanted.providers is None or provider.slug in wanted.providers) and (
            wanted.tiers is None or provider.tier in wanted.tiers
        )

    def _provider(self, provider: ProviderConf) -> Iterator[Deployment | Skipped]:
        wide = [pause for pause in self.pauses.get(provider.slug, []) if not _narrow(pause)]
        if why := self._unusable(provider):
            yield Skipped(provider.slug, why)
            return
        if blocking := self._blocking(wide):
            yield _paused(blocking)
            return
        accounts: dict[str, list[KeyConf]] = {}
        for key in provider.keys:
            if key.key or provider.keyless:
                accounts.setdefault(key.account, []).append(key)
            else:
                yield Skipped(provider.slug, key.problem or "no key", credential=key.label)
        for keys in accounts.values():
            for model in provider.models:
                if (provider.slug, model.name) in self.skips.models or not self._asked_for(model):
                    continue
                if why := self._ended(provider, model) or lacking(model, self.want.needs):
                    yield Skipped(provider.slug, why, credential=keys[0].label, model=model.name)
                    continue
                for location in provider.locations or ("",):
                    yield from self._first_usable(provider, keys, model, location)

    def _asked_for(self, model: ModelConf) -> bool:
        return self.want.models is None or model.name in self.want.models

    def _ended(self, provider: ProviderConf, model: ModelConf) -> str:
        """That the provider has ended the model, by its own calendar; empty while it has not."""
        over = model.shutdown_on is not None and today(provider.day_reset, self.now) >= model.shutdown_on
        return f"ended on {model.shutdown_on}" if over else ""

    def _unusable(self, provider: ProviderConf) -> str:
        if self.want.use is not None and (why := forbidden(provider, self.want.use)):
            return why
        if not provider.keys:
            return "no key"
        if not provider.models:
            return "no model"
        if provider.credit_until and self.now.date() > provider.credit_until:
            return "trial credit has ended"
        if provider.credit_usd is not None and self.meter.spent_ever(provider.slug) >= provider.credit_usd:
            return "trial credit is spent"
        return ""

    def _first_usable(
        self, provider: ProviderConf, keys: list[KeyConf], model: ModelConf, location: str
    ) -> Iterator[Deployment | Skipped]:
        """At most one deployment: the keys of an account share its quota, so one that works is enough."""
        for key in keys:
            covering = self._covering(provider, key, model, location)
            if blocking := self._blocking(covering):
                yield _paused(blocking, key, model)
                continue
            if (key.label, model.name, location) in self.skips.deployments:
                continue
            deployment = Deployment(provider, key, model, location, probes=tuple(covering))
            yield refusal(deployment, self.want, self.meter, self.site_budget_usd) or deployment
            return

    def _covering(
        self, provider: ProviderConf, key: KeyConf, model: ModelConf, location: str
    ) -> list[PauseView]:
        return [
            pause
            for pause in self.pauses.get(provider.slug, [])
            if pause.covers(
                credential=key.label,
                account=key.account,
                model=model.name,
                location=location,
                fingerprint=key.fingerprint,
                needs=self.want.needs,
            )
        ]

    def _blocking(self, pauses: list[PauseView]) -> PauseView | None:
        """The pause that holds longest, of those that hold now or are being probed by another call."""
        holding = [
            p
            for p in pauses
            if waits.holds(p, self.now)
            or (p.kind in HALF_OPEN_KINDS and p.probe_until and p.probe_until > self.now)
        ]
        return max(holding, key=lambda p: (p.until is None, p.until or self.now)) if holding else None


def refusal(
    deployment: Deployment, want: Want, meter: Meter, site_budget_usd: Decimal | None
) -> Skipped | None:
    """Why this deployment may not be used for this call: money first, then its quota. None when it may."""
    lowered = fitted(deployment, want, usd_left=usd_left(deployment, want, meter, site_budget_usd))
    provider, worst = deployment.provider, worst_cost(deployment, lowered)
    why = ""
    if worst is None:
        why = "price unknown"  # no budget could be kept
    elif worst == 0:
        pass
    elif want.max_usd is not None and worst > want.max_usd:
        why = "over max_usd" if want.max_usd else "free only"
    elif _exceeds(provider.daily_budget_usd, worst, meter.spent_today, provider.slug):
        why = "daily budget spent"
    elif _exceeds(site_budget_usd, worst, meter.spent_today, ""):
        why = "daily budget of the site spent"
    elif _exceeds(provider.credit_usd, worst, meter.spent_ever, provider.slug):
        why = "trial credit is spent"
    elif _exceeds(want.client_budget_usd, worst, lambda name: meter.spent_by(name), want.client):
        why = "daily budget of the client spent"
    if why:
        return Skipped(provider.slug, why, credential=deployment.key.label, model=deployment.model.name)
    return meter.room(deployment, want)


def usd_left(
    deployment: Deployment, want: Want, meter: Meter, site_budget_usd: Decimal | None
) -> Decimal | None:
    """USD that a call without a cap of its own may still cost here, by every budget; None where nothing limits it."""
    provider = deployment.provider
    if want.named or not worst_cost(deployment, want):
        return None
    left = [
        limit - spent(name)
        for limit, spent, name in (
            (want.max_usd, lambda _: Decimal(0), ""),
            (provider.daily_budget_usd, meter.spent_today, provider.slug),
            (site_budget_usd, meter.spent_today, ""),
            (provider.credit_usd, meter.spent_ever, provider.slug),
            (want.client_budget_usd, meter.spent_by, want.client),
        )
        if limit is not None
    ]
    return min(left, default=None)


def _exceeds(limit: Decimal | None, cost: Decimal, spent: Callable[[str], Decimal], slug: str) -> bool:
    return limit is not None and spent(slug) + cost > limit


# -- max_tokens is a cap: what is asked for is lowered to what a deployment can give -----------------------

LEAST_OUT = 256  # tokens: where no more than that would fit, the deployment has no room
FAIR_OUT = 2048  # tokens: less is not given to leave room for another call
UNKNOWN_MAX_OUTPUT = (
    8192  # of a model whose own maximum nobody has stated; nearly all that are served write more
)


def fitted(
    deployment: Deployment,
    want: Want,
    limits: Mapping[str, int] | None = None,
    *,
    tokens_left: int | None = None,
    usd_left: Decimal | None = None,
) -> Want:
    """The same call with `max_tokens` lowered to what this deployment can give; unchanged where that is too little.

    limits: tokens of the minute and the day (tpm, tpd); the model's own if None. A cap that the caller has named is
    lowered to what fits at all. One that nobody has named is the model's own maximum, within half of the smallest
    limit, so that two calls fit, and within `usd_left`, the USD that may still be spent. Where a cap is lowered, it is
    to `tokens_left`, what may be written now, rather than to wait for all of a minute.
    """
    model, price = deployment.model, deployment.model.price
    room = _room_out(deployment, want, limits)
    most = [want.max_tokens]
    if room is not None:
        most.append(room)
        if not want.named:
            most.append(max(room // 2, min(room, FAIR_OUT)))
        if tokens_left is not None and (not want.named or want.max_tokens > room):
            most.append(max(tokens_left, min(room, FAIR_OUT)))
    if not want.named and usd_left is not None and price.per_million_in is not None and price.per_million_out:
        left = usd_left * MILLION - price.per_million_in * max(want.most_in, want.tokens_in)
        most.append(int(left / price.per_million_out) - model.reasoning_reserve)
    lowered = min(most)
    return want if lowered < min(LEAST_OUT, want.max_tokens) else replace(want, max_tokens=lowered)


def is_elastic(deployment: Deployment, want: Want, limits: Mapping[str, int]) -> bool:
    """Whether the cap is lowered to what is left of a limit: nobody has named it, or nobody could have all of it."""
    room = _room_out(deployment, want, limits)
    return room is not None and (not want.named or want.max_tokens > room)


def _room_out(deployment: Deployment, want: Want, limits: Mapping[str, int] | None) -> int | None:
    """Tokens that an answer may have within the smallest limit, if nobody else uses any of it; None without one."""
    model = deployment.model
    known = {"tpm": model.tpm, "tpd": model.tpd} if limits is None else limits
    doors = [limit for name in ("tpm", "tpd") if (limit := known.get(name)) is not None]
    return min(doors) - want.tokens_in - model.reasoning_reserve if doors else None


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
    demoted = {p.slug for p in providers if is_demoted(p, pauses.get(p.slug, []), now)}
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
    return any(p.kind == Kind.BLOCKED_PROVIDER and not _narrow(p) and now - p.since > limit for p in pauses)


def worst_cost(deployment: Deployment, want: Want) -> Decimal | None:
    """The most that the call can cost here, in USD; None when the price is unknown."""
    most_in = max(want.most_in, want.tokens_in)
    return deployment.model.price.most(most_in, want.max_tokens + deployment.model.reasoning_reserve)


def _narrow(pause: PauseView) -> bool:
    return bool(pause.credential or pause.account or pause.model or pause.location)


def _paused(pause: PauseView, key: KeyConf | None = None, model: ModelConf | None = None) -> Skipped:
    return Skipped(
        pause.provider,
        pause.kind,
        credential=key.label if key else None,
        model=model.name if model else None,
        until=pause.until,
    )
