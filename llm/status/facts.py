"""What the verdict on the chain is made of: configuration, pauses and kept sums, in a fixed number of queries."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils.module_loading import import_string

from llm.configuration import snapshot
from llm.configuration.snapshot import KeyConf, PauseView, ProviderConf
from llm.failures import waits
from llm.failures.kinds import Kind
from llm.models import Call, Provider
from llm.pauses.demotion import in_order
from llm.status import usage
from llm.status.usage import QuotaLeft, Spending
from llm.status.verdict import Facts, Link, Trouble, Verdict, judge

PASSING = timedelta(minutes=2)  # a pause that is over so soon is how a chain breathes
LATELY = timedelta(hours=1)
ANSWERED, LOST = {Call.Outcome.OK}, {Call.Outcome.EXHAUSTED}
Quotas = dict[tuple[str, str, str], QuotaLeft]


def verdict(read: usage.Usage | None = None) -> Verdict:
    """The chain as it is now, together with what LLM_STATUS_SOURCES name.

    Each of those is the path of a function that takes a datetime and returns Troubles of the product's own.
    """
    read = read or usage.Usage()
    others = [trouble for source in _sources() for trouble in source(read.now)]
    return judge(gather(read), others)


@cache
def _imported(paths: tuple[str, ...]) -> tuple[Callable[[datetime], Iterable[Trouble]], ...]:
    return tuple(import_string(path) for path in paths)


def _sources() -> tuple[Callable[[datetime], Iterable[Trouble]], ...]:
    return _imported(tuple(getattr(settings, "LLM_STATUS_SOURCES", ())))


def gather(read: usage.Usage) -> Facts:
    """The facts at `read.now`."""
    now, state = read.now, snapshot.read()
    quotas = {(each.provider, each.account, each.model): each for each in read.quotas}
    names = dict(Provider.objects.filter(enabled=True).values_list("slug", "name"))
    budgets, credits_ = _spent(read.spending)
    over = {*budgets, *credits_}
    links = []
    for provider in in_order(state.providers, state.pauses, now):
        keys = [key for key in provider.keys if key.key or provider.keyless]
        if keys and provider.models:
            pauses = [p for p in state.pauses.get(provider.slug, []) if _stops(p, now)]
            name = names.get(provider.slug, provider.slug)
            links.append(
                _link(name, provider, keys, pauses, quotas, provider.slug in over or "" in over, now)
            )
    calls = usage.called(read.calls.since(now - LATELY))
    return Facts(
        now=now,
        links=tuple(links),
        broken_keys=_broken(state.pauses),
        gone_models=_gone(state.providers, state.pauses, names),
        answered=sum(line.number for line in calls if line.outcome in ANSWERED),
        unanswered=sum(line.number for line in calls if line.outcome in LOST),
        quota_left=_share_left(quotas.values()),
        spent=next((each.today for each in read.spending if not each.provider), Decimal(0)),
        saved=usage.saved(read.savings.today),
        spent_budgets=tuple(names.get(slug, slug) for slug in budgets),
        spent_credits=tuple(names.get(slug, slug) for slug in credits_),
        catalogue_seen=_seen([link_of.slug for link_of in state.providers if link_of.keys]),
    )


def _stops(pause: PauseView, now: datetime) -> bool:
    soon = pause.until is not None and pause.until - now < PASSING
    return not pause.needs and not soon and waits.holds(pause, now)


def _link(
    name: str,
    provider: ProviderConf,
    keys: list[KeyConf],
    pauses: list[PauseView],
    quotas: Quotas,
    over_budget: bool,
    now: datetime,
) -> Link:
    if over_budget and not provider.free:
        return Link(name, (), len(keys), "budget")
    holding: list[PauseView] = []
    spent: list[QuotaLeft] = []
    free_keys = []
    for key in keys:
        usable = False
        for model in provider.models:
            for location in provider.locations or ("",):
                found = [
                    pause for pause in pauses
                    if pause.covers(credential=key.label, account=key.account, model=model.name,
                                    location=location, fingerprint=key.fingerprint)
                ]  # fmt: skip
                left = quotas.get((provider.slug, key.account, model.name))
                empty = left is not None and 0 in (left.requests, left.tokens)
                holding += found
                spent += [left] if left is not None and empty else []
                usable = usable or not (found or empty)
        free_keys += [key.label] if usable else []
    if free_keys:
        return Link(name, tuple(free_keys), len(keys))
    if not holding:
        return Link(name, (), len(keys), "quota", until=spent[0].resets_at if spent else None)
    # What ends first lets the provider be asked again.
    first = min(holding, key=lambda p: (p.until is None, p.until or now))
    return Link(name, (), len(keys), first.kind, first.since, first.until)


def _spent(spending: Iterable[Spending]) -> tuple[list[str], list[str]]:
    """Slugs of what has spent its budget of the day, where an empty one is the whole site, and its credit."""
    rows = list(spending)
    budgets = [
        row.provider for row in rows if row.daily_budget is not None and row.today >= row.daily_budget > 0
    ]
    credits_ = [
        row.provider
        for row in rows
        if row.credit is not None and row.credit_used is not None and row.credit_used >= row.credit
    ]
    return budgets, credits_


def _gone(
    providers: Iterable[ProviderConf], pauses: dict[str, list[PauseView]], names: dict[str, str]
) -> tuple[str, ...]:
    """Models that a provider with a key no longer has, at any of its places."""
    found = []
    for provider in providers:
        if not (provider.keys or provider.keyless):
            continue
        configured = {model.name for model in provider.models}
        found += [
            f"{names.get(provider.slug, provider.slug)} {pause.model}"
            for pause in pauses.get(provider.slug, [])
            if pause.kind == Kind.MODEL_GONE and pause.model in configured and not pause.location
        ]
    return tuple(dict.fromkeys(found))


def _broken(pauses: dict[str, list[PauseView]]) -> tuple[str, ...]:
    found = [
        pause.credential or pause.account or pause.provider
        for each in pauses.values()
        for pause in each
        if pause.kind == Kind.KEY_INVALID and pause.until is None
    ]
    return tuple(dict.fromkeys(found))


def _share_left(quotas: Iterable[QuotaLeft]) -> float | None:
    """Of requests or of tokens, whichever is less."""
    return min((left / limit for left, limit in _sums(usage.once(quotas)) if limit), default=None)


def _sums(rows: list[QuotaLeft]) -> list[tuple[int, int]]:
    requests = [(each.requests, each.requests_limit) for each in rows if each.requests is not None]
    tokens = [(each.tokens, each.tokens_limit) for each in rows if each.tokens is not None]
    return [
        (sum(left or 0 for left, _ in each), sum(limit or 0 for _, limit in each))
        for each in (requests, tokens)
    ]


def _seen(slugs: list[str]) -> datetime | None:
    day: Any = Provider.objects.filter(slug__in=slugs).aggregate(day=Max("seen"))["day"]
    return datetime.combine(day, time(), UTC) if day else None
