"""What is left of every limit, door by door, for people and programs to read. Reserves nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from llm import windows
from llm.calls.deployment import Deployment
from llm.configuration.limits import MODEL, PROVIDER, Limit
from llm.configuration.snapshot import ProviderConf
from llm.ledger.tally import moment
from llm.limits.quota import LedgerMeter


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """One limit, as it stands now.

    account, model: whose it is; empty where all share it. models: patterns of a shared one's models; empty is all
    limit, used, left: in its unit; attempts in flight count with what they reserved
    until: when there will be more of it; None while nothing of it is used
    source, seen, method: where it stands, who looked when, and how it is known; `stated_at` if a provider stated it
    """

    provider: str
    account: str
    model: str
    models: tuple[str, ...]
    scope: str
    unit: str
    per: str
    limit: int
    used: float
    left: float
    until: datetime | None
    source: str
    seen: date | None
    method: str
    stated_at: datetime | None


def quota_left(providers: Iterable[ProviderConf], now: datetime) -> list[QuotaLeft]:
    """Every limit of these providers, in their order; each shared one once. One query a provider."""
    meter = LedgerMeter(now)
    return [line for provider in providers for line in _of(provider, meter)]


def _of(provider: ProviderConf, meter: LedgerMeter) -> Iterator[QuotaLeft]:
    told = set()
    accounts = {key.account: key for key in provider.keys if key.key or provider.keyless}
    for account, key in accounts.items():
        for model in (*provider.models, *provider.embeddings):
            deployment = Deployment(provider, key, model)
            for limit, used in meter.used(deployment).limits if meter.limits(deployment) else ():
                whose = "" if limit.scope == PROVIDER else account
                name = model.name if limit.scope == MODEL else ""
                shape = whose, name, limit.scope, limit.models, limit.unit, limit.per, limit.amount
                if shape in told:
                    continue
                told.add(shape)
                yield QuotaLeft(
                    provider.slug, whose, name, () if name else limit.models, limit.scope, limit.unit, limit.per,
                    limit.amount, round(used, 1), round(max(limit.amount - used, 0), 1),
                    _more_at(meter, deployment, limit, used), limit.source, limit.seen, limit.method,
                    limit.stated_at,
                )  # fmt: skip


def _more_at(meter: LedgerMeter, deployment: Deployment, limit: Limit, used: float) -> datetime | None:
    if not used or not limit.per:
        return None
    day_reset = deployment.provider.day_reset
    if not windows.rolls(limit.per, day_reset):
        return windows.end(limit.per, day_reset, meter.now)
    first = meter.first_piece(deployment, limit)
    return None if first is None else moment(first) + windows.LENGTH[limit.per]
