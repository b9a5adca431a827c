"""Quotas and budgets before sending: is there room for a call, and until when is there none?

What was used is counted in `llm.ledger.counters`. Attempts in flight count with what they reserved, input and
max_tokens, as Groq counts. A limit is of each (account, model), or shared by the models of an account, or by all
accounts of a provider: see `llm.configuration.limits`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from llm import windows
from llm.calls.deployment import Deployment, Skipped
from llm.calls.fitting import ABOVE_LIMIT, fitted
from llm.calls.spec import CallSpec
from llm.configuration.limits import MODEL, PROVIDER, InForce, Limit, Pool, matches
from llm.configuration.snapshot import ProviderConf
from llm.ledger import bookkeeper, counters, spending
from llm.ledger.counters import UNCOUNTED
from llm.ledger.meters import Names
from llm.ledger.tally import NOTHING, Piece, Sums, Tally, moment, plus
from llm.limits.headers import Observed
from llm.limits.learned import FIELDS, LearnedLimits, in_force, key_of, learned_limits, news, written
from llm.limits.taken import Taken, Used
from llm.models import Attempt, Quota
from llm.storage.transactions import write_transaction

MINUTE = timedelta(minutes=1)
SOON = timedelta(seconds=1)  # when a call that is in flight may have ended
FOREIGN_SHARE = 0.1  # of a limit: a smaller difference is rounding, or a call that has just ended

Members = tuple[tuple[Names, Tally], ...]  # who share a limit

__all__ = [
    "FIELDS", "MINUTE", "UNCOUNTED", "LearnedLimits", "LedgerMeter", "Used", "learned_limits",
    "reserved_tokens",
]  # fmt: skip


@dataclass
class LedgerMeter:
    """The meter as it stands at `now`; each figure is read when the plan first asks for it, and then kept."""

    now: datetime
    learned_limits: LearnedLimits = field(default_factory=learned_limits)
    last_used: dict[tuple[str, str, str], Used] = field(default_factory=dict)
    _in_force: dict[tuple[str, str, str], InForce] = field(default_factory=dict, repr=False)
    _looks: dict[Any, Mapping[Names, Tally]] = field(default_factory=dict, repr=False)
    _members: dict[Any, Members] = field(default_factory=dict, repr=False)
    _sums: dict[Members, dict[str, Sums]] = field(default_factory=dict, repr=False)

    def at(self, now: datetime) -> "LedgerMeter":
        """The meter as it stands at another moment; what was taught is not read again."""
        return LedgerMeter(now, self.learned_limits, self.last_used)

    def look_again(self) -> None:
        """What is used is read anew when it is next asked for: until then it keeps no list of attempts in flight."""
        self._looks.clear()
        self._members.clear()
        self._sums.clear()

    def limits(self, deployment: Deployment) -> InForce:
        """The limits in force, by name: the configured ones, lowered to what the provider last stated."""
        key = key_of(deployment)
        if key not in self._in_force:
            self._in_force[key] = in_force(deployment, self.learned_limits.get(key))
        return self._in_force[key]

    # -- money -------------------------------------------------------------------------------------

    def spent_today(self, provider: str) -> Decimal:
        """USD spent since midnight UTC (by all, for an empty slug); attempts in flight at their worst."""
        return spending.today(provider, self.now)

    def spent_ever(self, provider: str) -> Decimal:
        """USD spent of all time, in attempts that are no longer kept, too."""
        return spending.ever(provider, self.now)

    def spent_by(self, client: str) -> Decimal:
        """USD that a client has spent since midnight UTC; attempts in flight at their worst."""
        return spending.by(client, self.now)

    # -- room --------------------------------------------------------------------------------------

    def room(self, deployment: Deployment, want: CallSpec) -> Skipped | None:
        """None when every limit has room for the call; else why not, and until when."""
        limits = self.limits(deployment)
        if not limits:
            return None
        lowered = fitted(deployment, want, limits, tokens_left=0)  # or more, which room is looked for now
        need = 1, lowered.tokens_in, lowered.max_tokens + deployment.model.reasoning_reserve
        if limits.is_above(*need):
            return replace(_skipped(deployment, ABOVE_LIMIT), limit=min(map(_largest_request, limits.sized)))
        full = [
            (limit, excess)
            for each in self.used(deployment).taken
            if each.is_full(*need)
            for limit, used in each.by_limit()
            if (excess := used + limit.measure(*need) - limit.amount) > 0
        ]
        if not full:
            return None
        until, limit = max(
            ((self._until(deployment, limit, excess), limit) for limit, excess in full),
            key=lambda each: each[0],
        )
        return _skipped(deployment, limit.why, until)

    def tokens_left(self, deployment: Deployment, want: CallSpec) -> int | None:
        """Tokens that this call's answer may have, by what was left when `room` last looked; None if it did not."""
        used = self.last_used.get(key_of(deployment))
        if used is None:
            return None
        rooms = [room for taken in used.taken for room in taken.most_out(want.tokens_in)]
        return int(min(rooms)) - deployment.model.reasoning_reserve if rooms else None

    def used(self, deployment: Deployment) -> Used:
        """What is used of the model by its account, and of each limit in force, attempts in flight included."""
        limits = self.limits(deployment)
        tallies = self._tallies(deployment, limits)
        names = deployment.key.account, deployment.model.name
        tally = tallies.get(names)
        own: Members = ((names, tally),) if tally else ()
        minute, day = self._sum("minute", own), self._sum("day", own)
        used = Used(
            minute_requests=minute[0],
            minute_tokens=minute[1] + minute[2],
            day_requests=day[0],
            day_tokens=day[1] + day[2],
            taken=tuple([self._taken(deployment, pool, limits, own) for pool in limits.pools]),
        )
        self.last_used[key_of(deployment)] = used
        return used

    def tallies(self, provider: ProviderConf) -> Mapping[Names, Tally]:
        """All that is used of a provider, by account and model."""
        per = {limit.per for model in provider.models for limit in model.limits if limit.per}
        return counters.tallies(
            provider.slug, day_reset=provider.day_reset, per=per, now=self.now, cached=provider.counts_cached
        )

    def _taken(self, deployment: Deployment, pool: Pool, limits: InForce, own: Members) -> Taken:
        members = own
        if pool.scope != MODEL:
            members = self._sharing(deployment, pool.scope, pool.models, limits)
        sums, told = {}, {}
        for per, every, priced, _ in pool.windows:
            sums[per] = self._sum(per, members)
            for limit in priced:
                told[limit] = sum(
                    limit.for_model(names[1]).measure(*self._of(tally, per)) for names, tally in members
                )
            if per == "minute" and pool.scope == MODEL and (foreign := self._foreign(deployment)):
                told |= {limit: foreign + limit.measure(*sums[per]) for limit in every if limit.name == "tpm"}
        return Taken(pool, sums, told)

    def _sum(self, per: str, members: Members) -> Sums:
        """What all who share a limit have used of a window, with what is in flight: that alone where `per` is empty.

        Summed up once for all who ask."""
        sums = self._sums.setdefault(members, {})
        if per not in sums:
            requests, tokens_in, tokens_out = self._sum("", members) if per else NOTHING
            for _, tally in members:
                more = tally.used(per, self.now) if per else tally.in_flight(self.now)
                requests, tokens_in, tokens_out = (
                    requests + more[0], tokens_in + more[1], tokens_out + more[2],
                )  # fmt: skip
            sums[per] = requests, tokens_in, tokens_out
        return sums[per]

    def _of(self, tally: Tally, per: str) -> Sums:
        in_flight = tally.in_flight(self.now)
        return plus(tally.used(per, self.now), in_flight) if per else in_flight

    def _sharing(
        self, deployment: Deployment, scope: str, models: tuple[str, ...], limits: InForce
    ) -> Members:
        """The tallies of all who share a limit."""
        slug, account, model = key_of(deployment)
        key = (
            slug,
            None if scope == PROVIDER else account,
            model if scope == MODEL else models,
        )
        if key not in self._members:
            tallies = self._tallies(deployment, limits)
            if scope == MODEL:
                own = tallies.get((account, model))
                self._members[key] = (((account, model), own),) if own else ()
            else:
                self._members[key] = tuple(
                    (names, tally)
                    for names, tally in tallies.items()
                    if (scope == PROVIDER or names[0] == account)
                    and (not models or matches(models, names[1]))
                )
        return self._members[key]

    def _tallies(self, deployment: Deployment, limits: InForce) -> Mapping[Names, Tally]:
        """The counters that these limits need: of the model alone, of the account, or of all the provider."""
        slug, account, model = key_of(deployment)
        scopes = limits.scopes
        key: tuple[str, str | None, str | None] = (
            slug,
            None if PROVIDER in scopes else account,
            None if scopes - {MODEL} else model,
        )
        for wider in (key, (slug, account, None), (slug, None, None)):
            if wider in self._looks:
                return self._looks[wider]
        per = limits.per
        found = self._read(deployment, per, *key[1:])
        for tally in found.values():
            if tally.is_ahead_of(self.now):  # a clock was wrong for a while
                if bookkeeper.redate(self.now):
                    found = self._read(deployment, per, *key[1:])
                break
        self._looks[key] = found
        return found

    def _read(
        self, deployment: Deployment, per: frozenset[str], account: str | None, model: str | None
    ) -> Mapping[Names, Tally]:
        provider = deployment.provider
        return counters.tallies(
            provider.slug, day_reset=provider.day_reset, per=per, now=self.now, account=account, model=model,
            cached=provider.counts_cached,
        )  # fmt: skip

    def _until(self, deployment: Deployment, limit: Limit, excess: float) -> datetime:
        """When so much of a limit will be free again, if nobody uses any of it and all in flight use what they may."""
        day_reset = deployment.provider.day_reset
        if not limit.per:
            return self.now + SOON
        if not windows.rolls(limit.per, day_reset):
            return windows.end(limit.per, day_reset, self.now)
        for at, *sums in self._pieces(deployment, limit):
            excess -= limit.measure(*sums)
            if excess <= 0:
                return moment(at) + windows.LENGTH[limit.per]
        return self.now + min(windows.LENGTH[limit.per], MINUTE)

    def first_piece(self, deployment: Deployment, limit: Limit) -> int | None:
        """When the oldest use that still counts reached the provider, in ms; None if there is none."""
        pieces = self._pieces(deployment, limit)
        return pieces[0][0] if pieces else None

    def _pieces(self, deployment: Deployment, limit: Limit) -> list[Piece]:
        members = self._sharing(deployment, limit.scope, limit.models, self.limits(deployment))
        return sorted(piece for _, tally in members for piece in tally.open(limit.per, self.now))

    def _foreign(self, deployment: Deployment) -> int:
        """Tokens of the minute that others of the account use, as the provider told."""
        row = self.learned_limits.get(key_of(deployment))
        return row.foreign_tokens if row and row.foreign_until and row.foreign_until > self.now else 0

    # -- learning ----------------------------------------------------------------------------------

    def learn(
        self, deployment: Deployment, seen: list[Observed], attempt: Attempt, *, all_of_it: bool = False
    ) -> None:
        """Corrects our count by the provider's: its limits, and tokens that others of the account use.

        Called with what an answer stated; writes only when that differs from what we hold to be true, or was last
        heard an hour ago. all_of_it: everything that is stated, for a check of the configuration.
        """
        new = news(deployment, self.learned_limits.get(key_of(deployment)), seen, all_of_it=all_of_it)
        foreign: dict[str, Any] = {}
        for o in seen:
            if o.field == "tpm" and o.used is not None and o.reset:
                tokens = o.used - self._ours(deployment, o.used - o.limit * FOREIGN_SHARE, attempt)
                if tokens > o.limit * FOREIGN_SHARE and (reset_s := o.reset_s):
                    until = timezone.now() + min(timedelta(seconds=reset_s), MINUTE)
                    foreign = {"foreign_tokens": round(tokens), "foreign_until": until}
        if new or foreign:
            with write_transaction():
                row, _ = Quota.objects.select_for_update().get_or_create(**_names(deployment))
                changes = written(new, row.stated) | foreign
                for name, value in changes.items():
                    setattr(row, name, value)
                row.save(update_fields=[*changes, "updated_at"])

    def _ours(self, deployment: Deployment, enough: float, attempt: Attempt) -> int:
        """Our own tokens of the minute: as known when we reserved if that explains `enough`, else as they are."""
        known = self.last_used.get(key_of(deployment))
        ours = attempt.reserved_tokens + (known.minute_tokens if known else 0)
        return ours if ours >= enough else self.at(timezone.now()).used(deployment).minute_tokens


def reserved_tokens(deployment: Deployment, want: CallSpec) -> int:
    """What a call may use at most: its input and all of max_tokens, as providers count before they run it."""
    return want.tokens_in + want.max_tokens + deployment.model.reasoning_reserve


def _largest_request(limit: Limit) -> int:
    """Tokens that one request may have within a limit."""
    if limit.unit != "units":
        return limit.amount
    return int(limit.amount * 1_000_000 / max(limit.units_in, limit.units_out, 1e-9))


def _names(deployment: Deployment) -> dict[str, Any]:
    return dict(zip(("provider", "account", "model"), key_of(deployment), strict=True))


def _skipped(deployment: Deployment, why: str, until: datetime | None = None) -> Skipped:
    return Skipped(deployment.provider.slug, why, deployment.key.label, deployment.model.name, until)
