"""How often the gates accepted each model's texts, from real calls, and the order of models that follows from it.

The board proposes an order of a provider's models where the difference is more than chance; a person applies it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from math import sqrt

from django.db.models import Avg, Count, Q
from django.db.models.functions import Length
from django.utils import timezone

from llm.configuration.ordering import reorder
from llm.failures.kinds import Kind
from llm.foresight.workload import OWN_PURPOSES
from llm.models import Attempt, Model
from llm.storage.transactions import write_transaction

REMEMBERED = timedelta(days=30)
Z = 1.96  # 95 %
OK, REJECTED = Q(outcome="ok"), Q(outcome=Kind.REJECTED_OUTPUT)


@dataclass(frozen=True, slots=True)
class Interval:
    """A share of passed texts, with the 95 % bounds of Wilson's interval; 0 to 1 without any."""

    passed: int
    judged: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.passed / self.judged if self.judged else 0.0


def wilson(passed: int, judged: int) -> Interval:
    """Wilson, E. B. (1927): holds for few samples and for shares near 0 and 1, where others do not."""
    if not judged:
        return Interval(0, 0, 0.0, 1.0)
    share, square = passed / judged, Z * Z
    middle = (share + square / (2 * judged)) / (1 + square / judged)
    half = Z / (1 + square / judged) * sqrt(share * (1 - share) / judged + square / (4 * judged**2))
    return Interval(passed, judged, max(middle - half, 0.0), min(middle + half, 1.0))


@dataclass(frozen=True, slots=True)
class Row:
    """One model in one purpose and language. Averages are of passed texts; None where there are none."""

    purpose: str
    lang: str
    provider: str
    model: str
    pass_rate: Interval
    chars: float | None
    latency_ms: float | None
    cost_usd: Decimal | None
    complaint: str  # the most frequent one


def board() -> list[Row]:
    """The last 30 days by purpose, language and model, in two queries, of texts that a gate has judged: one that nobody
    judged has not passed. Our own checks are no traffic.
    """
    names = ("call__purpose", "call__lang", "provider", "model")
    judged = (
        Attempt.objects.filter(OK | REJECTED, judged=True, started_at__gt=timezone.now() - REMEMBERED)
        .exclude(call__purpose__in=OWN_PURPOSES)
        .order_by()
    )
    complaints: dict[tuple[str, ...], str] = {}
    told = judged.filter(REJECTED).values_list(*names, "detail").annotate(times=Count("id"))
    for *group, detail, _ in told.order_by("-times", "detail"):
        complaints.setdefault(tuple(group), detail)
    rows = (
        judged.values(*names)
        .annotate(
            times_passed=Count("id", filter=OK),
            times_judged=Count("id"),
            # Of texts that are not forgotten.
            mean_chars=Avg(Length("call__text"), filter=OK & ~Q(call__text="")),
            mean_ms=Avg("latency_ms", filter=OK),
            mean_usd=Avg("cost_usd", filter=OK),
        )
        .order_by(*names)
        .values_list(*names, "times_passed", "times_judged", "mean_chars", "mean_ms", "mean_usd")
    )
    return [
        Row(
            purpose=purpose,
            lang=lang,
            provider=slug,
            model=model,
            pass_rate=wilson(passed, count),
            chars=chars,
            latency_ms=latency_ms,
            cost_usd=None if cost_usd is None else Decimal(str(cost_usd)),
            complaint=complaints.get((purpose, lang, slug, model), ""),
        )
        for purpose, lang, slug, model, passed, count, chars, latency_ms, cost_usd in rows
    ]


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How many texts of a purpose one gate rejected; `rule` is the gate's name, the part before the colon."""

    purpose: str
    rule: str
    times: int


def rules() -> list[RuleCount]:
    """What the gates rejected in the last 30 days, by purpose and gate, the busiest first. One query."""
    rejected = Attempt.objects.filter(REJECTED, started_at__gt=timezone.now() - REMEMBERED)
    told = rejected.exclude(call__purpose__in=OWN_PURPOSES).order_by()
    counts = Counter[tuple[str, str]]()
    for purpose, detail, times in told.values_list("call__purpose", "detail").annotate(times=Count("id")):
        counts[purpose, detail.partition(":")[0]] += times
    return [RuleCount(purpose, rule, times) for (purpose, rule), times in counts.most_common()]


@dataclass(frozen=True, slots=True)
class Ground:
    """Why one model goes before another: the shares that passed where both were judged."""

    better: str
    worse: str
    of_better: Interval
    of_worse: Interval


@dataclass(frozen=True, slots=True)
class Proposal:
    """Another order of a provider's models: ids and names, as they are and as they could be."""

    provider_id: int
    provider: str
    now: tuple[str, ...]
    then: tuple[str, ...]
    ids: tuple[int, ...]
    grounds: tuple[Ground, ...] = ()

    @property
    def token(self) -> str:
        """The proposed order, to see whether it is still the one that was looked at."""
        return ",".join(map(str, self.ids))


Rates = dict[str, dict[tuple[str, str], Interval]]  # by model, by purpose and language


def proposals(rows: Sequence[Row]) -> list[Proposal]:
    """One for each provider whose order the board speaks against.

    A model goes before another only when even its lower bound is above the other's upper one, over the purposes
    and languages in which both were judged: one that has the easier language is not the better model.
    """
    by_provider: dict[int, list[Model]] = {}
    for model in Model.objects.filter(enabled=True).select_related("provider").order_by("position", "id"):
        by_provider.setdefault(model.provider_id, []).append(model)
    found = []
    for provider_id, models in by_provider.items():
        slug, names = models[0].provider.slug, [model.name for model in models]
        rates = _of(slug, rows)
        order = better_order(names, partial(_beats, rates))
        if order != names:
            ids = {model.name: model.pk for model in models}
            proposed = tuple(ids[name] for name in order)
            found.append(
                Proposal(
                    provider_id, slug, tuple(names), tuple(order), proposed, _grounds(rates, names, order)
                )
            )
    return found


def _grounds(rates: Rates, now: Sequence[str], then: Sequence[str]) -> tuple[Ground, ...]:
    """The figures behind each pair that changes places and is surely unequal."""
    return tuple(
        Ground(later, earlier, *_shared(rates, later, earlier))
        for place, earlier in enumerate(now)
        for later in now[place + 1 :]
        if then.index(later) < then.index(earlier) and _beats(rates, later, earlier)
    )


def _of(slug: str, rows: Sequence[Row]) -> Rates:
    found: Rates = {}
    for row in rows:
        if row.provider == slug:
            found.setdefault(row.model, {})[row.purpose, row.lang] = row.pass_rate
    return found


def _beats(rates: Rates, one: str, other: str) -> bool:
    """Whether one model passes surely more often than the other where both were judged."""
    ours, theirs = _shared(rates, one, other)
    return ours.low > theirs.high


def _shared(rates: Rates, one: str, other: str) -> tuple[Interval, Interval]:
    """What passed of each, summed over the purposes and languages in which both were judged."""
    ours, theirs = rates.get(one, {}), rates.get(other, {})
    shared = ours.keys() & theirs.keys()
    of_one, of_other = (
        wilson(sum(r[group].passed for group in shared), sum(r[group].judged for group in shared))
        for r in (ours, theirs)
    )
    return of_one, of_other


def better_order(names: Sequence[str], beats: Callable[[str, str], bool]) -> list[str]:
    """The order in which nobody stands behind one that it beats, with as few moves as that takes."""
    order = list(names)
    for _ in range(len(order) ** 2):  # pairs are compared on different ground, so there may be a circle
        move = next(
            (
                (place, later)
                for place, worse in enumerate(order)
                for later in order[place + 1 :]
                if beats(later, worse)
            ),
            None,
        )
        if move is None:
            return order
        place, later = move
        order.remove(later)
        order.insert(place, later)
    return list(names)


def apply(provider_id: int, token: str) -> Proposal:
    """Sets a proposed order. Raises LookupError when the board no longer proposes just that."""
    with write_transaction():
        for proposal in proposals(board()):
            if proposal.provider_id == provider_id and proposal.token == token:
                off = Model.objects.filter(provider_id=provider_id, enabled=False).order_by("position", "id")
                reorder([*proposal.ids, *off.values_list("pk", flat=True)])
                return proposal
    raise LookupError("the board no longer proposes this order")
