"""Quotas and budgets before sending. The ledger is the meter: what was used is summed from attempts.

A quota belongs to (provider, account, model). Attempts in flight count with what they reserved, input and
max_tokens, as Groq counts. The `Quota` row holds what providers taught us, and is the lock to reserve under.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from llm.calls.deployment import Deployment, Skipped
from llm.calls.fitting import ABOVE_LIMIT, fitted, is_elastic
from llm.calls.spec import CallSpec
from llm.failures.kinds import Kind
from llm.ledger import bookkeeper
from llm.ledger.rows import MONEY
from llm.limits.calendar import day_start, next_day
from llm.limits.headers import Observed
from llm.models import Attempt, PastSpending, Quota
from llm.transactions import write_transaction

MINUTE = timedelta(minutes=1)
# A provider counts a request from its arrival: after we wrote it down, by as much as a bad line takes, and
# before it ended.
ON_THE_WAY = timedelta(seconds=2)
IN_FLIGHT_AT_MOST = timedelta(minutes=10)  # an attempt that is still open after that has lost its worker
# Answers that a provider gives before it counts a request.
UNCOUNTED = (
    Kind.RATE_LIMITED_KEY, Kind.RATE_LIMITED_PROVIDER, Kind.BLOCKED_PROVIDER, Kind.KEY_INVALID,
    Kind.CREDITS_DEPLETED, Kind.MODEL_GONE, Kind.REQUEST_TOO_LARGE, Kind.REQUEST_REJECTED, "abandoned",
)  # fmt: skip
LEARNED_FOR = timedelta(days=1)  # a limit that nobody has stated for so long is asked anew
HEARD_AGAIN_AFTER = timedelta(hours=1)  # what is stated with every answer is written down as often
LOOK_AGAIN = timedelta(seconds=5)
FOREIGN_SHARE = 0.1  # of a limit: a smaller difference is rounding, or a call that has just ended
FIELDS = ("rpm", "rpd", "tpm", "tpd")

# Both windows in one look, written by hand: it runs twice a call, and the ORM takes longer to write it than
# the database to run it.
_OF_THE_QUOTA = f"""
    FROM {Attempt._meta.db_table}
    WHERE provider = %s AND account = %s AND model = %s
      AND outcome NOT IN ({", ".join(["%s"] * len(UNCOUNTED))}) AND started_at >= %s
"""  # only our own names and placeholders
_USED_SQL = f"""
    SELECT COUNT(CASE WHEN in_minute = 1 THEN 1 END), SUM(CASE WHEN in_minute = 1 THEN tokens ELSE 0 END),
           MIN(CASE WHEN in_minute = 1 THEN started_at END), MIN(CASE WHEN in_minute = 1 THEN finished_at END),
           COUNT(CASE WHEN started_at >= %s THEN 1 END), SUM(CASE WHEN started_at >= %s THEN tokens ELSE 0 END),
           COUNT(CASE WHEN started_at > %s THEN 1 END)
    FROM (
        SELECT started_at, finished_at,
               CASE WHEN finished_at IS NULL THEN reserved_tokens ELSE tokens_in + tokens_out END AS tokens,
               CASE WHEN finished_at IS NULL OR (started_at > %s AND finished_at > %s) THEN 1 ELSE 0 END AS in_minute
        {_OF_THE_QUOTA}
    ) AS attempts
"""  # noqa: S608
_SETTLED_SQL = f"""
    SELECT COUNT(*), SUM(tokens_in + tokens_out) {_OF_THE_QUOTA} AND started_at < %s AND finished_at IS NOT NULL
"""
_IN_FLIGHT_SQL = f"SELECT MIN(started_at) {_OF_THE_QUOTA} AND finished_at IS NULL"

LearnedLimits = dict[tuple[str, str, str], Quota]


@dataclass(frozen=True, slots=True)
class Used:
    """What an account has used of a model: requests and tokens of the minute and of the day.

    `less_at` is when the first attempt of the minute stops counting, if any of them is over.
    """

    minute_requests: int
    minute_tokens: int
    day_requests: int
    day_tokens: int
    less_at: datetime | None


@dataclass(frozen=True, slots=True)
class UsageCheckpoint:
    """Requests and tokens of the attempts of a span of time that nothing can change any more, as seen at a moment.

    All that began before `until` are over, and out of the minute.
    """

    since: datetime
    until: datetime
    requests: int
    tokens: int
    seen: datetime


def learned_limits() -> LearnedLimits:
    """What providers taught us, by provider, account and model."""
    return {(row.provider, row.account, row.model): row for row in Quota.objects.all()}


# When there was last no room at a provider, as this process has seen it; "" is the site's budget.
_tight: dict[str, datetime] = {}


def remember_tight(deployment: Deployment, now: datetime) -> None:
    """Notes that a reservation was refused, so that plans of the next minute look before they hope."""
    _tight[deployment.provider.slug] = now
    if not deployment.provider.free:
        _tight[""] = now


def forget() -> None:
    """Drops what was noted, for tests."""
    _tight.clear()


@dataclass
class LedgerMeter:
    """The meter as it stands at `now`; each figure is read when the plan first asks for it.

    `hopeful`: where there was room a minute ago there is taken to be some, unread. For a plan whose first choice is
    judged once more, exactly, before it is reserved.
    """

    now: datetime
    learned_limits: LearnedLimits = field(default_factory=learned_limits)
    last_used: dict[tuple[str, str, str], Used] = field(default_factory=dict)
    optimistic: bool = False

    def at(self, now: datetime) -> "LedgerMeter":
        """The meter as it stands at another moment; what was taught is not read again."""
        return LedgerMeter(now, self.learned_limits, self.last_used)

    def limits(self, deployment: Deployment) -> dict[str, int]:
        """The limits in force: the configured ones, lowered to what the provider last stated.

        What staff enter for the account holds, whatever is stated; a limit that they configure holds until the
        provider states another one. A statement ages out, since one that lets nothing through is never corrected.
        """
        row, now, found = self.learned_limits.get(_key(deployment)), timezone.now(), {}
        for name in FIELDS:
            limit = configured = getattr(deployment.model, name)
            learned = getattr(row, name) if row else None
            if row is not None and learned is not None:
                if row.by_staff:
                    limit = learned
                elif configured is None:
                    limit = learned if _is_fresh(row, name, now) else None
                elif _is_fresh(row, name, now, since=deployment.model.edited_at):
                    limit = min(configured, learned)
            if limit is not None:
                found[name] = limit
        return found

    def room(self, deployment: Deployment, want: CallSpec) -> Skipped | None:
        """None when the account's quota has room for the call; else why not, and until when."""
        limits = self.limits(deployment)
        if not limits:
            return None
        least = 0 if is_elastic(deployment, want, limits) else None
        need = reserved_tokens(deployment, fitted(deployment, want, limits, tokens_left=least))
        if any(need > limits[name] for name in ("tpm", "tpd") if name in limits):
            smallest = min(limits[name] for name in ("tpm", "tpd") if name in limits)
            return replace(_skipped(deployment, ABOVE_LIMIT), limit=smallest)
        if self._is_optimistic(deployment.provider.slug):
            return None
        used = self.used(deployment, daily="rpd" in limits or "tpd" in limits)
        after = {
            "rpm": used.minute_requests + 1,
            "tpm": used.minute_tokens + self._foreign(deployment) + need,
            "rpd": used.day_requests + 1,
            "tpd": used.day_tokens + need,
        }
        if any(after[name] > limits[name] for name in ("rpd", "tpd") if name in limits):
            return _skipped(deployment, "quota of the day", next_day(deployment.provider.day_reset, self.now))
        if any(after[name] > limits[name] for name in ("rpm", "tpm") if name in limits):
            return _skipped(deployment, "quota of the minute", used.less_at or self.now + MINUTE)
        return None

    def tokens_left(self, deployment: Deployment, want: CallSpec) -> int | None:
        """Tokens that this call's answer may have, by what was left when `room` last looked; None if it did not."""
        used = self.last_used.get(_key(deployment))
        if used is None:
            return None
        limits = self.limits(deployment)
        spent = {"tpm": used.minute_tokens + self._foreign(deployment), "tpd": used.day_tokens}
        left = min(limits[name] - spent[name] for name in spent if name in limits)
        return left - want.tokens_in - deployment.model.reasoning_reserve

    def _foreign(self, deployment: Deployment) -> int:
        """Tokens of the minute that others of the account use, as the provider told."""
        row = self.learned_limits.get(_key(deployment))
        return row.foreign_tokens if row and row.foreign_until and row.foreign_until > self.now else 0

    def used(self, deployment: Deployment, *, daily: bool = True) -> Used:
        """What the account has used of the model, attempts in flight included. `daily`: also of the day."""
        minute = self.now - MINUTE
        settled = self._settled(
            deployment, day_start(deployment.provider.day_reset, self.now) if daily else None
        )
        since = max(settled.since, settled.until)
        moment = connection.ops.adapt_datetimefield_value
        with connection.cursor() as cursor:
            cursor.execute(
                _USED_SQL,
                [
                    *[moment(since)] * 2, moment(self.now + MINUTE), moment(minute - ON_THE_WAY), moment(minute),
                    *_key(deployment), *UNCOUNTED, moment(settled.until),
                ],
            )  # fmt: skip
            requests, tokens, started, finished, day_requests, day_tokens, ahead = cursor.fetchone()
        if ahead and bookkeeper.redate(self.now):  # a clock was wrong for a while
            deployment.model.settled.clear()
            return self.used(deployment, daily=daily)
        leaving = [_moment(started) + MINUTE + ON_THE_WAY] if started else []
        leaving += [_moment(finished) + MINUTE] if finished else []
        used = Used(
            minute_requests=requests,
            minute_tokens=tokens or 0,
            day_requests=day_requests + settled.requests,
            day_tokens=(day_tokens or 0) + settled.tokens,
            less_at=min(leaving, default=None),
        )
        self.last_used[_key(deployment)] = used
        return used

    def _settled(self, deployment: Deployment, since: datetime | None) -> UsageCheckpoint:
        """What was used since then, but for the last minute and what is in flight, so that few attempts are read.

        Looked at every few seconds, for what was added; from the start when that has moved by a minute (a rolling day).
        Kept with the configuration, which is read anew as soon as anything in it changes, accounts included.
        """
        kept: UsageCheckpoint | None = deployment.model.settled.get(deployment.key.account)
        if kept and since and not timedelta(0) <= since - kept.since < MINUTE:
            kept = None
        if kept and timedelta(0) <= self.now - kept.seen < LOOK_AGAIN:
            return kept
        edge, floor = self.now - MINUTE - ON_THE_WAY, self.now - IN_FLIGHT_AT_MOST
        since = kept.since if kept else since or edge
        start, requests, tokens = since, 0, 0
        if kept and kept.until <= edge:  # else the clock went back
            start, requests, tokens = max(since, kept.until), kept.requests, kept.tokens
            floor = max(floor, kept.until)
        moment, names = connection.ops.adapt_datetimefield_value, (*_key(deployment), *UNCOUNTED)
        with connection.cursor() as cursor:
            cursor.execute(_IN_FLIGHT_SQL, [*names, moment(floor)])
            (first,) = cursor.fetchone()
            until = min(edge, _moment(first)) if first else edge
            if start < until:
                cursor.execute(_SETTLED_SQL, [*names, moment(start), moment(until)])
                more = cursor.fetchone()
                requests, tokens = requests + more[0], tokens + (more[1] or 0)
        kept = UsageCheckpoint(since, until, requests, tokens, self.now)
        deployment.model.settled[deployment.key.account] = kept
        return kept

    def _is_optimistic(self, slug: str) -> bool:
        return self.optimistic and not (slug in _tight and self.now - _tight[slug] < MINUTE)

    def spent_today(self, provider: str) -> Decimal:
        """USD spent since midnight UTC (by all, for an empty slug); attempts in flight at their worst."""
        if self._is_optimistic(provider):
            return Decimal(0)
        return self._spent(provider, day_start("utc", self.now))

    def spent_ever(self, provider: str) -> Decimal:
        """USD spent of all time, in attempts that are no longer kept, too."""
        past = PastSpending.objects.filter(provider=provider).values_list("usd", flat=True).first()
        return self._spent(provider, None) + (past or Decimal(0))

    def spent_by(self, client: str) -> Decimal:
        """USD that a client has spent since midnight UTC; attempts in flight at their worst."""
        since = day_start("utc", self.now)
        rows = Attempt.objects.filter(
            call__client=client, call__started_at__gte=since - IN_FLIGHT_AT_MOST, started_at__gte=since
        )
        return rows.aggregate(total=Sum(MONEY))["total"] or Decimal(0)

    def _spent(self, provider: str, since: datetime | None) -> Decimal:
        rows = Attempt.objects.filter(free=False)
        if provider:
            rows = rows.filter(provider=provider)
        if since is not None:
            rows = rows.filter(started_at__gte=since)
        return rows.aggregate(total=Sum(MONEY))["total"] or Decimal(0)

    def learn(self, deployment: Deployment, seen: list[Observed], attempt: Attempt) -> None:
        """Corrects our count by the provider's: its limits, and tokens that others of the account use.

        Called with what an answer stated; writes only when that differs from what we hold to be true, or was last
        heard an hour ago.
        """
        changes: dict[str, Any] = self._newly_stated(deployment, seen)
        stated = dict.fromkeys(changes, timezone.now().isoformat())
        for o in seen:
            if o.field == "tpm" and o.used is not None and o.reset_s:
                foreign = o.used - self._ours(deployment, o.used - o.limit * FOREIGN_SHARE, attempt)
                if foreign > o.limit * FOREIGN_SHARE:
                    until = self.now + min(timedelta(seconds=o.reset_s), MINUTE)
                    changes |= {"foreign_tokens": round(foreign), "foreign_until": until}
        if changes:
            with write_transaction():
                row, _ = Quota.objects.select_for_update().get_or_create(**_names(deployment))
                changes["stated"] = row.stated | stated
                for name, value in changes.items():
                    setattr(row, name, value)
                row.save(update_fields=[*changes, "updated_at"])

    def _newly_stated(self, deployment: Deployment, seen: list[Observed]) -> dict[str, int]:
        """The limits that are worth writing down, the lowest where an answer states several."""
        row, found = self.learned_limits.get(_key(deployment)), {}
        if row is not None and row.by_staff:
            return {}
        for one in sorted(seen, key=lambda one: -one.limit):
            known = getattr(row, one.field) if row else None
            configured = getattr(deployment.model, one.field)
            if one.limit <= 0 or (known is None and configured is not None and one.limit >= configured):
                continue
            if known != one.limit or not _is_fresh(row, one.field, timezone.now(), within=HEARD_AGAIN_AFTER):
                found[one.field] = one.limit
            else:
                found.pop(one.field, None)
        return found

    def _ours(self, deployment: Deployment, enough: float, attempt: Attempt) -> int:
        """Our own tokens of the minute: as known when we reserved if that explains `enough`, else as they are."""
        known = self.last_used.get(_key(deployment))
        ours = attempt.reserved_tokens + (known.minute_tokens if known else 0)
        return ours if ours >= enough else self.used(deployment, daily=False).minute_tokens


def reserved_tokens(deployment: Deployment, want: CallSpec) -> int:
    """What a call may use at most: its input and all of max_tokens, as providers count before they run it."""
    return want.tokens_in + want.max_tokens + deployment.model.reasoning_reserve


def lock(deployment: Deployment) -> None:
    """Within a transaction: nobody else reserves of this quota (or of the budgets) until it ends.

    SQLite needs nothing here, its write transactions exclude each other. PostgreSQL need not wait for the disk
    before the next one's turn: like SQLite's, a row that says "about to be sent" may be lost with the machine, and
    the transaction that ends the call, which does wait, saves it too.
    """
    if connection.vendor == "sqlite":
        return
    # Paid: the site's budget, which is also every provider's, since a paid call needs room in both.
    name = "/".join(_key(deployment)) if deployment.provider.free else "budget"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"llm quota {name}"],
        )


def _is_fresh(
    row: Quota | None,
    name: str,
    now: datetime,
    *,
    since: datetime | None = None,
    within: timedelta = LEARNED_FOR,
) -> bool:
    """Whether a learned limit was stated not long ago, and not before `since`."""
    if row is None:
        return False
    text = row.stated.get(name)
    at = datetime.fromisoformat(text) if text else row.updated_at
    return now - at < within and (since is None or at >= since)


def _moment(value: datetime | str) -> datetime:
    """SQLite has no dates of its own."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value


def _key(deployment: Deployment) -> tuple[str, str, str]:
    return deployment.provider.slug, deployment.key.account, deployment.model.name


def _names(deployment: Deployment) -> dict[str, Any]:
    return dict(zip(("provider", "account", "model"), _key(deployment), strict=True))


def _skipped(deployment: Deployment, why: str, until: datetime | None = None) -> Skipped:
    return Skipped(deployment.provider.slug, why, deployment.key.label, deployment.model.name, until)
