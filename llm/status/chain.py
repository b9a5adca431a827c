"""The chain as the next call would find it: every deployment in its order, its state, and what is left of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from llm.calls.deployment import SPARE, CallSkips, Deployment, Skipped
from llm.calls.spec import CallSpec
from llm.chain.plan import Planner
from llm.chain.selector import site_budget_usd
from llm.configuration import snapshot
from llm.configuration.snapshot import PauseView
from llm.limits import quota
from llm.models import Credential, Pause, Provider
from llm.pauses.demotion import is_demoted
from llm.status import usage
from llm.storage.transactions import write_transaction

WANT = CallSpec(tokens_in=1200, max_tokens=1400)  # about what a report asks for
NEXT, READY, SPARE_KEY, STOPPED = "next", "ready", "spare", "stopped"


@dataclass(frozen=True, slots=True)
class Place:
    """One deployment. `state` is one of the constants above; `why` and `until` say what stops it.

    Requests and tokens are what is left today, with their limits; None where no daily limit is known. `cost` is of
    today, in USD.
    """

    deployment: Deployment
    state: str
    why: str
    until: datetime | None
    detail: str
    requests: int | None
    tokens: int | None
    hits: int
    cost: Decimal
    requests_limit: int | None = None
    tokens_limit: int | None = None


@dataclass(slots=True)
class Rank:
    """One provider where it stands in line. `pauses` are those of all of it."""

    row: Provider
    demoted: bool
    pauses: list[PauseView]
    places: list[Place] = field(default_factory=list)

    @property
    def keys(self) -> list[Credential]:
        return [key for key in self.row.credentials.all() if key.enabled]


def ranks(read: usage.Usage | None = None, want: CallSpec = WANT) -> list[Rank]:
    """Enabled providers in the order that a call of this kind would take, each with its deployments, at `read.now`.

    The number of queries depends on the configuration (one for each account and model that has limits), never on
    the ledger's length.
    """
    read = read or usage.Usage()
    now, current = read.now, snapshot.read()
    meter = quota.LedgerMeter(now, quota.learned_limits())
    planner = Planner(current.providers, current.pauses, meter, want, CallSkips(), now, site_budget_usd())
    rows = {row.slug: row for row in Provider.objects.prefetch_related("models", "credentials")}
    today = usage.tried(read.attempts.today)
    found: dict[str, Rank] = {}
    next_found = False
    for deployment, skipped in planner.survey():
        provider = deployment.provider
        rank = found.get(provider.slug)
        if rank is None:
            pauses = current.pauses.get(provider.slug, [])
            whole = [p for p in pauses if not (p.credential or p.account or p.model or p.location)]
            rank = found[provider.slug] = Rank(rows[provider.slug], is_demoted(provider, pauses, now), whole)
        word = _word(skipped, next_found=next_found)
        next_found = next_found or word == NEXT
        rank.places.append(_place(deployment, skipped, word, meter, today))
    for row in rows.values():  # without a key or a model there is nothing to survey
        if row.enabled and row.slug not in found:
            found[row.slug] = Rank(row, False, [])
    return list(found.values())


def _word(skipped: Skipped | None, *, next_found: bool) -> str:
    if skipped is None:
        return READY if next_found else NEXT
    return SPARE_KEY if skipped.why == SPARE else STOPPED


def _place(
    deployment: Deployment,
    skipped: Skipped | None,
    word: str,
    meter: quota.LedgerMeter,
    today: Iterable[usage.Tried],
) -> Place:
    own = [
        line
        for line in today
        if (line.provider, line.credential, line.model, line.location)
        == (deployment.provider.slug, deployment.key.label, deployment.model.name, deployment.location)
    ]
    requests, tokens = _left(deployment, meter)
    limits = meter.limits(deployment)
    why = "" if skipped is None or word == SPARE_KEY else skipped.why
    holding = [pause for pause in deployment.probes if pause.kind == why]
    return Place(
        deployment,
        word,
        why,
        skipped.until if skipped else None,
        holding[0].detail if holding else "",
        requests,
        tokens,
        sum(line.number for line in own),
        usage.cost(own),
        limits.get("rpd"),
        limits.get("tpd"),
    )


def _left(deployment: Deployment, meter: quota.LedgerMeter) -> tuple[int | None, int | None]:
    """Requests and tokens that the account has left of the model today."""
    limits = meter.limits(deployment)
    if "rpd" not in limits and "tpd" not in limits:
        return None, None
    used = meter.used(deployment)
    left: dict[str, list[int]] = {"rpd": [], "tpd": []}
    for limit, taken in used.limits:
        if limit.name in left:
            left[limit.name].append(max(int(limit.amount - taken), 0))
    return min(left["rpd"], default=None), min(left["tpd"], default=None)


# -- what staff do to it -----------------------------------------------------------------------------


def open_pauses(names: dict[str, str]) -> list[Pause]:
    """The open pauses of a scope and of all that is narrower: what a reset of it ends."""
    wanted = {name: value for name, value in names.items() if value}
    rows = Pause.objects.filter(closed_at=None, provider=wanted.pop("provider"))
    return [
        row for row in rows if all(getattr(row, name) in ("", value) for name, value in wanted.items())
        and (not wanted or any(getattr(row, name) for name in ("credential", "account", "model", "location")))
    ]  # fmt: skip


def move(row: Provider, *, up: bool) -> bool:
    """One place up or down in line; False at the end of it.

    Beyond its own tier a provider first joins the next one, at the near end.
    """
    with write_transaction():
        line = list(Provider.objects.select_for_update().order_by("tier", "position", "id"))
        place = next(n for n, each in enumerate(line) if each.pk == row.pk)
        other = place - 1 if up else place + 1
        if not 0 <= other < len(line):
            return False
        if line[place].tier == line[other].tier:
            line[place], line[other] = line[other], line[place]
        else:
            line[place].tier = line[other].tier
        now = timezone.now()
        for position, each in enumerate(line):
            Provider.objects.filter(pk=each.pk).update(tier=each.tier, position=position, updated_at=now)
    return True


def deployment_of(names: dict[str, str]) -> Deployment | None:
    """The deployment of a scope; the first one of a wider scope. None when there is none (any more)."""
    for provider in snapshot.providers():
        if provider.slug != names["provider"]:
            continue
        for key in provider.keys:
            for model in provider.models:
                for location in provider.locations or ("",):
                    found = {"credential": key.label, "model": model.name, "location": location}
                    if all(names.get(name, "") in ("", value) for name, value in found.items()):
                        return Deployment(provider, key, model, location)
    return None
