"""The ledger's meters kept in memory, for days that are only played: the rules of what has room are the chain's own."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from llm import windows
from llm.calls.deployment import Deployment, Skipped
from llm.calls.spec import CallSpec
from llm.configuration.snapshot import ProviderConf
from llm.foresight.load import Ask
from llm.ledger.counters import ALWAYS
from llm.ledger.meters import Names
from llm.ledger.tally import Sums, Tally, arrival, moment
from llm.limits.calendar import day_start
from llm.limits.learned import key_of
from llm.limits.quota import LedgerMeter, reserved_tokens

LOOK_AGAIN = timedelta(minutes=1)  # at a rolling quota that was full
OF_THE_CALENDAR = {f"quota of the {per}" for per in windows.BY_CALENDAR}
Key = tuple[str, str, str]  # provider, account, model


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
