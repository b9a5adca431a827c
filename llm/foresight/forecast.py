"""What a number of calls a day would be served by, and cost: a day of the chain's own plan, played in memory.

Pure: configuration, the sizes of calls and what is used already go in. The order is `llm.chain.plan`'s, the room is
`llm.limits.quota`'s; only the ledger is replaced by `Books`. Sizes are measured by `llm.foresight.workload`.

What it leaves out: failures and pauses to come, and callers who ask again. So a day of it is a good day.
"""

import heapq
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from llm import windows
from llm.calls.deployment import CallSkips, Deployment, Skipped
from llm.calls.spec import CallSpec
from llm.chain.plan import Planner
from llm.configuration.limits import REASONS
from llm.configuration.snapshot import KeyConf, PauseView, ProviderConf
from llm.ledger.counters import ALWAYS, Names
from llm.ledger.tally import Sums, Tally, arrival, moment
from llm.limits.calendar import day_start
from llm.limits.learned import LearnedLimits, key_of
from llm.limits.quota import LedgerMeter, reserved_tokens

MOST_WAITS = 3  # as `choosing` waits for a free deployment
DAY = timedelta(days=1)
LOOK_AGAIN = timedelta(minutes=1)  # at a rolling quota that was full
OF_THE_CALENDAR = {f"quota of the {per}" for per in windows.BY_CALENDAR}
BACK_SOON = set(REASONS) - OF_THE_CALENDAR
SHORTER = 0.75  # of the prompt, as one of the changes
Key = tuple[str, str, str]  # provider, account, model


@dataclass(frozen=True, slots=True)
class Ask:
    """The size of one call in tokens, and how many seconds its answer takes."""

    tokens_in: int
    max_tokens: int
    tokens_out: int
    seconds: float = 6.0


@dataclass(frozen=True, slots=True)
class Load:
    """Calls of a day: how many, of which sizes (drawn evenly), and how they spread over the 24 hours (UTC)."""

    calls: int
    asks: Sequence[Ask]
    by_hour: Sequence[float] = (1.0,) * 24

    def arrivals(self, start: datetime, end: datetime, dice: random.Random) -> list[tuple[datetime, Ask]]:
        """When calls come between two moments, in order."""
        found: list[datetime] = []
        hour = start.replace(minute=0, second=0, microsecond=0)
        whole, owed = sum(self.by_hour), 0.0
        while hour < end:
            owed += self.calls * self.by_hour[hour.hour] / whole
            while len(found) < round(owed):
                found.append(hour + timedelta(seconds=dice.random() * 3600))
            hour += timedelta(hours=1)
        moments = sorted(moment for moment in found if start <= moment < end)
        # Evenly over all samples, also where there are fewer calls than samples: these are sorted by their age.
        sizes = [self.asks[number * len(self.asks) // len(moments)] for number in range(len(moments))]
        dice.shuffle(sizes)
        return list(zip(moments, sizes, strict=True))


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


# -- the ledger, in memory -------------------------------------------------------------------------


@dataclass
class InMemoryMeter(LedgerMeter):
    """`LedgerMeter` with its counters in memory, so that the rules of what has room are the chain's own."""

    books: dict[str, dict[Names, Tally]] = field(default_factory=dict)  # by provider
    landings: list[tuple[datetime, int, Names, str, Sums]] = field(default_factory=list)
    spent: dict[str, Decimal] = field(default_factory=dict)  # of the day, by provider; "" is all
    ever: dict[str, Decimal] = field(default_factory=dict)
    spent_since: datetime | None = None
    full: dict[Key, tuple[datetime, int, Skipped]] = field(default_factory=dict)
    flights: int = 0

    def to(self, now: datetime) -> None:
        """Time passes: what was in flight and is over has used what it used."""
        self.now = now
        self.look_again()
        while self.landings and self.landings[0][0] <= now:
            end, flight, names, slug, used = heapq.heappop(self.landings)
            tally = self.books[slug][names]
            began = moment(tally.flights[flight][0])
            tally.land(flight)
            tally.add(arrival(began, end), now, used)

    def room(self, deployment: Deployment, want: CallSpec) -> Skipped | None:
        """As the ledger's; a day's quota that is spent is not summed up again for a call that is no smaller."""
        key, need = key_of(deployment), reserved_tokens(deployment, want)
        if (kept := self.full.get(key)) and self.now < kept[0] and need >= kept[1]:
            return kept[2]
        refused = super().room(deployment, want)
        if refused and refused.why in OF_THE_CALENDAR and refused.until:
            rolling = deployment.provider.day_reset == windows.ROLLING
            until = min(refused.until, self.now + LOOK_AGAIN) if rolling else refused.until
            self.full[key] = (until, need, refused)
        return refused

    def _read(
        self, deployment: Deployment, per: frozenset[str], account: str | None, model: str | None
    ) -> Mapping[Names, Tally]:
        return self.books.get(deployment.provider.slug, {})

    def spent_today(self, provider: str) -> Decimal:
        midnight = day_start("utc", self.now)
        if self.spent_since != midnight:
            if self.spent_since is not None:
                self.spent.clear()
            self.spent_since = midnight
        return self.spent.get(provider, Decimal(0))

    def spent_ever(self, provider: str) -> Decimal:
        return self.ever.get(provider, Decimal(0))

    def note(self, deployment: Deployment, ask: Ask, want: CallSpec) -> Decimal:
        """Writes down one answered call and returns its cost in USD."""
        tally = self._tally(deployment)
        self.flights += 1
        out = want.max_tokens + deployment.model.reasoning_reserve
        tally.depart(self.flights, self.now, want.tokens_in, out)
        end = self.now + timedelta(seconds=ask.seconds)
        slug, account, model = key_of(deployment)
        used = 1, ask.tokens_in, ask.tokens_out
        heapq.heappush(self.landings, (end, self.flights, (account, model), slug, used))
        self.look_again()
        cost = deployment.model.price.cost(ask.tokens_in, ask.tokens_out) or Decimal(0)
        if cost:
            self.spent_today("")  # a new day begins with nothing spent
            for name in (slug, ""):
                self.spent[name] = self.spent.get(name, Decimal(0)) + cost
            self.ever[slug] = self.ever.get(slug, Decimal(0)) + cost
        return cost

    def begin(self, provider: ProviderConf, tallies: Mapping[Names, Tally]) -> None:
        """Takes over what was used before the play begins."""
        self.books[provider.slug] = {names: tally.copy() for names, tally in tallies.items()}

    def _tally(self, deployment: Deployment) -> Tally:
        slug, account, model = key_of(deployment)
        book = self.books.setdefault(slug, {})
        if (account, model) not in book:
            per = {limit.per for each in deployment.provider.models for limit in each.limits if limit.per}
            per |= {limit.per for limit in self.limits(deployment).every if limit.per}
            book[account, model] = Tally(deployment.provider.day_reset, ALWAYS | per)
        return book[account, model]


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
            InMemoryMeter(datetime.now(UTC), chain.learned_limits).limits(one) for one in chain.of(provider)
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
