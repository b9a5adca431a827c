"""Which deployments a call would try, in which order, and what is skipped, why and until when.

Pure: configuration, pauses and the meter go in. The chain, the chain page and the forecast share it.
Order: provider by tier; within it for each account, for each model, for each location, the first usable key.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from llm.calls.deployment import SPARE, CallSkips, Deployment, Skipped
from llm.calls.fitting import ABOVE_LIMIT, fitted, is_above_context, worst_cost
from llm.calls.spec import CallSpec
from llm.calls.terms import forbidden, lacking
from llm.configuration.snapshot import KeyConf, ModelConf, PauseView, ProviderConf
from llm.failures import waits
from llm.failures.kinds import Kind
from llm.limits.calendar import today
from llm.pauses.demotion import in_order, is_narrow

# After their time these are tried by one call first, not by all; a plain rate limit simply is over.
HALF_OPEN_KINDS = frozenset(Kind) - {Kind.RATE_LIMITED_KEY}
Place = tuple[Deployment, ...]  # of the keys of one account, which share its quota; at least one


class Meter(Protocol):
    """What has been used so far; asked only for deployments that the plan reaches."""

    def room(self, deployment: Deployment, want: CallSpec) -> Skipped | None:
        """None when the account's quota has room for the call, else why not."""
        ...

    def spent_today(self, provider: str) -> Decimal: ...

    def spent_ever(self, provider: str) -> Decimal: ...

    def spent_by(self, client: str) -> Decimal: ...


class _NoMeter:
    """Knows of nothing that was used."""

    def room(self, deployment: Deployment, want: CallSpec) -> Skipped | None:
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
    want: CallSpec
    skips: CallSkips
    now: datetime
    site_budget_usd: Decimal | None = None

    def steps(self) -> Iterator[Deployment | Skipped]:
        """Deployments to try and what is passed over, lazily and in order."""
        for provider in self._in_order():
            if self._is_left(provider):
                yield from self._provider(provider)

    def _in_order(self) -> list[ProviderConf]:
        """By tier; the one that holds the conversation goes first, but one that costs money before no free one."""
        ordered = in_order(self.providers, self.pauses, self.now)
        if (held := self.want.home) is None:
            return ordered
        home = next((each for each in ordered if each.slug == held.provider), None)
        if home is None:
            return ordered
        others = [each for each in ordered if each is not home]
        last_free = max((number for number, each in enumerate(others, 1) if each.free), default=0)
        place = 0 if home.free else min(last_free, ordered.index(home))
        return [*others[:place], home, *others[place:]]

    def survey(self) -> Iterator[tuple[Deployment, Skipped | None]]:
        """Every deployment there is, in the order of `steps`, with why the call would pass it over, if it would."""
        for provider in self._in_order():
            yield from self._walk(provider, self._whole(provider))

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
        wanted, skips = self.want, self.skips
        return (
            provider.slug not in skips.providers
            and provider.slug not in skips.silent
            and (wanted.providers is None or provider.slug in wanted.providers)
            and (wanted.tiers is None or provider.tier in wanted.tiers)
        )

    def _provider(self, provider: ProviderConf) -> Iterator[Deployment | Skipped]:
        """The steps of one provider: of all that is there, what may be tried, and every other reason once."""
        if (whole := self._whole(provider)) is not None:
            yield whole
            return
        told: set[Skipped] = set()
        for deployment, skipped in self._walk(provider, None):
            if skipped is None:
                yield deployment
            elif skipped.why != SPARE and skipped not in told:
                told.add(skipped)
                yield skipped

    def _whole(self, provider: ProviderConf) -> Skipped | None:
        """Why nothing of the provider can be used, if so."""
        if why := self._unusable(provider):
            return Skipped(provider.slug, why)
        if provider.slug not in self.pauses:
            return None
        blocking = self._blocking([p for p in self.pauses[provider.slug] if not is_narrow(p)])
        return _paused(blocking) if blocking else None

    def _walk(
        self, provider: ProviderConf, whole: Skipped | None
    ) -> Iterator[tuple[Deployment, Skipped | None]]:
        """Each key at each place, but what this call does not ask for or has tried already."""
        for place in self._places(provider):
            model = place[0].model
            if (provider.slug, model.name) not in self.skips.models and self._asked_for(model):
                yield from self._keys(place, whole)

    def _keys(self, place: Place, whole: Skipped | None) -> Iterator[tuple[Deployment, Skipped | None]]:
        """The keys of an account share its quota, so one that works is enough."""
        provider, model = place[0].provider, place[0].model
        unfit, reached = self._unfit(provider, model), False
        for deployment in place:
            key = deployment.key
            covering = self._covering(deployment) if provider.slug in self.pauses else []
            if covering:
                deployment = replace(deployment, probes=tuple(covering))
            if not (key.key or provider.keyless):
                yield deployment, Skipped(provider.slug, key.problem or "no key", key.label)
            elif whole is not None:
                yield deployment, whole
            elif unfit:
                first = next(each.key.label for each in place if each.key.key or provider.keyless)
                yield deployment, Skipped(provider.slug, unfit, first, model.name)
            elif covering and (blocking := self._blocking(covering)):
                yield deployment, _paused(blocking, key, model)
            elif deployment.name in self.skips.deployments:
                continue
            elif reached:
                yield deployment, Skipped(provider.slug, SPARE, key.label, model.name)
            else:
                reached = True
                yield deployment, refusal(deployment, self.want, self.meter, self.site_budget_usd)

    def _places(self, provider: ProviderConf) -> Sequence[Place]:
        """In order; where the conversation is held goes first."""
        found = places(provider)
        if (home := self.want.home) is None or home.provider != provider.slug:
            return found
        held = home.account, home.model, home.location
        return sorted(
            found, key=lambda each: (each[0].key.account, each[0].model.name, each[0].location) != held
        )

    def _asked_for(self, model: ModelConf) -> bool:
        return self.want.models is None or model.name in self.want.models

    def _unfit(self, provider: ProviderConf, model: ModelConf) -> str:
        """That the provider has ended the model, by its own calendar, or what it does not take; empty if it is fit."""
        if model.shutdown_on is not None and today(provider.day_reset, self.now) >= model.shutdown_on:
            return f"ended on {model.shutdown_on}"
        return lacking(model, self.want.needs) if self.want.needs else ""

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

    def _covering(self, deployment: Deployment) -> list[PauseView]:
        return [
            pause
            for pause in self.pauses[deployment.provider.slug]
            if pause.covers(**deployment.scope, fingerprint=deployment.key.fingerprint, needs=self.want.needs)
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


def places(provider: ProviderConf) -> tuple[Place, ...]:
    """For each account, for each model, for each location: its deployments, by the keys of the account."""
    if "places" not in provider.together:
        accounts: dict[str, list[KeyConf]] = {}
        for key in provider.keys:
            accounts.setdefault(key.account, []).append(key)
        provider.together["places"] = tuple(
            tuple(Deployment(provider, key, model, location) for key in keys)
            for keys in accounts.values()
            for model in provider.models
            for location in provider.locations or ("",)
        )
    found: tuple[Place, ...] = provider.together["places"]
    return found


def offered(providers: tuple[ProviderConf, ...], want: CallSpec) -> tuple[ProviderConf, ...]:
    """The providers with the models that can do what is asked: chat, or embeddings of one family.

    A larger model of the family may be asked for shorter vectors; those of another family mean something else.
    """
    if want.vectors is None:
        return providers
    family, size = want.vectors
    return tuple(
        replace(provider, models=tuple(
            model for model in provider.embeddings
            if model.family == family and model.dimensions is not None and model.dimensions >= size
        ))
        for provider in providers
    )  # fmt: skip


def refusal(
    deployment: Deployment, want: CallSpec, meter: Meter, site_budget_usd: Decimal | None
) -> Skipped | None:
    """Why this deployment may not be used for this call: its window, money, then its quota. None when it may."""
    if is_above_context(deployment, want):
        return Skipped(
            deployment.provider.slug, ABOVE_LIMIT, credential=deployment.key.label, model=deployment.model.name,
            limit=deployment.model.context,
        )  # fmt: skip
    costs = not deployment.model.price.is_nothing
    if costs and (why := _unaffordable(deployment, want, meter, site_budget_usd)):
        return Skipped(
            deployment.provider.slug, why, credential=deployment.key.label, model=deployment.model.name
        )
    return meter.room(deployment, want)


def _unaffordable(
    deployment: Deployment, want: CallSpec, meter: Meter, site_budget_usd: Decimal | None
) -> str:
    """Which budget has too little left for the call, in words; empty when all have enough."""
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
    return why


def usd_left(
    deployment: Deployment, want: CallSpec, meter: Meter, site_budget_usd: Decimal | None
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


def _paused(pause: PauseView, key: KeyConf | None = None, model: ModelConf | None = None) -> Skipped:
    return Skipped(
        pause.provider,
        pause.kind,
        credential=key.label if key else None,
        model=model.name if model else None,
        until=pause.until,
    )
