"""What a number of calls a day would be served by, and cost: a day of the chain's own plan, played in memory.

Pure: configuration, the sizes of calls and what is used already go in. The order is `llm.chain.plan`'s, the room is
`llm.limits.quota`'s; only the ledger is replaced by `InMemoryMeter`. Sizes are measured by `llm.foresight.workload`.

What it leaves out: failures and pauses to come, and callers who ask again. So a day of it is a good day.
"""

import heapq
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from llm.calls.deployment import CallSkips, Deployment, Skipped
from llm.calls.spec import CallSpec
from llm.chain.plan import Planner
from llm.configuration.limits import REASONS
from llm.configuration.snapshot import KeyConf, PauseView, ProviderConf
from llm.foresight.load import Load
from llm.foresight.meter import OF_THE_CALENDAR, InMemoryMeter
from llm.limits.learned import LearnedLimits

MOST_WAITS = 3  # as `llm.chain.selector` waits for a free deployment
DAY = timedelta(days=1)
BACK_SOON = set(REASONS) - OF_THE_CALENDAR
SHORTER = 0.75  # of the prompt, as one of the changes


@dataclass(slots=True)
class Share:
    """What one provider served."""

    provider: str
    tier: Decimal
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal = Decimal(0)


@dataclass(slots=True)
class Day:
    """A played day. `first_tier_out`: the moment from which the first tier had no room left for the day."""

    calls: int = 0
    shares: dict[str, Share] = field(default_factory=dict)
    unserved: int = 0
    first_tier: Decimal | None = None
    first_tier_out: datetime | None = None

    @property
    def cost_usd(self) -> Decimal:
        return sum((share.cost_usd for share in self.shares.values()), Decimal(0))

    @property
    def tokens(self) -> int:
        return sum(share.tokens_in + share.tokens_out for share in self.shares.values())

    def by_tier(self) -> dict[Decimal, int]:
        """Calls served by each tier."""
        found: dict[Decimal, int] = {}
        for share in self.shares.values():
            found[share.tier] = found.get(share.tier, 0) + share.calls
        return found


# -- the play --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chain:
    """What the plan is made of. `free_wait_s`: how long a call waits rather than paying, in seconds."""

    providers: tuple[ProviderConf, ...]
    learned_limits: LearnedLimits = field(default_factory=dict)
    pauses: Mapping[str, list[PauseView]] = field(default_factory=dict)
    site_budget_usd: Decimal | None = None
    free_wait_s: float = 3.0

    def deployments(self) -> Iterator[Deployment]:
        """Every (account, model) that has a quota of its own, by one of its keys."""
        for provider in self.providers:
            yield from self.of(provider)

    def of(self, provider: ProviderConf) -> Iterator[Deployment]:
        """Those of one provider."""
        accounts = {key.account: key for key in provider.keys if key.key or provider.keyless}
        for key in accounts.values():
            for model in provider.models:
                yield Deployment(provider, key, model, next(iter(provider.locations), ""))


def play(
    chain: Chain,
    load: Load,
    *,
    start: datetime,
    end: datetime | None = None,
    books: InMemoryMeter | None = None,
    seed: int = 1,
) -> Day:
    """Serves the calls that come between two moments (24 hours), and says who answered and what it cost."""
    books = books or InMemoryMeter(start, chain.learned_limits)
    end = end or start + DAY
    day, free = Day(), {provider.slug for provider in chain.providers if provider.free}
    usable = {deployment.provider.tier for deployment in chain.deployments()}
    day.first_tier = min(usable, default=None)
    # (moment, number, size, how often it has waited): numbers keep the order of equal moments
    waiting = [
        (moment, number, ask, 0)
        for number, (moment, ask) in enumerate(load.arrivals(start, end, random.Random(seed)))
    ]
    heapq.heapify(waiting)
    day.calls = len(waiting)
    while waiting:
        now, number, ask, waits = heapq.heappop(waiting)
        books.to(now)
        want = CallSpec(tokens_in=ask.tokens_in, estimated_in=ask.tokens_in, max_tokens=ask.max_tokens)
        found, passed = _choose(chain, books, want, now)
        if found is None or not found.provider.free:
            soon = [s.until for s in passed if s.until is not None and s.provider in free and s.until > now]
            if waits < MOST_WAITS and soon and (min(soon) - now).total_seconds() <= chain.free_wait_s:
                again = min(soon) + timedelta(milliseconds=50)
                heapq.heappush(waiting, (again, number, ask, waits + 1))
                continue
        elsewhere = found is None or found.provider.tier != day.first_tier
        if elsewhere and day.first_tier_out is None and _out_for_the_day(chain, passed, day.first_tier):
            day.first_tier_out = now
        if found is None:
            day.unserved += 1
            continue
        share = day.shares.setdefault(found.provider.slug, Share(found.provider.slug, found.provider.tier))
        # No model writes more than it may, and what it may depends on its reserve for reasoning.
        most = ask.max_tokens + found.model.reasoning_reserve
        ask = replace(ask, tokens_out=min(ask.tokens_out, most))
        share.calls += 1
        share.tokens_in += ask.tokens_in
        share.tokens_out += ask.tokens_out
        share.cost_usd += books.note(found, ask, want)
    return day


def without_limit(chain: Chain, day: Day) -> list[str]:
    """Free services that served, and of whose limits nothing is known: in truth they may serve far less."""
    return [
        provider.slug
        for provider in chain.providers
        if provider.slug in day.shares
        and provider.free
        and not provider.keyless
        and not any(
            InMemoryMeter(timezone.now(), chain.learned_limits).limits(one) for one in chain.of(provider)
        )
    ]


def typical(chain: Chain, load: Load, *, start: datetime) -> Day:
    """A day like any other: where a quota's day is not ours, after a day of the same load."""
    books = InMemoryMeter(start - DAY, chain.learned_limits)
    if any(provider.day_reset != "utc" for provider in chain.providers):
        play(chain, load, start=start - DAY, books=books, seed=2)
    books.ever.clear()
    return play(chain, load, start=start, books=books)


def _choose(
    chain: Chain, books: InMemoryMeter, want: CallSpec, now: datetime
) -> tuple[Deployment | None, list[Skipped]]:
    planner = Planner(
        chain.providers, dict(chain.pauses), books, want, CallSkips(), now, chain.site_budget_usd
    )
    passed: list[Skipped] = []
    for step in planner.steps():
        if isinstance(step, Deployment):
            return step, passed
        passed.append(step)
    return None, passed


def _out_for_the_day(chain: Chain, passed: Sequence[Skipped], tier: Decimal | None) -> bool:
    """Whether nothing but spent daily quotas and budgets kept a call from the tier."""
    slugs = {provider.slug for provider in chain.providers if provider.tier == tier}
    whys = [step.why for step in passed if step.provider in slugs and step.model is not None]
    return bool(whys) and not any(why in BACK_SOON for why in whys)


# -- what one change would save --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One change and the day with it: `saved_usd` a day, and how many calls more would be answered."""

    name: str
    subject: str
    day: Day
    saved_usd: Decimal
    more_answered: int


def changes(chain: Chain, load: Load, plain: Day, *, start: datetime, repeated: float = 0.0) -> list[Change]:
    """Each single change played on the same day, what saves most first.

    repeated: the share of calls that ask what was asked before; the cache would answer these.
    """
    found = []
    for name, subject, other_chain, other_load in _variants(chain, load, repeated):
        day = typical(other_chain, other_load, start=start)
        answered_more = plain.unserved - day.unserved
        found.append(Change(name, subject, day, plain.cost_usd - day.cost_usd, answered_more))
    return sorted(found, key=lambda change: (-change.more_answered, -change.saved_usd))


def _variants(chain: Chain, load: Load, repeated: float) -> Iterator[tuple[str, str, Chain, Load]]:
    for provider in chain.providers:
        keys = [key for key in provider.keys if key.key or provider.keyless]
        if not provider.free or not keys or not provider.models or provider.keyless:
            continue
        account = KeyConf(label="one more", account="one more account", key="x")
        yield "account", provider.slug, _with(chain, replace(provider, keys=(*provider.keys, account))), load
        model = replace(provider.models[-1], name="one more model")
        yield "model", provider.slug, _with(chain, replace(provider, models=(*provider.models, model))), load
    shorter = [replace(ask, tokens_in=round(ask.tokens_in * SHORTER)) for ask in load.asks]
    yield "prompt", "", chain, replace(load, asks=shorter)
    yield "cache", "", chain, replace(load, calls=round(load.calls * (1 - repeated)))


def _with(chain: Chain, provider: ProviderConf) -> Chain:
    return replace(
        chain, providers=tuple(provider if one.slug == provider.slug else one for one in chain.providers)
    )
