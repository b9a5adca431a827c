"""Quotas and budgets before sending. The ledger is the meter: what was used is summed from attempts.

A quota belongs to (provider, account, model). Attempts in flight count with what they reserved, input and
max_tokens, as Groq counts. The `Quota` row holds what providers taught us, and is the lock to reserve under.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import Case, Count, F, Min, Q, Sum, When

from llm.failures import Kind
from llm.limits import Observed
from llm.models import Attempt, Quota
from llm.pauses import day_start, next_day
from llm.plan import Deployment, Skipped, Want
from llm.writing import write_transaction

MINUTE = timedelta(minutes=1)
IN_FLIGHT_AT_MOST = timedelta(minutes=10)  # an attempt that is still open after that has lost its worker
# Answers that a provider gives before it counts a request.
UNCOUNTED = (
    Kind.RATE_LIMITED_KEY, Kind.RATE_LIMITED_PROVIDER, Kind.BLOCKED_PROVIDER, Kind.KEY_INVALID,
    Kind.CREDITS_DEPLETED, Kind.MODEL_GONE, Kind.REQUEST_TOO_LARGE, Kind.REQUEST_REJECTED, "abandoned",
)  # fmt: skip
FOREIGN_SHARE = 0.1  # of a limit: a smaller difference is rounding, or a call that has just ended
FIELDS = ("rpm", "rpd", "tpm", "tpd")
TOKENS = Case(When(finished_at=None, then=F("reserved_tokens")), default=F("tokens_in") + F("tokens_out"))
MONEY = Case(When(finished_at=None, then=F("reserved_usd")), default=F("cost_usd"))


@dataclass(frozen=True, slots=True)
class Used:
    """Requests and tokens of a window, and when its oldest attempt began."""

    requests: int
    tokens: int
    oldest: datetime | None


class LedgerMeter:
    """The meter as it stands at `now`; each figure is read when the plan first asks for it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    @cached_property
    def taught(self) -> dict[tuple[str, str, str], Quota]:
        """What providers taught us, by provider, account and model."""
        return {(row.provider, row.account, row.model): row for row in Quota.objects.all()}

    def at(self, now: datetime) -> "LedgerMeter":
        """The meter as it stands at another moment; what was taught is not read again."""
        meter = LedgerMeter(now)
        meter.__dict__["taught"] = self.taught
        return meter

    def limits(self, deployment: Deployment) -> dict[str, int]:
        """The limits in force: the configured ones, lowered to what the provider has stated."""
        row = self.taught.get((deployment.provider.slug, deployment.key.account, deployment.model.name))
        found = {}
        for name in FIELDS:
            known = [getattr(deployment.model, name), getattr(row, name) if row else None]
            if limits := [limit for limit in known if limit is not None]:
                found[name] = min(limits)
        return found

    def room(self, deployment: Deployment, want: Want) -> Skipped | None:
        """None when the account's quota has room for the call; else why not, and until when."""
        limits = self.limits(deployment)
        need = reserved_tokens(deployment, want)
        if any(need > limits[name] for name in ("tpm", "tpd") if name in limits):
            return _skipped(deployment, "request above limit")
        row = self.taught.get((deployment.provider.slug, deployment.key.account, deployment.model.name))
        if "rpm" in limits or "tpm" in limits:
            used = self.used(deployment, self.now - MINUTE)
            foreign = row.foreign_tokens if row and row.foreign_until and row.foreign_until > self.now else 0
            if used.requests >= limits.get("rpm", used.requests + 1) or (
                used.tokens + foreign + need > limits.get("tpm", used.tokens + foreign + need)
            ):
                return _skipped(deployment, "quota of the minute", (used.oldest or self.now) + MINUTE)
        if "rpd" in limits or "tpd" in limits:
            reset = deployment.provider.day_reset
            used = self.used(deployment, day_start(reset, self.now))
            if used.requests >= limits.get("rpd", used.requests + 1) or (
                used.tokens + need > limits.get("tpd", used.tokens + need)
            ):
                return _skipped(deployment, "quota of the day", next_day(reset, self.now))
        return None

    def used(self, deployment: Deployment, since: datetime) -> Used:
        """What the account has used of the model since then, attempts in flight included."""
        sums = Attempt.objects.filter(
            Q(started_at__gt=since) | Q(finished_at=None),
            started_at__gt=min(since, self.now - IN_FLIGHT_AT_MOST),
            provider=deployment.provider.slug, account=deployment.key.account, model=deployment.model.name,
        ).exclude(outcome__in=UNCOUNTED).aggregate(
            requests=Count("id"), tokens=Sum(TOKENS), oldest=Min("started_at")
        )  # fmt: skip
        return Used(sums["requests"], sums["tokens"] or 0, sums["oldest"])

    def spent_today(self, provider: str) -> Decimal:
        """USD spent since midnight UTC (by all, for an empty slug); attempts in flight at their worst."""
        return self._spent(provider, day_start("utc", self.now))

    def spent_ever(self, provider: str) -> Decimal:
        return self._spent(provider, None)

    def _spent(self, provider: str, since: datetime | None) -> Decimal:
        rows = Attempt.objects.filter(free=False)
        if provider:
            rows = rows.filter(provider=provider)
        if since is not None:
            rows = rows.filter(started_at__gte=since)
        return rows.aggregate(total=Sum(MONEY))["total"] or Decimal(0)

    def learn(self, deployment: Deployment, seen: list[Observed]) -> None:
        """Corrects our count by the provider's: lower limits, and tokens that others of the account use.

        Called with what an answer stated; writes only when that differs from what we hold to be true.
        """
        limits = self.limits(deployment)
        changes: dict[str, Any] = {
            o.field: o.limit for o in seen if o.limit > 0 and o.limit < limits.get(o.field, o.limit + 1)
        }
        for o in seen:
            if o.field == "tpm" and o.used is not None and o.reset_s:
                # Our own attempt is in the ledger with what it reserved, until its end is written.
                ours = self.used(deployment, self.now - MINUTE).tokens
                if o.used > ours + o.limit * FOREIGN_SHARE:
                    reset = min(timedelta(seconds=o.reset_s), MINUTE)
                    changes |= {"foreign_tokens": o.used - ours, "foreign_until": self.now + reset}
        if changes:
            names = _names(deployment)
            with write_transaction():
                Quota.objects.update_or_create(defaults=changes, **names)


def reserved_tokens(deployment: Deployment, want: Want) -> int:
    """What a call may use at most: its input and all of max_tokens, as providers count before they run it."""
    return want.tokens_in + want.max_tokens + deployment.model.reasoning_reserve


def lock(deployment: Deployment) -> None:
    """Within a transaction: nobody else reserves of this quota (or this provider's budget) until it ends.

    SQLite needs nothing here, its write transactions exclude each other.
    """
    if connection.vendor == "sqlite":
        return
    names = _names(deployment) if deployment.provider.free else {"provider": deployment.provider.slug}
    names = {"account": "", "model": "", **names}
    Quota.objects.bulk_create([Quota(**names)], ignore_conflicts=True)
    Quota.objects.select_for_update().get(**names)


def _names(deployment: Deployment) -> dict[str, Any]:
    return {
        "provider": deployment.provider.slug,
        "account": deployment.key.account,
        "model": deployment.model.name,
    }


def _skipped(deployment: Deployment, why: str, until: datetime | None = None) -> Skipped:
    return Skipped(deployment.provider.slug, why, deployment.key.label, deployment.model.name, until)
