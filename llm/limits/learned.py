"""Which limits hold: the configured ones, and what providers stated with their answers and refusals.

The newest statement holds. What staff enter for an account holds, whatever is stated; what they configure holds until
the provider states another limit, and is never raised by one. A statement ages out, since one that lets nothing through
is never corrected.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.utils import timezone

from llm.calls.deployment import Deployment
from llm.configuration.limits import MODEL, SHORT, InForce, Limit
from llm.limits.headers import Observed
from llm.models import Quota

LEARNED_FOR = timedelta(days=1)  # a limit that nobody has stated for so long is asked anew
HEARD_AGAIN_AFTER = timedelta(hours=1)  # what is stated with every answer is written down as often
NO_LIMIT = 1000  # times what is configured: some state their largest number where they have no limit
FIELDS = tuple(SHORT)
STAFF = "staff"

Key = tuple[str, str, str]  # provider, account, model
LearnedLimits = Mapping[Key, Quota]


def learned_limits() -> dict[Key, Quota]:
    """What providers taught us, by provider, account and model."""
    return {(row.provider, row.account, row.model): row for row in Quota.objects.all()}


@lru_cache(1)
def known(learned: Any) -> LearnedLimits:
    """The same, read again only when `snapshot.State.learned` is another one."""
    return learned_limits() if learned else {}


def key_of(deployment: Deployment) -> Key:
    return deployment.provider.slug, deployment.key.account, deployment.model.name


def in_force(deployment: Deployment, row: Quota | None) -> InForce:
    """All limits that hold for a deployment: configured, learned, and entered by staff for its account."""
    model = deployment.model
    if row is None:
        return model.in_force
    now, learned = timezone.now(), []
    for name in FIELDS:
        configured = model.configured(name)
        found = _learned(row, name, now, None if configured is None else model.edited_at)
        if found and (configured is None or found.method == STAFF or found.amount < configured.amount):
            learned.append(found)
    return model.with_learned(tuple(learned))


def _learned(row: Quota, name: str, now: datetime, since: datetime | None) -> Limit | None:
    """A learned limit that still counts: staff's, or stated not long ago and not before `since`."""
    amount: int | None = getattr(row, name)
    if amount is None:
        return None
    unit, per = SHORT[name]
    if row.by_staff:
        return Limit(MODEL, per, unit, amount, method=STAFF, stated_at=row.updated_at)
    at, method = stated(row, name)
    if now - at >= LEARNED_FOR or (since is not None and at < since):
        return None
    return Limit(MODEL, per, unit, amount, method=method, stated_at=at)


def stated(row: Quota, name: str) -> tuple[datetime, str]:
    """When, and how, a provider stated a limit: in a header or in a refusal."""
    about = row.stated.get(name)
    if not about:
        return row.updated_at, "header"
    if isinstance(about, str):
        return datetime.fromisoformat(about), "header"
    return datetime.fromisoformat(about["at"]), about["by"]


def news(
    deployment: Deployment, row: Quota | None, seen: list[Observed], *, all_of_it: bool = False
) -> dict[str, Observed]:
    """The limits that are worth writing down, the lowest where an answer states several.

    all_of_it: for a check of what is configured: also what was heard just now, and what is above it
    """
    if row is not None and row.by_staff:
        return {}
    found: dict[str, Observed] = {}
    for one in sorted(seen, key=lambda one: -one.limit):
        if one.limit <= 0:
            continue
        known = getattr(row, one.field) if row else None
        if (
            known is None
            and (configured := deployment.model.configured(one.field))
            and not _is_news(one.limit, configured, all_of_it)
        ):
            continue
        if (
            all_of_it
            or row is None
            or known != one.limit
            or timezone.now() - stated(row, one.field)[0] >= HEARD_AGAIN_AFTER
        ):
            found[one.field] = one
        else:
            found.pop(one.field, None)
    return found


def _is_news(amount: int, configured: Limit, is_check: bool) -> bool:
    """Whether it is not what we have configured. A higher one changes nothing for a call, so only a check asks."""
    if amount <= configured.amount:
        return amount < configured.amount
    return is_check and amount < configured.amount * NO_LIMIT


def written(found: Mapping[str, Observed], stated_before: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a `Quota` that say so."""
    now = timezone.now().isoformat()
    about = {name: {"at": now, "by": one.method} for name, one in found.items()}
    return {**{name: one.limit for name, one in found.items()}, "stated": {**stated_before, **about}}
