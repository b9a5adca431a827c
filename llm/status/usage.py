"""What the ledger says of the last 30 days, from kept sums: who was asked, how it ended, what it cost."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from django.db.models import Case, Count, F, Sum, When
from django.db.models.functions import Floor, Greatest, Ln
from django.utils import timezone

from llm.calls.deployment import Deployment
from llm.chain.selector import site_budget_usd
from llm.configuration import snapshot
from llm.configuration.limits import MODEL, PROVIDER, InForce, Limit
from llm.ledger.spending import MONEY, micros, usd
from llm.ledger.wording import tier_word
from llm.limits.calendar import day_start, next_day
from llm.limits.quota import UNCOUNTED, LearnedLimits, LedgerMeter, learned_limits
from llm.models import Attempt, Call, Provider
from llm.storage import rollup
from llm.storage.rollup import Line, Source

STEP = 1.19  # from one bucket of latency to the next: a percentile is right within 9 %
NO_FAILURE = frozenset({"ok", "running", "cancelled", "cut_short"})  # of a provider


class Tried(NamedTuple):
    """Attempts alike: how many, their tokens, and their cost in millionths of a USD (in flight: the most)."""

    provider: str
    account: str
    credential: str
    model: str
    location: str
    tier: str
    free: bool
    outcome: str
    number: int
    tokens: int
    micros: int


class Called(NamedTuple):
    """Calls alike. `bucket` is of their latency: STEP to that power, in milliseconds."""

    purpose: str
    outcome: str
    cached: bool
    bucket: int
    number: int
    micros: int


def _attempts(since: datetime, until: datetime) -> Iterator[Line]:
    tokens = Case(When(finished_at=None, then=F("reserved_tokens")), default=F("tokens_in") + F("tokens_out"))
    names = ("provider", "account", "credential", "model", "location", "tier", "free", "outcome")
    for *same, tier, free, outcome, count, used, cost in (
        Attempt.objects.filter(started_at__gte=since, started_at__lt=until)
        .order_by()
        .values_list(*names)
        .annotate(number=Count("id"), used=Sum(tokens), cost=Sum(MONEY))
    ):
        yield [*same, tier_word(tier), free, outcome, count, used or 0, micros(cost)]


def _calls(since: datetime, until: datetime) -> Iterator[Line]:
    bucket = Floor(Ln(Greatest(F("latency_ms"), 1) * 1.0) / Ln(STEP))
    for purpose, outcome, cached, place, count, cost in (
        Call.objects.filter(started_at__gte=since, started_at__lt=until)
        .order_by()
        .annotate(bucket=bucket)
        .values_list("purpose", "outcome", "cached", "bucket")
        .annotate(number=Count("id"), cost=Sum("cost_usd"))
    ):
        yield [purpose, outcome, cached, int(place or 0), count, micros(cost)]


def _savings(since: datetime, until: datetime) -> Iterator[Line]:
    saved = Call.objects.filter(started_at__gte=since, started_at__lt=until).aggregate(usd=Sum("saved_usd"))
    yield [micros(saved["usd"])]


ATTEMPTS, CALLS = Source("attempts", _attempts), Source("calls", _calls)
SAVINGS = Source("savings", _savings)  # against the cheapest paid model, as each call noted it


def tried(lines: Iterable[Line]) -> list[Tried]:
    return [Tried(*line) for line in lines]


def called(lines: Iterable[Line]) -> list[Called]:
    return [Called(*line) for line in lines]


def cost(lines: Iterable[Tried]) -> Decimal:
    """USD."""
    return usd(sum(line.micros for line in lines))


def saved(lines: Iterable[Line]) -> Decimal:
    """USD, of lines of SAVINGS."""
    return usd(sum(line[0] for line in lines))


def failures(lines: Iterable[Tried]) -> Counter[str]:
    """Failed attempts by kind."""
    found: Counter[str] = Counter()
    for line in lines:
        if line.outcome not in NO_FAILURE:
            found[line.outcome] += line.number
    return found


def latency_s(lines: Iterable[Called], share: float) -> float | None:
    """The time, in seconds, that `share` (0 to 1) of the answered calls took at most; None without any."""
    buckets: Counter[int] = Counter()
    for line in lines:
        if line.outcome == Call.Outcome.OK and not line.cached:
            buckets[line.bucket] += line.number
    left = share * buckets.total()
    for bucket in sorted(buckets):
        left -= buckets[bucket]
        if left <= 0:
            return float(STEP ** (bucket + 0.5)) / 1000
    return None


# -- quotas and budgets ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """What is left today of one account's quota for one model; None where no daily limit is known.

    pool: patterns of the models that share it, or the name of the scope; empty for the model's own
    """

    provider: str
    account: str
    model: str
    requests: int | None
    requests_limit: int | None
    tokens: int | None
    tokens_limit: int | None
    resets_at: datetime | None  # None: by and by, over 24 hours
    pool: str = ""


def quotas_left(sums: rollup.Sums, now: datetime, learned: LearnedLimits | None = None) -> list[QuotaLeft]:
    """Of every account that has a free quota, in the order of the tiers. `sums` are those of ATTEMPTS."""
    meter, found = LedgerMeter(now, learned_limits() if learned is None else learned), []
    for provider in snapshot.providers():
        if not provider.free:
            continue
        since = day_start(provider.day_reset, now)
        lines = [
            line
            for line in tried(sums.since(since))
            if line.provider == provider.slug and line.outcome not in UNCOUNTED
        ]
        resets_at = None if provider.day_reset == "rolling" else next_day(provider.day_reset, now)
        accounts = {key.account: key for key in provider.keys if key.key or provider.keyless}
        for account, key in accounts.items():
            for model in provider.models:
                limits = meter.limits(Deployment(provider, key, model))
                requests = _least_left(limits, "rpd", lines, account, model.name)
                tokens = _least_left(limits, "tpd", lines, account, model.name)
                shared = [limit for _, limit in filter(None, (requests, tokens)) if limit.scope != MODEL]
                found.append(
                    QuotaLeft(
                        provider.slug, account, model.name,
                        requests[0] if requests else None, requests[1].amount if requests else None,
                        tokens[0] if tokens else None, tokens[1].amount if tokens else None,
                        resets_at, " ".join(shared[0].models) or shared[0].scope if shared else "",
                    )
                )  # fmt: skip
    return found


def _least_left(
    limits: InForce, name: str, lines: Sequence[Tried], account: str, model: str
) -> tuple[int, Limit] | None:
    """What is left of the tightest limit of that name, by all who share it."""
    found = []
    for limit in limits.every:
        if limit.name == name:
            used = sum(
                line.number if limit.unit == "requests" else line.tokens
                for line in lines
                if (limit.scope == PROVIDER or line.account == account)
                and (line.model == model if limit.scope == MODEL else limit.covers(line.model))
            )
            found.append((max(limit.amount - used, 0), limit))
    return min(found, key=lambda each: each[0], default=None)


def once(quotas: Iterable[QuotaLeft]) -> list[QuotaLeft]:
    """Each quota once: of models that share one, the first."""
    return list(
        {
            (each.provider, each.account, each.pool or f"/{each.model}"): each
            for each in reversed(list(quotas))
        }.values()
    )[::-1]


@dataclass(frozen=True, slots=True)
class Spending:
    """What a paid provider (the whole site for an empty slug) has cost, in USD, against its budgets."""

    provider: str
    today: Decimal
    days: Decimal
    daily_budget: Decimal | None
    credit: Decimal | None = None
    credit_used: Decimal | None = None


def spending(sums: rollup.Sums, now: datetime) -> list[Spending]:
    """Of the site, then of each paid provider. `sums` are those of ATTEMPTS."""
    today, days = _spent(sums.today), _spent(sums.all)
    found = [Spending("", usd(today.total()), usd(days.total()), site_budget_usd())]
    meter = LedgerMeter(now, {})
    for row in Provider.objects.filter(free=False):
        if row.enabled or days[row.slug]:
            used = None if row.credit_usd is None else meter.spent_ever(row.slug)
            amounts = usd(today[row.slug]), usd(days[row.slug])
            found.append(Spending(row.slug, *amounts, row.daily_budget_usd, row.credit_usd, used))
    return found


def _spent(lines: Iterable[Line]) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in tried(lines):
        found[line.provider] += 0 if line.free else line.micros
    return found


class Usage:
    """The last 30 days of the ledger, today among them, each part read when it is first asked for."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or timezone.now()

    @cached_property
    def attempts(self) -> rollup.Sums:
        return rollup.read(ATTEMPTS, self.now)

    @cached_property
    def calls(self) -> rollup.Sums:
        return rollup.read(CALLS, self.now)

    @cached_property
    def savings(self) -> rollup.Sums:
        return rollup.read(SAVINGS, self.now)

    @cached_property
    def quotas(self) -> list[QuotaLeft]:
        return quotas_left(self.attempts, self.now, self.learned)

    @cached_property
    def learned(self) -> LearnedLimits:
        return learned_limits()

    @cached_property
    def spending(self) -> list[Spending]:
        return spending(self.attempts, self.now)


def read(now: datetime | None = None) -> Usage:
    """The sums of attempts and calls, read at once."""
    found = Usage(now)
    _ = found.attempts, found.calls
    return found
