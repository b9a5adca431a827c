"""What the limits of a door are worth: how many calls of a size it serves a day, and what more would add. Pure.

Counted from the limits alone: calls come evenly, each is as large as said, and nobody else uses the account.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llm.calls.deployment import Deployment
from llm.configuration.limits import ACCOUNT, MODEL, PROVIDER, InForce, Limit
from llm.configuration.snapshot import KeyConf, ModelConf, ProviderConf
from llm.limits.learned import LearnedLimits, in_force

A_DAY = {"second": 86_400.0, "minute": 1440.0, "hour": 24.0, "day": 1.0, "week": 1 / 7, "month": 1 / 30}
SECONDS_A_CALL = 6.0  # how long one call keeps a place, where a door takes so many at a time


@dataclass(frozen=True, slots=True)
class Size:
    """Tokens of one call."""

    name: str
    tokens_in: int
    tokens_out: int


REPORT = Size("reports", 900, 1400)
SIZES = (REPORT, Size("chats of 4,000 tokens", 3500, 500), Size("agent turns of 40,000 tokens", 39_000, 1000))


@dataclass(frozen=True, slots=True)
class Worth:
    """Calls a day, by size; None is without a known limit. The others: what one more of them would add."""

    provider: str
    a_day: tuple[int | None, ...]
    account: tuple[int | None, ...]
    model: tuple[int | None, ...]


def worth(provider: ProviderConf, learned: LearnedLimits, sizes: Sequence[Size] = SIZES) -> Worth:
    """What a provider serves a day with the keys that it has, and with one more account or model like its last."""
    keys = [key for key in provider.keys if key.key or provider.keyless]
    now = tuple(_serves(provider, keys, learned, size) for size in sizes)
    more_accounts = [*keys, KeyConf("one more", "one more account", "x")]
    accounts = tuple(_serves(provider, more_accounts, learned, size) for size in sizes)
    wider = provider
    if provider.models:
        last = provider.models[-1]
        wider = replace(provider, models=(*provider.models, replace(last, name=f"{last.name} and one more")))
    models = tuple(_serves(wider, keys, learned, size) for size in sizes)
    return Worth(provider.slug, now, _added(now, accounts), _added(now, models))


def _added(now: Sequence[int | None], then: Sequence[int | None]) -> tuple[int | None, ...]:
    return tuple(
        None if one is None or other is None else other - one for one, other in zip(now, then, strict=True)
    )


def _serves(
    provider: ProviderConf, keys: Sequence[KeyConf], learned: LearnedLimits, size: Size
) -> int | None:
    """Each account and model takes what its own limits allow, and what is left of those that it shares."""
    left: dict[tuple[object, ...], float] = {}
    total = 0.0
    for account in dict.fromkeys(key.account for key in keys):
        key = next(key for key in keys if key.account == account)
        for model in provider.models:
            limits = in_force(
                Deployment(provider, key, model), learned.get((provider.slug, account, model.name))
            )
            found = _of_model(model, limits, account, size, left)
            if found is None:
                return None
            total += found
    return int(total + 1e-6)


def _of_model(
    model: ModelConf, limits: InForce, account: str, size: Size, left: dict[tuple[object, ...], float]
) -> float | None:
    need = 1, size.tokens_in, size.tokens_out + model.reasoning_reserve
    if model.context is not None and need[1] + need[2] > model.context:
        return 0.0
    pools: list[tuple[tuple[object, ...], float]] = []
    most: float | None = None
    for limit in limits.every:
        cost = limit.measure(*need)
        if limit.is_of_size and cost > limit.amount:
            return 0.0
        whose = _whose(limit, account, model.name)
        left.setdefault(whose, _a_day(limit))
        if cost:
            pools.append((whose, cost))
            fits = left[whose] / cost
            most = fits if most is None else min(most, fits)
    if most is None:
        return None
    for whose, cost in pools:
        left[whose] -= most * cost
    return max(most, 0.0)


def _whose(limit: Limit, account: str, model: str) -> tuple[object, ...]:
    shape = limit.scope, limit.models, limit.unit, limit.per, limit.amount
    return *shape, *{MODEL: (account, model), ACCOUNT: (account,), PROVIDER: ()}[limit.scope]


def _a_day(limit: Limit) -> float:
    if not limit.per:
        return limit.amount * 86_400 / SECONDS_A_CALL
    return limit.amount * A_DAY[limit.per]
